package rules

var iamManagedpolicyNoStatementsWithFullAccess = Rule{
	Name: "iam-managedpolicy-no-statements-with-full-access", Identifier: "IAM_MANAGEDPOLICY_NO_STATEMENTS_WITH_FULL_ACCESS", Source: Registry,
	Summary: "no statement allows all of a service's actions",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows every action", allowsWildAction)
	},
	registry: &registryReading{nag: []string{"F5"}},
}
