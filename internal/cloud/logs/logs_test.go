package logs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/logs/emf"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

var start = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

// served is a service behind a real client, which reaches it through the wire layer.
type served struct {
	*cloudwatchlogs.Client
	svc *Service

	mu      sync.Mutex
	metrics []emf.Metric
}

func serve(t *testing.T, c clock.Clock, db *store.DB) *served {
	t.Helper()
	s := &served{}
	svc, err := New(Config{Region: "us-east-1", Store: db, Clock: c, Metrics: func(m []emf.Metric) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.metrics = append(s.metrics, m...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { svc.Close() })
	s.svc, s.Client = svc, cloudwatchlogs.NewFromConfig(wiretest.Config(t, wiretest.Serve{"logs": svc}))
	return s
}

// must gives back an answer that may not fail.
func must[T any](t *testing.T) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func (s *served) make(t *testing.T, group string, streams ...string) {
	t.Helper()
	must[*cloudwatchlogs.CreateLogGroupOutput](t)(s.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}))
	for _, st := range streams {
		must[*cloudwatchlogs.CreateLogStreamOutput](t)(s.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &st}))
	}
}

func (s *served) put(t *testing.T, group, stream string, at time.Duration, messages ...string) {
	t.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream}
	for i, m := range messages {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Message: new(m), Timestamp: new(start.Add(at + time.Duration(i)*time.Second).UnixMilli())})
	}
	must[*cloudwatchlogs.PutLogEventsOutput](t)(s.PutLogEvents(t.Context(), in))
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != message {
		t.Errorf("got  %v\nwant %s: %s", err, code, message)
	}
}

func TestGroups(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	for _, name := range []string{"/aws/lambda/a", "/aws/lambda/b", "other"} {
		s.make(t, name)
	}
	_, err := s.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: new("other")})
	wantError(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = s.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: new("a"), LogGroupNamePattern: new("b")})
	wantError(t, err, "InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	var got []string
	in := &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: new("/aws"), Limit: new(int32(1))}
	for {
		out := must[*cloudwatchlogs.DescribeLogGroupsOutput](t)(s.DescribeLogGroups(ctx, in))
		for _, g := range out.LogGroups {
			got = append(got, *g.Arn+" "+*g.LogGroupArn+" "+string(g.LogGroupClass))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	want := []string{
		"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/a:* arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/a STANDARD",
		"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/b:* arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/b STANDARD"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
	if out := must[*cloudwatchlogs.ListLogGroupsOutput](t)(s.ListLogGroups(ctx, &cloudwatchlogs.ListLogGroupsInput{LogGroupNamePattern: new("^oth")})); len(out.LogGroups) != 1 {
		t.Errorf("%v", out.LogGroups)
	}
	arn := new("arn:aws:logs:us-east-1:000000000000:log-group:other")
	must[*cloudwatchlogs.TagResourceOutput](t)(s.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}}))
	must[*cloudwatchlogs.UntagLogGroupOutput](t)(s.UntagLogGroup(ctx, &cloudwatchlogs.UntagLogGroupInput{LogGroupName: new("other"), Tags: []string{"a"}}))
	if out := must[*cloudwatchlogs.ListTagsForResourceOutput](t)(s.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: arn})); fmt.Sprint(out.Tags) != "map[b:2]" {
		t.Errorf("tags: %v", out.Tags)
	}
	must[*cloudwatchlogs.PutLogGroupDeletionProtectionOutput](t)(s.PutLogGroupDeletionProtection(ctx, &cloudwatchlogs.PutLogGroupDeletionProtectionInput{LogGroupIdentifier: arn, DeletionProtectionEnabled: new(true)}))
	if _, err := s.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: new("other")}); err == nil {
		t.Error("a protected group was deleted")
	}
	must[*cloudwatchlogs.DeleteLogGroupOutput](t)(s.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: new("/aws/lambda/a")}))
	_, err = s.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: new("/aws/lambda/a")})
	wantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

