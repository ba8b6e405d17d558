package rules

import (
	"evo/internal/rules/policy"
)

var s3BucketPolicyNoWildcardPrincipal = Rule{
	Name: "s3-bucket-policy-no-wildcard-principal", Identifier: "S3_BUCKET_POLICY_NO_WILDCARD_PRINCIPAL", Source: Registry,
	Summary: "no statement lets everyone in",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::S3::BucketPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "lets everyone in", allowsAnybody)
	},
	registry: &registryReading{nag: []string{"F16"}, judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "lets everyone in", func(st policy.Statement) truth { return min(st.Allows(), st.PrincipalIs("*")) })
	}},
}
