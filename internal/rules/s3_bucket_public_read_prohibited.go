package rules

var s3BucketPublicReadProhibited = Rule{
	Name: "s3-bucket-public-read-prohibited", Identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED", Source: Managed,
	Summary: "the bucket's policy and ACL let nobody read who is not named",
	Remedy:  "set all four flags of PublicAccessBlockConfiguration to true, or name the readers in the bucket policy and drop the public AccessControl",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChangePeriodic, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantNotPublic(reading) },
	registry: &registryReading{judge: (*subject).wantBlocked},
}
