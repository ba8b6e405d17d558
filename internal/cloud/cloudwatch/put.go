package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/cloudwatch/stats"
)

func invalidValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: new(fmt.Sprintf(format, args...))}
}

func invalidCombination(format string, args ...any) error {
	return &types.InvalidParameterCombinationException{Message: new(fmt.Sprintf(format, args...))}
}

func missingParameter(format string, args ...any) error {
	return &types.MissingRequiredParameterException{Message: new(fmt.Sprintf(format, args...))}
}

// PutMetricData stores metrics; they are durable when it returns.
func (s *Service) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	namespace := aws.ToString(in.Namespace)
	if strings.HasPrefix(namespace, "AWS/") {
		return nil, invalidValue("The value %s for parameter Namespace is invalid.", namespace)
	}
	if len(in.MetricData) == 0 && len(in.EntityMetricData) == 0 {
		return nil, missingParameter("The parameter MetricData is required.")
	}
	var data pending
	if err := s.addAll(&data, namespace, "MetricData.member", in.MetricData); err != nil {
		return nil, err
	}
	for i, e := range in.EntityMetricData {
		if err := s.addAll(&data, namespace, fmt.Sprintf("EntityMetricData.member.%d.MetricData.member", i+1), e.MetricData); err != nil {
			return nil, err
		}
	}
	if err := s.merge(ctx, data.series); err != nil {
		return nil, fmt.Errorf("store metrics: %w", err)
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

// maxData is how many metrics one request may hold, maxValues how many values each of them.
const (
	maxData   = 1000
	maxValues = 150
)

func (s *Service) addAll(to *pending, namespace, path string, data []types.MetricDatum) error {
	if len(data) > maxData {
		return invalidValue("The collection %s must not have a size greater than %d.", strings.TrimSuffix(path, ".member"), maxData)
	}
	now := s.Clock.Now()
	for i := range data {
		d := &data[i]
		d2, err := observed(fmt.Sprintf("%s.%d", path, i+1), d)
		if err != nil {
			return err
		}
		at := now
		if d.Timestamp != nil {
			at = *d.Timestamp
		}
		if err := checkTime(fmt.Sprintf("%s.%d", path, i+1), at, now); err != nil {
			return err
		}
		dims, err := dimensions(fmt.Sprintf("%s.%d", path, i+1), d.Dimensions)
		if err != nil {
			return err
		}
		to.add(namespace, aws.ToString(d.MetricName), dims, string(d.Unit), at, aws.ToInt32(d.StorageResolution) == 1, d2)
	}
	return nil
}

// Data must not be older, nor further ahead.
const (
	tooOld = 14 * 24 * time.Hour
	tooNew = 2 * time.Hour
)

func checkTime(path string, at, now time.Time) error {
	switch {
	case at.Before(now.Add(-tooOld)):
		return invalidValue("The parameter %s.Timestamp must specify a time no more than two weeks in the past.", path)
	case at.After(now.Add(tooNew)):
		return invalidValue("The parameter %s.Timestamp must specify a time no more than two hours in the future.", path)
	}
	return nil
}

func dimensions(path string, in []types.Dimension) ([]Dimension, error) {
	out := make([]Dimension, len(in))
	for i, d := range in {
		out[i] = Dimension{aws.ToString(d.Name), aws.ToString(d.Value)}
		if strings.HasPrefix(out[i].Name, ":") {
			return nil, invalidValue("The value %s for parameter %s.Dimensions.member.%d.Name is invalid.", out[i].Name, path, i+1)
		}
	}
	out = sorted(out)
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, invalidCombination("The parameter %s.Dimensions names the dimension %s more than once.", path, out[i].Name)
		}
	}
	return out, nil
}

// observed returns what a datum says was observed: a value, values with counts, or a statistic set.
func observed(path string, d *types.MetricDatum) (stats.Distribution, error) {
	var none stats.Distribution
	switch {
	case d.Value != nil && d.Values != nil:
		return none, invalidCombination("The parameters %s.Value and %[1]s.Values are mutually exclusive and you have specified both.", path)
	case d.Value != nil && d.StatisticValues != nil:
		return none, invalidCombination("The parameters %s.Value and %[1]s.StatisticValues are mutually exclusive and you have specified both.", path)
	case d.Values != nil && d.StatisticValues != nil:
		return none, invalidCombination("The parameters %s.Values and %[1]s.StatisticValues are mutually exclusive and you have specified both.", path)
	case d.Counts != nil && len(d.Counts) != len(d.Values):
		return none, invalidValue("The parameters %s.Values and %[1]s.Counts must be of the same size.", path)
	case len(d.Values) > maxValues:
		return none, invalidValue("The collection %s.Values must not have a size greater than %d.", path, maxValues)
	}
	if r := aws.ToInt32(d.StorageResolution); d.StorageResolution != nil && r != 1 && r != 60 {
		return none, invalidValue("The value %d for parameter %s.StorageResolution is invalid.", r, path)
	}
	switch {
	case d.Value != nil:
		return stats.Of(*d.Value, 1), checkNumbers(path+".Value", *d.Value)
	case d.StatisticValues != nil:
		v := d.StatisticValues
		if aws.ToFloat64(v.Maximum) < aws.ToFloat64(v.Minimum) {
			return none, invalidValue("The parameter %s.StatisticValues.Maximum must be greater than or equal to %[1]s.StatisticValues.Minimum.", path)
		}
		return stats.Set(aws.ToFloat64(v.SampleCount), aws.ToFloat64(v.Sum), aws.ToFloat64(v.Minimum), aws.ToFloat64(v.Maximum)),
			checkNumbers(path+".StatisticValues", aws.ToFloat64(v.SampleCount), aws.ToFloat64(v.Sum), aws.ToFloat64(v.Minimum), aws.ToFloat64(v.Maximum))
	case d.Values != nil:
		if err := checkNumbers(path+".Values", d.Values...); err != nil {
			return none, err
		}
		return distribution(d.Values, d.Counts), checkNumbers(path+".Counts", d.Counts...)
	}
	return none, missingParameter("The parameter %s.Value is required.", path)
}

// checkNumbers refuses what CloudWatch does not take: no numbers, and those beyond ±2^360.
func checkNumbers(path string, numbers ...float64) error {
	for _, f := range numbers {
		if math.IsNaN(f) || math.Abs(f) > math.Exp2(360) {
			return invalidValue("The value %v for parameter %s is invalid.", f, path)
		}
	}
	return nil
}
