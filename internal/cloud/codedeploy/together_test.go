package codedeploy

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/clock"
	cloudwatchservice "evo/internal/cloud/cloudwatch"
	lambdaservice "evo/internal/cloud/lambda"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// together is CodeDeploy over the cloud's own Lambda and CloudWatch, each reached by SDK clients. Functions run as plain Go.
type together struct {
	*testing.T
	ctx    context.Context
	cd     *codedeploy.Client
	lambda *lambda.Client
	cw     *cloudwatch.Client
	mu     sync.Mutex
	hooks  map[string]types.LifecycleEventStatus // a hook's answer; "": none
	seen   []string                              // hooks that were called, and where the alias stood
}

// Invoke implements lambda's Runner.
func (w *together) Invoke(ctx context.Context, fn *sandbox.Function, inv sandbox.Invocation) (*sandbox.Result, error) {
	result := &sandbox.Result{Duration: time.Millisecond, Billed: time.Millisecond, Stream: "s", Payload: []byte(`"` + fn.Version + `"`)}
	w.mu.Lock()
	status, hook := w.hooks[fn.Name]
	w.mu.Unlock()
	if !hook {
		return result, nil
	}
	var p hookPayload
	if err := json.Unmarshal(inv.Payload, &p); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.seen = append(w.seen, fn.Name+" "+w.alias())
	w.mu.Unlock()
	if status != "" {
		_, err := w.cd.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
			DeploymentId: &p.DeploymentId, LifecycleEventHookExecutionId: &p.LifecycleEventHookExecutionId, Status: status,
		})
		if err != nil {
			w.Error(err)
		}
	}
	return result, nil
}

// Retire implements lambda's Runner.
func (w *together) Retire(string) {}

func (w *together) alias() string {
	out, err := w.lambda.GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live")})
	if err != nil {
		return err.Error()
	}
	text := *out.FunctionVersion
	if out.RoutingConfig != nil {
		for v, weight := range out.RoutingConfig.AdditionalVersionWeights {
			text += fmt.Sprintf("+%s:%.2f", v, weight)
		}
	}
	return text
}

func newTogether(t *testing.T) *together {
	w := &together{T: t, ctx: t.Context(), hooks: map[string]types.LifecycleEventStatus{}}
	db := store.Memory()
	l, err := lambdaservice.New(lambdaservice.Config{Store: db, Clock: clock.Real{}, Dir: t.TempDir(), Runner: w})
	if err != nil {
		t.Fatal(err)
	}
	cw, err := cloudwatchservice.New(cloudwatchservice.Config{Region: "us-east-1", Store: db, Clock: clock.Real{}})
	if err != nil {
		t.Fatal(err)
	}
	cd, err := New(Config{Region: "us-east-1", Store: db, Clock: clock.Real{}, Lambda: l, Alarms: cw})
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []func(context.Context) error{l.Start, cw.Start, cd.Start} {
		if err := start(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { cd.Close(); l.Close(); cw.Close() })
	cfg := wiretest.Config(t, wiretest.Serve{"lambda": l, "cloudwatch": cw, "codedeploy": cd})
	w.cd, w.lambda, w.cw = codedeploy.NewFromConfig(cfg), lambda.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	w.application()
	return w
}

func (w *together) must(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// application makes function fn with two versions, its alias, the hooks, the alarm, and the group.
func (w *together) application() {
	const role = "arn:aws:iam::000000000000:role/service"
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	f, err := z.Create("index.js")
	if err == nil {
		_, err = f.Write([]byte("x"))
	}
	if err != nil || z.Close() != nil {
		w.Fatal("zip")
	}
	for _, name := range []string{"fn", "pre", "post"} {
		w.must(w.lambda.CreateFunction(w.ctx, &lambda.CreateFunctionInput{
			FunctionName: &name, Role: aws.String(role), Runtime: lambdatypes.RuntimeNodejs20x, Handler: aws.String("index.handler"), Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
		}))
		time.Sleep(10 * time.Second) // until it is active
	}
	w.must(w.lambda.PublishVersion(w.ctx, &lambda.PublishVersionInput{FunctionName: aws.String("fn")}))
	w.must(w.lambda.UpdateFunctionConfiguration(w.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn"), MemorySize: aws.Int32(256)}))
	time.Sleep(10 * time.Second)
	w.must(w.lambda.PublishVersion(w.ctx, &lambda.PublishVersionInput{FunctionName: aws.String("fn")}))
	w.must(w.lambda.CreateAlias(w.ctx, &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))
	w.must(w.cw.PutMetricAlarm(w.ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, Statistic: cwtypes.StatisticSum, TreatMissingData: aws.String("ignore"),
	}))
	w.must(w.cd.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("app"), ComputePlatform: types.ComputePlatformLambda}))
	w.must(w.cd.CreateDeploymentGroup(w.ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), ServiceRoleArn: aws.String(role),
		DeploymentConfigName:      aws.String("CodeDeployDefault.LambdaLinear10PercentEvery1Minute"),
		AlarmConfiguration:        &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("errors")}}},
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: allEvents},
	}))
}

