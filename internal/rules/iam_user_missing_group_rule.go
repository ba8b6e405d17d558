package rules

var iamUserMissingGroupRule = Rule{
	Name: "iam-user-missing-group-rule", Identifier: "IAM_USER_MISSING_GROUP_RULE", Source: Registry,
	Summary: "the user is in a group",
	Remedy:  "set Groups",
	Types:   []string{"AWS::IAM::User"}, Trigger: OnChange, Scope: Template,
	judge:    func(s *subject) Verdict { return s.wantSet("Groups") },
	registry: &registryReading{nag: []string{"F2000"}},
}
