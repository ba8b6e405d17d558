package kill

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The application: a function that is shifted linearly, between a hook that says yes and one that answers as it is told.
const template = `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: provided.al2023, CodeUri: s3://code/function.zip, Timeout: 30}
Resources:
  Search:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: search
      Handler: search
      AutoPublishAlias: live
      Environment: {Variables: {RELEASE: "%[1]d"}}
      DeploymentPreference:
        Type: Linear10PercentEvery1Minute
        Hooks: {PreTraffic: !Ref Before, PostTraffic: !Ref After}
  Before:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: CodeDeployHook_before, Handler: hook, Environment: {Variables: {ANSWER: Succeeded}}}
  After:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: CodeDeployHook_after, Handler: hook, Environment: {Variables: {ANSWER: "%[2]s"}}}
  Config:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: "%[1]d"}
`

const stack = "shop"

// The cloud's clock runs so fast that a linear deployment of nine minutes takes eighteen seconds.
const speed = 30

// team deploys release after release, whatever becomes of the cloud.
type team struct {
	*process
	ctx     context.Context
	random  *rand.Rand
	cfn     *cloudformation.Client
	deploys *codedeploy.Client
	lambda  *lambda.Client
	writers *writers
	kills   int // still to come
	killed  int
	good    int // the last release that was not refused
	made    int // deployments that there should be
	seen    int // functions' processes when the cloud was killed
}

// TestKilled kills the cloud EVO_KILLS times in the midst of linear deployments.
func TestKilled(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("EVO_KILLS"))
	if err != nil || testing.Short() {
		t.Skip("EVO_KILLS does not say how often; test/kill.sh runs this")
	}
	seed, err := strconv.ParseUint(os.Getenv("EVO_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("%d kills, seed %d", kills, seed)
	m := newTeam(t, kills, seed)
	rounds := 0
	for ; m.kills > 0 && !t.Failed(); rounds++ {
		m.round(rounds + 2)
	}
	t.Logf("%d kills in %d rounds, of %d functions' processes; acknowledged: %d objects, %d versions, metrics %v", m.killed, rounds, m.seen, len(m.writers.sums), len(m.writers.versions), m.writers.counted)
	m.writers.close()
	if err := m.writers.compare(m.ctx, true); err != nil {
		t.Error(err)
	}
	functions := m.own()
	m.stop()
	m.wantGone(m.ctx, functions)
	if _, err := os.Stat("/proc/self/environ"); err == nil && m.seen == 0 {
		t.Error("no function's process was seen, ever")
	}
}

func newTeam(t *testing.T, kills int, seed uint64) *team {
	t.Helper()
	dir := t.TempDir()
	m := &team{ctx: t.Context(), random: rand.New(rand.NewPCG(seed, 0)), kills: kills, good: 1,
		process: &process{T: t, binary: program(t, dir, os.Getenv("EVO"), "evo/cmd/evo"), state: filepath.Join(dir, "state"), speed: speed, port: "0"}}
	code := program(t, dir, "", "evo/test/kill/function")
	m.begin()
	t.Cleanup(func() { m.cmd.Process.Kill() })
	m.ready()
	cfg := m.config()
	m.cfn, m.deploys, m.lambda, m.writers = cloudformation.NewFromConfig(cfg), codedeploy.NewFromConfig(cfg), lambda.NewFromConfig(cfg), newWriters(cfg)
	m.upload(code)
	if err := m.update(1, "Succeeded"); err != nil {
		t.Fatal(err)
	}
	for m.inProgress() {
		time.Sleep(100 * time.Millisecond)
	}
	m.wantStack(cfntypes.StackStatusCreateComplete)
	if err := m.writers.start(m.ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.writers.close)
	return m
}

// program builds a command, unless a built one is given.
func program(t *testing.T, dir, built, pkg string) string {
	t.Helper()
	if built != "" {
		return built
	}
	out := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// upload puts the function's code where the template looks for it, and makes the function whose versions are counted.
func (m *team) upload(code string) {
	m.Helper()
	data, err := os.ReadFile(code)
	if err != nil {
		m.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		_, err = m.writers.objects.CreateBucket(m.ctx, &s3.CreateBucketInput{Bucket: aws.String("code")})
	}
	if err == nil {
		_, err = m.writers.objects.PutObject(m.ctx, &s3.PutObjectInput{Bucket: aws.String("code"), Key: aws.String("function.zip"), Body: bytes.NewReader(b.Bytes())})
	}
	if err == nil {
		_, err = m.lambda.CreateFunction(m.ctx, &lambda.CreateFunctionInput{FunctionName: aws.String(versioned), Role: aws.String("arn:aws:iam::000000000000:role/any"),
			Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("search"),
			Code: &lambdatypes.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String("function.zip")}})
	}
	if err != nil {
		m.Fatal(err)
	}
}

// update asks for the deployment of a release.
func (m *team) update(release int, answer string) error {
	body := fmt.Sprintf(template, release, answer)
	capabilities := []cfntypes.Capability{cfntypes.CapabilityCapabilityIam, cfntypes.CapabilityCapabilityAutoExpand}
	var err error
	if release == 1 {
		_, err = m.cfn.CreateStack(m.ctx, &cloudformation.CreateStackInput{StackName: aws.String(stack), TemplateBody: &body, Capabilities: capabilities})
	} else {
		_, err = m.cfn.UpdateStack(m.ctx, &cloudformation.UpdateStackInput{StackName: aws.String(stack), TemplateBody: &body, Capabilities: capabilities})
	}
	return err
}

// beginRelease begins the deployment of a release. At times the cloud is killed while it is asked: then it is asked again, unless it
// had understood.
func (m *team) beginRelease(release int, answer string) {
	m.Helper()
	if m.kills > 0 && m.random.IntN(2) == 0 {
		asked := make(chan error)
		go func() { asked <- m.update(release, answer) }()
		time.Sleep(time.Duration(m.random.Int64N(int64(20 * time.Millisecond))))
		m.crash()
		if err := <-asked; err == nil || m.inProgress() {
			return
		}
	}
	if err := m.update(release, answer); err != nil {
		m.Fatal(err)
	}
}

// round deploys one release while the cloud is killed again and again, and wants it to end as its hook says.
func (m *team) round(release int) {
	m.Helper()
	answer, want := "Succeeded", cfntypes.StackStatusUpdateComplete
	if m.random.IntN(3) == 0 {
		answer, want = "Failed", cfntypes.StackStatusUpdateRollbackComplete
	}
	m.beginRelease(release, answer)
	stop := m.customers()
	for begin, next := time.Now(), m.pause(); m.inProgress(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 5*time.Minute {
			m.Fatalf("release %d does not end\n%s", release, m.history())
		}
		if m.kills > 0 && time.Now().After(next) {
			m.crash()
			next = m.pause()
		}
	}
	stop()
	m.made++
	if answer == "Succeeded" {
		m.good = release
	} else {
		m.made++
	}
	m.wantStack(want)
	m.wantAlias()
	m.wantDeployments()
}

// pause draws the moment of the next kill.
func (m *team) pause() time.Time {
	return time.Now().Add(time.Duration(m.random.Int64N(int64(1500 * time.Millisecond))))
}

// crash kills the cloud, sometimes while it starts too, and starts it again: nothing that was acknowledged is lost, and no
// function of the killed one is left.
func (m *team) crash() {
	m.Helper()
	left, before := m.own(), m.clock()
	m.seen += len(left)
	m.process.kill()
	m.kills, m.killed = m.kills-1, m.killed+1
	m.begin()
	if m.kills > 0 && m.random.IntN(8) == 0 {
		time.Sleep(time.Duration(m.random.Int64N(int64(60 * time.Millisecond))))
		m.process.kill()
		m.kills, m.killed = m.kills-1, m.killed+1
		m.begin()
	}
	m.ready()
	if now := m.clock(); now.Before(before) {
		m.Errorf("after kill %d the cloud's clock has run back from %s to %s", m.killed, before, now)
	}
	m.wantGone(m.ctx, left)
	if err := m.writers.compare(m.ctx, false); err != nil {
		m.Errorf("after kill %d: %v", m.killed, err)
	}
}

// customers call the function, so that processes of it run, until they are stopped.
func (m *team) customers() (stop func()) {
	ctx, cancel := context.WithCancel(m.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(30 * time.Millisecond) {
			_, _ = m.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("search:live")}) // fails while the cloud is away
		}
	}()
	return func() { cancel(); <-done }
}

