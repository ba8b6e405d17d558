package hook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"evo/cloudtest"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/report"
	"evo/internal/hook"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// released is a release of which one score is known and one is not, after another one if that is given.
func released(t *testing.T, number int, title string, score exact.Decimal, reference *fitness.Release, options fitness.Options) *report.Report {
	t.Helper()
	s := fitness.Default()
	s.Functions = nil
	for _, rule := range []string{"s3-bucket-ssl-requests-only", "s3-bucket-versioning-enabled"} {
		e, ok := fitness.Lookup(rule)
		if !ok {
			t.Fatalf("there is no rule %s", rule)
		}
		s.Functions = append(s.Functions, e.Function())
	}
	s.Ratchet.Coverage = 0
	pair := func(function string, score fitness.Interval) fitness.Pair {
		return fitness.Pair{Function: function, Resource: "Pictures", Type: "AWS::S3::Bucket", Score: score, Criticality: exact.One}
	}
	r := &fitness.Release{Name: fmt.Sprintf("v%d", number), Size: fitness.Size{Resources: 4, Cost: 22_500_000}, Pairs: []fitness.Pair{
		pair("s3-bucket-ssl-requests-only", fitness.Known(score)), pair("s3-bucket-versioning-enabled", fitness.Unknown)}}
	about := report.About{Stack: "shop", Number: number, Title: title, Time: now.AddDate(0, 0, number-1), Items: strings.Repeat("0123456789abcdef", 4)}
	out, err := report.New(about, reference, r, s, options)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newPublisher(t *testing.T, dashboards ...string) *hook.Publisher {
	t.Helper()
	return publisherIn(cloudtest.Stepped(t, now), dashboards...)
}

func publisherIn(cloud *cloudtest.Cloud, dashboards ...string) *hook.Publisher {
	return &hook.Publisher{CloudWatch: cloudwatch.NewFromConfig(cloud.Config("eu-west-1")), Namespace: hook.Namespace, Stack: "shop",
		Dashboards: func(context.Context) ([]string, error) { return dashboards, nil }}
}

func TestPublish(t *testing.T) {
	cloud := cloudtest.Stepped(t, now)
	p := publisherIn(cloud)
	first := released(t, 1, "First", exact.One/2, nil, fitness.Options{})
	if err := p.Publish(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	second := released(t, 1, "Second", exact.One, &first.Release, fitness.Options{Basis: &first.Verdict.Basis, Judged: first.Verdict.Level})
	cloud.Advance(time.Minute)
	if err := p.Publish(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	got := published(t, p)
	want := map[string][]float64{}
	for _, r := range []*report.Report{first, second} {
		level := r.Verdict.Level
		add := func(name string, value exact.Rat) { want[name] = append(want[name], floatOf(t, value)) }
		add("Fitness", level.Fitness.Lo)
		add("Loss", level.Loss.Hi)
		add("Regularization", level.Regularization)
		add("Coverage", level.Coverage)
		add("MonthlyCost", exact.Ratio(45, 2))
		for _, c := range level.Characteristics {
			add("Fitness "+c.Name, c.Score.Lo.Mul(exact.Whole(100)))
			add("Loss "+c.Name, exact.Whole(1).Sub(c.Score.Lo))
		}
	}
	want["FitnessDelta"] = []float64{floatOf(t, second.Verdict.Delta.Delta.Lo)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want) < 9 || want["Fitness security"][1] != 100 {
		t.Errorf("the releases do not show what is tested: %v", want)
	}
}

func floatOf(t *testing.T, r exact.Rat) float64 {
	t.Helper()
	var f float64
	if err := json.Unmarshal([]byte(r.Text(9)), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// published are the values of the stack's metrics, by name and characteristic, in order of time.
func published(t *testing.T, p *hook.Publisher) map[string][]float64 {
	t.Helper()
	list, err := p.CloudWatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String(hook.Namespace)})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]float64{}
	for _, m := range list.Metrics {
		name := aws.ToString(m.MetricName)
		for _, d := range m.Dimensions {
			switch {
			case *d.Name == "Characteristic":
				name += " " + *d.Value
			case *d.Name != "Stack" || *d.Value != "shop":
				t.Errorf("%s has the dimension %s: %s", name, *d.Name, *d.Value)
			}
		}
		out, err := p.CloudWatch.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now), EndTime: aws.Time(now.Add(time.Hour)),
			ScanBy: types.ScanByTimestampAscending, MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("q"), MetricStat: &types.MetricStat{
				Metric: &m, Period: aws.Int32(60), Stat: aws.String("Average"), Unit: types.StandardUnitNone}}}})
		if err != nil {
			t.Fatal(err)
		}
		values[name] = out.MetricDataResults[0].Values
	}
	return values
}

