package inventory

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"evo/internal/shape"
)

const (
	alarmType          = "AWS::CloudWatch::Alarm"
	compositeAlarmType = "AWS::CloudWatch::CompositeAlarm"
	logGroupType       = "AWS::Logs::LogGroup"
)

var alarmProperties = []string{"ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
	"EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics", "Namespace",
	"OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId", "TreatMissingData", "Unit"}

var compositeAlarmProperties = []string{"ActionsEnabled", "ActionsSuppressor", "ActionsSuppressorExtensionPeriod", "ActionsSuppressorWaitPeriod",
	"AlarmActions", "AlarmDescription", "AlarmRule", "InsufficientDataActions", "OKActions"}

var logGroupProperties = []string{"KmsKeyId", "LogGroupClass", "RetentionInDays", "DeletionProtectionEnabled"}

// Composite alarms are described to those alone who may describe all.
var describeAlarms = []string{"cloudwatch:DescribeAlarms"}

var alarmParts = []part{{gives: alarmProperties, actions: describeAlarms, on: everywhere, read: readAlarm, exists: true}}

var compositeAlarmParts = []part{{gives: compositeAlarmProperties, actions: describeAlarms, on: everywhere, read: readCompositeAlarm, exists: true}}

var logGroupParts = []part{
	{gives: logGroupProperties, actions: []string{"logs:DescribeLogGroups"}, on: everywhere, read: readLogGroup, exists: true},
	{gives: []string{"Tags"}, actions: []string{"logs:ListTagsForResource"}, on: []string{"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${@}"}, read: readLogGroupTags},
}

// maxAlarmNames is how many alarms one call describes.
const maxAlarmNames = 100

type alarms struct {
	metric    map[string]types.MetricAlarm
	composite map[string]types.CompositeAlarm
}

// alarms reads all alarms of the run together: DescribeAlarms allows few calls a second.
func (now *run) alarms(ctx context.Context) (*alarms, error) {
	return once(now, "alarms", func() (*alarms, error) {
		var names []string
		for _, it := range now.items {
			if (it.Type == alarmType || it.Type == compositeAlarmType) && it.PhysicalID != "" {
				names = append(names, it.PhysicalID)
			}
		}
		found := &alarms{map[string]types.MetricAlarm{}, map[string]types.CompositeAlarm{}}
		for some := range slices.Chunk(names, maxAlarmNames) {
			out, err := now.cloudwatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: some, MaxRecords: aws.Int32(maxAlarmNames),
				AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}})
			if err != nil {
				return nil, err
			}
			for _, a := range out.MetricAlarms {
				found.metric[aws.ToString(a.AlarmName)] = a
			}
			for _, a := range out.CompositeAlarms {
				found.composite[aws.ToString(a.AlarmName)] = a
			}
		}
		return found, nil
	})
}

func readAlarm(ctx context.Context, now *run, it *Item) (answer, error) {
	all, err := now.alarms(ctx)
	if err != nil {
		return answer{}, err
	}
	a, ok := all.metric[it.PhysicalID]
	if !ok {
		return answer{}, errAbsent
	}
	return answer{properties: shape.Properties(alarmType, a, nil, alarmProperties...)}, nil
}

func readCompositeAlarm(ctx context.Context, now *run, it *Item) (answer, error) {
	all, err := now.alarms(ctx)
	if err != nil {
		return answer{}, err
	}
	a, ok := all.composite[it.PhysicalID]
	if !ok {
		return answer{}, errAbsent
	}
	return answer{properties: shape.Properties(compositeAlarmType, a, nil, compositeAlarmProperties...)}, nil
}

func readLogGroup(ctx context.Context, now *run, it *Item) (answer, error) {
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(now.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &it.PhysicalID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return answer{}, err
		}
		for _, g := range page.LogGroups {
			if aws.ToString(g.LogGroupName) == it.PhysicalID {
				return answer{properties: shape.Properties(logGroupType, g, nil, logGroupProperties...)}, nil
			}
		}
	}
	return answer{}, errAbsent
}

func readLogGroupTags(ctx context.Context, now *run, it *Item) (answer, error) {
	if it.ARN == "" {
		return answer{}, errUnnamed
	}
	out, err := now.logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(strings.TrimSuffix(it.ARN, ":*"))})
	if err != nil {
		return answer{}, err
	}
	return given("Tags", shape.Tags(logGroupType, "Tags", out.Tags)), nil
}
