package rules

var iamUserNoPoliciesCheck = Rule{
	Name: "iam-user-no-policies-check", Identifier: "IAM_USER_NO_POLICIES_CHECK", Source: Managed,
	Summary: "users get their permissions from groups",
	Remedy:  "attach the policies to a group, and put the user into it",
	Types:   []string{"AWS::IAM::User"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMUserNoPoliciesCheck,
	registry: &registryReading{judge: registryIAMNoInlinePolicyCheck},
}

func judgeIAMUserNoPoliciesCheck(s *subject) Verdict {
	for _, path := range []string{"Policies", "ManagedPolicyArns"} {
		if v := s.wantEmpty(path); v.Compliance != Compliant {
			return v
		}
	}
	types := []string{"AWS::IAM::Policy", "AWS::IAM::UserPolicy", "AWS::IAM::ManagedPolicy"}
	if policies := s.attachedOf(types...); len(policies) > 0 {
		return nonCompliantBecause(property{path: "Policies", span: policies[0].Span}, policies[0].ID+" is attached to the user")
	}
	if it := s.mayHave(types...); it != nil {
		return s.unresolvedTarget(it)
	}
	return compliantBecause(s.at("Policies"), "no policy is attached to the user")
}
