package rules

var s3BucketPublicWriteProhibited = Rule{
	Name: "s3-bucket-public-write-prohibited", Identifier: "S3_BUCKET_PUBLIC_WRITE_PROHIBITED", Source: Managed,
	Summary: "the bucket's policy and ACL let nobody write who is not named",
	Remedy:  "set all four flags of PublicAccessBlockConfiguration to true, or name the writers in the bucket policy and drop the public AccessControl",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChangePeriodic, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantNotPublic(writing) },
	registry: &registryReading{judge: (*subject).wantBlocked},
}
