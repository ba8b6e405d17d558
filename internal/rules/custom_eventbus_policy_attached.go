package rules

var customEventbusPolicyAttached = Rule{
	Name: "custom-eventbus-policy-attached", Identifier: "CUSTOM_EVENTBUS_POLICY_ATTACHED", Source: Managed,
	Summary: "a custom event bus has a policy",
	Remedy:  "add an AWS::Events::EventBusPolicy, or Policy on the bus",
	Types:   []string{"AWS::Events::EventBus"}, Trigger: OnChange, Scope: Template,
	judge: judgeCustomEventbusPolicyAttached,
}

func judgeCustomEventbusPolicyAttached(s *subject) Verdict {
	name := s.at("Name")
	if name.oneOf("default") == yes {
		return notApplicable(name, "the default bus is not judged")
	}
	if policies := s.attachedOf("AWS::Events::EventBusPolicy"); len(policies) > 0 {
		return compliantBecause(property{path: "EventBusPolicy", span: policies[0].Span}, policies[0].ID+" is its policy")
	}
	v := s.wantSet("Policy")
	if it := s.mayHave("AWS::Events::EventBusPolicy"); it != nil && v.Compliance == NonCompliant {
		return s.unresolvedTarget(it)
	}
	return v
}