func (w *together) deploy() *types.DeploymentInfo {
	w.Helper()
	out, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: spec(before, after)})
	if err != nil {
		w.Fatal(err)
	}
	return w.await(out.DeploymentId)
}

// await waits as the SDK's own waiter does, though longer.
func (w *together) await(id *string) *types.DeploymentInfo {
	w.Helper()
	_ = codedeploy.NewDeploymentSuccessfulWaiter(w.cd).Wait(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: id}, 3*time.Hour) // its error says Failed or Stopped
	time.Sleep(10 * time.Second)
	out, err := w.cd.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: id})
	if err != nil {
		w.Fatal(err)
	}
	return out.DeploymentInfo
}

func TestTogetherSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTogether(t)
		w.hooks["pre"], w.hooks["post"] = types.LifecycleEventStatusSucceeded, types.LifecycleEventStatusSucceeded
		d := w.deploy()
		if d.Status != types.DeploymentStatusSucceeded || w.alias() != "2" {
			t.Errorf("%s %+v, alias %s", d.Status, d.ErrorInformation, w.alias())
		}
		if got := strings.Join(w.seen, ", "); got != "pre 1, post 2" {
			t.Errorf("the hooks saw %s", got)
		}
		if took := d.CompleteTime.Sub(*d.CreateTime); took < 9*time.Minute || took > 9*time.Minute+5*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestTogetherAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTogether(t)
		w.hooks["pre"] = types.LifecycleEventStatusSucceeded
		time.AfterFunc(200*time.Second, func() {
			if got := w.alias(); got != "1+2:0.40" {
				t.Errorf("before the alarm the alias serves %s", got)
			}
			_, err := w.cw.SetAlarmState(w.ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("errors"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("test")})
			if err != nil {
				t.Error(err)
			}
		})
		d := w.deploy()
		if d.Status != types.DeploymentStatusStopped || d.ErrorInformation.Code != types.ErrorCodeAlarmActive || w.alias() != "1" {
			t.Errorf("%s %+v, alias %s", d.Status, d.ErrorInformation, w.alias())
		}
		if took := d.CompleteTime.Sub(*d.CreateTime); took > 215*time.Second {
			t.Errorf("stopped after %s", took)
		}
	})
}

// TestTogetherHookIsMissing: Lambda itself says that there is no such function; no traffic has moved.
func TestTogetherHookIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTogether(t)
		w.must(w.lambda.DeleteFunction(w.ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("pre")}))
		d := w.deploy()
		if d.Status != types.DeploymentStatusFailed || d.ErrorInformation.Code != types.ErrorCodeHookExecutionFailure || w.alias() != "1" {
			t.Errorf("%s %+v, alias %s", d.Status, d.ErrorInformation, w.alias())
		}
	})
}

// TestTogetherHookIsSilent: a hook that never answers holds the deployment for an hour, and then fails it.
func TestTogetherHookIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTogether(t)
		w.hooks["pre"] = ""
		d := w.deploy()
		if took := d.CompleteTime.Sub(*d.CreateTime); d.Status != types.DeploymentStatusFailed || took < time.Hour || took > time.Hour+time.Second {
			t.Errorf("%s after %s", d.Status, took)
		}
	})
}
