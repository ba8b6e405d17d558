package rules

import (
	"evo/internal/rules/policy"
)

var sqsQueueNoPublicAccess = Rule{
	Name: "sqs-queue-no-public-access", Identifier: "SQS_QUEUE_NO_PUBLIC_ACCESS", Source: Managed,
	Summary: "the queue's policy lets nobody in who is not named",
	Remedy:  "name the principals in the queue policy, or narrow it with aws:SourceArn or aws:SourceAccount",
	Types:   []string{"AWS::SQS::Queue"}, Trigger: OnChange, Scope: Template,
	judge: judgeSQSQueueNoPublicAccess,
}

func judgeSQSQueueNoPublicAccess(s *subject) Verdict {
	return s.wantNoStatement(nil, queuePolicies, "lets everyone in", s.public("*"))
}

var queuePolicies = []string{"AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"}

// public makes the fault of letting anyone do one of the actions.
func (s *subject) public(actions ...string) func(policy.Statement) truth {
	return func(st policy.Statement) truth { return st.Public(s.isResource, actions...) }
}

// wantNoStatement is the rule that no statement of the policies attached to the subject, nor of its own document, is at fault.
func (s *subject) wantNoStatement(own []string, attached []string, fault string, faulty func(policy.Statement) truth) Verdict {
	v := s.wantNone(append(s.own(own...), s.policies(attached...)...), fault, faulty)
	if it := s.mayHave(attached...); it != nil && v.Compliance == Compliant {
		return s.unresolvedTarget(it)
	}
	return v
}
