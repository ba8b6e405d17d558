package cloudwatch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/cloudwatch/alarm"
	"evo/internal/cloud/cloudwatch/metricmath"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// alarmState is an alarm as the store keeps it, metric or composite, its configuration and its state.
type alarmState struct {
	Name           string
	Description    *string                  `json:",omitempty"`
	ActionsEnabled bool                     `json:",omitempty"`
	Actions        map[alarm.State][]string `json:",omitempty"` // by the state on whose entry they are carried out
	Tags           []tag                    `json:",omitempty"`
	Metric         *metricAlarm             `json:",omitempty"`
	Rule           *string                  `json:",omitempty"` // of a composite alarm

	Configured   time.Time
	State        alarm.State
	Reason       string
	ReasonData   string `json:",omitempty"`
	Updated      time.Time
	Transitioned time.Time
}

// metricAlarm is what a metric alarm watches.
type metricAlarm struct {
	Namespace, MetricName string                  `json:",omitempty"`
	Dimensions            []Dimension             `json:",omitempty"`
	Statistic             string                  `json:",omitempty"` // or an extended one
	Unit                  string                  `json:",omitempty"`
	Period                int32                   `json:",omitempty"`
	Metrics               []types.MetricDataQuery `json:",omitempty"` // instead of all of the above
	EvaluationPeriods     int32
	DatapointsToAlarm     *int32 `json:",omitempty"`
	Threshold             float64
	Comparison            string
	Missing               *string `json:",omitempty"`
	LowSamples            *string `json:",omitempty"`
}

type tag struct{ Key, Value string }

func (m *metricAlarm) rule() alarm.Rule {
	r := alarm.Rule{Comparison: m.Comparison, Threshold: m.Threshold, Periods: int(m.EvaluationPeriods), DatapointsToAlarm: int(aws.ToInt32(m.DatapointsToAlarm)), Missing: alarm.Missing}
	if m.Missing != nil {
		r.Missing = alarm.Treatment(*m.Missing)
	}
	return r
}

// period is the length of a datapoint; with metric math it is that of the watched expression or the metrics.
func (m *metricAlarm) period() int64 {
	p := m.Period
	for _, q := range m.Metrics {
		p = max(p, aws.ToInt32(q.Period))
		if q.MetricStat != nil {
			p = max(p, aws.ToInt32(q.MetricStat.Period))
		}
	}
	return int64(p)
}

// ARN returns the alarm's Amazon resource name.
func (s *Service) alarmARN(name string) string {
	return "arn:aws:cloudwatch:" + s.Region + ":" + call.Account + ":alarm:" + name
}

// alarmName returns the name in an alarm's ARN, or the name as it is.
func alarmName(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		if _, name, ok := strings.Cut(nameOrARN, ":alarm:"); ok {
			return name
		}
	}
	return nameOrARN
}

// PutMetricAlarm creates or changes an alarm. A new one has INSUFFICIENT_DATA until its first evaluation; a changed one keeps
// its state until then.
func (s *Service) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	m, err := watched(in)
	if err != nil {
		return nil, err
	}
	a := alarmState{
		Name: aws.ToString(in.AlarmName), Description: in.AlarmDescription, Metric: m,
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		Actions:        actions(in.OKActions, in.AlarmActions, in.InsufficientDataActions),
	}
	if err := s.putAlarm(ctx, a, in.Tags); err != nil {
		return nil, err
	}
	s.planTick()
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

func actions(ok, inAlarm, insufficient []string) map[alarm.State][]string {
	return map[alarm.State][]string{alarm.OK: ok, alarm.Alarm: inAlarm, alarm.InsufficientData: insufficient}
}

// putAlarm stores an alarm's configuration, and writes its history.
func (s *Service) putAlarm(ctx context.Context, a alarmState, tags []types.Tag) error {
	now := s.Clock.Now()
	a.Configured = now
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		old, exists := s.alarms.Get(tx, a.Name)
		if exists && (old.Metric == nil) != (a.Metric == nil) {
			return validation("An alarm with the name %s exists already and is of another type.", a.Name)
		}
		what := "created"
		a.State, a.Reason, a.Updated, a.Transitioned = alarm.InsufficientData, "Unchecked: Initial alarm creation", now, now
		if exists {
			what = "updated"
			a.State, a.Reason, a.ReasonData, a.Updated, a.Transitioned, a.Tags = old.State, old.Reason, old.ReasonData, old.Updated, old.Transitioned, old.Tags
		} else {
			for _, t := range tags {
				a.Tags = append(a.Tags, tag{aws.ToString(t.Key), aws.ToString(t.Value)})
			}
		}
		s.alarms.Put(tx, a.Name, a)
		s.configured(tx, a, what)
		return nil
	})
}

