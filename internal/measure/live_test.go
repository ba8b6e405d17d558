package measure_test

import (
	"testing"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"evo/internal/cfn"
	"evo/internal/fitness/exact"
	"evo/internal/inventory"
	"evo/internal/measure"
)

// item is a resource that has been made.
func item(id, kind, physical string) *inventory.Item {
	return &inventory.Item{ID: id, Type: kind, PhysicalID: physical, Properties: cfn.Obj()}
}

func TestMetric(t *testing.T) {
	w := newWorld(t, "")
	w.subject.Stack.Items = []*inventory.Item{item("Checkout", "AWS::Lambda::Function", "shop-Checkout-X")}
	minute := time.Minute
	w.put("Shop", "Duration", cwtypes.StandardUnitMilliseconds, minute, map[string]string{"FunctionName": "shop-Checkout-X", "Resource": "shop-Checkout-X:live"}, 900, 400, 999, 100)
	w.put("Shop", "Latency", cwtypes.StandardUnitSeconds, minute, nil, 0.1, 0.1, 0.1)
	w.put("Shop", "Orders", cwtypes.StandardUnitCount, minute, map[string]string{"Service": "Checkout"}, 50)
	w.put("Shop", "Users", cwtypes.StandardUnitCount, minute, nil, 5, 200, 100)
	w.put("Shop", "Bytes", cwtypes.StandardUnitBytes, minute, nil, 1e300/1e270, 2e13)
	got := w.measure(`
functions:
  latency:
    characteristic: performance
    metric: {namespace: Shop, name: Duration, dimensions: {FunctionName: Checkout, Resource: "Checkout:live"}, stat: p99, period: 1m}
    target: 200ms
    limit: 800ms
  in-seconds: {characteristic: performance, metric: {namespace: Shop, name: Latency, period: 1m}, target: 10ms, limit: 1s}
  own-dimension: {characteristic: performance, metric: {namespace: Shop, name: Orders, dimensions: {Service: Checkout}, stat: Sum, period: 1m}, target: 100, limit: 10}
  moving: {characteristic: performance, metric: {namespace: Shop, name: Latency, period: 1m}, target: {expression: metrics.users * 1.0}, limit: 400ms}
  huge: {characteristic: performance, metric: {namespace: Shop, name: Bytes, period: 1m}, target: 1KB, limit: 1GB}
  silent: {characteristic: performance, metric: {namespace: Shop, name: Nothing}, target: 1, limit: 2}
  moving-silent: {characteristic: performance, metric: {namespace: Shop, name: Latency, period: 1m}, target: {expression: metrics.nobody * 1.0}, limit: 400ms}
  moving-beyond: {characteristic: performance, metric: {namespace: Shop, name: Latency, period: 1m}, target: {expression: metrics.users * 0.0}, limit: 400ms}
metrics:
  users: {namespace: Shop, name: Users, period: 1m}
  nobody: {namespace: Shop, name: Nobody}
`)
	want(t, got["latency"], "0.5", "p99 of Shop Duration is 400 ms (in the middle of the last 3) over 10 minutes; target 200 ms, limit 800 ms")
	want(t, got["in-seconds"], "0.5", "100 ms", "limit 1 s")
	want(t, got["own-dimension"], "0.698970004", "Sum of Shop Orders is 50 over 10 minutes")
	want(t, got["moving"], "1", "target 100 ms")
	want(t, got["huge"], "0", "limit 1 GB")
	want(t, got["silent"], "0 to 1", "Average of Shop Nothing has no data over 25 minutes")
	want(t, got["moving-silent"], "0 to 1", "no data yet")
	want(t, got["moving-beyond"], "0 to 1", "must be positive")
}

// TestSumNotOver is about the period that has not ended.
func TestSumNotOver(t *testing.T) {
	w := newWorld(t, "")
	w.subject.Now = begin.Add(30 * time.Second)
	w.put("Shop", "Orders", cwtypes.StandardUnitCount, 31*time.Second, nil, 100, 7) // a minute ago, and in this minute
	got := w.measure(`functions: {orders: {characteristic: performance, metric: {namespace: Shop, name: Orders, stat: Sum, period: 1m}, target: 100, limit: 10}}`)
	want(t, got["orders"], "1", "is 107")
	w.subject.Now = begin.Add(70 * time.Second)
	w.put("Shop", "Orders", cwtypes.StandardUnitCount, 5*time.Second, nil, 1)
	got = w.measure(`functions: {orders: {characteristic: performance, metric: {namespace: Shop, name: Orders, stat: Sum, period: 1m}, target: 100, limit: 10}}`)
	want(t, got["orders"], "1", "is 107 over")
}

const budget = `
functions:
  availability:
    characteristic: reliability
    slo: {objective: 0.99, window: 7d, bad: {namespace: Shop, name: Bad}, total: {namespace: Shop, name: All, stat: Sum}}
  cost:
    characteristic: cost
    trend: {metric: {namespace: Shop, name: Cost, period: 1h}, target: 0, limit: 4, window: 7d}
`

