package rules

var s3LifecyclePolicyCheck = Rule{
	Name: "s3-lifecycle-policy-check", Identifier: "S3_LIFECYCLE_POLICY_CHECK", Source: Managed,
	Summary: "an active lifecycle rule exists (with these values)",
	Remedy:  "add LifecycleConfiguration with a rule whose Status is Enabled",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "targetTransitionDays", Kind: IntParameter, About: "days to a transition"},
		{Name: "targetExpirationDays", Kind: IntParameter, About: "days to the expiration"},
		{Name: "targetTransitionStorageClass", About: "the class of the transition"},
		{Name: "targetPrefix", About: "the rule's prefix"},
		{Name: "bucketNames", Kind: CSVParameter, About: "only these buckets are judged"},
	},
	judge: judgeS3LifecyclePolicyCheck,
}

func judgeS3LifecyclePolicyCheck(s *subject) Verdict {
	if name, _ := s.name(); !s.arg("bucketNames").allows(string(name)) {
		return notApplicable(property{span: s.Span}, "only the given buckets are judged")
	}
	rules := s.at("LifecycleConfiguration.Rules")
	if rules.open {
		return unresolved(rules)
	}
	best := no
	for i := range rules.len() {
		best = max(best, s.lifecycleRule(rules.item(i)))
	}
	switch best {
	case yes:
		return compliantBecause(rules, "an active rule of LifecycleConfiguration.Rules is as asked for")
	case unknown:
		return unresolved(rules)
	}
	return nonCompliantBecause(rules, "no active rule in LifecycleConfiguration.Rules is as asked for")
}

// lifecycleRule tells whether a rule is active and as the parameters ask.
func (s *subject) lifecycleRule(rule property) truth {
	if rule.open {
		return unknown
	}
	t := rule.in("Status").oneOf("Enabled")
	if a := s.arg("targetExpirationDays"); a.set {
		t = min(t, rule.in("ExpirationInDays").oneOf(a.text))
	}
	if a := s.arg("targetPrefix"); a.set {
		t = min(t, max(rule.in("Prefix").oneOf(a.text), rule.in("Filter.Prefix").oneOf(a.text)))
	}
	for _, want := range []struct{ parameter, key string }{{"targetTransitionDays", "TransitionInDays"}, {"targetTransitionStorageClass", "StorageClass"}} {
		if a := s.arg(want.parameter); a.set {
			t = min(t, someTransition(rule, want.key, a.text))
		}
	}
	return t
}

func someTransition(rule property, key, want string) truth {
	best := rule.in("Transition." + key).oneOf(want)
	transitions := rule.in("Transitions")
	if transitions.open {
		return max(best, unknown)
	}
	for i := range transitions.len() {
		best = max(best, transitions.item(i).in(key).oneOf(want))
	}
	return best
}
