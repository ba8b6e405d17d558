package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

var start = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

// served is a service behind a real client, which reaches it through the wire layer.
type served struct {
	*cloudwatch.Client
	svc *Service
}

func newService(t *testing.T, c clock.Clock, db *store.DB) served {
	t.Helper()
	s, err := New(Config{Region: "us-east-1", Store: db, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return served{cloudwatch.NewFromConfig(wiretest.Config(t, wiretest.Serve{"cloudwatch": s})), s}
}

func at(d time.Duration) *time.Time { return new(start.Add(d)) }

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func stat(id, namespace, name, statistic string, period int32, dims ...types.Dimension) types.MetricDataQuery {
	return types.MetricDataQuery{Id: new(id), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: new(namespace), MetricName: new(name), Dimensions: dims}, Period: new(period), Stat: new(statistic),
	}}
}

func put(t *testing.T, s served, namespace string, data ...types.MetricDatum) {
	t.Helper()
	if _, err := s.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: new(namespace), MetricData: data}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s served, from, to time.Duration, queries ...types.MetricDataQuery) []types.MetricDataResult {
	t.Helper()
	out, err := s.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: at(from), EndTime: at(to), MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending})
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricDataResults
}

func TestMetricsSurvive(t *testing.T) {
	dir := t.TempDir()
	c := clock.NewStepped(start)
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t, c, db)
	put(t, s, "Shop", types.MetricDatum{MetricName: new("Sales"), Values: []float64{1, 10}, Counts: []float64{2, 4}, Unit: types.StandardUnitCount})
	if err := db.Close(); err != nil { // without closing the service, as after kill -9
		t.Fatal(err)
	}
	db, err = store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s = newService(t, c, db)
	for statistic, want := range map[string]float64{"Sum": 42, "SampleCount": 6, "Minimum": 1, "Maximum": 10, "Average": 7, "p50": 10, "p30": 1} {
		r := get(t, s, -time.Minute, time.Minute, stat("m", "Shop", "Sales", statistic, 60))
		if len(r) != 1 || len(r[0].Values) != 1 || r[0].Values[0] != want || !r[0].Timestamps[0].Equal(start) {
			t.Errorf("%s: %+v; want %v", statistic, r, want)
		}
	}
	s.svc.Close()
}

func TestRecord(t *testing.T) {
	db := store.Memory()
	c := clock.NewStepped(start)
	s := newService(t, c, db)
	dims := []Dimension{{"FunctionName", "f"}, {"Resource", "f:live"}, {"ExecutedVersion", "2"}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				s.svc.Record("AWS/Lambda", start.Add(time.Duration(i)*time.Millisecond), Datum{Name: "Invocations", Value: 1, Unit: "Count", Dimensions: dims}, Datum{Name: "Duration", Value: float64(i), Unit: "Milliseconds"})
			}
		})
	}
	wg.Wait()
	r := get(t, s, 0, time.Minute, stat("n", "AWS/Lambda", "Invocations", "Sum", 60,
		types.Dimension{Name: new("ExecutedVersion"), Value: new("2")}, types.Dimension{Name: new("FunctionName"), Value: new("f")}, types.Dimension{Name: new("Resource"), Value: new("f:live")}),
		stat("p", "AWS/Lambda", "Duration", "p90", 60))
	if r[0].Values[0] != 4000 {
		t.Errorf("Invocations: %v; want 4000", r[0].Values)
	}
	if v := r[1].Values[0]; v < 850 || v > 950 {
		t.Errorf("p90 of 0…999 is %v", v)
	}
}

