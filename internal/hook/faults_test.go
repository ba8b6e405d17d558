package hook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"evo/cloudtest"
	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/gate"
	"evo/internal/history"
	"evo/internal/hook"
)

const shop = `
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
  Topic: {Type: AWS::SNS::Topic}
`

// once is the fault of a request that is lost, and answered when it is made again.
const once = "once"

// faults answers chosen operations itself: as S3 with an error's code, never if that is empty, or only once not.
type faults struct {
	next aws.HTTPClient
	mu   sync.Mutex
	of   map[string]string // by operation, and what the path must hold: "PutObject report.json"
}

func (f *faults) Do(r *http.Request) (*http.Response, error) {
	operation := awsmiddleware.GetOperationName(r.Context())
	f.mu.Lock()
	code, found := "", false
	for key, value := range f.of {
		name, path, _ := strings.Cut(key, " ")
		if (name == operation || name == "GetBucket" && strings.HasPrefix(operation, name)) && strings.Contains(r.URL.Path, path) {
			code, found = value, true
			if value == once {
				code = ""
				delete(f.of, key)
			}
		}
	}
	f.mu.Unlock()
	switch {
	case !found:
		return f.next.Do(r)
	case code == "":
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := fmt.Sprintf("<Error><Code>%s</Code><Message>so says the test</Message></Error>", code)
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/xml"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

// world is a cloud with a stack, the stack's history, and the hook's way to them.
type world struct {
	*testing.T
	cfg    aws.Config
	s3     *s3.Client
	store  *history.Store
	faults *faults
	now    time.Time
	tries  int // of a request
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cfg := cloudtest.InProcess(t).Config("us-east-1")
	w := &world{T: t, cfg: cfg, faults: &faults{next: cfg.HTTPClient, of: map[string]string{}}, now: now, tries: 1}
	w.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	w.store = &history.Store{S3: w.s3, Bucket: "code", Prefix: "evo/shop"}
	_, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("code")})
	w.must(err)
	stacks := cloudformation.NewFromConfig(cfg)
	_, err = stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("shop"), TemplateBody: aws.String(shop)})
	w.must(err)
	quick := func(o *cloudformation.StackCreateCompleteWaiterOptions) { o.MinDelay = 10 * time.Millisecond }
	w.must(cloudformation.NewStackCreateCompleteWaiter(stacks, quick).Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop")}, time.Minute))
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) put(key, text string) {
	w.Helper()
	_, err := w.s3.PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String("code"), Key: &key, Body: strings.NewReader(text)})
	w.must(err)
}

func (w *world) begin(number int) hook.Release {
	w.Helper()
	root, err := cfn.Parse("template.yaml", []byte(shop))
	w.must(err)
	w.must(w.store.Begin(w.Context(), history.Attempt{Number: number, Digest: fmt.Sprint("d", number), Started: w.now}))
	w.must(w.store.Ask(w.Context(), number, history.Template{Authored: root, Full: root}))
	return hook.Release{Number: number, Digest: fmt.Sprint("d", number), Bucket: "code", Prefix: "evo/shop"}
}

// hook is the hook as a release deploys it, which reaches the cloud through the faults.
func (w *world) hook(r hook.Release) *hook.Hook {
	w.Helper()
	cfg := w.cfg.Copy()
	cfg.HTTPClient = w.faults
	cfg.RetryMaxAttempts = w.tries
	env := map[string]string{gate.EnvStack: "shop", gate.EnvRelease: fmt.Sprint(r.Number), gate.EnvBucket: r.Bucket, gate.EnvPrefix: r.Prefix}
	h, err := hook.New(cfg, func(name string) string { return env[name] }, func() time.Time { return w.now })
	w.must(err)
	return h
}

// judge judges a release as the gate asks for it.
func (w *world) judge(ctx context.Context, r hook.Release) (*hook.Answer, error) {
	w.Helper()
	return w.hook(r).Judge.Judge(ctx, hook.Question{Occasion: hook.Gate, Release: r})
}

// pair is a pair as the release's report has it.
func (w *world) pair(number int, function string) fitness.Pair {
	w.Helper()
	r := w.store.Release(w.Context(), number)
	if r.Report == nil {
		w.Fatalf("release %d has no report: %v", number, r.Problem)
	}
	for _, p := range r.Report.Release.Pairs {
		if p.Function == function {
			return p
		}
	}
	w.Fatalf("release %d has no pair of %s", number, function)
	return fitness.Pair{}
}

// metrics are what is published.
func (w *world) metrics() []cwtypes.Metric {
	w.Helper()
	out, err := cloudwatch.NewFromConfig(w.cfg).ListMetrics(w.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String(hook.Namespace)})
	w.must(err)
	return out.Metrics
}

const versioning = "s3-bucket-versioning-enabled"

