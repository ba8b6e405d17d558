package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"evo/examples/shop"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/gate"
	"evo/internal/hook"
	"evo/internal/view"
)

// The test's own program is what the demonstration zips: it serves the shop's functions and the fitness hook, as evo itself does.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	var err error
	if handler := os.Getenv("_HANDLER"); handler == gate.Handler {
		err = hook.Serve(context.Background(), os.Getenv)
	} else {
		err = shop.Run(handler)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// told is the demonstration after its story.
type told struct {
	*testing.T
	*demo
	began    time.Time
	releases []view.Release
}

func TestStory(t *testing.T) {
	if testing.Short() {
		t.Skip("deploys seven releases")
	}
	var out bytes.Buffer
	o := &options{app: &app.App{Streams: app.Streams{Out: &out, Err: &out}, Now: time.Now}, once: true, speed: 60, seed: 1}
	d, err := o.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}()
	w := &told{T: t, demo: d, began: time.Now()}
	if err := d.tell(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	all, err := d.last.Store.Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.releases = d.last.Store.View(stack, all, time.Now()).Releases
	w.endings()
	w.marks()
	w.metrics()
	w.hooks()
	w.encrypted()
	for _, line := range []string{"rejected by the release gate", "ALARM SearchErrors", "evo fitness --stack-name shop", "get-metric-statistics"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is not told:\n%s", line, &out)
		}
	}
	if err := d.deployer.Engine.Delete(t.Context(), stack); err != nil {
		t.Errorf("the stack cannot be deleted: %v", err)
	}
}

// endings: five releases, each fitter than the one before; then one that the gate and one that an alarm took back.
func (w *told) endings() {
	var statuses []string
	last := 0.0
	for _, r := range w.releases {
		statuses = append(statuses, fmt.Sprintf("v%d %s", r.Number, r.Status))
		if r.Status != view.Succeeded {
			continue
		}
		if f := w.number(r.Fitness); f <= last {
			w.Errorf("v%d has fitness %v, after %v", r.Number, f, last)
		} else {
			last = f
		}
	}
	want := []string{"v1 succeeded", "v2 succeeded", "v3 succeeded", "v4 succeeded", "v5 succeeded", "v6 rolled back", "v7 rolled back"}
	if d := cmp.Diff(want, statuses); d != "" {
		w.Fatal(d)
	}
	if v6 := w.releases[5]; v6.Verdict != "rejected" || w.number(v6.Fitness) >= last {
		w.Errorf("v6 is %s with %v", v6.Verdict, v6.Fitness)
	}
}

func (w *told) number(r *view.Range) float64 {
	w.Helper()
	if r == nil {
		w.Fatal("a fitness is not known")
	}
	f, err := strconv.ParseFloat(r.String(), 64)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

// marks: each graph of the shop's dashboard shows the five good releases, and no other.
func (w *told) marks() {
	out, err := cloudwatch.NewFromConfig(w.cfg).GetDashboard(w.Context(), &cloudwatch.GetDashboardInput{DashboardName: aws.String(stack)})
	if err != nil {
		w.Fatal(err)
	}
	var want []string
	for i, r := range shop.Releases[:5] {
		want = append(want, fmt.Sprintf("evo: v%d %s", i+1, r.Name))
	}
	widgets := parse(w.T, aws.ToString(out.DashboardBody)).Get("widgets").List()
	if len(widgets) == 0 {
		w.Error("the dashboard is empty")
	}
	for _, widget := range widgets {
		var labels []string
		for _, mark := range widget.At("properties", "annotations", "vertical").List() {
			labels = append(labels, mark.Get("label").Str())
		}
		if d := cmp.Diff(want, labels); d != "" {
			w.Errorf("%s: %s", widget.At("properties", "title").Str(), d)
		}
	}
}

// metrics: the fitness of the stack and of its characteristics can be listed and read, and the shop's own beside them.
func (w *told) metrics() {
	var characteristics []string
	out, err := cloudwatch.NewFromConfig(w.cfg).ListMetrics(w.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String(hook.Namespace), MetricName: aws.String("Fitness"),
		Dimensions: []types.DimensionFilter{{Name: aws.String("Stack"), Value: aws.String(stack)}}})
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range out.Metrics {
		for _, d := range m.Dimensions {
			if aws.ToString(d.Name) == "Characteristic" {
				characteristics = append(characteristics, aws.ToString(d.Value))
			}
		}
	}
	for _, name := range []string{"security", "reliability", "scalability"} {
		if !slices.Contains(characteristics, name) {
			w.Errorf("no metric of %s, but of %v", name, characteristics)
		}
		if low, high := w.read(hook.Namespace, "Characteristic", name); low >= high {
			w.Errorf("%s stayed at %v", name, low)
		}
	}
	low, high := w.read(hook.Namespace)
	if first, best := w.number(w.releases[0].Fitness), w.number(w.releases[4].Fitness); !near(low, first) || !near(high, best) {
		w.Errorf("the metric goes from %v to %v, the releases from %v to %v", low, high, first, best)
	}
	w.hinted()
	if low, high := w.read("Shop"); low <= 0 || high > 100 {
		w.Errorf("the shop's own fitness goes from %v to %v", low, high)
	}
}

