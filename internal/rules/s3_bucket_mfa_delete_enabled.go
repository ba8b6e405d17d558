package rules

var s3BucketMFADeleteEnabled = Rule{
	Name: "s3-bucket-mfa-delete-enabled", Identifier: "S3_BUCKET_MFA_DELETE_ENABLED", Source: Managed,
	Summary: "deleting versions for good needs a second factor",
	Remedy:  "switch MFA delete on with the root user: no template can",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Live,
	judge: (*subject).wantMFADelete,
}
