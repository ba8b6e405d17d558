package fitness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/cloudtest"
	"evo/internal/appraisal"
	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/fitness"
	"evo/internal/fitness/report"
	"evo/internal/fitness/suitefile"
	"evo/internal/history"
	"evo/internal/view"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

func TestMain(m *testing.M) {
	time.Local = time.UTC // what is shown has the machine's time
	os.Exit(m.Run())
}

// begun is when the first release was.
var begun = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

// gated has a release gate that is never made: only where it says the history is counts here.
const gated = `
Conditions: {Never: !Equals [a, b]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  EvoReleaseGate:
    Type: Custom::EvoReleaseGate
    Condition: Never
    Properties: {ServiceToken: "arn:aws:lambda:us-east-1:000000000000:function:x", Release: "6", Bucket: history, Prefix: evo/shop}
`

// world is a cloud in process with a stack and its history.
type world struct {
	*testing.T
	cfg   aws.Config
	store *history.Store
	dir   string

	last  *report.Report // that succeeded
	suite *appraisal.Suite
}

func newWorld(t *testing.T) *world {
	cfg := cloudtest.InProcess(t).Config("us-east-1")
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("history")}); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, cfg: cfg, dir: t.TempDir(), store: &history.Store{S3: client, Bucket: "history", Prefix: "evo/shop"}}
	w.held("")
	return w
}

