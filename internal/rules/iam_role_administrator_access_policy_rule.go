package rules

import (
	"slices"
	"strings"

	"evo/internal/rules/value"
)

var iamRoleAdministratorAccessPolicyRule = Rule{
	Name: "iam-role-administrator-access-policy-rule", Identifier: "IAM_ROLE_ADMINISTRATOR_ACCESS_POLICY_RULE", Source: Registry,
	Summary: "the role has not got the managed policy AdministratorAccess",
	Remedy:  "take it out of ManagedPolicyArns and allow what the role needs",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantNoManagedPolicy("arn:aws:iam::aws:policy/AdministratorAccess") },
	registry: &registryReading{nag: []string{"W43"}},
}

// wantNoManagedPolicy is the rule that a role has none of AWS's managed policies of these ARNs, in any partition.
func (s *subject) wantNoManagedPolicy(arns ...string) Verdict {
	list := s.at("ManagedPolicyArns")
	worst := compliantBecause(list, "ManagedPolicyArns has none of these policies")
	for i := range list.len() {
		one := list.item(i)
		text, ok := value.Of(one.node)
		switch {
		case slices.Contains(arns, strings.Replace(string(text), mark+"AWS.Partition"+mark, "aws", 1)):
			return nonCompliant(one, "")
		case !ok || s.mayMean(string(text)):
			if !s.guard {
				worst = unresolved(one)
			}
		}
	}
	return worst
}
