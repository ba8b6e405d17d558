package rules

var iamRoleNoAllowPlusNotPrincipal = Rule{
	Name: "iam-role-no-allow-plus-not-principal", Identifier: "IAM_ROLE_NO_ALLOW_PLUS_NOT_PRINCIPAL", Source: Registry,
	Summary: "no statement of the role's trust policy lets in all principals but some",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("AssumeRolePolicyDocument"), "allows with NotPrincipal", allowsBut("NotPrincipal"))
	},
	registry: &registryReading{nag: []string{"F6"}},
}