// TestDenied has one API denied: the pair that needs it is unknown, and all others are what they are; the policy decides.
func TestDenied(t *testing.T) {
	w := newWorld(t)
	w.faults.of["GetBucketVersioning"] = "AccessDenied"
	held := func(number int, suite string) *hook.Answer {
		t.Helper()
		r := w.begin(number)
		r.Suite = fmt.Sprintf("evo/shop/suites/%d.yaml", number)
		w.put(r.Suite, suite)
		a, err := w.judge(t.Context(), r)
		w.must(err)
		if p := w.pair(number, versioning); p.Score != fitness.Unknown || !strings.Contains(p.Reason, "live:") {
			t.Errorf("%s is %v: %s", versioning, p.Score, p.Reason)
		}
		if p := w.pair(number, "sns-encrypted-kms"); p.Score == fitness.Unknown {
			t.Errorf("what is not denied is unknown: %s", p.Reason)
		}
		return a
	}
	if a := held(1, "ratchet: {coverage: 0.9}\n"); a.Proceed || !strings.Contains(a.Lines[0], "of what counts is known, and 0.90 must be") {
		t.Errorf("with too little known: %+v", a)
	}
	if a := held(2, "ratchet: {coverage: 0.2}\n"); !a.Proceed {
		t.Errorf("with enough known: %+v", a)
	}
	if a := held(3, "functions: {"+versioning+": {required: true}}\nratchet: {coverage: 0.2, unknown: fail}\n"); a.Proceed || !strings.Contains(strings.Join(a.Lines, " "), versioning) {
		t.Errorf("what is required is unknown: %+v", a)
	}
	if got, err := w.store.LastSucceeded(t.Context()); err != nil || got == nil || got.Number != 2 {
		t.Errorf("the reference is %+v, %v", got, err)
	}
}

// TestHangs has what a judgement depends on hang for ever. Whatever it is, CloudFormation is answered in time and told the reason; what
// cannot be read is unknown, and all that can still be done is done.
func TestHangs(t *testing.T) {
	const suite = "functions:\n  buckets: {characteristic: performance, metric: {namespace: Shop, name: Sales}, target: 10, limit: 20}\nratchet: {coverage: 0.1}\n"
	for _, c := range []struct {
		name              string
		faults            []string
		status, reason    string // what CloudFormation is told
		function, why     string // the pair that is unknown, and its reason
		unasked           bool   // nobody has kept what the release asks for
		lost, unpublished bool   // there is no report, no metric
	}{
		{name: "nothing", status: "SUCCESS", function: "buckets", why: "no data"},
		{name: "a read of the configuration", faults: []string{"GetBucketVersioning"}, status: "SUCCESS", function: versioning, why: "S3 GetBucketVersioning: no answer within 5s"},
		{name: "all reads of a bucket", faults: []string{"GetBucket", "GetPublicAccessBlock", "GetObjectLockConfiguration"}, status: "SUCCESS", function: versioning, why: "S3 GetBucketVersioning: no answer within 5s"},
		{name: "a metric", faults: []string{"GetMetricData"}, status: "SUCCESS", function: "buckets", why: "there was no answer in time"},
		{name: "the report", faults: []string{"PutObject"}, status: "FAILED", reason: "write s3://code/evo/shop/releases/000001/items.json", lost: true},
		{name: "the metrics", faults: []string{"PutMetricData"}, status: "SUCCESS", unpublished: true},
		{name: "the dashboards", faults: []string{"ListStackResources"}, status: "FAILED", reason: "list the resources of stack", lost: true, unpublished: true},
		{name: "the template", faults: []string{"GetTemplate"}, unasked: true, status: "FAILED", reason: "get the template of stack", lost: true, unpublished: true},
		{name: "the history", faults: []string{"GetObject"}, status: "FAILED", reason: "read s3://code/evo/shop/", lost: true, unpublished: true},
		{name: "all that may", faults: []string{"GetBucket", "GetPublicAccessBlock", "GetObjectLockConfiguration", "GetMetricData", "PutMetricData"}, status: "SUCCESS",
			function: versioning, why: "no answer", unpublished: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.tries = 3
				r := hook.Release{Number: 1, Digest: "d1", Bucket: "code", Prefix: "evo/shop"}
				if c.unasked {
					w.must(w.store.Begin(t.Context(), history.Attempt{Number: 1, Digest: "d1", Started: w.now}))
				} else {
					r = w.begin(1)
				}
				w.put("evo/shop/suites/x.yaml", suite)
				for _, f := range c.faults {
					w.faults.of[f] = ""
				}
				h, caller := w.hook(r), &caller{statuses: []int{200}}
				h.HTTP = &http.Client{Transport: caller}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				_, err := h.Handle(ctx, gateEvent("Create", `{"Release": "1", "Digest": "d1", "Bucket": "code", "Prefix": "evo/shop", "Suite": "evo/shop/suites/x.yaml"}`, ""))
				w.must(err)
				if reason, _ := caller.last(t)["Reason"].(string); caller.last(t)["Status"] != c.status || !strings.Contains(reason, c.reason) {
					t.Errorf("CloudFormation is told %v", caller.last(t))
				}
				if lost := w.store.Release(t.Context(), 1).Report == nil; lost != c.lost {
					t.Errorf("the report is lost: %v", lost)
				}
				if r := w.store.Release(t.Context(), 1).Report; r != nil && r.Time.Year() != 2000 {
					t.Errorf("the report is of %s, and not of the cloud's time", r.Time)
				}
				if unpublished := len(w.metrics()) == 0; unpublished != c.unpublished {
					t.Errorf("the fitness is unpublished: %v", unpublished)
				}
				if c.function == "" {
					return
				}
				if p := w.pair(1, c.function); p.Score != fitness.Unknown || !strings.Contains(p.Reason, c.why) {
					t.Errorf("%s is %v: %s", c.function, p.Score, p.Reason)
				}
			})
		})
	}
}

