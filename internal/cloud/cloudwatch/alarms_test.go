package cloudwatch

import (
	"context"
	"encoding/json"
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

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

type invoker struct {
	mu     sync.Mutex
	events []string
}

func (i *invoker) InvokeAlarmAction(_ context.Context, arn string, event []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, string(event))
	if strings.HasSuffix(arn, "broken") {
		return errors.New("it is broken")
	}
	return nil
}

func describe(t *testing.T, s served, name string) types.MetricAlarm {
	t.Helper()
	out, err := s.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
	if err != nil || len(out.MetricAlarms) != 1 {
		t.Fatalf("DescribeAlarms(%s): %v, %v", name, out, err)
	}
	return out.MetricAlarms[0]
}

func errorsAlarm(name string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{AlarmName: new(name), Namespace: new("AWS/Lambda"), MetricName: new("Errors"), Statistic: types.StatisticSum, Period: new(int32(60)),
		EvaluationPeriods: new(int32(1)), Threshold: new(0.0), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: new("notBreaching")}
}

// In virtual time: an alarm goes off within a minute of the first error, calls its function, stays while the error is
// within the evaluation range, and comes back.
func TestAlarmGoesOffAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := &invoker{}
		s := newService(t, clock.Real{}, store.Memory())
		s.svc.Invoke = calls
		if err := s.svc.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		in := errorsAlarm("errors")
		in.AlarmActions = []string{"arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:lambda:us-east-1:000000000000:function:broken", "arn:aws:sns:us-east-1:000000000000:topic"}
		if _, err := s.PutMetricAlarm(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if a := describe(t, s, "errors"); a.StateValue != "INSUFFICIENT_DATA" || *a.StateReason != "Unchecked: Initial alarm creation" {
			t.Errorf("new: %s %s", a.StateValue, *a.StateReason)
		}
		begin := time.Now() // at a full minute
		time.Sleep(90 * time.Second)
		if a := describe(t, s, "errors"); a.StateValue != "OK" || *a.StateReason != "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]." {
			t.Errorf("without data: %s %s", a.StateValue, *a.StateReason)
		}
		s.svc.Record("AWS/Lambda", time.Now(), Datum{Name: "Errors", Value: 1, Unit: "Count"})
		time.Sleep(40 * time.Second)
		a := describe(t, s, "errors")
		wantReason := "Threshold Crossed: 1 datapoint [1.0 (" + begin.Add(time.Minute).UTC().Format("02/01/06 15:04:05") + ")] was greater than the threshold (0.0)."
		if a.StateValue != "ALARM" || *a.StateReason != wantReason {
			t.Errorf("after an error: %s %s; want %s", a.StateValue, *a.StateReason, wantReason)
		}
		if !strings.Contains(*a.StateReasonData, `"recentDatapoints":[1.0],"threshold":0.0,"evaluatedDatapoints":[{"timestamp":`) {
			t.Errorf("reason data: %s", *a.StateReasonData)
		}
		time.Sleep(5 * time.Minute)
		if a := describe(t, s, "errors"); a.StateValue != "OK" {
			t.Errorf("five minutes later: %s %s", a.StateValue, *a.StateReason)
		}
		if len(calls.events) != 2 || !json.Valid([]byte(calls.events[0])) || !strings.Contains(calls.events[0], `"alarmName":"errors"`) {
			t.Errorf("calls: %s", calls.events)
		}
		history, err := s.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: new("errors"), ScanBy: types.ScanByTimestampAscending})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range history.AlarmHistoryItems {
			got = append(got, *h.HistorySummary)
		}
		want := []string{`Alarm "errors" created`, "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM",
			"Successfully executed action arn:aws:lambda:us-east-1:000000000000:function:f",
			`Failed to execute action arn:aws:lambda:us-east-1:000000000000:function:broken. Received error: "it is broken"`,
			`Failed to execute action arn:aws:sns:us-east-1:000000000000:topic. Received error: "actions on sns are not there in the embedded cloud"`,
			"Alarm updated from ALARM to OK"}
		if !slices.Equal(got, want) {
			t.Errorf("history:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		s.svc.Close()
	})
}

