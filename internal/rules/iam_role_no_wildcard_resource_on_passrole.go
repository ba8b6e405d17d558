package rules

import (
	"evo/internal/rules/policy"
)

var iamRoleNoWildcardResourceOnPassrole = Rule{
	Name: "iam-role-no-wildcard-resource-on-passrole", Identifier: "IAM_ROLE_NO_WILDCARD_RESOURCE_ON_PASSROLE", Source: Registry,
	Summary: "iam:PassRole is allowed for named roles, not for all",
	Remedy:  "name the roles in Resource",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMRoleNoWildcardResourceOnPassrole,
	registry: &registryReading{nag: []string{"F38"}},
}

func judgeIAMRoleNoWildcardResourceOnPassrole(s *subject) Verdict {
	if policies := s.at("Policies"); policies.node == nil {
		return notApplicable(policies, "the role has no inline policies")
	}
	return s.wantNone(s.own("Policies.*.PolicyDocument"), "allows iam:PassRole on Resource *", func(st policy.Statement) truth {
		return min(st.Allows(), st.Action("iam:PassRole"), st.Resource("*"), truthOf(!st.Node.Has("Condition")))
	})
}
