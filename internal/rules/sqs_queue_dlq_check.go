package rules

var sqsQueueDLQCheck = Rule{
	Name: "sqs-queue-dlq-check", Identifier: "SQS_QUEUE_DLQ_CHECK", Source: Managed,
	Summary: "messages that fail again and again go to a dead-letter queue",
	Remedy:  "set RedrivePolicy",
	Types:   []string{"AWS::SQS::Queue"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict { return s.wantSet("RedrivePolicy") },
}
