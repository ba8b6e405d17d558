package rules

var cloudwatchAlarmActionCheck = Rule{
	Name: "cloudwatch-alarm-action-check", Identifier: "CLOUDWATCH_ALARM_ACTION_CHECK", Source: Managed,
	Summary: "the alarm has the kinds of actions that are asked for",
	Remedy:  "set AlarmActions, InsufficientDataActions and OKActions",
	Types:   []string{"AWS::CloudWatch::Alarm"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "alarmActionRequired", Kind: BooleanParameter, Default: "true", About: "true: AlarmActions must be set"},
		{Name: "insufficientDataActionRequired", Kind: BooleanParameter, Default: "true", About: "true: InsufficientDataActions must be set"},
		{Name: "okActionRequired", Kind: BooleanParameter, Default: "false", About: "true: OKActions must be set"},
		{Name: "action1", About: "an ARN, one of which must be an action"},
		{Name: "action2", About: "an ARN, one of which must be an action"},
		{Name: "action3", About: "an ARN, one of which must be an action"},
		{Name: "action4", About: "an ARN, one of which must be an action"},
		{Name: "action5", About: "an ARN, one of which must be an action"},
	},
	judge:    judgeCloudWatchAlarmActionCheck,
	registry: &registryReading{judge: registryCloudWatchAlarmActionCheck},
}

// alarmActions are the kinds of actions, and the parameters that ask for them.
var alarmActions = []struct{ property, parameter string }{
	{"AlarmActions", "alarmActionRequired"}, {"InsufficientDataActions", "insufficientDataActionRequired"}, {"OKActions", "okActionRequired"},
}

func judgeCloudWatchAlarmActionCheck(s *subject) Verdict {
	for _, kind := range alarmActions {
		if !s.arg(kind.parameter).yes() {
			continue
		}
		p := s.at(kind.property)
		switch {
		case p.open:
			if set := s.isSet(p); set != yes {
				return verdictOf(set, p, "")
			}
		case p.len() == 0:
			return nonCompliant(p, "and "+kind.parameter+" is true")
		}
	}
	return s.wantAction()
}

// wantAction is the rule that one of the ARNs in the parameters is an action.
func (s *subject) wantAction() Verdict {
	any, best := false, no
	for _, name := range []string{"action1", "action2", "action3", "action4", "action5"} {
		a := s.arg(name)
		if !a.set {
			continue
		}
		any = true
		for _, kind := range alarmActions {
			actions := s.at(kind.property)
			for i := range actions.len() {
				best = max(best, s.means(actions.item(i), a.text))
			}
		}
	}
	if !any {
		return compliantBecause(s.at("AlarmActions"), "the alarm has the actions that are asked for")
	}
	return verdictOf(best, s.at("AlarmActions"), "none of the given actions")
}

// registryCloudWatchAlarmActionCheck wants any kind of action.
func registryCloudWatchAlarmActionCheck(s *subject) Verdict {
	for _, kind := range alarmActions {
		if p := s.at(kind.property); p.node != nil {
			return compliant(p)
		}
	}
	return nonCompliantBecause(s.at("AlarmActions"), "none of AlarmActions, OKActions and InsufficientDataActions is set")
}
