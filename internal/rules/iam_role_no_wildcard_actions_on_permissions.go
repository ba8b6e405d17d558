package rules

var iamRoleNoWildcardActionsOnPermissions = Rule{
	Name: "iam-role-no-wildcard-actions-on-permissions", Identifier: "IAM_ROLE_NO_WILDCARD_ACTIONS_ON_PERMISSIONS", Source: Registry,
	Summary: "no statement of the role's permissions allows all of a service's actions",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument", "Policies.*.PolicyDocument"), "allows every action", allowsWildAction)
	},
	registry: &registryReading{nag: []string{"F3"}, judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows every action", allowsWildAction)
	}},
}
