// Package observe answers: how do a stack's deployments go? It reads CodeDeploy, CloudWatch and the logs through SDK clients,
// and gives what it saw as view values; it changes nothing.
package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"go.yaml.in/yaml/v4"

	"evo/internal/view"
)

// Observer reads one account and region.
type Observer struct {
	CloudFormation *cloudformation.Client
	CodeDeploy     *codedeploy.Client
	CloudWatch     *cloudwatch.Client
	Logs           *cloudwatchlogs.Client
}

// New returns an Observer whose clients are made of cfg.
func New(cfg aws.Config) *Observer {
	return &Observer{
		CloudFormation: cloudformation.NewFromConfig(cfg),
		CodeDeploy:     codedeploy.NewFromConfig(cfg),
		CloudWatch:     cloudwatch.NewFromConfig(cfg),
		Logs:           cloudwatchlogs.NewFromConfig(cfg),
	}
}

// Group is a deployment group of a stack.
type Group struct{ Application, Name string }

// Groups returns the deployment groups of a stack, in the order of the stack's resources.
func (o *Observer) Groups(ctx context.Context, stack string) ([]Group, error) {
	var groups []Group
	var names []string
	application := ""
	pages := cloudformation.NewListStackResourcesPaginator(o.CloudFormation, &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resources of stack %s: %w", stack, err)
		}
		for _, r := range page.StackResourceSummaries {
			switch id := aws.ToString(r.PhysicalResourceId); {
			case id == "":
			case aws.ToString(r.ResourceType) == "AWS::CodeDeploy::Application":
				application = id
			case aws.ToString(r.ResourceType) == "AWS::CodeDeploy::DeploymentGroup":
				names = append(names, id)
			}
		}
	}
	for _, name := range names {
		groups = append(groups, Group{application, name})
	}
	return groups, nil
}