// An alarm on a ratio, three periods of five minutes, sliding every minute; and a high-resolution alarm of ten seconds.
func TestMathAndHighResolutionAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, clock.Real{}, store.Memory())
		if err := s.svc.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		e, n := stat("e", "Shop", "Errors", "Sum", 60), stat("n", "Shop", "Requests", "Sum", 60)
		e.ReturnData, n.ReturnData = new(false), new(false)
		if _, err := s.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: new("rate"), EvaluationPeriods: new(int32(3)), DatapointsToAlarm: new(int32(2)), Threshold: new(5.0),
			ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold,
			Metrics:            []types.MetricDataQuery{e, n, {Id: new("rate"), Expression: new("100*e/n"), ReturnData: new(true)}}}); err != nil {
			t.Fatal(err)
		}
		fast := errorsAlarm("fast")
		fast.Namespace, fast.Period = new("Shop"), new(int32(10))
		if _, err := s.PutMetricAlarm(t.Context(), fast); err != nil {
			t.Fatal(err)
		}
		changes := map[string]time.Duration{}
		begin := time.Now()
		for range 300 { // five minutes, a request a second, from the third minute on one in ten fails
			s.svc.Record("Shop", time.Now(), Datum{Name: "Requests", Value: 1, HighResolution: true})
			failed := 0.0
			if since := time.Since(begin); since >= 2*time.Minute && int(since.Seconds())%10 == 0 {
				failed = 1
			}
			s.svc.Record("Shop", time.Now(), Datum{Name: "Errors", Value: failed, HighResolution: true})
			for _, name := range []string{"rate", "fast"} {
				if _, ok := changes[name]; !ok && describe(t, s, name).StateValue == "ALARM" {
					changes[name] = time.Since(begin)
				}
			}
			time.Sleep(time.Second)
		}
		// The first bad ten seconds end at 2:10, the second bad minute at 4:00; evaluation is two seconds later, seen here in
		// the same second or the next.
		for name, want := range map[string]time.Duration{"fast": 132 * time.Second, "rate": 242 * time.Second} {
			if got := changes[name]; got < want || got > want+time.Second {
				t.Errorf("%s went off after %v; want %v", name, got, want)
			}
		}
		s.svc.Close()
	})
}

func TestAlarmsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := store.Memory()
		s := newService(t, clock.Real{}, db)
		if _, err := s.PutMetricAlarm(t.Context(), errorsAlarm("a")); err != nil {
			t.Fatal(err)
		}
		s.svc.Close()
		s = newService(t, clock.Real{}, db)
		if err := s.svc.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.svc.Record("AWS/Lambda", time.Now(), Datum{Name: "Errors", Value: 1})
		time.Sleep(70 * time.Second)
		if a := describe(t, s, "a"); a.StateValue != "ALARM" {
			t.Errorf("%s: %s", a.StateValue, *a.StateReason)
		}
		s.svc.Close()
	})
}