func TestPutLogEventsRefuses(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	s.make(t, "g", "s")
	at := func(d time.Duration) types.InputLogEvent {
		return types.InputLogEvent{Message: new("m"), Timestamp: new(start.Add(d).UnixMilli())}
	}
	in := func(events ...types.InputLogEvent) *cloudwatchlogs.PutLogEventsInput {
		return &cloudwatchlogs.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: events}
	}
	_, err := s.PutLogEvents(ctx, in(at(time.Second), at(0)))
	wantError(t, err, "InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order.")
	_, err = s.PutLogEvents(ctx, in(at(-25*time.Hour), at(0)))
	wantError(t, err, "InvalidParameterException", "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	large := new(strings.Repeat("x", 600_000))
	_, err = s.PutLogEvents(ctx, in(types.InputLogEvent{Message: large, Timestamp: new(start.UnixMilli())}, types.InputLogEvent{Message: large, Timestamp: new(start.UnixMilli())}))
	wantError(t, err, "InvalidParameterException", "Upload too large: 1200052 bytes exceeds limit of 1048576")
	none := in(at(0))
	none.LogStreamName = new("none")
	_, err = s.PutLogEvents(ctx, none)
	wantError(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")
	out := must[*cloudwatchlogs.PutLogEventsOutput](t)(s.PutLogEvents(ctx, in(at(-15*24*time.Hour))))
	if r := out.RejectedLogEventsInfo; r == nil || aws.ToInt32(r.TooOldLogEventEndIndex) != 1 || out.NextSequenceToken == nil {
		t.Errorf("too old: %+v", r)
	}
	out = must[*cloudwatchlogs.PutLogEventsOutput](t)(s.PutLogEvents(ctx, in(at(0), at(3*time.Hour))))
	if r := out.RejectedLogEventsInfo; r == nil || r.TooNewLogEventStartIndex == nil || *r.TooNewLogEventStartIndex != 1 {
		t.Errorf("too new: %+v", r)
	}
	events := must[*cloudwatchlogs.GetLogEventsOutput](t)(s.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")}))
	if len(events.Events) != 1 {
		t.Errorf("%d events are there; want the one that was accepted", len(events.Events))
	}
}

func messages(events []types.OutputLogEvent) (out []string) {
	for _, e := range events {
		out = append(out, *e.Message)
	}
	return out
}

func TestGetLogEvents(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	s.make(t, "g", "s", "empty")
	s.put(t, "g", "s", -time.Minute, "1", "2", "3", "4", "5")
	get := func(change func(*cloudwatchlogs.GetLogEventsInput)) *cloudwatchlogs.GetLogEventsOutput {
		t.Helper()
		in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), Limit: new(int32(2))}
		change(in)
		return must[*cloudwatchlogs.GetLogEventsOutput](t)(s.GetLogEvents(t.Context(), in))
	}
	expect := func(out *cloudwatchlogs.GetLogEventsOutput, want ...string) {
		t.Helper()
		if got := messages(out.Events); !slices.Equal(got, want) {
			t.Errorf("got %v; want %v", got, want)
		}
	}
	next := func(token *string) *cloudwatchlogs.GetLogEventsOutput {
		t.Helper()
		return get(func(in *cloudwatchlogs.GetLogEventsInput) { in.NextToken = token })
	}
	out := get(func(*cloudwatchlogs.GetLogEventsInput) {})
	expect(out, "4", "5")
	end := next(out.NextForwardToken)
	expect(end)
	if *end.NextForwardToken != *out.NextForwardToken {
		t.Errorf("at the end the token changes: %s, %s", *out.NextForwardToken, *end.NextForwardToken)
	}
	out = next(out.NextBackwardToken)
	expect(out, "2", "3")
	expect(next(out.NextForwardToken), "4", "5")
	out = next(out.NextBackwardToken)
	expect(out, "1")
	begin := next(out.NextBackwardToken)
	expect(begin)
	if *begin.NextBackwardToken != *out.NextBackwardToken {
		t.Error("at the beginning the token changes")
	}
	head := get(func(in *cloudwatchlogs.GetLogEventsInput) { in.StartFromHead = new(true) })
	expect(head, "1", "2")
	expect(next(head.NextForwardToken), "3", "4")
	expect(get(func(in *cloudwatchlogs.GetLogEventsInput) {
		in.StartTime, in.EndTime = new(start.Add(-59*time.Second).UnixMilli()), new(start.Add(-57*time.Second).UnixMilli())
	}), "2", "3")
	out = get(func(in *cloudwatchlogs.GetLogEventsInput) { in.LogStreamName = new("empty") })
	expect(out)
	if out.NextForwardToken == nil || out.NextBackwardToken == nil {
		t.Error("an empty stream gives no tokens")
	}
	// What comes later is found with the token of the end.
	s.put(t, "g", "s", 0, "6")
	expect(next(end.NextForwardToken), "6")
	_, err := s.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), NextToken: new("foo")})
	wantError(t, err, "InvalidParameterException", "The specified nextToken is invalid.")
}

