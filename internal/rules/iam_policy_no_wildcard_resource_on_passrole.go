package rules

import (
	"evo/internal/rules/policy"
)

var iamPolicyNoWildcardResourceOnPassrole = Rule{
	Name: "iam-policy-no-wildcard-resource-on-passrole", Identifier: "IAM_POLICY_NO_WILDCARD_RESOURCE_ON_PASSROLE", Source: Registry,
	Summary: "iam:PassRole is allowed for named roles, not for all",
	Remedy:  "name the roles in Resource",
	Types:   []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows iam:PassRole on Resource *", func(st policy.Statement) truth {
			return min(st.Allows(), st.Action("iam:PassRole"), st.Resource("*"), truthOf(!st.Node.Has("Condition")))
		})
	},
	registry: &registryReading{nag: []string{"F39", "F40"}},
}
