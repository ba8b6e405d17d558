package rules

var snsTopicNoPublicAccess = Rule{
	Name: "sns-topic-no-public-access", Identifier: "SNS_TOPIC_NO_PUBLIC_ACCESS", Source: Managed,
	Summary: "the topic's policy lets nobody in who is not named",
	Remedy:  "name the principals in the topic policy, or narrow it with aws:SourceArn or aws:SourceAccount",
	Types:   []string{"AWS::SNS::Topic"}, Trigger: OnChange, Scope: Template,
	judge: func(s *subject) Verdict {
		return s.wantNoStatement(nil, []string{"AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"}, "lets everyone in", s.public("*"))
	},
}