func TestFilterLogEvents(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	s.make(t, "g", "a", "b")
	s.put(t, "g", "a", -10*time.Second, "ERROR one", "fine", "ERROR three")
	s.put(t, "g", "b", -9*time.Second, "ERROR two", `{"level":"error","n":4}`)
	filtered := func(in cloudwatchlogs.FilterLogEventsInput) (out []string) {
		t.Helper()
		in.LogGroupName = new("g")
		for {
			page := must[*cloudwatchlogs.FilterLogEventsOutput](t)(s.FilterLogEvents(t.Context(), &in))
			for _, e := range page.Events {
				out = append(out, *e.LogStreamName+" "+*e.Message)
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return out
			}
		}
	}
	for _, c := range []struct {
		in   cloudwatchlogs.FilterLogEventsInput
		want []string
	}{
		{cloudwatchlogs.FilterLogEventsInput{FilterPattern: new("ERROR")}, []string{"a ERROR one", "b ERROR two", "a ERROR three"}},
		{cloudwatchlogs.FilterLogEventsInput{FilterPattern: new("ERROR"), Limit: new(int32(1))}, []string{"a ERROR one", "b ERROR two", "a ERROR three"}},
		{cloudwatchlogs.FilterLogEventsInput{FilterPattern: new("ERROR"), Limit: new(int32(1)), StartFromHead: new(false), StartTime: new(start.Add(-time.Hour).UnixMilli())}, []string{"a ERROR three", "b ERROR two", "a ERROR one"}},
		{cloudwatchlogs.FilterLogEventsInput{FilterPattern: new(`{ $.n = 4 }`)}, []string{`b {"level":"error","n":4}`}},
		{cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"a"}}, []string{"a ERROR one", "a fine", "a ERROR three"}},
		{cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: new("b"), StartTime: new(start.Add(-8 * time.Second).UnixMilli())}, []string{`b {"level":"error","n":4}`}},
		{cloudwatchlogs.FilterLogEventsInput{EndTime: new(start.Add(-10 * time.Second).UnixMilli())}, []string{"a ERROR one"}},
	} {
		if got := filtered(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%+v:\n got %q\nwant %q", c.in, got, c.want)
		}
	}
	_, err := s.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("g"), NextToken: new("foo")})
	wantError(t, err, "InvalidParameterException", "The specified nextToken is invalid.")
	if _, err := s.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("g"), FilterPattern: new("{")}); err == nil {
		t.Error("a bad pattern is taken")
	}
}

func TestStreams(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	s.make(t, "g", "a", "b", "c")
	s.put(t, "g", "b", -time.Second, "x")
	s.put(t, "g", "a", -2*time.Second, "x")
	names := func(in cloudwatchlogs.DescribeLogStreamsInput) (out []string) {
		in.LogGroupIdentifier, in.Limit = new("arn:aws:logs:us-east-1:000000000000:log-group:g"), new(int32(2))
		for {
			page := must[*cloudwatchlogs.DescribeLogStreamsOutput](t)(s.DescribeLogStreams(ctx, &in))
			for _, st := range page.LogStreams {
				out = append(out, *st.LogStreamName)
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return out
			}
		}
	}
	if got := names(cloudwatchlogs.DescribeLogStreamsInput{}); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("by name: %v", got)
	}
	if got := names(cloudwatchlogs.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime, Descending: new(true)}); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("by time: %v", got)
	}
	_, err := s.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupIdentifier: new("g"), LogGroupName: new("g")})
	wantError(t, err, "ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	_, err = s.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("a")})
	wantError(t, err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	must[*cloudwatchlogs.DeleteLogStreamOutput](t)(s.DeleteLogStream(ctx, &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: new("g"), LogStreamName: new("a")}))
	if got := names(cloudwatchlogs.DescribeLogStreamsInput{}); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("after a deletion: %v", got)
	}
}

