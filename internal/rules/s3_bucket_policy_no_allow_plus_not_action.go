package rules

var s3BucketPolicyNoAllowPlusNotAction = Rule{
	Name: "s3-bucket-policy-no-allow-plus-not-action", Identifier: "S3_BUCKET_POLICY_NO_ALLOW_PLUS_NOT_ACTION", Source: Registry,
	Summary: "no statement allows all actions but some",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::S3::BucketPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotAction", allowsBut("NotAction"))
	},
	registry: &registryReading{nag: []string{"W20"}},
}
