package rules

import (
	"strings"
)

var cwLogGroupRetentionPeriodCheck = Rule{
	Name: "cw-loggroup-retention-period-check", Identifier: "CW_LOGGROUP_RETENTION_PERIOD_CHECK", Source: Managed,
	Summary: "logs are kept at least as long as given; for ever is long enough",
	Remedy:  "set RetentionInDays to the minimum or more",
	Types:   []string{"AWS::Logs::LogGroup"}, Trigger: Periodic, Scope: Template,
	Parameters: []Parameter{
		{Name: "MinRetentionTime", Kind: IntParameter, Default: "365", About: "days"},
		{Name: "LogGroupNames", Kind: CSVParameter, About: "only log groups whose names begin so are judged"},
	},
	judge:    judgeCWLogGroupRetentionPeriodCheck,
	registry: &registryReading{nag: []string{"W86"}, judge: registryCWLogGroupRetentionPeriodCheck},
}

func judgeCWLogGroupRetentionPeriodCheck(s *subject) Verdict {
	if a := s.arg("LogGroupNames"); a.set && !s.beginsWith(a.words) {
		return notApplicable(property{span: s.Span}, "only the given log groups are judged")
	}
	retention, least := s.at("RetentionInDays"), s.arg("MinRetentionTime")
	if retention.node == nil {
		return compliantBecause(retention, "RetentionInDays is not set, so logs are kept for ever")
	}
	days, known := retention.number()
	return verdictOf(min(known, truthOf(known != yes || days >= least.number)), retention, "less than "+least.text)
}

// beginsWith reports whether the subject's name begins with one of the words.
func (s *subject) beginsWith(words []string) bool {
	name, _ := s.name()
	for _, w := range words {
		if strings.HasPrefix(string(name), w) {
			return true
		}
	}
	return false
}

// registryCWLogGroupRetentionPeriodCheck wants a retention that CloudWatch knows (at the time that rule was written).
func registryCWLogGroupRetentionPeriodCheck(s *subject) Verdict {
	return s.wantOneOf("RetentionInDays", "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1827", "3653")
}