// Every kind of alarm, with all that belongs to it, is in the state directory as it was put.
func TestAlarmsAreDurable(t *testing.T) {
	dir := t.TempDir()
	open := func() *store.DB {
		db, err := store.Open(dir, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	everything := func(s served) string {
		out, err := s.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}})
		history, err2 := s.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{})
		b, err3 := json.Marshal([]any{out.MetricAlarms, out.CompositeAlarms, history.AlarmHistoryItems})
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	db := open()
	s := newService(t, clock.NewStepped(start), db)
	e, n := stat("e", "Shop", "Errors", "Sum", 60, types.Dimension{Name: new("Page"), Value: new("cart")}), stat("n", "Shop", "Requests", "Sum", 60)
	e.ReturnData, n.ReturnData = new(false), new(false)
	math := &cloudwatch.PutMetricAlarmInput{AlarmName: new("math"), EvaluationPeriods: new(int32(2)), Threshold: new(5.0), ComparisonOperator: types.ComparisonOperatorLessThanThreshold, AlarmActions: []string{"arn:aws:sns:us-east-1:000000000000:t"},
		Metrics: []types.MetricDataQuery{e, n, {Id: new("rate"), Expression: new("e/n"), Label: new("rate")}}}
	for _, in := range []*cloudwatch.PutMetricAlarmInput{math, errorsAlarm("errors")} {
		if _, err := s.PutMetricAlarm(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutCompositeAlarm(t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: new("both"), AlarmRule: new("ALARM(math) OR ALARM(errors)")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: new("errors"), StateValue: "ALARM", StateReason: new("testing"), StateReasonData: new(`{"a":1}`)}); err != nil {
		t.Fatal(err)
	}
	before := everything(s)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	defer db.Close()
	s = newService(t, clock.NewStepped(start), db)
	if after := everything(s); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	s.svc.Close()
}

func TestLowSamplePercentile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, clock.Real{}, store.Memory())
		if err := s.svc.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ignore", "evaluate"} {
			in := errorsAlarm(name)
			in.MetricName, in.Statistic, in.ExtendedStatistic, in.EvaluateLowSampleCountPercentile = new("Duration"), "", new("p90"), new(name)
			if _, err := s.PutMetricAlarm(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		s.svc.Record("AWS/Lambda", time.Now(), Datum{Name: "Duration", Value: 100})
		time.Sleep(70 * time.Second)
		if a, b := describe(t, s, "ignore"), describe(t, s, "evaluate"); a.StateValue != "INSUFFICIENT_DATA" || b.StateValue != "ALARM" {
			t.Errorf("with one sample: %s and %s", a.StateValue, b.StateValue)
		}
		s.svc.Close()
	})
}

func TestCompositeAlarm(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	for _, name := range []string{"one", "two"} {
		if _, err := s.PutMetricAlarm(ctx, errorsAlarm(name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{AlarmName: new("both"), AlarmRule: new(`ALARM("one") AND ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:two")`)}); err != nil {
		t.Fatal(err)
	}
	state := func() types.CompositeAlarm {
		out, err := s.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
		if err != nil || len(out.CompositeAlarms) != 1 || len(out.MetricAlarms) != 0 {
			t.Fatalf("%+v, %v", out, err)
		}
		return out.CompositeAlarms[0]
	}
	set := func(name string, v types.StateValue) {
		if _, err := s.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: new(name), StateValue: v, StateReason: new("testing")}); err != nil {
			t.Fatal(err)
		}
	}
	if a := state(); a.StateValue != "OK" {
		t.Errorf("new: %s", a.StateValue)
	}
	set("one", types.StateValueAlarm)
	set("two", types.StateValueAlarm)
	want := "arn:aws:cloudwatch:us-east-1:000000000000:alarm:two transitioned to ALARM at Thursday 05 November, 2026 12:00:00 UTC"
	if a := state(); a.StateValue != "ALARM" || *a.StateReason != want {
		t.Errorf("both: %s %s; want %s", a.StateValue, *a.StateReason, want)
	}
	set("one", types.StateValueOk)
	if a := state(); a.StateValue != "OK" {
		t.Errorf("one: %s", a.StateValue)
	}
	if _, err := s.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"one"}}); code(err) != "ValidationError" {
		t.Errorf("deleting what is needed: %v", err)
	}
	for _, rule := range []string{`ALARM("none")`, `ALARM("both")`, "ALARM("} {
		if _, err := s.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{AlarmName: new("both"), AlarmRule: new(rule)}); code(err) != "ValidationError" {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if _, err := s.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"one", "two", "both"}}); err != nil {
		t.Error(err)
	}
}

