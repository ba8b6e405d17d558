package rules

var snsTopicpolicyNoWildcardPrincipal = Rule{
	Name: "sns-topicpolicy-no-wildcard-principal", Identifier: "SNS_TOPICPOLICY_NO_WILDCARD_PRINCIPAL", Source: Registry,
	Summary: "no statement lets everyone in",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::SNS::TopicPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "lets everyone in", allowsAnybodyOrAnyIAM)
	},
	registry: &registryReading{nag: []string{"F18"}},
}
