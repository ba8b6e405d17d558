package rules

var s3EventNotificationsEnabled = Rule{
	Name: "s3-event-notifications-enabled", Identifier: "S3_EVENT_NOTIFICATIONS_ENABLED", Source: Managed,
	Summary: "events are notified (to this target, of these kinds)",
	Remedy:  "add NotificationConfiguration",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "destinationArn", About: "the topic, queue or function that must be told"},
		{Name: "eventTypes", Kind: CSVParameter, About: "the kinds of events that must be notified"},
	},
	judge: judgeS3EventNotificationsEnabled,
}

// notifications are the lists in which NotificationConfiguration names targets, and the key of the target in each.
var notifications = []struct{ list, target string }{{"LambdaConfigurations", "Function"}, {"QueueConfigurations", "Queue"}, {"TopicConfigurations", "Topic"}}

func judgeS3EventNotificationsEnabled(s *subject) Verdict {
	config := s.at("NotificationConfiguration")
	if config.open {
		return unresolved(config)
	}
	destination, types := s.arg("destinationArn"), s.arg("eventTypes")
	best := no
	if !destination.set && !types.set && (config.in("EventBridgeConfiguration").node != nil) {
		best = yes
	}
	seen := map[string]bool{}
	for _, kind := range notifications {
		list := config.in(kind.list)
		if list.open {
			return unresolved(list)
		}
		for i := range list.len() {
			one := list.item(i)
			to := yes
			if destination.set {
				to = s.means(one.in(kind.target), destination.text)
			}
			if to == yes {
				event, _ := one.in("Event").text()
				seen[event] = true
			}
			best = max(best, to)
		}
	}
	for _, want := range types.words {
		if best == yes && !seen[want] {
			return nonCompliantBecause(config, "NotificationConfiguration does not notify "+want)
		}
	}
	switch best {
	case yes:
		return compliantBecause(config, "NotificationConfiguration notifies events")
	case unknown:
		return unresolved(config)
	}
	return nonCompliantBecause(config, "NotificationConfiguration has no such target")
}
