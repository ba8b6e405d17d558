package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/sandbox"
)

// functions run as plain Go: what one does is found by its handler's name.
type functions struct {
	mu       sync.Mutex
	handlers map[string]handler
}

type handler func(ctx context.Context, fn *sandbox.Function, event []byte) (any, error)

// Invoke implements lambda.Runner.
func (f *functions) Invoke(ctx context.Context, fn *sandbox.Function, inv sandbox.Invocation) (*sandbox.Result, error) {
	f.mu.Lock()
	h := f.handlers[fn.Handler]
	f.mu.Unlock()
	res := &sandbox.Result{Duration: 5 * time.Millisecond, Billed: 5 * time.Millisecond, Payload: []byte("null"), Stream: "stream"}
	if h == nil {
		return res, nil
	}
	out, err := h(ctx, fn, inv.Payload)
	if err != nil {
		out, res.FunctionError = map[string]string{"errorMessage": err.Error(), "errorType": "Error"}, "Unhandled"
	}
	res.Payload, err = json.Marshal(out)
	return res, err
}

// Retire implements lambda.Runner.
func (f *functions) Retire(string) {}

// world is a cloud in process, with the clients of a team that deploys to it.
type world struct {
	*testing.T
	ctx       context.Context
	functions *functions
	server    *Server
	changes   int // change sets made
	clients
}

type clients struct {
	cfn     *cloudformation.Client
	deploys *codedeploy.Client
	lambda  *lambda.Client
	metrics *cloudwatch.Client
}

// newWorld starts a cloud over a state directory, or, if dir is empty, in memory.
func newWorld(t *testing.T, dir string) *world {
	w := &world{T: t, ctx: t.Context(), functions: &functions{handlers: map[string]handler{}}}
	w.server = &Server{Addr: "-", StateDir: dir, CacheDir: t.TempDir(), runner: w.functions, random: seeded(1), Log: func(line string) { t.Log(line) }}
	return w
}

func (w *world) start() {
	w.Helper()
	if err := w.server.Start(context.Background()); err != nil {
		w.Fatal(err)
	}
	cfg := w.server.Config("us-east-1")
	w.clients = clients{cloudformation.NewFromConfig(cfg), codedeploy.NewFromConfig(cfg), lambda.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)}
}

func (w *world) close() {
	if err := w.server.Close(); err != nil {
		w.Errorf("close: %v", err)
	}
}

// handle says what functions with a handler's name do.
func (w *world) handle(name string, h handler) {
	w.functions.mu.Lock()
	defer w.functions.mu.Unlock()
	w.functions.handlers[name] = h
}

// answer is what a hook does that says yes or no after a while.
func (w *world) answer(status cdtypes.LifecycleEventStatus, after time.Duration) handler {
	return func(ctx context.Context, _ *sandbox.Function, event []byte) (any, error) {
		var in struct{ DeploymentId, LifecycleEventHookExecutionId string }
		if err := json.Unmarshal(event, &in); err != nil {
			return nil, err
		}
		time.Sleep(after)
		_, err := w.deploys.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
			DeploymentId: &in.DeploymentId, LifecycleEventHookExecutionId: &in.LifecycleEventHookExecutionId, Status: status})
		return nil, err
	}
}

// later is what a hook does that has somebody else answer, long after it has ended.
func (w *world) later(after time.Duration) handler {
	answer := w.answer(cdtypes.LifecycleEventStatusSucceeded, after)
	return func(_ context.Context, fn *sandbox.Function, event []byte) (any, error) {
		go func() {
			if _, err := answer(w.ctx, fn, event); err != nil {
				w.Errorf("answer after %s: %v", after, err)
			}
		}()
		return nil, nil
	}
}

// function is a SAM function in a test's template, named as its handler.
type function struct {
	name, preference string // the latter as in DeploymentPreference: {…}; empty: none, and no alias
	release          int
}

// template writes a SAM template with functions and an alarm on the errors of search:live.
func template(list ...function) string {
	var b strings.Builder
	b.WriteString("Transform: AWS::Serverless-2016-10-31\nResources:\n")
	for _, f := range list {
		fmt.Fprintf(&b, "  %s:\n    Type: AWS::Serverless::Function\n    Properties:\n", logical(f.name))
		fmt.Fprintf(&b, "      FunctionName: %s\n      Handler: %[1]s\n      Runtime: python3.12\n      InlineCode: 'release = %d'\n", f.name, f.release)
		fmt.Fprintf(&b, "      Environment: {Variables: {RELEASE: '%d'}}\n", f.release)
		if f.preference != "" {
			fmt.Fprintf(&b, "      AutoPublishAlias: live\n      DeploymentPreference: {%s}\n", f.preference)
		}
	}
	b.WriteString(`  SearchErrors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: search-errors
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{Name: FunctionName, Value: search}, {Name: Resource, Value: "search:live"}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
`)
	return b.String()
}

// logical makes a logical id of a function's name.
func logical(name string) string {
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", "")
}

const hooked = "Alarms: [!Ref SearchErrors], Hooks: {PreTraffic: !Ref CodeDeployHookpre, PostTraffic: !Ref CodeDeployHookpost}, Type: "

// shop is an application of two functions that are shifted, with hooks.
func shop(release int, search string) string {
	return template(function{"CodeDeployHook_pre", "", 1}, function{"CodeDeployHook_post", "", 1},
		function{"search", hooked + search, release}, function{"checkout", "Type: Canary10Percent5Minutes", release})
}