// authored is a dashboard as its authors wrote it: keys in their own order, a big number, marks of theirs.
const authored = `{"widgets":[` +
	`{"width":12,"type":"metric","properties":{"title":"a < b & c","metrics":[["Shop","Orders",{"period":60}]],"annotations":{"vertical":[` +
	`{"value":"2029-12-01T00:00:00Z","label":"evo: an author's words"},[{"value":"2029-12-24T00:00:00Z","label":"sale"},{"value":"2029-12-26T00:00:00Z"}]],` +
	`"horizontal":[{"value":12345678901234567890}]}}},` +
	`{"type":"metric","properties":{"view":"timeSeries","metrics":[]}},` +
	`{"type":"metric","properties":{"view":"singleValue","metrics":[]}},` +
	`{"type":"text","properties":{"markdown":"# Shop"}},` +
	`{"type":"metric"}],"start":"-PT6H"}`

func put(t *testing.T, p *hook.Publisher, name, body string) {
	t.Helper()
	if _, err := p.CloudWatch.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: &name, DashboardBody: &body}); err != nil {
		t.Fatal(err)
	}
}

func body(t *testing.T, p *hook.Publisher, name string) string {
	t.Helper()
	out, err := p.CloudWatch.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.DashboardBody
}

// labels are those of the first graph's vertical lines, "-" for a band.
func labels(t *testing.T, text string) (all []string) {
	t.Helper()
	var d struct {
		Widgets []struct {
			Properties struct {
				Annotations struct{ Vertical []json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	for _, raw := range d.Widgets[0].Properties.Annotations.Vertical {
		line := struct{ Label string }{"-"}
		_ = json.Unmarshal(raw, &line) // a band is no object
		all = append(all, line.Label)
	}
	return all
}

func TestAnnotate(t *testing.T) {
	p := newPublisher(t, "shop")
	put(t, p, "shop", authored)
	r := released(t, 2, "Encryption <At> Rest", exact.One, nil, fitness.Options{})
	if err := p.Annotate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	line := `{"label":"evo: v2 Encryption <At> Rest","value":"2030-01-02T12:00:00Z"}`
	want := strings.Replace(authored, `"value":"2029-12-26T00:00:00Z"}]]`, `"value":"2029-12-26T00:00:00Z"}],`+line+`]`, 1)
	want = strings.Replace(want, `"view":"timeSeries","metrics":[]`, `"view":"timeSeries","metrics":[],"annotations":{"vertical":[`+line+`]}`, 1)
	if diff := cmp.Diff(want, body(t, p, "shop")); diff != "" {
		t.Error(diff)
	}
	if err := p.Annotate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, body(t, p, "shop")); diff != "" {
		t.Errorf("marked again: %s", diff)
	}
}

// TestAnnotateKeeps marks more releases than stay marked, and one of them again under another name.
func TestAnnotateKeeps(t *testing.T) {
	p := newPublisher(t, "shop")
	put(t, p, "shop", authored)
	mark := func(number int, title string) {
		t.Helper()
		if err := p.Annotate(t.Context(), released(t, number, title, exact.One, nil, fitness.Options{})); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 23 {
		mark(n+1, "")
	}
	want := []string{"evo: an author's words", "-"}
	for n := 4; n <= 23; n++ {
		want = append(want, fmt.Sprintf("evo: v%d", n))
	}
	if diff := cmp.Diff(want, labels(t, body(t, p, "shop"))); diff != "" {
		t.Error(diff)
	}
	mark(22, "Named Later")
	want = append(slices.DeleteFunc(want, func(s string) bool { return s == "evo: v22" }), "evo: v22 Named Later")
	if diff := cmp.Diff(want, labels(t, body(t, p, "shop"))); diff != "" {
		t.Errorf("marked again: %s", diff)
	}
}

func TestAnnotateNothing(t *testing.T) {
	p := newPublisher(t, "gone", "empty", "shop")
	const empty = `{ "widgets": [] }`
	put(t, p, "empty", empty)
	put(t, p, "shop", authored)
	r := released(t, 2, "Second", exact.One, nil, fitness.Options{})
	err := p.Annotate(t.Context(), r)
	if err == nil || !strings.Contains(err.Error(), "read dashboard gone") || strings.Contains(err.Error(), "shop") {
		t.Errorf("of a dashboard that is gone: %v", err)
	}
	if got := body(t, p, "empty"); got != empty {
		t.Errorf("a dashboard without graphs becomes %s", got)
	}
	if got := labels(t, body(t, p, "shop")); !slices.Contains(got, "evo: v2 Second") {
		t.Errorf("one dashboard that is gone keeps another from being marked: %v", got)
	}

	refused := released(t, 3, "Third", 0, &r.Release, fitness.Options{Basis: &r.Verdict.Basis, Judged: r.Verdict.Level})
	p.Dashboards = func(context.Context) ([]string, error) { return []string{"shop"}, nil }
	if err := p.Annotate(t.Context(), refused); err != nil || refused.Verdict.Proceed {
		t.Fatalf("of a release that does not proceed (%v): %v", refused.Verdict.Proceed, err)
	}
	if got := labels(t, body(t, p, "shop")); slices.Contains(got, "evo: v3 Third") {
		t.Errorf("a release that did not go out is marked: %v", got)
	}
	broken := errors.New("no list")
	p.Dashboards = func(context.Context) ([]string, error) { return nil, broken }
	if err := p.Annotate(t.Context(), r); !errors.Is(err, broken) {
		t.Errorf("without a list of dashboards: %v", err)
	}
}
