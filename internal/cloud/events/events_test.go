package events

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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

const (
	functionARN = "arn:aws:lambda:us-east-1:000000000000:function:"
	ruleARN     = "arn:aws:events:us-east-1:000000000000:rule/"
)

// functions note what they are invoked with.
type functions struct {
	mu     sync.Mutex
	got    []string // "name event"
	denied bool
	fail   error
}

func (f *functions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		f.got = append(f.got, strings.TrimPrefix(*in.FunctionName, functionARN)+" "+string(in.Payload))
	}
	return &lambda.InvokeOutput{}, f.fail
}

func (f *functions) Permits(_, service string, sources ...string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.denied && service == "events.amazonaws.com" && len(sources) == 1 && strings.HasPrefix(sources[0], ruleARN)
}

func (f *functions) set(denied bool, fail error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.denied, f.fail = denied, fail
}

func (f *functions) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.got
	f.got = nil
	return got
}

// world is the service behind a real client.
type world struct {
	*testing.T
	*eventbridge.Client
	svc       *Service
	db        *store.DB
	functions *functions
	mu        sync.Mutex
	counts    map[string]int // by metric and rule
	reports   []string
}

func newWorld(t *testing.T, db *store.DB, c clock.Clock) *world {
	t.Helper()
	w := &world{T: t, db: db, functions: &functions{}, counts: map[string]int{}}
	var err error
	w.svc, err = New(Config{Region: "us-east-1", Store: db, Clock: c, Functions: w.functions,
		Count: func(metric, rule string, n int, _ time.Time) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.counts[metric+" "+rule] += n
		},
		Report: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reports = append(w.reports, err.Error())
		}})
	w.must(err)
	w.must(w.svc.Start(t.Context()))
	w.Client = eventbridge.NewFromConfig(wiretest.Config(t, wiretest.Serve{"events": w.svc}))
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// counted is what the metrics of a rule say, in the order TriggeredRules, Invocations, FailedInvocations.
func (w *world) counted(rule string) [3]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return [3]int{w.counts["TriggeredRules "+rule], w.counts["Invocations "+rule], w.counts["FailedInvocations "+rule]}
}

func (w *world) reported() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.reports, "\n")
}

func (w *world) close() { w.must(w.svc.Close()) }

// schedule puts a rule with a schedule and a function as its target.
func (w *world) schedule(name, expression string) {
	w.Helper()
	_, err := w.PutRule(w.Context(), &eventbridge.PutRuleInput{Name: &name, ScheduleExpression: &expression})
	w.must(err)
	w.target(name, types.Target{Id: new("f"), Arn: new(functionARN + "f")})
}

func (w *world) target(rule string, targets ...types.Target) {
	w.Helper()
	out, err := w.PutTargets(w.Context(), &eventbridge.PutTargetsInput{Rule: &rule, Targets: targets})
	w.must(err)
	if out.FailedEntryCount != 0 {
		w.Fatalf("failed: %+v", out.FailedEntries)
	}
}

// want fails unless an error has the code, and the message holds the text.
func (w *world) want(err error, code, text string) {
	w.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		w.Errorf("the error is %v, want %s: …%s…", err, code, text)
	}
}

