package cloudwatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// maxStatistics is how many datapoints GetMetricStatistics returns at most.
const maxStatistics = 1440

// GetMetricStatistics returns statistics of one metric.
func (s *Service) GetMetricStatistics(ctx context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	period := aws.ToInt32(in.Period)
	if err := checkStatistics(in, period); err != nil {
		return nil, err
	}
	extended := map[string]stats.Statistic{}
	for _, name := range in.ExtendedStatistics {
		st, err := parseStat(name)
		if err != nil {
			return nil, invalidValue("The value %s for parameter ExtendedStatistics is invalid.", name)
		}
		extended[name] = st
	}
	dims, err := dimensions("Dimensions", in.Dimensions)
	if err != nil {
		return nil, err
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, fmt.Errorf("store metrics: %w", err)
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	w := windowOf(*in.StartTime, *in.EndTime, int64(period), s.Clock.Now())
	s.Store.View(func(tx *store.Tx) {
		for _, u := range s.fetch(tx, seriesKey(aws.ToString(in.Namespace), aws.ToString(in.MetricName), dims), string(in.Unit), w) {
			for _, b := range u.points {
				out.Datapoints = append(out.Datapoints, datapoint(b, u.unit, in.Statistics, extended))
			}
		}
	})
	return out, nil
}

func checkStatistics(in *cloudwatch.GetMetricStatisticsInput, period int32) error {
	if len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0 {
		return missingParameter("Must specify either Statistics or ExtendedStatistics")
	}
	if !aws.ToTime(in.StartTime).Before(aws.ToTime(in.EndTime)) {
		return invalidValue("The parameter StartTime must be less than the parameter EndTime.")
	}
	if !validPeriod(period) {
		return invalidValue("The parameter Period must be a multiple of 60, or 1, 5, 10, 20 or 30.")
	}
	if n := int64(in.EndTime.Sub(*in.StartTime)/time.Second) / int64(period); n > maxStatistics {
		return invalidCombination("You have requested up to %d datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n)
	}
	return nil
}

func datapoint(b bucket, unit string, wanted []types.Statistic, extended map[string]stats.Statistic) types.Datapoint {
	p := types.Datapoint{Timestamp: new(time.Unix(b.at, 0).UTC()), Unit: types.StandardUnit(unit)}
	for _, st := range wanted {
		switch st {
		case types.StatisticAverage:
			p.Average = new(b.Average())
		case types.StatisticMaximum:
			p.Maximum = new(b.Max)
		case types.StatisticMinimum:
			p.Minimum = new(b.Min)
		case types.StatisticSampleCount:
			p.SampleCount = new(b.Count)
		case types.StatisticSum:
			p.Sum = new(b.Sum)
		}
	}
	for name, st := range extended {
		if v, ok := st.Value(b.Distribution); ok {
			if p.ExtendedStatistics == nil {
				p.ExtendedStatistics = map[string]float64{}
			}
			p.ExtendedStatistics[name] = v
		}
	}
	return p
}

// listed is how many metrics ListMetrics returns at once.
const listed = 500

// ListMetrics lists the metrics that had data within two weeks.
func (s *Service) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	p, err := paging.Open(in.NextToken, listed)
	if err != nil {
		return nil, &types.InvalidParameterValueException{Message: new("Invalid nextToken")}
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, fmt.Errorf("store metrics: %w", err)
	}
	since := s.Clock.Now().Add(-14 * 24 * time.Hour)
	if in.RecentlyActive == types.RecentlyActivePt3h {
		since = s.Clock.Now().Add(-3 * time.Hour)
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: []types.Metric{}}
	s.Store.View(func(tx *store.Tx) {
		wanted := func(sr series) bool { return sr.Last >= since.Unix() && sr.matches(in) }
		for _, sr := range paging.Of(p, s.series.Ascend(tx, p.After), wanted) {
			out.Metrics = append(out.Metrics, sr.metric())
		}
	})
	out.NextToken = p.Next()
	return out, nil
}

func (sr series) matches(in *cloudwatch.ListMetricsInput) bool {
	if in.Namespace != nil && *in.Namespace != sr.Namespace || in.MetricName != nil && *in.MetricName != sr.Name {
		return false
	}
	for _, f := range in.Dimensions {
		if !slices.ContainsFunc(sr.Dimensions, func(d Dimension) bool {
			return d.Name == aws.ToString(f.Name) && (f.Value == nil || d.Value == *f.Value)
		}) {
			return false
		}
	}
	return true
}

func (sr series) metric() types.Metric {
	m := types.Metric{Namespace: new(sr.Namespace), MetricName: new(sr.Name), Dimensions: []types.Dimension{}}
	for _, d := range sr.Dimensions {
		m.Dimensions = append(m.Dimensions, types.Dimension{Name: new(d.Name), Value: new(d.Value)})
	}
	return m
}
