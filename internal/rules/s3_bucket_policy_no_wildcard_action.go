package rules

var s3BucketPolicyNoWildcardAction = Rule{
	Name: "s3-bucket-policy-no-wildcard-action", Identifier: "S3_BUCKET_POLICY_NO_WILDCARD_ACTION", Source: Registry,
	Summary: "no statement allows all of a service's actions",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::S3::BucketPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows every action", allowsWildAction)
	},
	registry: &registryReading{nag: []string{"F15"}},
}