func TestSchedules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, store.Memory(), clock.Real{})
		defer w.close()
		w.schedule("often", "rate(5 minutes)")
		w.schedule("nightly", "cron(30 2 * * ? *)")
		time.Sleep(5*time.Minute - time.Nanosecond)
		synctest.Wait()
		if got := w.functions.take(); got != nil {
			t.Fatalf("too early: %v", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		got := w.functions.take()
		if len(got) != 1 {
			t.Fatalf("after five minutes: %v", got)
		}
		_, id, _ := strings.Cut(got[0], `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		want := `f {"version":"0","id":"` + id + `","detail-type":"Scheduled Event","source":"aws.events","account":"000000000000","time":"2000-01-01T00:05:00Z",` +
			`"region":"us-east-1","resources":["` + ruleARN + `often"],"detail":{}}`
		if diff := cmp.Diff(want, got[0]); diff != "" || len(id) != 36 {
			t.Error(diff)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if got := w.functions.take(); len(got) != 289 { // 288 and one a night
			t.Errorf("in a day: %d", len(got))
		}
		if often, nightly := w.counted("often"), w.counted("nightly"); often != [3]int{289, 289, 0} || nightly != [3]int{1, 1, 0} {
			t.Errorf("counted: %v, %v", often, nightly)
		}
	})
}

// TestChangesOfARule is about what becomes of due times when a rule is put again, turned off and on, and deleted.
func TestChangesOfARule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, store.Memory(), clock.Real{})
		defer w.close()
		ctx := t.Context()
		w.schedule("r", "rate(10 minutes)")
		after := func(d time.Duration, n int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := w.functions.take(); len(got) != n {
				t.Errorf("after %s: %d invocations, want %d", d, len(got), n)
			}
		}
		after(9*time.Minute, 0)
		_, err := w.PutRule(ctx, &eventbridge.PutRuleInput{Name: new("r"), ScheduleExpression: new("rate(10 minutes)"), Description: new("the same")})
		w.must(err)
		after(time.Minute, 1)
		_, err = w.PutRule(ctx, &eventbridge.PutRuleInput{Name: new("r"), ScheduleExpression: new("rate(20 minutes)")})
		w.must(err)
		after(19*time.Minute, 0)
		_, err = w.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: new("r")})
		w.must(err)
		after(time.Hour, 0)
		_, err = w.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: new("r")})
		w.must(err)
		after(19*time.Minute, 0)
		_, err = w.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: new("r")})
		w.must(err)
		after(time.Minute, 1)
		_, err = w.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: new("r")})
		w.want(err, "ValidationException", "since it has targets")
		removed, err := w.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: new("r"), Ids: []string{"f", "g"}})
		w.must(err)
		if removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "g" {
			t.Errorf("removed: %+v", removed)
		}
		for range 2 { // that it is gone is no error
			_, err = w.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: new("r")})
			w.must(err)
		}
		after(time.Hour, 0)
	})
}

// TestRestart ends the service in between; what was due meanwhile is sent once.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		open := func() *world {
			t.Helper()
			db, err := store.Open(dir, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return newWorld(t, db, clock.Real{})
		}
		end := func(w *world) {
			w.close()
			w.must(w.db.Close())
		}
		times := func(w *world) (all []string) {
			synctest.Wait()
			for _, got := range w.functions.take() {
				_, at, _ := strings.Cut(got, `"time":"`)
				all = append(all, at[:20])
			}
			return all
		}
		w := open()
		w.schedule("r", "rate(20 minutes)")
		time.Sleep(21 * time.Minute)
		if got := times(w); !slices.Equal(got, []string{"2000-01-01T00:20:00Z"}) {
			t.Errorf("at first: %v", got)
		}
		end(w)
		w = open()
		if got := times(w); got != nil {
			t.Errorf("again: %v", got)
		}
		end(w)
		time.Sleep(40 * time.Minute)
		w = open()
		if got := times(w); !slices.Equal(got, []string{"2000-01-01T00:40:00Z", "2000-01-01T01:00:00Z"}) {
			t.Errorf("after a short while: %v", got)
		}
		end(w)
		time.Sleep(72 * time.Hour) // now it is 01:01 of the fourth: the last hour, and the latest before it
		w = open()
		if got := times(w); !slices.Equal(got, []string{"2000-01-04T00:00:00Z", "2000-01-04T00:20:00Z", "2000-01-04T00:40:00Z", "2000-01-04T01:00:00Z"}) {
			t.Errorf("after three days: %v", got)
		}
		end(w)
	})
}

// TestStepped moves a clock over many due times at once.
func TestStepped(t *testing.T) {
	c := clock.NewStepped(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	w := newWorld(t, store.Memory(), c)
	defer w.close()
	w.schedule("r", "rate(1 hour)")
	c.Advance(36 * time.Hour)
	var got []string
	for begin := time.Now(); len(got) < 36 && time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		got = append(got, w.functions.take()...)
	}
	if len(got) != 36 || !strings.Contains(got[35], `"time":"2026-01-02T12:00:00Z"`) {
		t.Errorf("%d invocations: %v", len(got), got)
	}
}

func TestTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, store.Memory(), clock.Real{})
		defer w.close()
		w.schedule("r", "rate(1 minute)")
		w.target("r", types.Target{Id: new("constant"), Arn: new(functionARN + "constant"), Input: new(`{"a":1}`)},
			types.Target{Id: new("path"), Arn: new(functionARN + "path:live"), InputPath: new("$.resources[0]")},
			types.Target{Id: new("template"), Arn: new(functionARN + "template"), InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{"t": "$.time"},
				InputTemplate: new(`{"at":"<t>","rule":<aws.events.rule-name>}`)}},
			types.Target{Id: new("queue"), Arn: new("arn:aws:sqs:us-east-1:000000000000:queue")})
		time.Sleep(time.Minute)
		synctest.Wait()
		got := w.functions.take()
		want := []string{`constant {"a":1}`, got[1], `path:live "` + ruleARN + `r"`, `template {"at":"2000-01-01T00:01:00Z","rule":"r"}`}
		if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(got[1], "f {") {
			t.Error(diff)
		}
		w.functions.set(true, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.functions.take(); got != nil || w.counted("r") != [3]int{2, 8, 4} {
			t.Errorf("without a permission: %v, %v", got, w.counted("r"))
		}
		if !strings.Contains(w.reported(), "does not let events.amazonaws.com invoke it for "+ruleARN+"r") {
			t.Errorf("reported: %s", w.reported())
		}
		w.functions.set(false, errors.New("no such function"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if w.counted("r") != [3]int{3, 12, 8} {
			t.Errorf("counted: %v", w.counted("r"))
		}
	})
}

func TestRefused(t *testing.T) {
	w := newWorld(t, store.Memory(), clock.Real{})
	defer w.close()
	ctx := t.Context()
	put := func(in eventbridge.PutRuleInput) error {
		in.Name = new("r")
		_, err := w.PutRule(ctx, &in)
		return err
	}
	w.want(put(eventbridge.PutRuleInput{}), "ValidationException", "EventPattern or ScheduleExpression must be specified")
	w.want(put(eventbridge.PutRuleInput{ScheduleExpression: new("rate(1 days)")}), "ValidationException", "Parameter ScheduleExpression is not valid.")
	w.want(put(eventbridge.PutRuleInput{EventPattern: new(`{"source":"x"}`)}), "InvalidEventPatternException", "Event pattern is not valid. Reason: ")
	w.want(put(eventbridge.PutRuleInput{EventPattern: new(`{"source":["x"]}`), EventBusName: new("orders")}), "ResourceNotFoundException", "Event bus orders does not exist.")
	for _, bus := range []string{"default", "arn:aws:events:us-east-1:000000000000:event-bus/default"} {
		w.must(put(eventbridge.PutRuleInput{EventPattern: new(`{"source":["x"]}`), EventBusName: &bus}))
	}
	_, err := w.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: new("gone")})
	w.want(err, "ResourceNotFoundException", "Rule gone does not exist on EventBus default.")
	_, err = w.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: new("gone")})
	w.want(err, "ResourceNotFoundException", "gone")
	_, err = w.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: new(ruleARN + "gone"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}}})
	w.want(err, "ResourceNotFoundException", "gone")
	_, err = w.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: new("?")})
	w.want(err, "ValidationException", "NextToken")

	target := func(rule string, t types.Target) error {
		t.Id = new("t")
		_, err := w.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &rule, Targets: []types.Target{t}})
		return err
	}
	f := new(functionARN + "f")
	w.want(target("gone", types.Target{Arn: f}), "ResourceNotFoundException", "Rule gone does not exist")
	w.want(target("r", types.Target{Arn: new("f")}), "ValidationException", "Provided Arn is not in correct format")
	w.want(target("r", types.Target{Arn: f, Input: new("{"), InputPath: new("$")}), "ValidationException", "Only one of Input, InputPath, or InputTransformer")
	w.want(target("r", types.Target{Arn: f, Input: new("{")}), "ValidationException", "target t")
	w.want(target("r", types.Target{Arn: f, InputPath: new("detail")}), "ValidationException", "target t")
	var six []types.Target
	for i := range 6 {
		six = append(six, types.Target{Id: new(fmt.Sprint(i)), Arn: f})
	}
	_, err = w.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: new("r"), Targets: six})
	w.want(err, "LimitExceededException", "exceeds the maximum number")
	if out, err := w.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: new("r")}); err != nil || len(out.Targets) != 0 {
		t.Errorf("half of what was refused is there: %v, %v", out, err)
	}
	_, err = w.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: new("orders")})
	if err == nil || !strings.Contains(err.Error(), "CreateEventBus") {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestListsAndTags(t *testing.T) {
	w := newWorld(t, store.Memory(), clock.Real{})
	defer w.close()
	ctx := t.Context()
	for i := range 5 {
		name := fmt.Sprintf("r%d", i)
		_, err := w.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventPattern: new(`{"source":["x"]}`), State: types.RuleStateDisabled, Tags: []types.Tag{{Key: new("team"), Value: new("a")}}})
		w.must(err)
		w.target(name, types.Target{Id: new("t"), Arn: new(functionARN + fmt.Sprint(i%2))})
	}
	var names []string
	for token := (*string)(nil); len(names) == 0 || token != nil; {
		out, err := w.ListRules(ctx, &eventbridge.ListRulesInput{Limit: new(int32(2)), NextToken: token, NamePrefix: new("r")})
		w.must(err)
		for _, r := range out.Rules {
			names = append(names, *r.Name+" "+string(r.State))
		}
		token = out.NextToken
	}
	if diff := cmp.Diff([]string{"r0 DISABLED", "r1 DISABLED", "r2 DISABLED", "r3 DISABLED", "r4 DISABLED"}, names); diff != "" {
		t.Error(diff)
	}
	by, err := w.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: new(functionARN + "1")})
	w.must(err)
	if diff := cmp.Diff([]string{"r1", "r3"}, by.RuleNames); diff != "" {
		t.Error(diff)
	}
	arn := new(ruleARN + "r1")
	_, err = w.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: new("stage"), Value: new("prod")}}})
	w.must(err)
	_, err = w.PutRule(ctx, &eventbridge.PutRuleInput{Name: new("r1"), EventPattern: new(`{"source":["y"]}`), Tags: []types.Tag{{Key: new("team"), Value: new("other")}}})
	w.must(err)
	list := func() (all []string) {
		out, err := w.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: arn})
		w.must(err)
		for _, tag := range out.Tags {
			all = append(all, *tag.Key+"="+*tag.Value)
		}
		return all
	}
	if diff := cmp.Diff([]string{"stage=prod", "team=a"}, list()); diff != "" {
		t.Error(diff)
	}
	_, err = w.UntagResource(ctx, &eventbridge.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"team"}})
	w.must(err)
	if diff := cmp.Diff([]string{"stage=prod"}, list()); diff != "" {
		t.Error(diff)
	}
	described, err := w.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: new("r1")})
	w.must(err)
	if described.State != types.RuleStateEnabled || *described.EventPattern != `{"source":["y"]}` || *described.Arn != *arn || *described.EventBusName != "default" {
		t.Errorf("described: %+v", described)
	}
	bus, err := w.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})
	w.must(err)
	buses, err := w.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{})
	w.must(err)
	if len(buses.EventBuses) != 1 || *buses.EventBuses[0].Arn != *bus.Arn {
		t.Errorf("buses: %+v", buses)
	}
}

