package codedeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// aliasTable is the part of Lambda that deployments see: function fn with versions 1 and 2, its alias live, and hooks.
type aliasTable struct {
	mu       sync.Mutex
	version  string
	weights  map[string]float64
	revision int
	gone     bool
	history  []string // each routing that the alias was given, and when
	begin    time.Time
	hooks    map[string]func(payload hookPayload) // run in goroutines of their own
	calls    map[string]int
	failNext map[string]error // by operation: the error of the next call
	effect   func(operation string) error
}

type hookPayload struct{ DeploymentId, LifecycleEventHookExecutionId string }

func newAliasTable() *aliasTable {
	return &aliasTable{version: "1", begin: time.Now(), hooks: map[string]func(hookPayload){}, calls: map[string]int{}, failNext: map[string]error{}}
}

// enter is called at the beginning of each operation; the function that it returns, once the effect is done.
func (l *aliasTable) enter(operation string) error {
	l.calls[operation]++
	if err := l.failNext[operation]; err != nil {
		delete(l.failNext, operation)
		return err
	}
	if l.effect != nil {
		return l.effect(operation)
	}
	return nil
}

func (l *aliasTable) leave(operation string) error {
	if l.effect != nil {
		return l.effect(operation + " done")
	}
	return nil
}

func (l *aliasTable) GetFunctionConfiguration(_ context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	if q := aws.ToString(in.Qualifier); *in.FunctionName != "fn" || q != "1" && q != "2" {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("Function not found: " + *in.FunctionName + ":" + q)}
	}
	return &lambda.GetFunctionConfigurationOutput{Version: in.Qualifier}, nil
}

func (l *aliasTable) GetAlias(_ context.Context, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.enter("GetAlias"); err != nil {
		return nil, err
	}
	if l.gone || *in.Name != "live" {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("Cannot find alias arn: …:fn:" + *in.Name)}
	}
	out := &lambda.GetAliasOutput{FunctionVersion: aws.String(l.version), RevisionId: aws.String(strconv.Itoa(l.revision))}
	if len(l.weights) > 0 {
		out.RoutingConfig = &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: l.weights}
	}
	return out, nil
}

func (l *aliasTable) UpdateAlias(_ context.Context, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.enter("UpdateAlias"); err != nil {
		return nil, err
	}
	if in.RevisionId != nil && *in.RevisionId != strconv.Itoa(l.revision) {
		return nil, &lambdatypes.PreconditionFailedException{Message: aws.String("The Revision Id provided does not match the latest Revision Id.")}
	}
	l.set(*in.FunctionVersion, in.RoutingConfig.AdditionalVersionWeights)
	if err := l.leave("UpdateAlias"); err != nil {
		return nil, err
	}
	return &lambda.UpdateAliasOutput{RevisionId: aws.String(strconv.Itoa(l.revision))}, nil
}

// set changes the alias; l.mu is held.
func (l *aliasTable) set(version string, weights map[string]float64) {
	l.version, l.weights = version, weights
	l.revision++
	l.history = append(l.history, fmt.Sprintf("%s %s", time.Since(l.begin), l.routing()))
}

func (l *aliasTable) routing() string {
	text := l.version
	for v, w := range l.weights {
		text += fmt.Sprintf("+%s:%.2f", v, w)
	}
	return text
}

func (l *aliasTable) now() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.routing()
}

func (l *aliasTable) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.enter("Invoke"); err != nil {
		return nil, err
	}
	hook := l.hooks[*in.FunctionName]
	if hook == nil || in.InvocationType != lambdatypes.InvocationTypeEvent {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("Function not found: " + *in.FunctionName)}
	}
	l.calls["hook "+*in.FunctionName]++
	var p hookPayload
	d := json.NewDecoder(strings.NewReader(string(in.Payload)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	go hook(p)
	if err := l.leave("Invoke"); err != nil {
		return nil, err
	}
	return &lambda.InvokeOutput{StatusCode: 202}, nil
}

// alarmTable is the part of CloudWatch that deployments see.
type alarmTable struct {
	mu     sync.Mutex
	states map[string]cwtypes.StateValue
	err    error
	reads  int
}

func (a *alarmTable) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reads++
	out := new(cloudwatch.DescribeAlarmsOutput)
	for _, name := range in.AlarmNames {
		if state, ok := a.states[name]; ok {
			out.MetricAlarms = append(out.MetricAlarms, cwtypes.MetricAlarm{AlarmName: &name, StateValue: state})
		}
	}
	return out, a.err
}

func (a *alarmTable) set(name string, state cwtypes.StateValue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.states[name] = state
}

// world is a service with what it stands on. Its tests run in a bubble of virtual time.
type world struct {
	*testing.T
	ctx    context.Context
	db     *store.DB
	lambda *aliasTable
	alarms *alarmTable
	svc    *Service
	cd     *codedeploy.Client // of svc
	events []string
	mu     sync.Mutex
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, ctx: t.Context(), db: store.Memory(), lambda: newAliasTable()}
	w.alarms = &alarmTable{states: map[string]cwtypes.StateValue{"errors": cwtypes.StateValueOk, "slow": cwtypes.StateValueInsufficientData}}
	w.svc = w.service(1)
	w.cd = w.client()
	w.must(w.cd.CreateApplication(w.ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("app"), ComputePlatform: types.ComputePlatformLambda}))
	t.Cleanup(func() { w.svc.Close() })
	return w
}