const stack = "shop"

// begin deploys a template as SAM CLI does, and returns when its operation has begun.
func (w *world) begin(body string) {
	w.Helper()
	kind := cfntypes.ChangeSetTypeUpdate
	if _, err := w.cfn.DescribeStacks(w.ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)}); err != nil {
		kind = cfntypes.ChangeSetTypeCreate
	}
	w.changes++
	name := fmt.Sprintf("change-%d", w.changes)
	_, err := w.cfn.CreateChangeSet(w.ctx, &cloudformation.CreateChangeSetInput{StackName: aws.String(stack), ChangeSetName: &name, ChangeSetType: kind,
		TemplateBody: &body, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam, cfntypes.CapabilityCapabilityAutoExpand}})
	if err != nil {
		w.Fatal(err)
	}
	set := &cloudformation.DescribeChangeSetInput{StackName: aws.String(stack), ChangeSetName: &name}
	if err := cloudformation.NewChangeSetCreateCompleteWaiter(w.cfn).Wait(w.ctx, set, time.Minute); err != nil {
		w.Fatal(err)
	}
	if _, err := w.cfn.ExecuteChangeSet(w.ctx, &cloudformation.ExecuteChangeSetInput{StackName: aws.String(stack), ChangeSetName: &name}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) status() cfntypes.StackStatus {
	w.Helper()
	out, err := w.cfn.DescribeStacks(w.ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		w.Fatal(err)
	}
	return out.Stacks[0].StackStatus
}

// await waits until the stack's operation has ended.
func (w *world) await(limit time.Duration) cfntypes.StackStatus {
	w.Helper()
	for begin := time.Now(); time.Since(begin) < limit; time.Sleep(5 * time.Second) {
		if s := w.status(); !strings.HasSuffix(string(s), "_IN_PROGRESS") {
			return s
		}
	}
	w.Fatalf("after %s the stack is still %s\n%s", limit, w.status(), strings.Join(w.events(), "\n"))
	return ""
}

// deploy deploys a template and wants the operation to end so.
func (w *world) deploy(body string, want cfntypes.StackStatus) {
	w.Helper()
	w.begin(body)
	w.want(want, time.Hour*3)
}

func (w *world) want(want cfntypes.StackStatus, limit time.Duration) {
	w.Helper()
	if got := w.await(limit); got != want {
		w.Fatalf("the stack is %s, want %s\n%s", got, want, strings.Join(w.events(), "\n"))
	}
}

// events returns the stack's events, the oldest first.
func (w *world) events() (lines []string) {
	w.Helper()
	pages := cloudformation.NewDescribeStackEventsPaginator(w.cfn, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stack)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(w.ctx)
		if err != nil {
			w.Fatal(err)
		}
		for _, e := range out.StackEvents {
			lines = append(lines, fmt.Sprintf("%s %s %s", *e.LogicalResourceId, e.ResourceStatus, aws.ToString(e.ResourceStatusReason)))
		}
	}
	slices.Reverse(lines)
	return lines
}

// routing says where an alias leads: "1", or "1 2:0.10".
func (w *world) routing(function string) string {
	w.Helper()
	out, err := w.lambda.GetAlias(w.ctx, &lambda.GetAliasInput{FunctionName: &function, Name: aws.String("live")})
	if err != nil {
		w.Fatal(err)
	}
	text := *out.FunctionVersion
	if out.RoutingConfig != nil {
		for version, weight := range out.RoutingConfig.AdditionalVersionWeights {
			text += fmt.Sprintf(" %s:%.2f", version, weight)
		}
	}
	return text
}

// deployments returns those of a function's group, the newest first.
func (w *world) deployments(function string) (list []*cdtypes.DeploymentInfo) {
	w.Helper()
	res, err := w.cfn.DescribeStackResources(w.ctx, &cloudformation.DescribeStackResourcesInput{StackName: aws.String(stack)})
	if err != nil {
		w.Fatal(err)
	}
	physical := map[string]string{}
	for _, r := range res.StackResources {
		physical[*r.LogicalResourceId] = aws.ToString(r.PhysicalResourceId)
	}
	ids, err := w.deploys.ListDeployments(w.ctx, &codedeploy.ListDeploymentsInput{ApplicationName: aws.String(physical["ServerlessDeploymentApplication"]),
		DeploymentGroupName: aws.String(physical[logical(function)+"DeploymentGroup"])})
	if err != nil {
		w.Fatal(err)
	}
	for _, id := range ids.Deployments {
		out, err := w.deploys.GetDeployment(w.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, out.DeploymentInfo)
	}
	return list
}

// lifecycle returns the state of a deployment's lifecycle events by name.
func (w *world) lifecycle(id string) map[string]cdtypes.LifecycleEvent {
	w.Helper()
	ids, err := w.deploys.ListDeploymentTargets(w.ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id})
	if err != nil {
		w.Fatal(err)
	}
	out, err := w.deploys.GetDeploymentTarget(w.ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: &id, TargetId: &ids.TargetIds[0]})
	if err != nil {
		w.Fatal(err)
	}
	events := map[string]cdtypes.LifecycleEvent{}
	for _, e := range out.DeploymentTarget.LambdaTarget.LifecycleEvents {
		events[*e.LifecycleEventName] = e
	}
	return events
}
