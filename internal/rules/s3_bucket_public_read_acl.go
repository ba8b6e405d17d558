package rules

var s3BucketPublicReadACL = Rule{
	Name: "s3-bucket-public-read-acl", Identifier: "S3_BUCKET_PUBLIC_READ_ACL", Source: Registry,
	Summary: "the ACL does not let everyone read",
	Remedy:  "drop AccessControl: PublicRead",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	judge:    judgeS3BucketPublicReadACL,
	registry: &registryReading{nag: []string{"W31"}},
}

func judgeS3BucketPublicReadACL(s *subject) Verdict {
	acl := s.at("AccessControl")
	is := acl.oneOf("PublicRead")
	if s.guard && is == unknown {
		is = no
	}
	return verdictOf(is.Not(), acl, "which lets everyone read")
}
