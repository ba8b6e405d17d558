package rules

var iamNoPolicyOnUser = Rule{
	Name: "iam-no-policy-on-user", Identifier: "IAM_NO_POLICY_ON_USER", Source: Registry,
	Summary: "policies are attached to groups and roles, not to users",
	Remedy:  "attach the policy to a group, and put the users into it",
	Types:   []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMNoPolicyOnUser,
	registry: &registryReading{nag: []string{"F11", "F12"}},
}

func judgeIAMNoPolicyOnUser(s *subject) Verdict {
	users := s.at("Users")
	if users.open && !s.guard {
		return unresolved(users)
	}
	return verdictOf(truthOf(users.len() == 0), users, "so the policy is attached to users")
}
