package rules

var sqsQueuepolicyNoAllowPlusNotAction = Rule{
	Name: "sqs-queuepolicy-no-allow-plus-not-action", Identifier: "SQS_QUEUEPOLICY_NO_ALLOW_PLUS_NOT_ACTION", Source: Registry,
	Summary: "no statement allows all actions but some",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::SQS::QueuePolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotAction", allowsBut("NotAction"))
	},
	registry: &registryReading{nag: []string{"W18"}},
}
