package rules

var iamRoleNoAllowPlusNotActionOnTrustPolicy = Rule{
	Name: "iam-role-no-allow-plus-not-action-on-trust-policy", Identifier: "IAM_ROLE_NO_ALLOW_PLUS_NOT_ACTION_ON_TRUST_POLICY", Source: Registry,
	Summary: "no statement of the role's trust policy allows all actions but some",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("AssumeRolePolicyDocument"), "allows with NotAction", allowsBut("NotAction"))
	},
	registry: &registryReading{nag: []string{"W14"}},
}