// Latest returns the newest deployments of a group that began at since or later, newest first, at most n.
func (o *Observer) Latest(ctx context.Context, g Group, since time.Time, n int) ([]*view.Rollout, error) {
	in := &codedeploy.ListDeploymentsInput{ApplicationName: &g.Application, DeploymentGroupName: &g.Name}
	if !since.IsZero() {
		in.CreateTimeRange = &cdtypes.TimeRange{Start: &since}
	}
	list, err := o.CodeDeploy.ListDeployments(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("list the deployments of %s: %w", g.Name, err)
	}
	var all []*view.Rollout
	for _, id := range list.Deployments[:min(n, len(list.Deployments))] {
		r, err := o.Rollout(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// Rollout returns what is to be seen of a deployment: its state, its hooks, its alarms, and what the two versions did.
func (o *Observer) Rollout(ctx context.Context, id string) (*view.Rollout, error) {
	out, err := o.CodeDeploy.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		return nil, fmt.Errorf("read deployment %s: %w", id, err)
	}
	d := out.DeploymentInfo
	r := &view.Rollout{
		DeploymentID: id,
		Application:  aws.ToString(d.ApplicationName),
		Group:        aws.ToString(d.DeploymentGroupName),
		Config:       aws.ToString(d.DeploymentConfigName),
		Status:       string(d.Status),
		Started:      aws.ToTime(d.CreateTime),
		Completed:    aws.ToTime(d.CompleteTime),
	}
	if d.ErrorInformation != nil {
		r.ErrorCode, r.Reason = string(d.ErrorInformation.Code), aws.ToString(d.ErrorInformation.Message)
	}
	if d.RollbackInfo != nil {
		r.RolledBack = aws.ToString(d.RollbackInfo.RollbackDeploymentId)
		r.RollsBack = aws.ToString(d.RollbackInfo.RollbackTriggeringDeploymentId)
	}
	return r, errors.Join(
		o.addTarget(ctx, r, hooksOf(d.Revision)),
		o.addAlarms(ctx, r, d.OverrideAlarmConfiguration),
		o.addTraffic(ctx, r),
		o.addLogs(ctx, r),
	)
}

// hooksOf reads the hooks' functions, by lifecycle event, out of a deployment's AppSpec.
func hooksOf(rev *cdtypes.RevisionLocation) map[string]string {
	content := ""
	if rev != nil && rev.AppSpecContent != nil {
		content = aws.ToString(rev.AppSpecContent.Content)
	}
	var spec struct {
		Hooks []map[string]string
	}
	// JSON is YAML. An AppSpec that cannot be read has failed its deployment, which says so itself.
	if json.Unmarshal([]byte(content), &spec) != nil {
		var y struct {
			Hooks []map[string]string `yaml:"Hooks"`
		}
		_ = yaml.Unmarshal([]byte(content), &y)
		spec.Hooks = y.Hooks
	}
	hooks := map[string]string{}
	for _, h := range spec.Hooks {
		for event, function := range h {
			hooks[event] = function
		}
	}
	return hooks
}

// addTarget adds the function, its versions and weights, and the lifecycle events.
func (o *Observer) addTarget(ctx context.Context, r *view.Rollout, hooks map[string]string) error {
	ids, err := o.CodeDeploy.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &r.DeploymentID})
	var notYet *cdtypes.DeploymentNotStartedException
	if errors.As(err, &notYet) || err == nil && len(ids.TargetIds) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the targets of deployment %s: %w", r.DeploymentID, err)
	}
	out, err := o.CodeDeploy.GetDeploymentTarget(ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &r.DeploymentID, TargetId: &ids.TargetIds[0]})
	if err != nil {
		return fmt.Errorf("read the target of deployment %s: %w", r.DeploymentID, err)
	}
	target := out.DeploymentTarget.LambdaTarget
	if target == nil {
		return nil
	}
	if f := target.LambdaFunctionInfo; f != nil {
		r.Function, r.Alias = aws.ToString(f.FunctionName), aws.ToString(f.FunctionAlias)
		r.Old = view.Version{Version: aws.ToString(f.CurrentVersion), Weight: 1 - f.TargetVersionWeight}
		r.New = view.Version{Version: aws.ToString(f.TargetVersion), Weight: f.TargetVersionWeight}
	}
	for _, e := range target.LifecycleEvents {
		h := view.Hook{Event: aws.ToString(e.LifecycleEventName), Status: string(e.Status), Function: hooks[aws.ToString(e.LifecycleEventName)]}
		if e.Diagnostics != nil {
			h.Message = aws.ToString(e.Diagnostics.Message)
		}
		r.Hooks = append(r.Hooks, h)
	}
	return nil
}

