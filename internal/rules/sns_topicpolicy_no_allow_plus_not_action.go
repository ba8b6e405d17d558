package rules

var snsTopicpolicyNoAllowPlusNotAction = Rule{
	Name: "sns-topicpolicy-no-allow-plus-not-action", Identifier: "SNS_TOPICPOLICY_NO_ALLOW_PLUS_NOT_ACTION", Source: Registry,
	Summary: "no statement allows all actions but some",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::SNS::TopicPolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotAction", allowsBut("NotAction"))
	},
	registry: &registryReading{nag: []string{"W19"}},
}
