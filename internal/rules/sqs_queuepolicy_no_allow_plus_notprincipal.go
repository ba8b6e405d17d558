package rules

var sqsQueuepolicyNoAllowPlusNotprincipal = Rule{
	Name: "sqs-queuepolicy-no-allow-plus-notprincipal", Identifier: "SQS_QUEUEPOLICY_NO_ALLOW_PLUS_NOTPRINCIPAL", Source: Registry,
	Summary: "no statement lets in all principals but some",
	Remedy:  "list the principals in Principal",
	Types:   []string{"AWS::SQS::QueuePolicy"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNone(s.own("PolicyDocument"), "allows with NotPrincipal", allowsBut("NotPrincipal"))
	},
	registry: &registryReading{nag: []string{"F7"}},
}