// addAlarms adds the states of the alarms that watch the deployment.
func (o *Observer) addAlarms(ctx context.Context, r *view.Rollout, override *cdtypes.AlarmConfiguration) error {
	config := override
	if config == nil {
		g, err := o.CodeDeploy.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &r.Application, DeploymentGroupName: &r.Group})
		if err != nil {
			var gone *cdtypes.DeploymentGroupDoesNotExistException
			if errors.As(err, &gone) {
				return nil // deleted since
			}
			return fmt.Errorf("read deployment group %s: %w", r.Group, err)
		}
		config = g.DeploymentGroupInfo.AlarmConfiguration
	}
	if config == nil || !config.Enabled || len(config.Alarms) == 0 {
		return nil
	}
	var names []string
	for _, a := range config.Alarms {
		names = append(names, aws.ToString(a.Name))
	}
	out, err := o.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names,
		AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm}})
	if err != nil {
		return fmt.Errorf("read the alarms of deployment %s: %w", r.DeploymentID, err)
	}
	for _, a := range out.MetricAlarms {
		r.Alarms = append(r.Alarms, view.Alarm{Name: aws.ToString(a.AlarmName), State: string(a.StateValue), Reason: aws.ToString(a.StateReason)})
	}
	for _, a := range out.CompositeAlarms {
		r.Alarms = append(r.Alarms, view.Alarm{Name: aws.ToString(a.AlarmName), State: string(a.StateValue), Reason: aws.ToString(a.StateReason)})
	}
	slices.SortFunc(r.Alarms, func(a, b view.Alarm) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// addTraffic adds the requests, errors and mean duration of both versions since the deployment began.
func (o *Observer) addTraffic(ctx context.Context, r *view.Rollout) error {
	if r.Function == "" || r.Started.IsZero() {
		return nil
	}
	end := r.Completed
	if end.IsZero() {
		end = r.Started.Add(51 * time.Hour) // a deployment lasts fifty at most
	}
	versions := []*view.Version{&r.Old, &r.New}
	var queries []cwtypes.MetricDataQuery
	for i, v := range versions {
		for _, m := range []struct{ id, metric, stat string }{{"requests", "Invocations", "Sum"}, {"errors", "Errors", "Sum"}, {"latency", "Duration", "Sum"}} {
			queries = append(queries, query(fmt.Sprintf("%s%d", m.id, i), m.metric, m.stat, r, v.Version))
		}
	}
	out, err := o.CloudWatch.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(r.Started.Truncate(time.Minute)), EndTime: &end, MetricDataQueries: queries,
	})
	if err != nil {
		return fmt.Errorf("read the metrics of %s: %w", r.Function, err)
	}
	sums := map[string]float64{}
	for _, result := range out.MetricDataResults {
		for _, v := range result.Values {
			sums[aws.ToString(result.Id)] += v
		}
	}
	for i, v := range versions {
		v.Requests, v.Errors = int(sums[fmt.Sprintf("requests%d", i)]), int(sums[fmt.Sprintf("errors%d", i)])
		if v.Requests > 0 {
			v.Latency = sums[fmt.Sprintf("latency%d", i)] / float64(v.Requests)
		}
	}
	return nil
}

func query(id, metric, stat string, r *view.Rollout, version string) cwtypes.MetricDataQuery {
	dim := func(name, value string) cwtypes.Dimension { return cwtypes.Dimension{Name: &name, Value: &value} }
	return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{
		Period: aws.Int32(60), Stat: &stat,
		Metric: &cwtypes.Metric{Namespace: aws.String("AWS/Lambda"), MetricName: &metric, Dimensions: []cwtypes.Dimension{
			dim("FunctionName", r.Function), dim("Resource", r.Function+":"+r.Alias), dim("ExecutedVersion", version),
		}},
	}}
}

// hookLogLines is how much of a failed hook's log is shown.
const hookLogLines = 12

// addLogs adds the last lines that failed hooks wrote.
func (o *Observer) addLogs(ctx context.Context, r *view.Rollout) error {
	for i := range r.Hooks {
		h := &r.Hooks[i]
		if h.Function == "" || h.Status != "Failed" {
			continue
		}
		lines, err := o.Tail(ctx, "/aws/lambda/"+functionName(h.Function), r.Started, hookLogLines)
		if err != nil {
			return err
		}
		h.Log = lines
	}
	return nil
}

// functionName returns the name in a function's name or ARN, without a qualifier.
func functionName(nameOrARN string) string {
	if _, rest, ok := strings.Cut(nameOrARN, ":function:"); ok {
		nameOrARN = rest
	}
	name, _, _ := strings.Cut(nameOrARN, ":")
	return path.Base(name)
}

// Tail returns the last n lines that a log group got since a moment; none if there is no such group.
func (o *Observer) Tail(ctx context.Context, group string, since time.Time, n int) ([]string, error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(o.Logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, StartTime: aws.Int64(since.UnixMilli()),
	})
	var lines []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if isMissing(err) {
				return nil, nil
			}
			return nil, fmt.Errorf("read log group %s: %w", group, err)
		}
		for _, e := range page.Events {
			lines = append(lines, strings.TrimRight(aws.ToString(e.Message), "\n"))
		}
		lines = lines[max(0, len(lines)-n):]
	}
	return lines, nil
}

func isMissing(err error) bool {
	var e interface{ ErrorCode() string }
	return errors.As(err, &e) && e.ErrorCode() == "ResourceNotFoundException"
}
