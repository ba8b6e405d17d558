package rules

var iamRoleOrPolicyNoAllowPlusNotAction = Rule{
	Name: "iam-role-or-policy-no-allow-plus-not-action", Identifier: "IAM_ROLE_OR_POLICY_NO_ALLOW_PLUS_NOT_ACTION", Source: Registry,
	Summary: "no statement allows all actions but some",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument", "Policies.*.PolicyDocument"), "allows with NotAction", allowsBut("NotAction"))
	},
	registry: &registryReading{nag: []string{"W15", "W16", "W17"}, judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotAction", allowsBut("NotAction"))
	}},
}