// watched reads and checks what a metric alarm watches.
func watched(in *cloudwatch.PutMetricAlarmInput) (*metricAlarm, error) {
	if err := checkUnsupported(in); err != nil {
		return nil, err
	}
	m := &metricAlarm{
		Namespace: aws.ToString(in.Namespace), MetricName: aws.ToString(in.MetricName), Unit: string(in.Unit), Period: aws.ToInt32(in.Period),
		Statistic: string(in.Statistic) + aws.ToString(in.ExtendedStatistic), Metrics: in.Metrics,
		EvaluationPeriods: aws.ToInt32(in.EvaluationPeriods), DatapointsToAlarm: in.DatapointsToAlarm,
		Threshold: aws.ToFloat64(in.Threshold), Comparison: string(in.ComparisonOperator), Missing: in.TreatMissingData, LowSamples: in.EvaluateLowSampleCountPercentile,
	}
	switch {
	case in.Threshold == nil:
		return nil, missingParameter("The parameter Threshold is required.")
	case m.EvaluationPeriods < 1:
		return nil, missingParameter("The parameter EvaluationPeriods is required.")
	case m.DatapointsToAlarm != nil && *m.DatapointsToAlarm > m.EvaluationPeriods:
		return nil, validation("Parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods")
	case !slices.Contains([]string{"GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"}, m.Comparison):
		return nil, validation("The comparison operator %s needs anomaly detection, which is not there in the embedded cloud.", m.Comparison)
	case m.Missing != nil && !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, *m.Missing):
		return nil, validation("Option TreatMissingData [%s] is unsupported.", *m.Missing)
	case m.LowSamples != nil && !slices.Contains([]string{"evaluate", "ignore"}, *m.LowSamples):
		return nil, validation("Option EvaluateLowSampleCountPercentile [%s] is unsupported.", *m.LowSamples)
	}
	check := m.checkMath
	if len(m.Metrics) == 0 {
		check = func() error { return m.checkMetric(in) }
	} else if in.MetricName != nil || in.Namespace != nil || in.Period != nil || in.Dimensions != nil || m.Statistic != "" {
		return nil, validation("Metrics list cannot be specified together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic.")
	}
	if err := check(); err != nil {
		return nil, err
	}
	return m, m.checkLength()
}

func checkUnsupported(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.EvaluationCriteria != nil || in.EvaluationInterval != nil:
		return validation("PromQL alarms (EvaluationCriteria, EvaluationInterval) are not there in the embedded cloud.")
	case in.ThresholdMetricId != nil:
		return validation("Anomaly detection alarms (ThresholdMetricId) are not there in the embedded cloud.")
	case in.WarmUpConfiguration != nil:
		return validation("WarmUpConfiguration is not there in the embedded cloud.")
	}
	if _, ok := in.EvaluationWindow.(*types.EvaluationWindowMemberWallClockWindow); ok {
		return validation("EvaluationWindow: a wall clock window is not there in the embedded cloud.")
	}
	return nil
}

func (m *metricAlarm) checkMetric(in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case m.MetricName == "":
		return missingParameter("The parameter MetricName is required.")
	case m.Namespace == "":
		return missingParameter("The parameter Namespace is required.")
	case in.Statistic != "" && in.ExtendedStatistic != nil:
		return invalidCombination("The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.")
	case m.Statistic == "":
		return missingParameter("Must specify either Statistic or ExtendedStatistic")
	case m.Period != 10 && m.Period != 20 && m.Period != 30 && (m.Period < 60 || m.Period%60 != 0):
		return validation("Invalid value for Period: it must be 10, 20, 30 or a multiple of 60.")
	}
	if _, err := parseStat(m.Statistic); err != nil {
		return validation("The value %s for parameter ExtendedStatistic is not supported.", m.Statistic)
	}
	dims, err := dimensions("Dimensions", in.Dimensions)
	m.Dimensions = dims
	return err
}

// checkMath checks the metrics of an alarm on an expression: exactly one of them is watched.
func (m *metricAlarm) checkMath() error {
	returned := 0
	for i := range m.Metrics {
		q := &m.Metrics[i]
		if q.ReturnData == nil || *q.ReturnData {
			returned++
		}
		if q.MetricStat != nil {
			if p := aws.ToInt32(q.MetricStat.Period); !validPeriod(p) {
				return validation("Invalid value for Period of %s: it must be 10, 20, 30 or a multiple of 60.", aws.ToString(q.Id))
			}
			if _, err := parseStat(aws.ToString(q.MetricStat.Stat)); err != nil {
				return err
			}
		}
		if q.Expression != nil {
			if err := checkExpression(q); err != nil {
				return err
			}
		}
	}
	if returned != 1 {
		return validation("Exactly one element of the metrics list should return data.")
	}
	return nil
}