// held says what releases are held to from here on.
func (w *world) held(file string) {
	w.Helper()
	f, err := suitefile.Parse("fitness.yaml", []byte(file), begun)
	if err != nil {
		w.Fatal(err)
	}
	if w.suite, err = appraisal.Prepare(f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) deploy(stack, template string) {
	w.Helper()
	client := cloudformation.NewFromConfig(w.cfg)
	if _, err := client.CreateStack(w.Context(), &cloudformation.CreateStackInput{StackName: &stack, TemplateBody: &template}); err != nil {
		w.Fatal(err)
	}
	quick := func(o *cloudformation.StackCreateCompleteWaiterOptions) { o.MinDelay = 10 * time.Millisecond }
	if err := cloudformation.NewStackCreateCompleteWaiter(client, quick).Wait(w.Context(), &cloudformation.DescribeStacksInput{StackName: &stack}, time.Minute); err != nil {
		w.Fatal(err)
	}
}

// begin writes that a release begins, so many days after the first.
func (w *world) begin(number int, name string, day int) time.Time {
	w.Helper()
	at := begun.AddDate(0, 0, day)
	if err := w.store.Begin(w.Context(), history.Attempt{Number: number, Name: name, Digest: "d", Started: at, Built: at.Add(-time.Hour)}); err != nil {
		w.Fatal(err)
	}
	return at
}

func (w *world) end(number int, o history.Outcome) {
	w.Helper()
	if err := w.store.End(w.Context(), number, o); err != nil {
		w.Fatal(err)
	}
}

// release judges a template as a release, and keeps that.
func (w *world) release(number int, name string, day int, template string) {
	w.Helper()
	at := w.begin(number, name, day)
	root, err := cfn.Parse("template.yaml", []byte(template))
	if err != nil {
		w.Fatal(err)
	}
	t, err := desired.Read(root, desired.Surroundings{Now: at})
	if err != nil {
		w.Fatal(err)
	}
	made := w.suite.Appraise(fmt.Sprintf("v%d", number), t.Architecture, w.suite.Unmeasured(), at)
	about := report.About{Stack: "shop", Number: number, Title: name, Time: at, Items: strings.Repeat("0", 64), Excepted: made.Excepted}
	var reference *fitness.Release
	o := fitness.Options{}
	if w.last != nil {
		reference, o.Basis, o.Judged = &w.last.Release, &w.last.Verdict.Basis, w.last.Verdict.Level
	}
	r, err := report.New(about, reference, made.Release, w.suite.Suite, o)
	if err != nil {
		w.Fatal(err)
	}
	if err := w.store.Record(w.Context(), r, []byte("{}")); err != nil {
		w.Fatal(err)
	}
	out := history.Outcome{Status: history.Succeeded, Finished: at.Add(30 * time.Minute)}
	if r.Verdict.Proceed {
		w.last = r
	} else {
		out.Status, out.Reason = history.RolledBack, "the release gate said no"
	}
	w.end(number, out)
}

const (
	bare = `
Resources:
  Pictures:
    Type: AWS::S3::Bucket
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: {KeySchema: [], AttributeDefinitions: [], ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}}
    Metadata: {guard: {SuppressedRules: [DYNAMODB_TABLE_ENCRYPTION_ENABLED]}}
`
	available = `
Resources:
  Pictures:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Enabled}}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: []
      AttributeDefinitions: []
      BillingMode: PAY_PER_REQUEST
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
    Metadata: {guard: {SuppressedRules: [DYNAMODB_TABLE_ENCRYPTION_ENABLED]}}
`
)

// lived is a stack of which all that can become of releases has become.
func lived(t *testing.T) *world {
	w := newWorld(t)
	w.deploy("shop", gated)
	w.release(1, "First Release", 0, bare)
	w.release(2, "Increased Availability", 2, available)
	w.release(3, "Cheaper", 4, bare)
	at := w.begin(4, "Cheaper still", 5)
	w.end(4, history.Outcome{Status: history.Refused, Finished: at.Add(time.Minute), Reason: "v4 would make stack shop less fit"})
	w.release(5, "Again", 6, available)
	w.begin(6, "", 8)
	return w
}

func (w *world) run(a *app.App, args ...string) (string, error) {
	w.Helper()
	var out bytes.Buffer
	a.Dir, a.Env, a.Now = w.dir, func(string) string { return "" }, func() time.Time { return begun.AddDate(0, 0, 10) }
	a.AWS = func(context.Context) (aws.Config, error) { return w.cfg, nil }
	a.Out, a.Err = &out, &out
	cmd := New(a)
	cmd.SetArgs(args)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err := cmd.ExecuteContext(w.Context())
	return out.String(), err
}

func (w *world) golden(name, got string) {
	w.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			w.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	if got != string(want) {
		w.Errorf("%s differs, -update writes it; what came:\n%s", path, got)
	}
}

func TestHistory(t *testing.T) {
	w := lived(t)
	if err := os.WriteFile(filepath.Join(w.dir, "template.yaml"), []byte(available), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		streams app.Streams
		output  string
		args    []string
	}{
		"list.txt":    {app.Streams{}, "text", nil},
		"tty.txt":     {app.Streams{OutTTY: true}, "text", nil},
		"list.json":   {app.Streams{}, "json", nil},
		"explain.txt": {app.Streams{}, "text", []string{"--explain"}},
		"v1.txt":      {app.Streams{}, "text", []string{"--explain", "--release", "v1"}},
		"v3.txt":      {app.Streams{}, "text", []string{"--release", "3"}},
		"v3.json":     {app.Streams{}, "json", []string{"--release", "3"}},
		"compare.txt": {app.Streams{}, "text", []string{"--compare", "1,2"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.T = t
			out, err := w.run(&app.App{Streams: c.streams, Settings: app.Settings{Output: c.output}}, append([]string{"--stack-name", "shop"}, c.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			w.golden(name, out)
		})
	}
}

func TestExplanationAddsUp(t *testing.T) {
	w := lived(t)
	out, err := w.run(&app.App{Settings: app.Settings{Output: "json"}}, "--stack-name", "shop", "--explain")
	if err != nil {
		t.Fatal(err)
	}
	var e explained
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatal(err)
	}
	cents := int64(0)
	for _, l := range e.Lines {
		cents += hundredths(t, l.Points)
	}
	if total := hundredths(t, e.Total); total != 10000-cents || e.Release != 5 || len(e.Lines) == 0 {
		t.Errorf("v%d: 100 less %d hundredths is not %d", e.Release, cents, total)
	}
	if len(e.Suppressed) != 1 || e.Suppressed[0].Resource != "Orders" {
		t.Errorf("suppressed: %+v", e.Suppressed)
	}
}

func hundredths(t *testing.T, n json.Number) int64 {
	t.Helper()
	d, err := json.Number(strings.Replace(n.String(), ".", "", 1)).Int64()
	if err != nil || !strings.Contains(n.String(), ".") {
		t.Fatalf("%s is not written with two digits", n)
	}
	return d
}

// TestNewRequirements compares releases that were held to different things: only with the release before it can one be.
func TestNewRequirements(t *testing.T) {
	w := newWorld(t)
	w.deploy("shop", gated)
	w.release(1, "", 0, bare)
	w.release(2, "", 1, available)
	w.held("functions: {s3-bucket-logging-enabled: {enabled: false}, dynamodb-table-encryption-enabled: {enabled: false}}")
	w.last.Release.Pairs = nil // as if scored anew: what there is of it does not matter here
	w.release(3, "", 2, available)
	text := app.Settings{Output: "text"}
	if out, err := w.run(&app.App{Settings: text}, "--stack-name", "shop", "--compare", "2"); err != nil || !strings.Contains(out, "from v2 to v3") {
		t.Errorf("with the release before: %v\n%s", err, out)
	}
	if _, err := w.run(&app.App{Settings: text}, "--stack-name", "shop", "--compare", "1,3"); err == nil || !strings.Contains(err.Error(), "different requirements") || app.Hint(err) == "" {
		t.Errorf("with an older one: %v", err)
	}
}

func TestWhatCannotBeShown(t *testing.T) {
	w := newWorld(t)
	w.deploy("plain", "Resources: {Topic: {Type: AWS::SNS::Topic}}")
	w.deploy("shop", gated)
	w.begin(1, "", 0)
	w.end(1, history.Outcome{Status: history.Refused, Finished: begun, Reason: "too little"})
	for name, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"no gate":         {[]string{"--stack-name", "plain"}, "has no release gate", app.ExitFailure},
		"no such release": {[]string{"--stack-name", "shop", "--release", "7"}, "no release v7", app.ExitUsage},
		"no number":       {[]string{"--stack-name", "shop", "--release", "x"}, `"x" is no release`, app.ExitUsage},
		"no report":       {[]string{"--stack-name", "shop", "--release", "1"}, "v1 has no report: too little", app.ExitFailure},
		"none has one":    {[]string{"--stack-name", "shop", "--explain"}, "no release of stack shop has a report", app.ExitFailure},
		"too much":        {[]string{"--stack-name", "shop", "--compare", "1", "--release", "1"}, "--compare shows two", app.ExitUsage},
		"which stack":     {[]string{"--release", "1"}, "which stack", app.ExitUsage},
	} {
		_, err := w.run(&app.App{Settings: app.Settings{Output: "text"}}, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) || app.Code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	out, err := w.run(&app.App{Settings: app.Settings{Output: "json"}}, "--stack-name", "shop")
	var all view.Releases
	if err = errors.Join(err, json.Unmarshal([]byte(out), &all)); err != nil || len(all.Releases) != 1 || all.Releases[0].Fitness != nil || all.Delivery.FailureRate != nil {
		t.Errorf("%v: %s", err, out)
	}
}
