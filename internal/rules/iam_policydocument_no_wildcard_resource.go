package rules

import (
	"evo/internal/rules/policy"
)

var iamPolicydocumentNoWildcardResource = Rule{
	Name: "iam-policydocument-no-wildcard-resource", Identifier: "IAM_POLICYDOCUMENT_NO_WILDCARD_RESOURCE", Source: Registry,
	Summary: "no statement allows anything on all resources",
	Remedy:  "list the resources in Resource",
	Types:   []string{"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument", "Policies.*.PolicyDocument"), "allows on Resource *", func(st policy.Statement) truth { return min(st.Allows(), st.Resource("*")) })
	},
	registry: &registryReading{nag: []string{"W11", "W12", "W13"}},
}
