package measure_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/cloudtest"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
	"evo/internal/measure"
)

const region = "eu-west-1"

var begin = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// world is a cloud whose clock the test moves.
type world struct {
	*testing.T
	cloud   *cloudtest.Cloud
	stacks  *cloudformation.Client
	faults  *faults
	subject measure.Subject
}

// newWorld starts a cloud with a stack, if there is a template. A test whose template has functions needs a Node.
func newWorld(t *testing.T, template string) *world {
	t.Helper()
	c := cloudtest.Stepped(t, begin)
	w := &world{T: t, cloud: c, stacks: cloudformation.NewFromConfig(c.Config(region)), faults: &faults{next: c.Config(region).HTTPClient}}
	w.subject = measure.Subject{Stack: &inventory.Stack{Name: "shop", Region: region}, Now: begin}
	if template == "" {
		return w
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on this machine")
	}
	_, err := w.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("shop"), TemplateBody: &template,
		Parameters: release("one"), Capabilities: capabilities})
	w.must(err)
	w.until(cftypes.StackStatusCreateComplete)
	w.look()
	return w
}

var capabilities = []cftypes.Capability{cftypes.CapabilityCapabilityIam, cftypes.CapabilityCapabilityAutoExpand}

func release(name string) []cftypes.Parameter {
	return []cftypes.Parameter{{ParameterKey: aws.String("Release"), ParameterValue: &name}}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) until(want cftypes.StackStatus) {
	w.Helper()
	w.cloud.Await(time.Second, func() bool {
		out, err := w.stacks.DescribeStacks(w.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop")})
		w.must(err)
		status := out.Stacks[0].StackStatus
		if strings.Contains(string(status), "ROLLBACK") {
			w.Fatalf("the stack is %s: %s", status, aws.ToString(out.Stacks[0].StackStatusReason))
		}
		return status == want
	})
}

// look reads the stack anew.
func (w *world) look() {
	w.Helper()
	s, err := inventory.New(w.cloud.Config(region)).Stack(w.Context(), "shop")
	w.must(err)
	w.subject.Stack, w.subject.Now = s, w.cloud.Now()
}

// measurer reaches the cloud through the test's faults.
func (w *world) measurer() *measure.Measurer {
	cfg := w.cloud.Config(region)
	cfg.HTTPClient = &http.Client{Transport: w.faults}
	return measure.New(cfg, w.cloud.URL())
}

// measure scores a suite's functions, by name.
func (w *world) measure(functions string) map[string]fitness.Pair {
	w.Helper()
	pairs := map[string]fitness.Pair{}
	for _, p := range w.measurer().Measure(w.Context(), suite(w.T, functions), w.subject) {
		if p.Resource != fitness.Stack || p.Criticality != exact.One || p.Reason == "" {
			w.Errorf("a pair is not as all are: %+v", p)
		}
		pairs[p.Function] = p
	}
	return pairs
}

// suite reads a fitness.yaml.
func suite(t *testing.T, text string) *suitefile.File {
	t.Helper()
	f, err := suitefile.Parse("fitness.yaml", []byte(text), begin)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// want holds a pair against a score (as exact decimals, "0 to 1" if unknown) and parts of its reason.
func want(t *testing.T, p fitness.Pair, score string, reason ...string) {
	t.Helper()
	if p.Score.String() != score {
		t.Errorf("%s scores %s, want %s: %s", p.Function, p.Score, score, p.Reason)
	}
	for _, part := range reason {
		if !strings.Contains(p.Reason, part) {
			t.Errorf("%s: %q does not say %q", p.Function, p.Reason, part)
		}
	}
}

// put stores values of a metric, one a step, of which the last is the newest.
func (w *world) put(namespace, name string, unit cwtypes.StandardUnit, step time.Duration, dimensions map[string]string, values ...float64) {
	w.Helper()
	client := cloudwatch.NewFromConfig(w.cloud.Config(region))
	var dims []cwtypes.Dimension
	for k, v := range dimensions {
		dims = append(dims, cwtypes.Dimension{Name: &k, Value: &v})
	}
	for i, v := range values {
		at := w.subject.Now.Add(-time.Duration(len(values)-i) * step)
		_, err := client.PutMetricData(w.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: []cwtypes.MetricDatum{
			{MetricName: &name, Unit: unit, Timestamp: &at, Value: &v, Dimensions: dims}}})
		w.must(err)
	}
}

// faults is a transport that answers some requests itself.
type faults struct {
	next  aws.HTTPClient
	mu    sync.Mutex
	rules []fault
	seen  map[string]int
}

// fault says how requests that hold a text, in their path, target or body, are answered: with an error of AWS, or never.
type fault struct {
	text   string
	status int // 0: never
	code   string
}

func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	is := r.URL.Path + " " + r.Header.Get("X-Amz-Target") + " " + string(body)
	f.mu.Lock()
	var found *fault
	for i := range f.rules {
		if strings.Contains(is, f.rules[i].text) {
			found = &f.rules[i]
			if f.seen == nil {
				f.seen = map[string]int{}
			}
			f.seen[found.text]++
		}
	}
	f.mu.Unlock()
	switch {
	case found == nil:
		return f.next.Do(r)
	case found.status == 0:
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	header := http.Header{"X-Amzn-Errortype": {found.code}, "Smithy-Protocol": {r.Header.Get("Smithy-Protocol")}, "Content-Type": {r.Header.Get("Content-Type")}}
	text := fmt.Sprintf(`{"__type":%q,"message":%q}`, found.code, says)
	if header.Get("Smithy-Protocol") != "" { // CBOR: a map of two entries, all of them short texts
		text = "\xa2" + cborText("__type") + cborText(found.code) + cborText("message") + cborText(says)
	}
	return &http.Response{StatusCode: found.status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Body: io.NopCloser(strings.NewReader(text)), Header: header}, nil
}

const says = "so says the test"

func cborText(s string) string { return string([]byte{0x78, byte(len(s))}) + s }
