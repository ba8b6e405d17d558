package rules

var iamRoleNoFullAccessOnTrustPolicy = Rule{
	Name: "iam-role-no-full-access-on-trust-policy", Identifier: "IAM_ROLE_NO_FULL_ACCESS_ON_TRUST_POLICY", Source: Registry,
	Summary: "no statement of the role's trust policy allows all actions",
	Remedy:  "allow sts:AssumeRole",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("AssumeRolePolicyDocument"), "allows every action", allowsWildAction)
	},
	registry: &registryReading{nag: []string{"F2"}},
}
