package rules

var iamRoleOrPolicyNoAllowPlusNotResource = Rule{
	Name: "iam-role-or-policy-no-allow-plus-not-resource", Identifier: "IAM_ROLE_OR_POLICY_NO_ALLOW_PLUS_NOT_RESOURCE", Source: Registry,
	Summary: "no statement allows actions on all resources but some",
	Remedy:  "list the resources in Resource",
	Types:   []string{"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument", "Policies.*.PolicyDocument"), "allows with NotResource", allowsBut("NotResource"))
	},
	registry: &registryReading{nag: []string{"W21", "W22", "W23"}, judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotResource", allowsBut("NotResource"))
	}},
}