func checkExpression(q *types.MetricDataQuery) error {
	if _, err := metricmath.Parse(aws.ToString(q.Expression)); err != nil {
		return validation("Invalid metrics list: Error in expression '%s': %v", aws.ToString(q.Id), err)
	}
	if strings.Contains(aws.ToString(q.Expression), "SEARCH") {
		return validation("SEARCH is not supported on Metric Alarms.")
	}
	return nil
}

// checkLength bounds the time that the evaluation periods span: a day, or a week where they are of an hour or more.
func (m *metricAlarm) checkLength() error {
	p := m.period()
	most := int64(86400)
	if p >= 3600 {
		most = 604800
	}
	if p == 0 || p*int64(m.EvaluationPeriods) > most {
		return validation("Metrics cannot be checked across more than %s (EvaluationPeriods * Period must be <= %d).", map[int64]string{86400: "a day", 604800: "a week"}[most], most)
	}
	return nil
}

// DeleteAlarms deletes all of the alarms, or none if one of them does not exist or is needed by a composite alarm.
func (s *Service) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, name := range in.AlarmNames {
			a, ok := s.alarms.Get(tx, name)
			if !ok {
				return resourceNotFound()
			}
			if parents := s.parents(tx, name); slices.ContainsFunc(parents, func(p string) bool { return !slices.Contains(in.AlarmNames, p) }) {
				return validation("The alarm %s cannot be deleted: the composite alarms [%s] depend on it.", name, strings.Join(parents, ", "))
			}
			s.alarms.Delete(tx, name)
			s.configured(tx, a, "deleted")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// EnableAlarmActions lets alarms carry out their actions.
func (s *Service) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, s.switchActions(ctx, in.AlarmNames, true)
}

// DisableAlarmActions keeps alarms from carrying out their actions; they still change state.
func (s *Service) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, s.switchActions(ctx, in.AlarmNames, false)
}

func (s *Service) switchActions(ctx context.Context, names []string, on bool) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, name := range names {
			a, ok := s.alarms.Get(tx, name)
			if !ok || a.ActionsEnabled == on {
				continue
			}
			a.ActionsEnabled, a.Configured = on, s.Clock.Now()
			s.alarms.Put(tx, name, a)
			s.configured(tx, a, "updated")
		}
		return nil
	})
}

// SetAlarmState sets an alarm's state until its next evaluation, and carries out the actions of that state.
func (s *Service) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	data := aws.ToString(in.StateReasonData)
	err := s.transition(ctx, aws.ToString(in.AlarmName), time.Time{}, alarm.State(in.StateValue), aws.ToString(in.StateReason), data)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

func invalidToken() error {
	return &types.InvalidNextToken{Message: new("The service token in the request is invalid.")}
}

// DescribeAlarms lists alarms by name; without AlarmTypes only metric alarms, as in CloudWatch.
func (s *Service) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, invalidCombination("The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.")
	}
	p, err := paging.Open(in.NextToken, paging.Limit(in.MaxRecords, 50, 100))
	if err != nil {
		return nil, invalidToken()
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}, LogAlarms: []types.LogAlarm{}}
	s.Store.View(func(tx *store.Tx) {
		related, all := s.related(tx, in)
		wanted := func(a alarmState) bool { return a.selected(in) && (all || related[a.Name]) }
		for _, a := range paging.Of(p, s.alarms.Ascend(tx, p.After), wanted) {
			if a.Metric != nil {
				out.MetricAlarms = append(out.MetricAlarms, s.describeMetric(a))
			} else {
				out.CompositeAlarms = append(out.CompositeAlarms, s.describeComposite(a))
			}
		}
	})
	out.NextToken = p.Next()
	return out, nil
}

func (a alarmState) kind() types.AlarmType {
	if a.Metric != nil {
		return types.AlarmTypeMetricAlarm
	}
	return types.AlarmTypeCompositeAlarm
}

func (a alarmState) selected(in *cloudwatch.DescribeAlarmsInput) bool {
	wanted := in.AlarmTypes
	if len(wanted) == 0 && in.ChildrenOfAlarmName == nil && in.ParentsOfAlarmName == nil {
		wanted = []types.AlarmType{types.AlarmTypeMetricAlarm}
	}
	switch {
	case len(wanted) > 0 && !slices.Contains(wanted, a.kind()),
		len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.Name),
		!strings.HasPrefix(a.Name, aws.ToString(in.AlarmNamePrefix)),
		in.StateValue != "" && string(in.StateValue) != string(a.State):
		return false
	}
	if in.ActionPrefix == nil {
		return true
	}
	for _, list := range a.Actions {
		if slices.ContainsFunc(list, func(arn string) bool { return strings.HasPrefix(arn, *in.ActionPrefix) }) {
			return true
		}
	}
	return false
}

