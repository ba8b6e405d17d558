package rules

var snsTopicMessageDeliveryNotificationEnabled = Rule{
	Name: "sns-topic-message-delivery-notification-enabled", Identifier: "SNS_TOPIC_MESSAGE_DELIVERY_NOTIFICATION_ENABLED", Source: Managed,
	Summary: "deliveries are logged",
	Remedy:  "add DeliveryStatusLogging with a role for successes and failures",
	Types:   []string{"AWS::SNS::Topic"}, Trigger: OnChange, Scope: Template,
	judge: judgeSNSTopicMessageDeliveryNotificationEnabled,
}

func judgeSNSTopicMessageDeliveryNotificationEnabled(s *subject) Verdict {
	p := s.at("DeliveryStatusLogging")
	if p.open {
		return verdictOf(s.isSet(p), p, "")
	}
	for i := range p.len() {
		one := p.item(i)
		for _, key := range []string{"SuccessFeedbackRoleArn", "FailureFeedbackRoleArn"} {
			if role := one.in(key); role.node != nil {
				return verdictOf(s.isSet(role), role, "")
			}
		}
	}
	return nonCompliantBecause(p, "no entry of DeliveryStatusLogging has a role that may write logs")
}