// TestLostRequests has a request of each phase be lost: it is made again.
func TestLostRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.tries = 3
		r := w.begin(1)
		for _, f := range []string{"DescribeStacks", "GetObject template.json", "PutObject report.json", "PutMetricData"} {
			w.faults.of[f] = once
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		a, err := w.judge(ctx, r)
		w.must(err)
		if len(w.faults.of) > 0 || !a.Proceed || w.store.Release(t.Context(), 1).Report == nil || len(w.metrics()) == 0 {
			t.Errorf("%+v, and %v did not happen", a, w.faults.of)
		}
	})
}

// TestNoVerdict is about what a judgement cannot do without. There is no verdict then, it says why, nothing is recorded, and the release
// before stays the reference.
func TestNoVerdict(t *testing.T) {
	const damaged = "functions:\n  nonsense: {severty: high}\n"
	for _, c := range []struct {
		name, fault, code string
		arrange           func(w *world, r *hook.Release)
		says              string
	}{
		{"the report cannot be written", "PutObject report.json", "AccessDenied", nil, "write s3://code/evo/shop/releases/000002/report.json"},
		{"the bucket is gone", "PutObject", "NoSuchBucket", nil, "NoSuchBucket"},
		{"the reference cannot be read", "GetObject 000001/report.json", "AccessDenied", nil, "find the release to compare with: read release v1: read s3://code/evo/shop/releases/000001/report.json"},
		{"the history cannot be listed", "ListObjectsV2", "AccessDenied", nil, "list the releases in s3://code/evo/shop/releases/"},
		{"the reference is damaged", "", "", func(w *world, _ *hook.Release) { w.put("evo/shop/releases/000001/report.json", "{") }, "s3://code/evo/shop/releases/000001/report.json"},
		{"what the release asks for is damaged", "", "", func(w *world, _ *hook.Release) { w.put("evo/shop/releases/000002/template.json", "{") }, "releases/000002/template.json"},
		{"the suite is damaged", "", "", func(w *world, r *hook.Release) { r.Suite = "evo/shop/suites/x.yaml"; w.put(r.Suite, damaged) }, "fitness.yaml:2:"},
		{"the suite is gone", "", "", func(_ *world, r *hook.Release) { r.Suite = "evo/shop/suites/x.yaml" }, "the suite is not there"},
		{"the suite cannot be read", "GetObject suites", "AccessDenied", func(_ *world, r *hook.Release) { r.Suite = "evo/shop/suites/x.yaml" }, "read s3://code/evo/shop/suites/x.yaml"},
		{"the reference's configuration is damaged", "", "", func(w *world, r *hook.Release) {
			w.put("evo/shop/releases/000001/items.json", `{"version": 1}`)
			r.Suite = "evo/shop/suites/x.yaml"
			w.put(r.Suite, "functions: {"+versioning+": {severity: low}}\n")
		}, "releases/000001/items.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			first := w.begin(1)
			if a, err := w.judge(t.Context(), first); err != nil || !a.Proceed {
				t.Fatal(a, err)
			}
			second := w.begin(2)
			if c.arrange != nil {
				c.arrange(w, &second)
			}
			if c.fault != "" {
				w.faults.of[c.fault] = c.code
			}
			a, err := w.judge(t.Context(), second)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%+v, %v", a, err)
			}
			if r := w.store.Release(t.Context(), 2); r.Report != nil {
				t.Error("it has a report")
			}
		})
	}
}

