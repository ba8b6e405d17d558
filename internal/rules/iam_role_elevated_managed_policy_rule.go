package rules

var iamRoleElevatedManagedPolicyRule = Rule{
	Name: "iam-role-elevated-managed-policy-rule", Identifier: "IAM_ROLE_ELEVATED_MANAGED_POLICY_RULE", Source: Registry,
	Summary: "the role has got neither of the managed policies PowerUserAccess and IAMFullAccess",
	Remedy:  "take it out of ManagedPolicyArns and allow what the role needs",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNoManagedPolicy("arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/IAMFullAccess")
	},
	registry: &registryReading{nag: []string{"W44"}},
}