// Whatever is recorded, in whatever order and resolution, every period's sum and count are those of a plain list.
func TestQueriesAgainstAList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := New(Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.NewStepped(start)})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		type datum struct {
			at int64
			v  float64
		}
		var all []datum
		high := rapid.Bool().Draw(rt, "high")
		for range rapid.IntRange(0, 60).Draw(rt, "n") {
			d := datum{start.Unix() - rapid.Int64Range(0, 3600).Draw(rt, "age"), float64(rapid.IntRange(-5, 100).Draw(rt, "value"))}
			all = append(all, d)
			s.Record("N", time.Unix(d.at, 0), Datum{Name: "m", Value: d.v, HighResolution: high})
			if rapid.IntRange(0, 9).Draw(rt, "flush") == 0 {
				if err := s.behind.Now(context.Background()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		period := rapid.SampledFrom([]int64{60, 120, 300, 3600}).Draw(rt, "period")
		if high {
			period = rapid.SampledFrom([]int64{1, 10, 30, 60, 300}).Draw(rt, "fine period")
		}
		from := start.Unix() - rapid.Int64Range(60, 3600).Draw(rt, "from")
		w := windowOf(time.Unix(from, 0), start, period, start)
		sums, counts := map[int64]float64{}, map[int64]float64{}
		for _, d := range all {
			if at := d.at; at >= w.start && at < w.end {
				at = w.start + (at-w.start)/period*period
				sums[at] += d.v
				counts[at]++
			}
		}
		if err := s.behind.Now(context.Background()); err != nil {
			rt.Fatal(err)
		}
		var got []ofUnit
		s.Store.View(func(tx *store.Tx) { got = s.fetch(tx, seriesKey("N", "m", nil), "", w) })
		n := 0
		for _, u := range got {
			for _, b := range u.points {
				if b.Sum != sums[b.at] || b.Count != counts[b.at] {
					rt.Fatalf("period %d at %d: sum %v of %v; want %v of %v", period, b.at, b.Sum, b.Count, sums[b.at], counts[b.at])
				}
				n++
			}
		}
		if n != len(counts) {
			rt.Fatalf("%d datapoints; want %d", n, len(counts))
		}
	})
}

func TestRecordLeavesOutOfRange(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	s.svc.Record("N", start.Add(-15*24*time.Hour), Datum{Name: "old", Value: 1})
	s.svc.Record("N", start.Add(3*time.Hour), Datum{Name: "new", Value: 1})
	s.svc.Record("N", start, Datum{Name: "now", Value: 1})
	if out, err := s.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{}); err != nil || len(out.Metrics) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// What was recorded is in the store a second later, without anybody asking for it.
func TestRecordIsDurableSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, clock.Real{}, store.Memory())
		s.svc.Record("N", time.Now(), Datum{Name: "m", Value: 1})
		time.Sleep(time.Second)
		synctest.Wait()
		s.svc.Store.View(func(tx *store.Tx) {
			if n := s.svc.buckets.Len(tx); n != 1 {
				t.Errorf("%d buckets are stored", n)
			}
		})
		s.svc.Close()
	})
}

func TestPutMetricDataRefuses(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	set := &types.StatisticSet{SampleCount: new(1.0), Sum: new(1.0), Minimum: new(1.0), Maximum: new(1.0)}
	for _, c := range []struct {
		datum types.MetricDatum
		want  string
	}{
		{types.MetricDatum{Value: new(1.0), Values: []float64{1}}, "InvalidParameterCombination: The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both."},
		{types.MetricDatum{Values: []float64{1, 2}, Counts: []float64{1}}, "InvalidParameterValue: The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."},
		{types.MetricDatum{Value: new(1.0), StatisticValues: set}, "InvalidParameterCombination: The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have specified both."},
		{types.MetricDatum{}, "MissingParameter: The parameter MetricData.member.1.Value is required."},
		{types.MetricDatum{Value: new(1.0), Timestamp: at(-15 * 24 * time.Hour)}, "InvalidParameterValue: The parameter MetricData.member.1.Timestamp must specify a time no more than two weeks in the past."},
		{types.MetricDatum{Value: new(1.0), Timestamp: at(3 * time.Hour)}, "InvalidParameterValue: The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future."},
		{types.MetricDatum{Value: new(1e300)}, "InvalidParameterValue: The value 1e+300 for parameter MetricData.member.1.Value is invalid."},
	} {
		c.datum.MetricName = new("m")
		_, err := s.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: new("N"), MetricData: []types.MetricDatum{c.datum}})
		var e smithy.APIError
		if !errors.As(err, &e) || !strings.HasSuffix(c.want, e.ErrorMessage()) || !strings.HasPrefix(c.want, strings.TrimSuffix(e.ErrorCode(), "Exception")[:10]) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if _, err := s.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: new("AWS/Lambda"), MetricData: []types.MetricDatum{{MetricName: new("m"), Value: new(1.0)}}}); err == nil {
		t.Error("a namespace of AWS is taken")
	}
	if out, _ := s.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{}); len(out.Metrics) != 0 {
		t.Errorf("after refused calls there are metrics: %v", out.Metrics)
	}
}