// TestClockJumps has a second release judged by a clock that is a day behind the first's. The first is the reference all the same, and an
// exception holds until its day by the clock that there is.
func TestClockJumps(t *testing.T) {
	w := newWorld(t)
	suite := func(r hook.Release) hook.Release {
		r.Suite = "evo/shop/suites/x.yaml"
		w.put(r.Suite, "functions:\n  sns-encrypted-kms:\n    except: [{resource: Topic, reason: being replaced, until: 2029-12-31}]\n")
		return r
	}
	excepted := func(number int) bool {
		for _, p := range w.store.Release(t.Context(), number).Report.Release.Pairs {
			if p.Function == "sns-encrypted-kms" {
				return false
			}
		}
		return true
	}
	w.now = now
	_, err := w.judge(t.Context(), suite(w.begin(1)))
	w.must(err)
	w.now = now.Add(-24 * time.Hour)
	_, err = w.judge(t.Context(), suite(w.begin(2)))
	w.must(err)
	second := w.store.Release(t.Context(), 2)
	if second.Report == nil || second.Report.Verdict.Reference != "v1" {
		t.Fatalf("%+v, %v", second.Report, second.Problem)
	}
	if excepted(1) || !excepted(2) {
		t.Errorf("excepted: %v on the day after, %v on the day", excepted(1), excepted(2))
	}
}

// TestAskedTwice: CloudFormation may repeat a request, and Lambda an event. The answer is the first one's, and the report stays.
func TestAskedTwice(t *testing.T) {
	w := newWorld(t)
	r := w.begin(1)
	first, err := w.judge(t.Context(), r)
	w.must(err)
	w.now = now.Add(time.Hour)
	w.faults.of["PutObject"] = "AccessDenied"
	second, err := w.judge(t.Context(), r)
	if err != nil || second.Fitness != first.Fitness || !second.Proceed {
		t.Errorf("%+v, then %+v, %v", first, second, err)
	}
}

// TestGiven: what a release was given is read back, with the fitness from which on the stack has drifted.
func TestGiven(t *testing.T) {
	w := newWorld(t)
	r := w.begin(1)
	r.Suite = "evo/shop/suites/x.yaml"
	w.put(r.Suite, "ratchet: {tolerance: 0.25}\n")
	first, err := w.judge(t.Context(), r)
	w.must(err)
	level := w.store.Release(t.Context(), 1).Report.Verdict.Level.Fitness.Lo
	if want := level.Sub(exact.Ratio(1, 4)).Text(9); first.Threshold != want {
		t.Errorf("of a fitness of %s the threshold is %s, want %s", level.Text(9), first.Threshold, want)
	}
	w.faults.of["PutObject"] = "AccessDenied"
	j := w.hook(hook.Release{Number: 2, Bucket: "code", Prefix: "evo/shop"}).Judge
	if diff := cmp.Diff(first, j.Given(t.Context(), hook.Release{Number: 1})); diff != "" {
		t.Error(diff)
	}
	w.faults.of["GetObject"] = "AccessDenied"
	for _, number := range []int{0, 1, 7} {
		if a := j.Given(t.Context(), hook.Release{Number: number}); a != nil {
			t.Errorf("v%d: %+v", number, a)
		}
	}
}

// TestHigherNumber: where a higher number has succeeded, a release is still held to the one before it, and not taken for the first.
func TestHigherNumber(t *testing.T) {
	w := newWorld(t)
	for _, n := range []int{1, 5} {
		_, err := w.judge(t.Context(), w.begin(n))
		w.must(err)
	}
	_, err := w.judge(t.Context(), w.begin(3))
	w.must(err)
	if r := w.store.Release(t.Context(), 3); r.Report.Verdict.Reference != "v1" {
		t.Errorf("it is compared with %q", r.Report.Verdict.Reference)
	}
}

// TestTakenBack is about a release that passed, whose answer was lost, and whose deployer is gone: what CloudFormation takes back is no
// reference. One that stays is.
func TestTakenBack(t *testing.T) {
	w := newWorld(t)
	for _, n := range []int{1, 2} {
		r := w.begin(n)
		a, err := w.judge(t.Context(), r)
		w.must(err)
		if !a.Proceed {
			t.Fatal(a.Lines)
		}
	}
	w.must(w.store.End(t.Context(), 1, history.Outcome{Status: history.Succeeded}))
	judge := w.hook(hook.Release{Number: 1, Bucket: "code", Prefix: "evo/shop"}).Judge
	for _, n := range []int{1, 2, 9} {
		w.must(judge.TakenBack(t.Context(), hook.Release{Number: n}))
	}
	last, err := w.store.LastSucceeded(t.Context())
	if err != nil || last == nil || last.Number != 1 {
		t.Errorf("the reference is %+v, %v", last, err)
	}
	if got := w.store.Release(t.Context(), 2).Status(); got != history.RolledBack {
		t.Errorf("v2 is %q", got)
	}
}