func TestBudgetAndSlope(t *testing.T) {
	w := newWorld(t, "")
	want(t, w.measure(budget)["availability"], "0 to 1", "Sum of Shop All has no data over 7 days")
	w.put("Shop", "All", cwtypes.StandardUnitCount, 6*time.Hour, nil, 400, 600, 1000)
	w.put("Shop", "Cost", cwtypes.StandardUnitNone, 24*time.Hour, nil, 1, 2)
	got := w.measure(budget)
	want(t, got["availability"], "1", "0 of 2000 events are bad")
	want(t, got["cost"], "0 to 1", "2 values", "too few")
	w.put("Shop", "Bad", cwtypes.StandardUnitCount, 7*time.Hour, nil, 2, 3)
	w.put("Shop", "Cost", cwtypes.StandardUnitNone, 12*time.Hour, nil, 2.5)
	got = w.measure(budget)
	want(t, got["availability"], "0.75", "5 of 2000 events are bad over 7 days; 75.0% of the error budget is left at an objective of 0.99")
	want(t, got["cost"], "0.75", "changes by 1 a day (1 to 1) over 7 days; target 0, limit 4")
	w.put("Shop", "Bad", cwtypes.StandardUnitCount, time.Hour, nil, 5000)
	want(t, w.measure(budget)["availability"], "0 to 1", "5005 of 2000 events are bad")
}

func TestBeforeTraffic(t *testing.T) {
	w := newWorld(t, "")
	w.subject.BeforeTraffic = true
	w.put("Shop", "All", cwtypes.StandardUnitCount, time.Hour, nil, 400)
	w.faults.rules = []fault{{"GetMetricData", 500, "Asked"}}
	for _, p := range w.measure(budget) {
		want(t, p, "0 to 1", "no traffic yet")
	}
	if n := w.faults.seen["GetMetricData"]; n != 0 {
		t.Errorf("metrics are asked for %d times", n)
	}
}

// TestMetricFaults has CloudWatch deny, hang, and refuse one of many metrics.
func TestMetricFaults(t *testing.T) {
	w := newWorld(t, "")
	w.put("Shop", "Good", cwtypes.StandardUnitNone, time.Minute, nil, 1)
	const two = `
functions:
  bad: {characteristic: performance, metric: {namespace: Shop, name: Good, stat: "TM(90%:10%)"}, target: 1, limit: 2}
  good: {characteristic: performance, metric: {namespace: Shop, name: Good}, target: 1, limit: 2}
`
	got := w.measure(two)
	want(t, got["good"], "1")
	want(t, got["bad"], "0 to 1", "TM(90%:10%) of Shop Good: the metric cannot be read: Validation")
	w.faults.rules = []fault{{"GetMetricData", 400, "AccessDeniedException"}}
	want(t, w.measure(two)["good"], "0 to 1", "AccessDeniedException: so says the test")
}

// TestMetrics is about the suite's own metrics: those that checks name are read, once and together, and what there is no value of is not there.
func TestMetrics(t *testing.T) {
	w := newWorld(t, "")
	w.put("Shop", "Users", cwtypes.StandardUnitCount, time.Minute, nil, 5, 200, 100)
	w.put("Shop", "Unasked", cwtypes.StandardUnitCount, time.Minute, nil, 1)
	const text = `
metrics:
  users: {namespace: Shop, name: Users, period: 1m}
  silent: {namespace: Shop, name: Silent, period: 1m}
  unasked: {namespace: Shop, name: Unasked}
functions:
  few: {characteristic: performance, expression: metrics.users < 1000.0}
  fewer: {characteristic: performance, expression: metrics.users < 10.0 || metrics.silent < 1.0}
`
	read := func() map[string]exact.Decimal { return w.measurer().Metrics(t.Context(), suite(t, text), w.subject) }
	if diff := cmp.Diff(map[string]exact.Decimal{"users": exact.D(100)}, read()); diff != "" {
		t.Error(diff)
	}
	w.faults.rules = []fault{{"GetMetricData", 400, "AccessDeniedException"}}
	if got := read(); len(got) > 0 || w.faults.seen["GetMetricData"] != 1 {
		t.Errorf("denied: %v, after %d requests", got, w.faults.seen["GetMetricData"])
	}
	w.subject.BeforeTraffic = true
	if got := read(); len(got) > 0 || w.faults.seen["GetMetricData"] != 1 {
		t.Errorf("before traffic: %v, after %d requests", got, w.faults.seen["GetMetricData"])
	}
	statements := measure.Actions(suite(t, text), nil, nil)
	if len(statements) != 1 || statements[0].Actions[0] != "cloudwatch:GetMetricData" {
		t.Errorf("the permissions are %+v", statements)
	}
}