// What a function writes is read at once, and its metrics are counted.
func TestWrite(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	s.svc.Write(t.Context(), "/aws/lambda/f", "2026/11/05/[1]abc", []Event{{start, "START"},
		{start, fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Page"]],"Metrics":[{"Name":"Sales","Unit":"Count"}]}]},"Page":"cart","Sales":3}`, start.UnixMilli())},
		{start, "END"}})
	out := must[*cloudwatchlogs.FilterLogEventsOutput](t)(s.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("/aws/lambda/f")}))
	if len(out.Events) != 3 {
		t.Errorf("%d events", len(out.Events))
	}
	if len(s.metrics) != 1 || s.metrics[0].Name != "Sales" || s.metrics[0].Dimensions["Page"] != "cart" || s.metrics[0].Values[0] != 3 {
		t.Errorf("metrics: %+v", s.metrics)
	}
}

func TestWritesAreDurableSoon(t *testing.T) {
	dir := t.TempDir()
	db := must[*store.DB](t)(store.Open(dir, store.Options{}))
	s := serve(t, clock.NewStepped(start), db)
	s.svc.Write(t.Context(), "g", "s", []Event{{start, "hello"}})
	s.make(t, "other") // any call stores what was written before it
	must[*cloudwatchlogs.PutMetricFilterOutput](t)(s.PutMetricFilter(t.Context(), &cloudwatchlogs.PutMetricFilterInput{LogGroupName: new("g"), FilterName: new("f"), FilterPattern: new("ERROR"),
		MetricTransformations: []types.MetricTransformation{{MetricNamespace: new("N"), MetricName: new("Errors"), MetricValue: new("1"), DefaultValue: new(0.0)}}}))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = must[*store.DB](t)(store.Open(dir, store.Options{}))
	defer db.Close()
	s = serve(t, clock.NewStepped(start), db)
	out := must[*cloudwatchlogs.GetLogEventsOutput](t)(s.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")}))
	if !slices.Equal(messages(out.Events), []string{"hello"}) {
		t.Errorf("%v", messages(out.Events))
	}
	filters := must[*cloudwatchlogs.DescribeMetricFiltersOutput](t)(s.DescribeMetricFilters(t.Context(), &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: new("g")})).MetricFilters
	if len(filters) != 1 || *filters[0].MetricTransformations[0].DefaultValue != 0 || *filters[0].FilterPattern != "ERROR" {
		t.Errorf("metric filters: %+v", filters)
	}
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, clock.Real{}, store.Memory())
		s.svc.Write(t.Context(), "g", "s", []Event{{time.Now(), "x"}})
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		s.svc.Store.View(func(tx *store.Tx) {
			if n := s.svc.events.Len(tx); n != 1 {
				t.Errorf("half a second later %d events are stored", n)
			}
		})
		s.svc.Close()
	})
}

func TestRetention(t *testing.T) {
	c := clock.NewStepped(start)
	s := serve(t, c, store.Memory())
	ctx := t.Context()
	s.make(t, "g", "s")
	if _, err := s.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: new("g"), RetentionInDays: new(int32(2))}); err == nil {
		t.Error("two days are taken")
	}
	must[*cloudwatchlogs.PutRetentionPolicyOutput](t)(s.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: new("g"), RetentionInDays: new(int32(1))}))
	s.put(t, "g", "s", -23*time.Hour, "old")
	s.put(t, "g", "s", 0, "new")
	c.Advance(2 * time.Hour)
	if err := s.svc.expire(ctx); err != nil {
		t.Fatal(err)
	}
	out := must[*cloudwatchlogs.GetLogEventsOutput](t)(s.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s")}))
	if !slices.Equal(messages(out.Events), []string{"new"}) {
		t.Errorf("%v", messages(out.Events))
	}
	put := must[*cloudwatchlogs.PutLogEventsOutput](t)(s.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: new("g"), LogStreamName: new("s"), LogEvents: []types.InputLogEvent{{Message: new("m"), Timestamp: new(start.Add(-24 * time.Hour).UnixMilli())}}}))
	if r := put.RejectedLogEventsInfo; r == nil || aws.ToInt32(r.ExpiredLogEventEndIndex) != 1 {
		t.Errorf("expired: %+v", r)
	}
}