func TestAlarmConfiguration(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	in := errorsAlarm("a")
	in.Tags = []types.Tag{{Key: new("Environment"), Value: new("Production")}}
	in.AlarmDescription, in.Unit, in.AlarmActions = new("<"), types.StandardUnitCount, []string{"arn:aws:sns:us-east-1:111122223333:MyTopic"}
	if _, err := s.PutMetricAlarm(ctx, in); err != nil {
		t.Fatal(err)
	}
	a := describe(t, s, "a")
	if *a.AlarmArn != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a" || !*a.ActionsEnabled || a.OKActions == nil || a.Dimensions == nil || a.DatapointsToAlarm != nil || a.Statistic != "Sum" || *a.TreatMissingData != "notBreaching" {
		t.Errorf("%+v", a)
	}
	if _, err := s.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: a.AlarmArn, Tags: []types.Tag{{Key: new("tag1"), Value: new("foo")}, {Key: new("tag2"), Value: new("bar")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: a.AlarmArn, TagKeys: []string{"tag1"}}); err != nil {
		t.Fatal(err)
	}
	if tags, _ := s.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: a.AlarmArn}); len(tags.Tags) != 2 || *tags.Tags[1].Key != "tag2" {
		t.Errorf("tags: %v", tags.Tags)
	}
	if _, err := s.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"a"}}); err != nil || *describe(t, s, "a").ActionsEnabled {
		t.Errorf("disabled: %v", err)
	}
	if out, _ := s.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{Namespace: new("AWS/Lambda"), MetricName: new("Errors")}); len(out.MetricAlarms) != 1 {
		t.Errorf("for its metric: %v", out.MetricAlarms)
	}
	if _, err := s.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: new("b"), StateValue: "OK", StateReason: new("")}); code(err) != "ResourceNotFound" {
		t.Errorf("setting one that is not there: %v", err)
	}
	if _, err := s.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a", "b"}}); code(err) != "ResourceNotFound" || *describe(t, s, "a").AlarmName != "a" {
		t.Errorf("deleting one of two: %v", err)
	}
	for name, change := range map[string]func(*cloudwatch.PutMetricAlarmInput){
		"M over N":       func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = new(int32(2)) },
		"period":         func(in *cloudwatch.PutMetricAlarmInput) { in.Period = new(int32(45)) },
		"two statistics": func(in *cloudwatch.PutMetricAlarmInput) { in.ExtendedStatistic = new("p50") },
		"no statistic":   func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "" },
		"no threshold":   func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil },
		"too long":       func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = new(int32(1441)) },
		"missing data":   func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = new("foo") },
		"anomaly":        func(in *cloudwatch.PutMetricAlarmInput) { in.ThresholdMetricId = new("ad") },
		"both": func(in *cloudwatch.PutMetricAlarmInput) {
			in.Metrics = []types.MetricDataQuery{stat("m", "N", "m", "Sum", 60)}
		},
	} {
		in := errorsAlarm("refused")
		change(in)
		if _, err := s.PutMetricAlarm(ctx, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if out, _ := s.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: new("ref")}); len(out.MetricAlarms) != 0 {
		t.Error("a refused alarm is there")
	}
}

func TestDescribeAlarmsPages(t *testing.T) {
	s := newService(t, clock.NewStepped(start), store.Memory())
	for i := range 7 {
		if _, err := s.PutMetricAlarm(t.Context(), errorsAlarm(fmt.Sprint("a", i))); err != nil {
			t.Fatal(err)
		}
	}
	in := &cloudwatch.DescribeAlarmsInput{MaxRecords: new(int32(3))}
	var got []string
	for {
		out, err := s.DescribeAlarms(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(len(out.MetricAlarms)))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if strings.Join(got, " ") != "3 3 1" {
		t.Errorf("pages of %v", got)
	}
}