// related returns the alarms that are asked for as children or parents of another; all tells that neither is.
func (s *Service) related(tx *store.Tx, in *cloudwatch.DescribeAlarmsInput) (names map[string]bool, all bool) {
	var list []string
	switch {
	case in.ChildrenOfAlarmName != nil:
		if a, ok := s.alarms.Get(tx, *in.ChildrenOfAlarmName); ok {
			list = a.children()
		}
	case in.ParentsOfAlarmName != nil:
		list = s.parents(tx, *in.ParentsOfAlarmName)
	default:
		return nil, true
	}
	names = map[string]bool{}
	for _, n := range list {
		names[n] = true
	}
	return names, false
}

// DescribeAlarmsForMetric lists the alarms on one metric.
func (s *Service) DescribeAlarmsForMetric(_ context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	dims, err := dimensions("Dimensions", in.Dimensions)
	if err != nil {
		return nil, err
	}
	statistic := string(in.Statistic) + aws.ToString(in.ExtendedStatistic)
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	s.Store.View(func(tx *store.Tx) {
		for _, a := range s.alarms.Ascend(tx, "") {
			m := a.Metric
			if m == nil || m.Namespace != aws.ToString(in.Namespace) || m.MetricName != aws.ToString(in.MetricName) || !slices.Equal(m.Dimensions, dims) ||
				in.Period != nil && m.Period != *in.Period || statistic != "" && m.Statistic != statistic || in.Unit != "" && m.Unit != string(in.Unit) {
				continue
			}
			out.MetricAlarms = append(out.MetricAlarms, s.describeMetric(a))
		}
	})
	return out, nil
}

func list(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *Service) describeMetric(a alarmState) types.MetricAlarm {
	m := a.Metric
	out := types.MetricAlarm{
		AlarmName: new(a.Name), AlarmArn: new(s.alarmARN(a.Name)), AlarmDescription: a.Description, ActionsEnabled: new(a.ActionsEnabled),
		AlarmActions: list(a.Actions[alarm.Alarm]), OKActions: list(a.Actions[alarm.OK]), InsufficientDataActions: list(a.Actions[alarm.InsufficientData]),
		AlarmConfigurationUpdatedTimestamp: new(a.Configured), StateTransitionedTimestamp: new(a.Transitioned), StateUpdatedTimestamp: new(a.Updated),
		StateValue: types.StateValue(a.State), StateReason: new(a.Reason), StateReasonData: optional(a.ReasonData),
		ComparisonOperator: types.ComparisonOperator(m.Comparison), Threshold: new(m.Threshold),
		EvaluationPeriods: new(m.EvaluationPeriods), DatapointsToAlarm: m.DatapointsToAlarm,
		TreatMissingData: m.Missing, EvaluateLowSampleCountPercentile: m.LowSamples, Dimensions: []types.Dimension{},
	}
	if len(m.Metrics) > 0 {
		out.Metrics = m.Metrics
		return out
	}
	out.Namespace, out.MetricName, out.Period, out.Unit = new(m.Namespace), new(m.MetricName), new(m.Period), types.StandardUnit(m.Unit)
	if slices.Contains(types.Statistic("").Values(), types.Statistic(m.Statistic)) {
		out.Statistic = types.Statistic(m.Statistic)
	} else {
		out.ExtendedStatistic = new(m.Statistic)
	}
	for _, d := range m.Dimensions {
		out.Dimensions = append(out.Dimensions, types.Dimension{Name: new(d.Name), Value: new(d.Value)})
	}
	return out
}

func (s *Service) describeComposite(a alarmState) types.CompositeAlarm {
	return types.CompositeAlarm{
		AlarmName: new(a.Name), AlarmArn: new(s.alarmARN(a.Name)), AlarmDescription: a.Description, AlarmRule: a.Rule, ActionsEnabled: new(a.ActionsEnabled),
		AlarmActions: list(a.Actions[alarm.Alarm]), OKActions: list(a.Actions[alarm.OK]), InsufficientDataActions: list(a.Actions[alarm.InsufficientData]),
		AlarmConfigurationUpdatedTimestamp: new(a.Configured), StateTransitionedTimestamp: new(a.Transitioned), StateUpdatedTimestamp: new(a.Updated),
		StateValue: types.StateValue(a.State), StateReason: new(a.Reason), StateReasonData: optional(a.ReasonData),
	}
}

func resourceNotFound() error { return &types.ResourceNotFound{Message: new("")} }
