package rules

var iamPolicyNoStatementsWithFullAccess = Rule{
	Name: "iam-policy-no-statements-with-full-access", Identifier: "IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS", Source: Managed,
	Summary: "no statement allows all of a service's actions",
	Remedy:  "list the actions",
	Types:   []string{"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "excludePermissionBoundaryPolicy", Kind: BooleanParameter, Default: "false", About: "true: policies that are used as permissions boundary are not judged"},
	},
	judge: judgeIAMPolicyNoStatementsWithFullAccess,
	registry: &registryReading{nag: []string{"F4"}, types: []string{"AWS::IAM::Policy"}, judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows every action", allowsWildAction)
	}},
}

func judgeIAMPolicyNoStatementsWithFullAccess(s *subject) Verdict {
	return s.wantNoPermission("allows every action", allowsWildAction)
}