func TestMetricFilters(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	ctx := t.Context()
	s.make(t, "g", "s")
	filters := []struct {
		name, pattern string
		transform     types.MetricTransformation
	}{
		{"errors", "ERROR", types.MetricTransformation{MetricNamespace: new("N"), MetricName: new("Errors"), MetricValue: new("1"), DefaultValue: new(0.0)}},
		{"latency", "{ $.latency > 0 }", types.MetricTransformation{MetricNamespace: new("N"), MetricName: new("Latency"), MetricValue: new("$.latency"), Dimensions: map[string]string{"Path": "$.path"}}},
	}
	for _, f := range filters {
		must[*cloudwatchlogs.PutMetricFilterOutput](t)(s.PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{LogGroupName: new("g"), FilterName: new(f.name), FilterPattern: new(f.pattern), MetricTransformations: []types.MetricTransformation{f.transform}}))
	}
	s.put(t, "g", "s", 0, `{"latency":12.5,"path":"/cart"}`)
	s.put(t, "g", "s", 0, "ERROR", "ERROR again")
	got := ""
	for _, m := range s.metrics {
		got += fmt.Sprint(m.Name, m.Values, m.Dimensions, "; ")
	}
	if want := "Errors[0] map[]; Latency[12.5] map[Path:/cart]; Errors[1] map[]; Errors[1] map[]; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	out := must[*cloudwatchlogs.DescribeMetricFiltersOutput](t)(s.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: new("g"), FilterNamePrefix: new("lat")}))
	if len(out.MetricFilters) != 1 || *out.MetricFilters[0].MetricTransformations[0].MetricName != "Latency" {
		t.Errorf("%+v", out.MetricFilters)
	}
	test := must[*cloudwatchlogs.TestMetricFilterOutput](t)(s.TestMetricFilter(ctx, &cloudwatchlogs.TestMetricFilterInput{FilterPattern: new("[a, b=2*]"), LogEventMessages: []string{"1 20", "1 30", "x 2"}}))
	if len(test.Matches) != 2 || test.Matches[1].EventNumber != 3 || test.Matches[0].ExtractedValues["$b"] != "20" {
		t.Errorf("%+v", test.Matches)
	}
	must[*cloudwatchlogs.DeleteMetricFilterOutput](t)(s.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: new("g"), FilterName: new("errors")}))
	_, err := s.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: new("g"), FilterName: new("errors")})
	wantError(t, err, "ResourceNotFoundException", "The specified metric filter does not exist.")
	if _, err := s.PutSubscriptionFilter(ctx, &cloudwatchlogs.PutSubscriptionFilterInput{LogGroupName: new("g"), FilterName: new("f"), FilterPattern: new(""), DestinationArn: new("arn:aws:lambda:us-east-1:000000000000:function:f")}); err == nil || !strings.Contains(err.Error(), "PutSubscriptionFilter") {
		t.Errorf("a subscription filter: %v", err)
	}
}

// Pages of any size, in both directions, hold every event once and in order.
func TestFilterPages(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	const n = 400
	for i := range n {
		s.svc.Write(t.Context(), "g", fmt.Sprint("s", i%3), []Event{{start.Add(time.Duration(i*7919%n) * time.Millisecond), fmt.Sprint(i * 7919 % n)}})
	}
	for _, limit := range []int32{1, 7, 1000} {
		for _, fromHead := range []bool{true, false} {
			in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("g"), Limit: new(limit), StartFromHead: new(fromHead)}
			var got []string
			for {
				out := must[*cloudwatchlogs.FilterLogEventsOutput](t)(s.FilterLogEvents(t.Context(), in))
				for _, e := range out.Events {
					got = append(got, *e.Message)
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
			}
			if !fromHead {
				slices.Reverse(got)
			}
			for i := range n {
				if len(got) != n || got[i] != fmt.Sprint(i) {
					t.Fatalf("pages of %d, from the head %v: %d events, at %d %v", limit, fromHead, len(got), i, got[:min(len(got), i+1)])
				}
			}
		}
	}
}

func TestConcurrentWrites(t *testing.T) {
	s := serve(t, clock.NewStepped(start), store.Memory())
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				s.svc.Write(t.Context(), "g", fmt.Sprint("s", g), []Event{{start.Add(time.Duration(i) * time.Millisecond), fmt.Sprint(i)}})
			}
		})
	}
	wg.Wait()
	out := must[*cloudwatchlogs.FilterLogEventsOutput](t)(s.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("g")}))
	if len(out.Events) != 800 {
		t.Errorf("%d events; want 800", len(out.Events))
	}
}
