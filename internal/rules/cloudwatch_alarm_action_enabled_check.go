package rules

var cloudwatchAlarmActionEnabledCheck = Rule{
	Name: "cloudwatch-alarm-action-enabled-check", Identifier: "CLOUDWATCH_ALARM_ACTION_ENABLED_CHECK", Source: Managed,
	Summary: "the alarm acts",
	Remedy:  "drop ActionsEnabled: false",
	Types:   []string{"AWS::CloudWatch::Alarm"}, Trigger: OnChange, Scope: Template,
	judge: judgeCloudWatchAlarmActionEnabledCheck,
}

func judgeCloudWatchAlarmActionEnabledCheck(s *subject) Verdict {
	p := s.at("ActionsEnabled")
	if p.node == nil {
		return compliantBecause(p, "ActionsEnabled is not set, so it is true")
	}
	return verdictOf(p.isTrue(), p, "so the alarm does nothing")
}
