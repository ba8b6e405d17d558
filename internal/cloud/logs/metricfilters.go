package logs

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"evo/internal/cloud/logs/emf"
	"evo/internal/cloud/logs/filter"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// metricFilter makes metrics of a group's events.
type metricFilter struct {
	Group, Name, Pattern string
	Created              int64
	Transformation       types.MetricTransformation
}

func filterKey(group, name string) string { return group + "\x00" + name }

// PutMetricFilter creates or changes a filter; it acts on events that come from then on.
func (s *Service) PutMetricFilter(ctx context.Context, in *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	if _, err := filter.Parse(aws.ToString(in.FilterPattern)); err != nil {
		return nil, invalidParameter("Invalid metric filter pattern: %v", err)
	}
	if len(in.MetricTransformations) != 1 {
		return nil, invalidParameter("Invalid metric transformation: there must be exactly one.")
	}
	f := metricFilter{Group: aws.ToString(in.LogGroupName), Name: aws.ToString(in.FilterName), Pattern: aws.ToString(in.FilterPattern), Created: s.Clock.Now().UnixMilli(), Transformation: in.MetricTransformations[0]}
	if f.Transformation.DefaultValue != nil && len(f.Transformation.Dimensions) > 0 {
		return nil, invalidParameter("Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
	}
	return &cloudwatchlogs.PutMetricFilterOutput{}, s.changeGroup(ctx, f.Group, func(tx *store.Tx, _ *group) error {
		s.filters.Put(tx, filterKey(f.Group, f.Name), f)
		return nil
	})
}

// DeleteMetricFilter removes a filter.
func (s *Service) DeleteMetricFilter(ctx context.Context, in *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	return &cloudwatchlogs.DeleteMetricFilterOutput{}, s.changeGroup(ctx, aws.ToString(in.LogGroupName), func(tx *store.Tx, g *group) error {
		if !s.filters.Delete(tx, filterKey(g.Name, aws.ToString(in.FilterName))) {
			return &types.ResourceNotFoundException{Message: new("The specified metric filter does not exist.")}
		}
		return nil
	})
}

// DescribeMetricFilters lists filters by group and name.
func (s *Service) DescribeMetricFilters(ctx context.Context, in *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	p, err := paging.Open(in.NextToken, paging.Limit(in.Limit, listed, listed))
	if err != nil {
		return nil, invalidToken()
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: []types.MetricFilter{}}
	s.Store.View(func(tx *store.Tx) {
		if _, ok := s.groups.Get(tx, aws.ToString(in.LogGroupName)); in.LogGroupName != nil && !ok {
			err = noGroup()
			return
		}
		for _, f := range paging.Of(p, s.filters.Ascend(tx, p.After), func(f metricFilter) bool { return f.selected(in) }) {
			out.MetricFilters = append(out.MetricFilters, types.MetricFilter{
				LogGroupName: new(f.Group), FilterName: new(f.Name), FilterPattern: new(f.Pattern), CreationTime: new(f.Created), MetricTransformations: []types.MetricTransformation{f.Transformation},
			})
		}
	})
	out.NextToken = p.Next()
	return out, err
}

func (f metricFilter) selected(in *cloudwatchlogs.DescribeMetricFiltersInput) bool {
	t := f.Transformation
	return (in.LogGroupName == nil || f.Group == *in.LogGroupName) && strings.HasPrefix(f.Name, aws.ToString(in.FilterNamePrefix)) &&
		(in.MetricName == nil || aws.ToString(t.MetricName) == *in.MetricName) && (in.MetricNamespace == nil || aws.ToString(t.MetricNamespace) == *in.MetricNamespace)
}

// TestMetricFilter tells which messages match a pattern.
func (s *Service) TestMetricFilter(_ context.Context, in *cloudwatchlogs.TestMetricFilterInput) (*cloudwatchlogs.TestMetricFilterOutput, error) {
	p, err := filter.Parse(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, invalidParameter("Invalid metric filter pattern: %v", err)
	}
	out := &cloudwatchlogs.TestMetricFilterOutput{Matches: []types.MetricFilterMatchRecord{}}
	for i, m := range in.LogEventMessages {
		if fields, ok := p.Match(m); ok {
			if fields == nil {
				fields = map[string]string{}
			}
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{EventMessage: new(m), EventNumber: int64(i + 1), ExtractedValues: fields})
		}
	}
	return out, nil
}

// filtered returns what the group's filters make of events. A default value counts once for a batch of which no event
// matches.
func (s *Service) filtered(tx *store.Tx, group string, events []Event) []emf.Metric {
	var out []emf.Metric
	for _, f := range s.filters.Prefix(tx, filterKey(group, "")) {
		p, err := filter.Parse(f.Pattern)
		if err != nil {
			continue // it was checked when it was put
		}
		matched := false
		for _, e := range events {
			fields, ok := p.Match(e.Message)
			matched = matched || ok
			if !ok {
				continue
			}
			if m, ok := f.metric(e, fields); ok {
				out = append(out, m)
			}
		}
		if d := f.Transformation.DefaultValue; !matched && d != nil && len(events) > 0 {
			out = append(out, f.of(events[len(events)-1].At, *d, nil))
		}
	}
	return out
}

func (f metricFilter) of(at time.Time, v float64, dimensions map[string]string) emf.Metric {
	t := f.Transformation
	return emf.Metric{Namespace: aws.ToString(t.MetricNamespace), Name: aws.ToString(t.MetricName), Unit: string(t.Unit), At: at, Dimensions: dimensions, Values: []float64{v}}
}

// metric is what a matching event gives: a constant, or the value of a field.
func (f metricFilter) metric(e Event, fields map[string]string) (emf.Metric, bool) {
	text, ok := field(aws.ToString(f.Transformation.MetricValue), e.Message, fields)
	if !ok {
		return emf.Metric{}, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return emf.Metric{}, false
	}
	dimensions := map[string]string{}
	for name, selector := range f.Transformation.Dimensions {
		if d, ok := field(selector, e.Message, fields); ok && d != "" {
			dimensions[name] = d
		}
	}
	return f.of(e.At, v, dimensions), true
}

// field resolves $name and $.path; anything else is itself.
func field(selector, message string, fields map[string]string) (string, bool) {
	if !strings.HasPrefix(selector, "$") {
		return selector, true
	}
	if v, ok := fields[selector]; ok {
		return v, true
	}
	return filter.Field(message, selector)
}

// DescribeSubscriptionFilters lists none: there are no subscription filters.
func (s *Service) DescribeSubscriptionFilters(ctx context.Context, in *cloudwatchlogs.DescribeSubscriptionFiltersInput) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
	if _, err := s.tagsOf(ctx, aws.ToString(in.LogGroupName)); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{SubscriptionFilters: []types.SubscriptionFilter{}}, nil
}
