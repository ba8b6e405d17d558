package rules

var sqsQueuepolicyNoWildcardPrincipal = Rule{
	Name: "sqs-queuepolicy-no-wildcard-principal", Identifier: "SQS_QUEUEPOLICY_NO_WILDCARD_PRINCIPAL", Source: Registry,
	Summary: "no statement lets everyone in",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::SQS::QueuePolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "lets everyone in", allowsAnybodyOrAnyIAM)
	},
	registry: &registryReading{nag: []string{"F21"}},
}
