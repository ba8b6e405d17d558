package rules

var sqsQueuePolicyFullAccessCheck = Rule{
	Name: "sqs-queue-policy-full-access-check", Identifier: "SQS_QUEUE_POLICY_FULL_ACCESS_CHECK", Source: Managed,
	Summary: "the queue's policy allows nobody all actions",
	Remedy:  "list the actions in the queue policy",
	Types:   []string{"AWS::SQS::Queue"}, Trigger: OnChange, Scope: Template,
	judge: judgeSQSQueuePolicyFullAccessCheck,
}

func judgeSQSQueuePolicyFullAccessCheck(s *subject) Verdict {
	return s.wantNoStatement(nil, queuePolicies, "allows every action", allowsWildAction)
}