func (m *team) status() cfntypes.StackStatus {
	m.Helper()
	out, err := m.cfn.DescribeStacks(m.ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		m.Fatal(err)
	}
	return out.Stacks[0].StackStatus
}

func (m *team) inProgress() bool {
	m.Helper()
	return strings.HasSuffix(string(m.status()), "_IN_PROGRESS")
}

func (m *team) wantStack(want cfntypes.StackStatus) {
	m.Helper()
	if got := m.status(); got != want {
		m.Errorf("the stack is %s, want %s\n%s", got, want, m.history())
	}
}

// wantAlias wants the alias to lead to the last good release's version, and to no other.
func (m *team) wantAlias() {
	m.Helper()
	alias, err := m.lambda.GetAlias(m.ctx, &lambda.GetAliasInput{FunctionName: aws.String("search"), Name: aws.String("live")})
	if err != nil {
		m.Fatal(err)
	}
	if alias.RoutingConfig != nil && len(alias.RoutingConfig.AdditionalVersionWeights) > 0 {
		m.Errorf("the alias is left with weights %v", alias.RoutingConfig.AdditionalVersionWeights)
	}
	fn, err := m.lambda.GetFunctionConfiguration(m.ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("search:live")})
	if err != nil {
		m.Fatal(err)
	}
	if got := fn.Environment.Variables["RELEASE"]; got != fmt.Sprint(m.good) {
		m.Errorf("release %s is live, want %d", got, m.good)
	}
}

// wantDeployments wants one deployment for each release, and one for each rollback, all of them ended.
func (m *team) wantDeployments() {
	m.Helper()
	count := 0
	pages := codedeploy.NewListDeploymentsPaginator(m.deploys, &codedeploy.ListDeploymentsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(m.ctx)
		if err != nil {
			m.Fatal(err)
		}
		count += len(page.Deployments)
		for _, id := range page.Deployments {
			out, err := m.deploys.GetDeployment(m.ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
			if err != nil {
				m.Fatal(err)
			}
			if s := out.DeploymentInfo.Status; s != cdtypes.DeploymentStatusSucceeded && s != cdtypes.DeploymentStatusFailed {
				m.Errorf("deployment %s is %s", id, s)
			}
		}
	}
	if count != m.made {
		m.Errorf("there are %d deployments, want %d\n%s", count, m.made, m.history())
	}
}

// history is the stack's newest events.
func (m *team) history() string {
	out, err := m.cfn.DescribeStackEvents(m.ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stack)})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range out.StackEvents[:min(40, len(out.StackEvents))] {
		fmt.Fprintf(&b, "%s %s %s %s\n", e.Timestamp.Format(time.TimeOnly), *e.LogicalResourceId, e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
	}
	return b.String()
}
