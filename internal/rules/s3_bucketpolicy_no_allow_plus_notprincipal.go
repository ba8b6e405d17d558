package rules

var s3BucketpolicyNoAllowPlusNotprincipal = Rule{
	Name: "s3-bucketpolicy-no-allow-plus-notprincipal", Identifier: "S3_BUCKETPOLICY_NO_ALLOW_PLUS_NOTPRINCIPAL", Source: Registry,
	Summary: "no statement lets in all principals but some",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::S3::BucketPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotPrincipal", allowsBut("NotPrincipal"))
	},
	registry: &registryReading{nag: []string{"F9"}},
}