func TestGetMetricData(t *testing.T) {
	c := clock.NewStepped(start)
	s := newService(t, c, store.Memory())
	fn := types.Dimension{Name: new("FunctionName"), Value: new("f")}
	for i := range 5 {
		put(t, s, "Shop",
			types.MetricDatum{MetricName: new("Errors"), Value: new(float64(i)), Timestamp: at(time.Duration(i-5) * time.Minute), Dimensions: []types.Dimension{fn}},
			types.MetricDatum{MetricName: new("Requests"), Value: new(10.0), Timestamp: at(time.Duration(i-5) * time.Minute)})
	}
	r := get(t, s, -5*time.Minute, 0,
		stat("e", "Shop", "Errors", "Sum", 60, fn), stat("n", "Shop", "Requests", "Sum", 60),
		types.MetricDataQuery{Id: new("rate"), Expression: new("100 * e / n"), Label: new("rate ${MAX}")},
		types.MetricDataQuery{Id: new("all"), Expression: new("METRICS() * 2")},
		types.MetricDataQuery{Id: new("found"), Expression: new(`SEARCH('{Shop,FunctionName} Errors', 'Sum', 300)`)},
		types.MetricDataQuery{Id: new("sum"), Expression: new("SUM(found)"), Label: new("of an array of one")},
	)
	got := ""
	for _, x := range r {
		got += fmt.Sprintf("%s %q %v %s\n", *x.Id, *x.Label, x.Values, x.StatusCode)
	}
	want := `e "Errors" [0 1 2 3 4] Complete
n "Requests" [10 10 10 10 10] Complete
rate "rate 40.0" [0 10 20 30 40] Complete
all "Errors" [0 2 4 6 8] Complete
all "Requests" [20 20 20 20 20] Complete
found "found" [10] Complete
sum "of an array of one" [10] Complete
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for id, q := range map[string]types.MetricDataQuery{
		"unknown id": {Id: new("x"), Expression: new("y + 1")}, "itself": {Id: new("x"), Expression: new("x + 1")}, "bad id": {Id: new("X"), Expression: new("1")},
		"syntax": {Id: new("x"), Expression: new("(")}, "neither": {Id: new("x")}, "stat": stat("x", "N", "m", "p101", 60), "period": stat("x", "N", "m", "Sum", 7),
	} {
		_, err := s.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: at(-time.Hour), EndTime: at(0), MetricDataQueries: []types.MetricDataQuery{q}})
		if code(err) != "ValidationError" {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestGetMetricDataPages(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	for i := range 7 {
		put(t, s, "N", types.MetricDatum{MetricName: new("a"), Value: new(float64(i)), Timestamp: at(time.Duration(i) * time.Minute)}, types.MetricDatum{MetricName: new("b"), Value: new(float64(10 + i)), Timestamp: at(time.Duration(i) * time.Minute)})
	}
	var got []string
	in := &cloudwatch.GetMetricDataInput{StartTime: at(0), EndTime: at(time.Hour), MaxDatapoints: new(int32(5)), MetricDataQueries: []types.MetricDataQuery{stat("a", "N", "a", "Sum", 60), stat("none", "N", "none", "Sum", 60), stat("b", "N", "b", "Sum", 60)}}
	for {
		out, err := s.GetMetricData(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.MetricDataResults {
			got = append(got, fmt.Sprint(*r.Id, r.Values, r.StatusCode))
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	want := []string{"a[6 5 4 3 2]PartialData", "a[1 0]Complete", "none[]Complete", "b[16 15 14]PartialData", "b[13 12 11 10]Complete"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
	in.NextToken = new("?")
	if _, err := s.GetMetricData(t.Context(), in); !strings.Contains(code(err), "InvalidNextToken") {
		t.Errorf("a foreign token: %v", err)
	}
}

// Labels and units as AWS was seen to answer.
func TestLabelsAndUnits(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	put(t, s, "N", types.MetricDatum{MetricName: new("metric1"), Value: new(60000.0), Unit: types.StandardUnitMilliseconds}, types.MetricDatum{MetricName: new("metric1"), Value: new(60.0), Unit: types.StandardUnitSeconds})
	labels := func(queries ...types.MetricDataQuery) (out []string) {
		for _, r := range get(t, s, 0, time.Minute, queries...) {
			out = append(out, *r.Label)
		}
		return out
	}
	for _, c := range []struct{ got, want []string }{
		{labels(stat("a", "N", "metric1", "Sum", 60), stat("b", "N", "metric1", "Minimum", 30)), []string{"metric1 Sum 60", "metric1 Minimum 30"}},
		{labels(stat("a", "N", "metric1", "Sum", 60), stat("b", "N", "metric1", "Minimum", 60)), []string{"metric1 Sum", "metric1 Minimum"}},
		{labels(stat("a", "N", "metric1", "Sum", 60), stat("b", "N", "metric1", "Sum", 30)), []string{"metric1 60", "metric1 30"}},
		{labels(stat("a", "N", "metric1", "Sum", 60)), []string{"metric1"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("labels %q; want %q", c.got, c.want)
		}
	}
	r := get(t, s, 0, time.Minute, stat("m", "N", "metric1", "Sum", 60))[0]
	if r.Values[0] != 60000 || len(r.Messages) != 1 || *r.Messages[0].Value != "Multiple units returned: '[Milliseconds, Seconds]'" || *r.Messages[0].Code != "MultipleUnits" {
		t.Errorf("%+v", r)
	}
}

func TestGetMetricStatistics(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	for i := range 10 {
		put(t, s, "N", types.MetricDatum{MetricName: new("metric"), Value: new(float64(i)), Timestamp: at(time.Duration(i) * time.Second)})
	}
	in := &cloudwatch.GetMetricStatisticsInput{Namespace: new("N"), MetricName: new("metric"), StartTime: at(30 * time.Second), EndTime: at(time.Minute), Period: new(int32(60)),
		Statistics: types.Statistic("").Values(), ExtendedStatistics: []string{"p50"}}
	out, err := s.GetMetricStatistics(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Datapoints) != 1 {
		t.Fatalf("%d datapoints", len(out.Datapoints))
	}
	d := out.Datapoints[0]
	if *d.Average != 4.5 || *d.Maximum != 9 || *d.Minimum != 0 || *d.SampleCount != 10 || *d.Sum != 45 || d.Unit != "None" || d.ExtendedStatistics["p50"] != 4 || !d.Timestamp.Equal(start) || *out.Label != "metric" {
		t.Errorf("%+v", d)
	}
	in.EndTime, in.Period = at(24*time.Hour+30*time.Second), new(int32(1))
	if _, err := s.GetMetricStatistics(t.Context(), in); err == nil || !strings.Contains(err.Error(), "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.") {
		t.Errorf("a day of seconds: %v", err)
	}
	in.EndTime = in.StartTime
	if _, err := s.GetMetricStatistics(t.Context(), in); err == nil || !strings.Contains(err.Error(), "The parameter StartTime must be less than the parameter EndTime.") {
		t.Errorf("no time: %v", err)
	}
}

func TestHighResolutionAndThinning(t *testing.T) {
	c := clock.NewStepped(start)
	s := newService(t, c, store.Memory())
	for i := range 120 {
		put(t, s, "N", types.MetricDatum{MetricName: new("m"), Value: new(1.0), Timestamp: at(time.Duration(i) * time.Second), StorageResolution: new(int32(1))})
	}
	sums := func(from, to time.Duration, period int32) []float64 {
		return get(t, s, from, to, stat("m", "N", "m", "Sum", period))[0].Values
	}
	if got := sums(0, 30*time.Second, 10); !slices.Equal(got, []float64{10, 10, 10}) {
		t.Errorf("tens of seconds: %v", got)
	}
	if got := sums(0, 2*time.Minute, 60); !slices.Equal(got, []float64{60, 60}) {
		t.Errorf("minutes: %v", got)
	}
	for _, step := range []struct {
		after time.Duration
		by    int32
		want  []float64
	}{
		{4 * time.Hour, 10, []float64{60, 60}}, // only minutes are left
		{16 * 24 * time.Hour, 60, []float64{120}},
		{64 * 24 * time.Hour, 60, []float64{120}},
		{456 * 24 * time.Hour, 60, []float64{}},
	} {
		c.Advance(start.Add(step.after).Sub(c.Now()))
		if err := s.svc.thin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := sums(0, 2*time.Minute, step.by); !slices.Equal(got, step.want) {
			t.Errorf("after %v: %v; want %v", step.after, got, step.want)
		}
	}
	s.svc.Store.View(func(tx *store.Tx) {
		if n := s.svc.series.Len(tx) + s.svc.buckets.Len(tx); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

// A busy minute keeps its sums exactly and its percentiles to some percent when it has got old.
func TestOldMinutesAreCoarser(t *testing.T) {
	c := clock.NewStepped(start)
	s := newService(t, c, store.Memory())
	for i := range 1000 {
		s.svc.Record("N", start, Datum{Name: "m", Value: float64(i + 1)})
	}
	c.Advance(4 * time.Hour)
	for _, q := range []string{"before", "after"} {
		r := get(t, s, 0, time.Minute, stat("p", "N", "m", "p90", 60), stat("s", "N", "m", "Sum", 60))
		if p := r[0].Values[0]; p < 900*0.9 || p > 900*1.1 || r[1].Values[0] != 500500 {
			t.Errorf("%s: p90 %v, sum %v", q, p, r[1].Values[0])
		}
		if err := s.svc.thin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.svc.Store.View(func(tx *store.Tx) {
		for _, d := range s.svc.buckets.Ascend(tx, "") {
			if d.Len() > settledValues {
				t.Errorf("%d values are kept", d.Len())
			}
		}
	})
}

func TestListMetrics(t *testing.T) {
	c := clock.NewStepped(start)
	s := newService(t, c, store.Memory())
	for i := range 1001 {
		s.svc.Record("N", start, Datum{Name: "m", Value: 1, Dimensions: []Dimension{{"i", fmt.Sprint(i)}, {"even", fmt.Sprint(i%2 == 0)}}})
	}
	count := func(in cloudwatch.ListMetricsInput) (n, pages int) {
		for {
			out, err := s.ListMetrics(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			n, pages = n+len(out.Metrics), pages+1
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return n, pages
			}
		}
	}
	for want, in := range map[[2]int]cloudwatch.ListMetricsInput{
		{1001, 3}: {Namespace: new("N")}, {0, 1}: {Namespace: new("M")}, {501, 2}: {Dimensions: []types.DimensionFilter{{Name: new("even"), Value: new("true")}, {Name: new("i")}}},
		{1, 1}: {MetricName: new("m"), Dimensions: []types.DimensionFilter{{Name: new("i"), Value: new("7")}}},
	} {
		if n, pages := count(in); n != want[0] || pages != want[1] {
			t.Errorf("%+v: %d in %d pages; want %v", in, n, pages, want)
		}
	}
	c.Advance(4 * time.Hour)
	if n, _ := count(cloudwatch.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h}); n != 0 {
		t.Errorf("%d metrics active in three hours", n)
	}
	c.Advance(15 * 24 * time.Hour)
	if n, _ := count(cloudwatch.ListMetricsInput{}); n != 0 {
		t.Errorf("%d metrics after two weeks", n)
	}
}

func TestDashboards(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	if _, err := s.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: new("a b"), DashboardBody: new("{}")}); err == nil || !strings.Contains(err.Error(), "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).\n") {
		t.Errorf("a bad name: %v", err)
	}
	var invalid *types.DashboardInvalidInputError
	if _, err := s.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: new("a"), DashboardBody: new("[")}); !errors.As(err, &invalid) {
		t.Errorf("a bad body: %v", err)
	}
	if _, err := s.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: new("a"), DashboardBody: new(`{"widgets":[]}`)}); err != nil {
		t.Fatal(err)
	}
	got, err := s.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: new("a")})
	if err != nil || *got.DashboardBody != `{"widgets":[]}` || *got.DashboardArn != "arn:aws:cloudwatch::000000000000:dashboard/a" {
		t.Errorf("%+v, %v", got, err)
	}
	var missing *types.DashboardNotFoundError
	if _, err := s.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{"a", "b"}}); !errors.As(err, &missing) {
		t.Errorf("deleting one that is not there: %v", err)
	}
	if list, _ := s.ListDashboards(ctx, &cloudwatch.ListDashboardsInput{}); len(list.DashboardEntries) != 1 || *list.DashboardEntries[0].Size != 14 {
		t.Errorf("%+v", list.DashboardEntries)
	}
}

func BenchmarkRecord(b *testing.B) {
	s, err := New(Config{Region: "us-east-1", Store: store.Memory(), Clock: clock.Real{}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	dims := []Dimension{{"FunctionName", "shop-cart"}, {"Resource", "shop-cart:live"}}
	now := time.Now()
	for i := range b.N {
		s.Record("AWS/Lambda", now, Datum{Name: "Invocations", Value: 1, Unit: "Count", Dimensions: dims}, Datum{Name: "Duration", Value: float64(i % 300), Unit: "Milliseconds", Dimensions: dims})
	}
}
