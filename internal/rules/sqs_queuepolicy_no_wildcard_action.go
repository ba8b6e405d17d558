package rules

var sqsQueuepolicyNoWildcardAction = Rule{
	Name: "sqs-queuepolicy-no-wildcard-action", Identifier: "SQS_QUEUEPOLICY_NO_WILDCARD_ACTION", Source: Registry,
	Summary: "no statement allows all of a service's actions",
	Remedy:  "list the actions in Action",
	Types:   []string{"AWS::SQS::QueuePolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows every action", allowsWildAction)
	},
	registry: &registryReading{nag: []string{"F20"}},
}