func TestPutEvents(t *testing.T) {
	w := newWorld(t, store.Memory(), clock.Real{})
	defer w.close()
	ctx := t.Context()
	for name, pattern := range map[string]string{"large": `{"source":["shop"],"detail":{"total":[{"numeric":[">=",100]}]}}`, "all": `{"source":[{"prefix":"sh"}]}`, "off": `{"source":["shop"]}`} {
		_, err := w.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern})
		w.must(err)
		w.target(name, types.Target{Id: new("f"), Arn: new(functionARN + name), InputPath: new("$.detail.total")})
	}
	_, err := w.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: new("off")})
	w.must(err)
	entry := func(source, detail string) types.PutEventsRequestEntry {
		return types.PutEventsRequestEntry{Source: &source, DetailType: new("Order"), Detail: &detail}
	}
	elsewhere := entry("shop", `{}`)
	elsewhere.EventBusName = new("orders")
	out, err := w.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry("shop", `{"total":100}`), entry("shop", `{"total":99}`), entry("other", `{}`),
		entry("aws.s3", `{}`), entry("shop", `[]`), entry("", `{}`), elsewhere}})
	w.must(err)
	got := w.functions.take()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"all 100", "all 99", "large 100"}, got); diff != "" {
		t.Error(diff)
	}
	var codes []string
	for _, e := range out.Entries {
		codes = append(codes, aws.ToString(e.ErrorCode))
		if (e.EventId == nil) == (e.ErrorCode == nil) {
			t.Errorf("an entry has both, or neither: %+v", e)
		}
	}
	if diff := cmp.Diff([]string{"", "", "", "NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument", "EventBusNotFound"}, codes); diff != "" || out.FailedEntryCount != 4 {
		t.Errorf("%d failed: %s", out.FailedEntryCount, diff)
	}
	test, err := w.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: new(`{"source":["shop"]}`),
		Event: new(`{"id":"1","account":"1","source":"shop","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":[],"detail-type":"x"}`)})
	if err != nil || !test.Result {
		t.Errorf("test: %+v, %v", test, err)
	}
	_, err = w.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: new(`{"source":["shop"]}`), Event: new(`{"source":"shop"}`)})
	w.want(err, "ValidationException", "The event lacks id")
}