// service makes a service over the world's store, as a new process would.
func (w *world) service(seed uint64) *Service {
	w.Helper()
	var key [32]byte
	key[0] = byte(seed)
	s, err := New(Config{
		Region: "us-east-1", Store: w.db, Clock: clock.Real{}, Lambda: w.lambda, Alarms: w.alarms, Rand: rand.NewChaCha8(key),
		Notify: func(c StateChange) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, c.Deployment+" "+c.State)
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) client() *codedeploy.Client {
	return codedeploy.NewFromConfig(wiretest.Config(w.T, wiretest.Serve{"codedeploy": w.svc}))
}

func (w *world) must(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

var allEvents = []types.AutoRollbackEvent{
	types.AutoRollbackEventDeploymentFailure, types.AutoRollbackEventDeploymentStopOnAlarm, types.AutoRollbackEventDeploymentStopOnRequest,
}

// group makes group g as SAM does, with a configuration and alarms.
func (w *world) group(config string, alarms ...string) {
	w.Helper()
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), DeploymentConfigName: aws.String(config),
		ServiceRoleArn:            aws.String("arn:aws:iam::000000000000:role/deploy"),
		DeploymentStyle:           &types.DeploymentStyle{DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl},
		AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: allEvents},
	}
	if len(alarms) > 0 {
		in.AlarmConfiguration = &types.AlarmConfiguration{Enabled: true}
		for _, a := range alarms {
			in.AlarmConfiguration.Alarms = append(in.AlarmConfiguration.Alarms, types.Alarm{Name: aws.String(a)})
		}
	}
	w.must(w.cd.CreateDeploymentGroup(w.ctx, in))
}

func spec(hooks ...string) *types.RevisionLocation {
	text := `{"version":0.0,"Resources":[{"fn":{"Type":"AWS::Lambda::Function","Properties":{"Name":"fn","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}],"Hooks":[`
	text += strings.Join(hooks, ",") + `]}`
	return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: &text}}
}

const (
	before = `{"BeforeAllowTraffic":"pre"}`
	after  = `{"AfterAllowTraffic":"post"}`
)

func (w *world) deploy(hooks ...string) string {
	w.Helper()
	out, err := w.cd.CreateDeployment(w.ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("g"), Revision: spec(hooks...),
	})
	if err != nil {
		w.Fatal(err)
	}
	return *out.DeploymentId
}

func (w *world) get(id string) *types.DeploymentInfo {
	w.Helper()
	out, err := w.cd.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
	if err != nil {
		w.Fatal(err)
	}
	return out.DeploymentInfo
}

// await waits for the end of a deployment, and of its rollback if it has one.
func (w *world) await(id string) *types.DeploymentInfo {
	w.Helper()
	for {
		d := w.get(id)
		switch {
		case d.CompleteTime == nil:
			time.Sleep(time.Second + time.Since(*d.CreateTime)/8) // rarer the longer it takes
		case d.RollbackInfo != nil && d.RollbackInfo.RollbackDeploymentId != nil:
			w.await(*d.RollbackInfo.RollbackDeploymentId)
			return d
		default:
			return d
		}
	}
}

func (w *world) events3(id string) string {
	w.Helper()
	out, err := w.cd.GetDeploymentTarget(w.ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &id, TargetId: aws.String("fn")})
	if err != nil {
		w.Fatal(err)
	}
	var statuses []string
	for _, e := range out.DeploymentTarget.LambdaTarget.LifecycleEvents {
		statuses = append(statuses, string(e.Status))
	}
	return strings.Join(statuses, " ")
}

func (w *world) wantAlias(want string) {
	w.Helper()
	if got := w.lambda.now(); got != want {
		w.Errorf("the alias serves %s, want %s\nhistory: %q", got, want, w.lambda.history)
	}
}

func (w *world) wantStatus(d *types.DeploymentInfo, status types.DeploymentStatus, code types.ErrorCode) {
	w.Helper()
	var got types.ErrorCode
	if d.ErrorInformation != nil {
		got = d.ErrorInformation.Code
	}
	if d.Status != status || got != code {
		w.Errorf("%s is %s %s, want %s %s", *d.DeploymentId, d.Status, got, status, code)
	}
}

// answer makes a hook that answers with a status after some time.
func (w *world) answer(status types.LifecycleEventStatus, after time.Duration) func(hookPayload) {
	return func(p hookPayload) {
		time.Sleep(after)
		w.put(p, status)
	}
}

func (w *world) put(p hookPayload, status types.LifecycleEventStatus) error {
	w.mu.Lock()
	cd := w.cd
	w.mu.Unlock()
	_, err := cd.PutLifecycleEventHookExecutionStatus(context.Background(), &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &p.DeploymentId, LifecycleEventHookExecutionId: &p.LifecycleEventHookExecutionId, Status: status,
	})
	return err
}

func wantError[E error](t *testing.T, err error) {
	t.Helper()
	if e := *new(E); !errors.As(err, &e) {
		t.Errorf("error %v (%T), want %T", err, err, e)
	}
}
