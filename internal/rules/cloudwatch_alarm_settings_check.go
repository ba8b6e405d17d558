package rules

var cloudwatchAlarmSettingsCheck = Rule{
	Name: "cloudwatch-alarm-settings-check", Identifier: "CLOUDWATCH_ALARM_SETTINGS_CHECK", Source: Managed,
	Summary: "alarms of the metric have these settings",
	Remedy:  "set the properties to the given values",
	Types:   []string{"AWS::CloudWatch::Alarm"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "metricName", Required: true, About: "only alarms of this metric are judged"},
		{Name: "threshold", Kind: DoubleParameter, About: "as it must be"},
		{Name: "evaluationPeriods", Kind: IntParameter, About: "as it must be"},
		{Name: "period", Kind: IntParameter, Default: "300", About: "seconds"},
		{Name: "comparisonOperator", About: "as it must be"},
		{Name: "statistic", About: "as it must be"},
	},
	judge: judgeCloudWatchAlarmSettingsCheck,
}

func judgeCloudWatchAlarmSettingsCheck(s *subject) Verdict {
	metric := s.at("MetricName")
	switch metric.oneOf(s.arg("metricName").text) {
	case no:
		return notApplicable(metric, "only alarms of "+s.arg("metricName").text+" are judged")
	case unknown:
		return unresolved(metric)
	}
	for _, want := range []struct{ parameter, property string }{{"threshold", "Threshold"}, {"evaluationPeriods", "EvaluationPeriods"}, {"period", "Period"}, {"comparisonOperator", "ComparisonOperator"}, {"statistic", "Statistic"}} {
		a := s.arg(want.parameter)
		if !a.set {
			continue
		}
		p := s.at(want.property)
		is := p.oneOf(a.text)
		if n, known := p.number(); is == no && known == yes {
			is = truthOf(n == a.number)
		}
		if is != yes {
			return verdictOf(is, p, "should be "+a.text)
		}
	}
	return compliantBecause(metric, "the alarm's settings are as given")
}
