package rules

var iamNoInlinePolicyCheck = Rule{
	Name: "iam-no-inline-policy-check", Identifier: "IAM_NO_INLINE_POLICY_CHECK", Source: Managed,
	Summary: "no policy is written into a user, role or group",
	Remedy:  "make it an AWS::IAM::ManagedPolicy",
	Types:   []string{"AWS::IAM::User", "AWS::IAM::Role", "AWS::IAM::Group"}, Trigger: OnChange, Scope: Template,
	judge:    judgeIAMNoInlinePolicyCheck,
	registry: &registryReading{nag: []string{"F10"}, judge: registryIAMNoInlinePolicyCheck},
}

var inlinePolicies = []string{"AWS::IAM::Policy", "AWS::IAM::UserPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::GroupPolicy"}

func judgeIAMNoInlinePolicyCheck(s *subject) Verdict {
	if v := s.wantEmpty("Policies"); v.Compliance != Compliant {
		return v
	}
	if inline := s.attachedOf(inlinePolicies...); len(inline) > 0 {
		return nonCompliantBecause(property{path: "Policies", span: inline[0].Span}, inline[0].ID+" is its inline policy")
	}
	if it := s.mayHave(inlinePolicies...); it != nil {
		return s.unresolvedTarget(it)
	}
	return compliantBecause(s.at("Policies"), "there is no inline policy")
}

// wantEmpty is the rule that a list is not there, or has no entries.
func (s *subject) wantEmpty(path string) Verdict {
	p := s.at(path)
	switch {
	case p.open:
		return verdictOf(s.isSet(p).Not(), p, "")
	case p.len() > 0:
		return nonCompliant(p, "which should be empty")
	}
	return compliant(p)
}

func registryIAMNoInlinePolicyCheck(s *subject) Verdict { return s.wantEmpty("Policies") }
