package observe_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/cloudtest"
	"evo/internal/observe"
	"evo/internal/view"
)

const template = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Release: {Type: String}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop
      Runtime: nodejs22.x
      Handler: index.handler
      InlineCode: "exports.handler = async () => { if (process.env.RELEASE === 'two') throw new Error('bad') }"
      Environment: {Variables: {RELEASE: !Ref Release}}
      AutoPublishAlias: live
      AutoPublishCodeSha256: !Ref Release
      DeploymentPreference: {Type: Linear10PercentEvery1Minute, Alarms: [!Ref Alarm]}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: errors, Namespace: Shop, MetricName: Errors, Statistic: Sum, Period: 60, EvaluationPeriods: 1,
      Threshold: 1, ComparisonOperator: GreaterThanThreshold, TreatMissingData: notBreaching}
`

// shop is a stack in a cloud whose clock the test moves.
type shop struct {
	*testing.T
	cloud    *cloudtest.Cloud
	stacks   *cloudformation.Client
	observer *observe.Observer
}

func newShop(t *testing.T) *shop {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on this machine")
	}
	c := cloudtest.Stepped(t, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	s := &shop{T: t, cloud: c, stacks: cloudformation.NewFromConfig(c.Config("us-east-1")), observer: observe.New(c.Config("us-east-1"))}
	_, err := s.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("shop"), TemplateBody: aws.String(template),
		Parameters: release("one"), Capabilities: capabilities})
	s.must(err)
	s.until("CREATE_COMPLETE")
	return s
}

var capabilities = []cftypes.Capability{cftypes.CapabilityCapabilityIam, cftypes.CapabilityCapabilityAutoExpand}

func release(name string) []cftypes.Parameter {
	return []cftypes.Parameter{{ParameterKey: aws.String("Release"), ParameterValue: &name}}
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *shop) until(status string) {
	s.Helper()
	s.cloud.Await(time.Second, func() bool {
		out, err := s.stacks.DescribeStacks(s.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop")})
		s.must(err)
		return string(out.Stacks[0].StackStatus) == status
	})
}

// latest returns the newest deployments of the only group, newest first.
func (s *shop) latest() []*view.Rollout {
	s.Helper()
	groups, err := s.observer.Groups(s.Context(), "shop")
	s.must(err)
	if len(groups) != 1 {
		s.Fatalf("groups: %v", groups)
	}
	all, err := s.observer.Latest(s.Context(), groups[0], time.Time{}, 5)
	s.must(err)
	return all
}

func TestRollout(t *testing.T) {
	s := newShop(t)
	if all := s.latest(); len(all) > 0 {
		t.Errorf("before the second release: %+v", all[0])
	}
	_, err := s.stacks.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("shop"), UsePreviousTemplate: aws.Bool(true),
		Parameters: release("two"), Capabilities: capabilities})
	s.must(err)
	var r *view.Rollout
	s.cloud.Await(time.Second, func() bool {
		all := s.latest()
		if len(all) > 0 {
			r = all[0]
		}
		return r != nil && r.New.Weight > 0.15
	})
	if r.Status != "InProgress" || r.Done() || r.Function != "shop" || r.Alias != "live" || r.Old.Version != "1" || r.New.Version != "2" ||
		r.Old.Weight+r.New.Weight != 1 || r.Config != "CodeDeployDefault.LambdaLinear10PercentEvery1Minute" {
		t.Errorf("under way: %+v", r)
	}
	if len(r.Alarms) != 1 || r.Alarms[0].Name != "errors" || r.Alarms[0].State == "ALARM" {
		t.Errorf("alarms: %+v", r.Alarms)
	}

	// What both versions do is counted by version.
	client := lambda.NewFromConfig(s.cloud.Config("us-east-1"))
	failures := 0
	for range 40 {
		out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("shop:live")})
		s.must(err)
		if out.FunctionError != nil {
			failures++
		}
	}
	s.cloud.Await(0, func() bool { // the last one's metrics may be on their way
		r = s.latest()[0]
		return r.Old.Requests+r.New.Requests >= 40
	})
	if r.Old.Requests+r.New.Requests != 40 || r.New.Errors != failures || r.New.Requests != failures || r.Old.Errors != 0 || r.Old.Latency <= 0 {
		t.Errorf("after 40 requests, %d of which failed: %+v and %+v", failures, r.Old, r.New)
	}

	// An alarm takes it back, and says so in its own words.
	_, err = cloudwatch.NewFromConfig(s.cloud.Config("us-east-1")).SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("customers complain")})
	s.must(err)
	s.until("UPDATE_ROLLBACK_COMPLETE")
	all := s.latest()
	if len(all) != 2 {
		t.Fatalf("%d deployments", len(all))
	}
	back, r := all[0], all[1]
	if !r.Done() || r.Status == "Succeeded" || r.RolledBack != back.DeploymentID || back.RollsBack != r.DeploymentID || r.ErrorCode != "ALARM_ACTIVE" {
		t.Errorf("rolled back: %+v", r)
	}
	if back.Status != "Succeeded" || back.New.Version != "1" || back.New.Weight != 1 {
		t.Errorf("the rollback: %+v", back)
	}
	if !strings.Contains(r.Reason, "errors") && !strings.Contains(strings.ToLower(r.Reason), "alarm") {
		t.Errorf("the reason does not name the alarm: %s", r.Reason)
	}
	if lines, err := s.observer.Tail(t.Context(), "/aws/lambda/shop", r.Started, 3); err != nil || len(lines) != 3 || !strings.HasPrefix(lines[2], "REPORT") {
		t.Errorf("the log's end: %q, %v", lines, err)
	}
	if lines, err := s.observer.Tail(t.Context(), "/aws/lambda/nobody", r.Started, 3); err != nil || len(lines) != 0 {
		t.Errorf("a log that is not there: %q, %v", lines, err)
	}
}
