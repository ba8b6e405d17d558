package cloudformation

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"evo/internal/cloud/call"
)

// CloudWatch is what alarms and dashboards need of the service.
type CloudWatch interface {
	PutMetricAlarm(context.Context, *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error)
	DeleteAlarms(context.Context, *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error)
	PutDashboard(context.Context, *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error)
	DeleteDashboards(context.Context, *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error)
}

type compositeAlarms interface {
	PutCompositeAlarm(context.Context, *cloudwatch.PutCompositeAlarmInput) (*cloudwatch.PutCompositeAlarmOutput, error)
}

func (s *Service) cloudwatchHandlers() map[string]Handler {
	c := s.cfg.Services.CloudWatch
	if c == nil {
		return nil
	}
	deleteAlarm := func(ctx context.Context, r *Request) error {
		_, err := c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{r.Physical}})
		return err
	}
	put := func(ctx context.Context, r *Request) (Result, error) {
		in := &cloudwatch.PutMetricAlarmInput{}
		if err := fill(in, r.Properties, nil); err != nil {
			return Result{Physical: r.Physical}, err
		}
		name := r.named("AlarmName", 255)
		in.AlarmName, in.Tags = aws.String(name), alarmTags(r)
		_, err := c.PutMetricAlarm(ctx, in)
		return alarmResult(r, name), err
	}
	dashboard := func(ctx context.Context, r *Request) (Result, error) {
		name := r.named("DashboardName", 255)
		_, err := c.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: aws.String(name), DashboardBody: document(r.Properties.Get("DashboardBody"))})
		return Result{Physical: name}, err
	}
	all := map[string]Handler{
		"AWS::CloudWatch::Alarm": {Create: put, Update: put, Delete: deleteAlarm},
		"AWS::CloudWatch::Dashboard": {Create: dashboard, Update: dashboard, Delete: func(ctx context.Context, r *Request) error {
			_, err := c.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{r.Physical}})
			return err
		}},
	}
	if composite, ok := c.(compositeAlarms); ok {
		put := func(ctx context.Context, r *Request) (Result, error) {
			in := &cloudwatch.PutCompositeAlarmInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{Physical: r.Physical}, err
			}
			name := r.named("AlarmName", 255)
			in.AlarmName, in.Tags = aws.String(name), alarmTags(r)
			_, err := composite.PutCompositeAlarm(ctx, in)
			return alarmResult(r, name), err
		}
		all["AWS::CloudWatch::CompositeAlarm"] = Handler{Create: put, Update: put, Delete: deleteAlarm}
	}
	return all
}

// named is the resource's name: the one it has, else the one it is to get.
func (r *Request) named(property string, limit int) string {
	if r.Physical != "" {
		return r.Physical
	}
	return r.Name(property, limit)
}

func alarmTags(r *Request) []cwtypes.Tag {
	var tags []cwtypes.Tag
	for k, v := range r.Tags() {
		tags = append(tags, cwtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return tags
}

func alarmResult(r *Request, name string) Result {
	return Result{Physical: name, Attributes: map[string]any{"Arn": fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", r.Region, call.Account, name)}}
}

// Logs is what log groups need of the service.
type Logs interface {
	CreateLogGroup(context.Context, *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error)
	DeleteLogGroup(context.Context, *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error)
	PutRetentionPolicy(context.Context, *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error)
	DeleteRetentionPolicy(context.Context, *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error)
}

type metricFilters interface {
	PutMetricFilter(context.Context, *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error)
	DeleteMetricFilter(context.Context, *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error)
}

func (s *Service) logsHandlers() map[string]Handler {
	l := s.cfg.Services.Logs
	if l == nil {
		return nil
	}
	all := map[string]Handler{"AWS::Logs::LogGroup": groupOfLogs(l)}
	if f, ok := l.(metricFilters); ok {
		put := func(ctx context.Context, r *Request) (Result, error) {
			in := &cloudwatchlogs.PutMetricFilterInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{Physical: r.Physical}, err
			}
			name := r.named("FilterName", 512)
			in.FilterName = aws.String(name)
			_, err := f.PutMetricFilter(ctx, in)
			return Result{Physical: name}, err
		}
		all["AWS::Logs::MetricFilter"] = Handler{Create: put, Update: put, Delete: func(ctx context.Context, r *Request) error {
			_, err := f.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{FilterName: aws.String(r.Physical), LogGroupName: aws.String(r.Str("LogGroupName"))})
			return err
		}}
	}
	return all
}

func groupOfLogs(l Logs) Handler {
	retain := func(ctx context.Context, r *Request, name string) (Result, error) {
		result := Result{Physical: name, Attributes: map[string]any{"Arn": fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s:*", r.Region, call.Account, name)}}
		days, ok := r.Properties.Get("RetentionInDays").Int()
		switch {
		case ok:
			_, err := l.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(name), RetentionInDays: aws.Int32(int32(days))})
			return result, err
		case r.Before.Has("RetentionInDays"):
			_, err := l.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String(name)})
			return result, err
		}
		return result, nil
	}
	return Handler{
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &cloudwatchlogs.CreateLogGroupInput{}
			if err := fill(in, r.Properties, nil); err != nil {
				return Result{}, err
			}
			in.LogGroupName, in.Tags = aws.String(r.Name("LogGroupName", 512)), r.Tags()
			if _, err := l.CreateLogGroup(ctx, in); err != nil && !(r.Retry && exists(err)) {
				return Result{}, err
			}
			return retain(ctx, r, *in.LogGroupName)
		},
		Update: func(ctx context.Context, r *Request) (Result, error) { return retain(ctx, r, r.Physical) },
		Delete: func(ctx context.Context, r *Request) error {
			_, err := l.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(r.Physical)})
			return err
		},
	}
}
