package rules

// Concern is something that people ask of an architecture in their own words, and the rules that answer.
type Concern struct {
	Name     string
	Rules    []string
	Stricter []string // that ask for more than the words do
}

// Concerns are the architecture checks that every release is asked for.
var Concerns = []Concern{
	{"encryption at rest for all S3 buckets", []string{"s3-bucket-server-side-encryption-enabled"}, []string{"s3-default-encryption-kms"}},
	{"versioning for all S3 buckets", []string{"s3-bucket-versioning-enabled"}, nil},
	{"encryption at rest for all DynamoDB tables", []string{"dynamodb-table-encryption-enabled"}, []string{"dynamodb-table-encrypted-kms"}},
	{"permissions for all S3 buckets", []string{"s3-bucket-public-read-prohibited", "s3-bucket-public-write-prohibited"},
		[]string{"s3-bucket-level-public-access-prohibited", "s3-bucket-acl-prohibited", "s3-bucket-policy-grantee-check"}},
	{"S3 buckets accept HTTPS requests only", []string{"s3-bucket-ssl-requests-only"}, nil},
	{"auto scaling or on-demand for all DynamoDB tables", []string{"dynamodb-autoscaling-enabled"}, nil},
}
