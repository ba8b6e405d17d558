package rules

var lambdaDLQCheck = Rule{
	Name: "lambda-dlq-check", Identifier: "LAMBDA_DLQ_CHECK", Source: Managed,
	Summary: "events that fail for good are kept in a dead-letter queue or topic (one of the list)",
	Remedy:  "set DeadLetterConfig.TargetArn (SAM: DeadLetterQueue)",
	Types:   []string{"AWS::Lambda::Function"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "dlqArns", Kind: CSVParameter, About: "the ARNs that may be the target"},
	},
	judge:    func(s *subject) Verdict { return s.wantListed("DeadLetterConfig.TargetArn", "dlqArns") },
	registry: &registryReading{judge: func(s *subject) Verdict { return s.wantSet("DeadLetterConfig.TargetArn") }},
}