// hinted: what the demonstration tells to type finds the metric.
func (w *told) hinted() {
	from, to := window(w.began)
	out, err := cloudwatch.NewFromConfig(w.cfg).GetMetricStatistics(w.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String(hook.Namespace), MetricName: aws.String("Fitness"), Dimensions: []types.Dimension{{Name: aws.String("Stack"), Value: aws.String(stack)}},
		Statistics: []types.Statistic{types.StatisticMinimum, types.StatisticMaximum}, Period: aws.Int32(60), StartTime: &from, EndTime: &to})
	if err != nil {
		w.Error(err)
	} else if len(out.Datapoints) == 0 {
		w.Error("the metric has no statistics")
	}
}

func near(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 }

// read reads the metric Fitness back: its least and its greatest value.
func (w *told) read(namespace string, dimension ...string) (low, high float64) {
	metric := &types.Metric{Namespace: &namespace, MetricName: aws.String("Fitness"), Dimensions: []types.Dimension{{Name: aws.String("Stack"), Value: aws.String(stack)}}}
	if len(dimension) == 2 {
		metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: &dimension[0], Value: &dimension[1]})
	}
	query := func(id, stat string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(3600), Stat: &stat}}
	}
	out, err := cloudwatch.NewFromConfig(w.cfg).GetMetricData(w.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(w.began.Add(-2 * time.Hour)), EndTime: aws.Time(w.began.Add(24 * time.Hour)),
		MetricDataQueries: []types.MetricDataQuery{query("low", "Minimum"), query("high", "Maximum")}})
	if err != nil {
		w.Fatal(err)
	}
	lows, highs := out.MetricDataResults[0].Values, out.MetricDataResults[1].Values
	if len(lows) == 0 || len(highs) == 0 {
		w.Errorf("%s Fitness %v has no values", namespace, dimension)
		return 0, 0
	}
	return slices.Min(lows), slices.Max(highs)
}

// hooks: the shop's functions keep the hooks that they name.
func (w *told) hooks() {
	out, err := cloudformation.NewFromConfig(w.cfg).GetTemplate(w.Context(), &cloudformation.GetTemplateInput{
		StackName: aws.String(stack), TemplateStage: cftypes.TemplateStageOriginal})
	if err != nil {
		w.Fatal(err)
	}
	template, err := cfn.Parse(stack, []byte(aws.ToString(out.TemplateBody)))
	if err != nil {
		w.Fatal(err)
	}
	for _, function := range []string{"Search", "Checkout"} {
		if got := template.At("Resources", function, "Properties", "DeploymentPreference", "Hooks", "PreTraffic", "Ref").Str(); got != "PreTraffic" {
			w.Errorf("%s has PreTraffic hook %q", function, got)
		}
	}
}

// encrypted: the rollback of the sixth release gave the bucket its encryption back.
func (w *told) encrypted() {
	for _, r := range w.resources("AWS::S3::Bucket") {
		out, err := s3.NewFromConfig(w.cfg, func(o *s3.Options) { o.UsePathStyle = true }).GetBucketEncryption(w.Context(), &s3.GetBucketEncryptionInput{Bucket: &r})
		if err != nil {
			w.Fatal(err)
		}
		if got := out.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm; got != "aws:kms" {
			w.Errorf("bucket %s is encrypted by %s", r, got)
		}
	}
}

func (w *told) resources(typeName string) (ids []string) {
	out, err := cloudformation.NewFromConfig(w.cfg).DescribeStackResources(w.Context(), &cloudformation.DescribeStackResourcesInput{StackName: aws.String(stack)})
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range out.StackResources {
		if aws.ToString(r.ResourceType) == typeName {
			ids = append(ids, aws.ToString(r.PhysicalResourceId))
		}
	}
	if len(ids) == 0 {
		w.Fatalf("the stack has no %s", typeName)
	}
	return ids
}
