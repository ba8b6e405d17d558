package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
)

// attempts notes when a function was invoked, and with what.
type attempts struct {
	mu    sync.Mutex
	start time.Time
	at    []time.Duration
	last  []byte
}

func (a *attempts) handler(fail func(n int) error) func(context.Context, *sandbox.Function, sandbox.Invocation) (any, error) {
	a.start = time.Now()
	return func(_ context.Context, _ *sandbox.Function, inv sandbox.Invocation) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.at = append(a.at, time.Since(a.start))
		a.last = inv.Payload
		return "done", fail(len(a.at))
	}
}

func (a *attempts) times() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprint(a.at)
}

func always(int) error { return errors.New("no luck") }
func never(int) error  { return nil }

func (w *world) send(fn, payload string) {
	w.t.Helper()
	out, err := w.Invoke(context.Background(), &lambda.InvokeInput{FunctionName: &fn, InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)})
	if err != nil || out.StatusCode != 202 || out.ExecutedVersion != nil {
		w.t.Fatalf("send: %+v, %v", out, err)
	}
}

func (w *world) queued() (n int) {
	w.db.View(func(tx *store.Tx) { n = w.service.tables.queue.Len(tx) })
	return n
}

func TestAsyncRetries(t *testing.T) {
	tests := []struct {
		name    string
		fail    func(int) error
		retries *int32
		age     *int32
		want    string
	}{
		{"success", never, nil, nil, "[0s]"},
		{"always fails", always, nil, nil, "[0s 1m0s 3m0s]"},
		{"second try", func(n int) error {
			if n == 1 {
				return errors.New("once")
			}
			return nil
		}, nil, nil, "[0s 1m0s]"},
		{"no retries", always, aws.Int32(0), nil, "[0s]"},
		{"one retry", always, aws.Int32(1), nil, "[0s 1m0s]"},
		{"too old for the second retry", always, nil, aws.Int32(100), "[0s 1m0s]"},
		{"too old for any", always, nil, aws.Int32(60), "[0s 1m0s]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.create("fn")
				if tt.retries != nil || tt.age != nil {
					if _, err := w.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"),
						MaximumRetryAttempts: tt.retries, MaximumEventAgeInSeconds: tt.age}); err != nil {
						t.Fatal(err)
					}
				}
				var a attempts
				w.handle("index.handler", a.handler(tt.fail))
				w.send("fn", `{}`)
				time.Sleep(time.Hour)
				synctest.Wait()
				if a.times() != tt.want || w.queued() != 0 {
					t.Errorf("invoked at %s, want %s; %d are left", a.times(), tt.want, w.queued())
				}
			})
		})
	}
}

func TestAsyncThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create("fn")
		var a attempts
		w.handle("index.handler", a.handler(never))
		if _, err := w.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("fn"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
		done, _, err := w.service.limits.enter("fn")
		if err != nil {
			t.Fatal(err)
		}
		w.send("fn", `{}`)
		time.Sleep(20 * time.Second)
		done()
		time.Sleep(time.Hour)
		synctest.Wait()
		// Tried after 0, 1, 3, 7, 15 and 31 seconds.
		if a.times() != "[31s]" || w.queued() != 0 {
			t.Errorf("invoked at %s; %d are left", a.times(), w.queued())
		}
	})
}

func TestDestinations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, fn := range []string{"fn", "good", "bad"} {
			w.create(fn, func(in *lambda.CreateFunctionInput) { in.Handler = aws.String(fn + ".handler") })
		}
		fail := error(nil)
		w.handle("fn.handler", func(context.Context, *sandbox.Function, sandbox.Invocation) (any, error) { return "done", fail })
		var good, bad attempts
		w.handle("good.handler", good.handler(never))
		w.handle("bad.handler", bad.handler(never))
		if _, err := w.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"), MaximumRetryAttempts: aws.Int32(0),
			DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String(arnPrefix + "good")}, OnFailure: &types.OnFailure{Destination: aws.String(arnPrefix + "bad")}}}); err != nil {
			t.Fatal(err)
		}
		w.send("fn", `{"n":1}`)
		synctest.Wait()
		fail = errors.New("no luck")
		w.send("fn", `{"n":2}`)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantRecord(t, good.last, "Success", `{"n":1}`, `"done"`)
		wantRecord(t, bad.last, "RetriesExhausted", `{"n":2}`, `{"errorMessage":"no luck","errorType":"Error"}`)
		if w.queued() != 0 {
			t.Errorf("%d are left", w.queued())
		}

		// A function that may not run at all has its events sent on at once.
		if _, err := w.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("fn"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
			t.Fatal(err)
		}
		w.send("fn", `{"n":3}`)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantRecord(t, bad.last, "ZeroReservedConcurrency", `{"n":3}`, ``)
	})
}

func wantRecord(t *testing.T, got []byte, condition, request, response string) {
	t.Helper()
	var r destination
	if err := json.Unmarshal(got, &r); err != nil {
		t.Errorf("record %q: %v", got, err)
		return
	}
	if r.Version != "1.0" || r.RequestContext.Condition != condition || string(r.RequestPayload) != request || string(r.ResponsePayload) != response ||
		r.RequestContext.FunctionARN != arnPrefix+"fn:$LATEST" {
		t.Errorf("record %s", got)
	}
}

// targets notes what is delivered.
type targets struct {
	arn, body  string
	attributes map[string]string
}

func (d *targets) Deliver(_ context.Context, arn string, body []byte, attributes map[string]string) error {
	d.arn, d.body, d.attributes = arn, string(body), attributes
	return nil
}

func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d targets
		w := newWorld(t, func(c *Config) { c.Targets = &d })
		const queue = "arn:aws:sqs:us-east-1:000000000000:letters"
		w.create("fn", func(in *lambda.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(queue)}
		})
		var a attempts
		w.handle("index.handler", a.handler(always))
		w.send("fn", `{"n":1}`)
		time.Sleep(time.Hour)
		synctest.Wait()
		if d.arn != queue || d.body != `{"n":1}` || d.attributes["ErrorMessage"] != "no luck" || d.attributes["ErrorCode"] != "200" || d.attributes["RequestID"] == "" {
			t.Errorf("delivered %+v", d)
		}
	})
}

// What was accepted is run after a restart, at the moment that it was put off to.
func TestAsyncSurvivesRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create("fn")
		var a attempts
		w.handle("index.handler", a.handler(always))
		w.send("fn", `{}`)
		synctest.Wait()
		w.service.Close()
		if w.queued() != 1 {
			t.Fatalf("%d are queued", w.queued())
		}
		time.Sleep(10 * time.Second)
		w.open()
		time.Sleep(time.Hour)
		synctest.Wait()
		if a.times() != "[0s 1m0s 3m0s]" || w.queued() != 0 {
			t.Errorf("invoked at %s; %d are left", a.times(), w.queued())
		}
	})
}

// An event whose run the end of the cloud cuts off runs again.
func TestAsyncCutOffRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create("fn")
		runs := 0
		w.handle("index.handler", func(ctx context.Context, _ *sandbox.Function, _ sandbox.Invocation) (any, error) {
			if runs++; runs == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return 1, nil
		})
		w.send("fn", `{}`)
		synctest.Wait()
		w.service.Close()
		w.open()
		synctest.Wait()
		if runs != 2 || w.queued() != 0 {
			t.Errorf("%d runs; %d are left", runs, w.queued())
		}
	})
}

func TestEventConfigs(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	put := func(in lambda.PutFunctionEventInvokeConfigInput) error {
		_, err := w.PutFunctionEventInvokeConfig(ctx, &in)
		return err
	}
	to := func(arn string) *types.DestinationConfig {
		return &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: &arn}}
	}
	wantError(t, put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("none"), MaximumRetryAttempts: aws.Int32(1)}), "ResourceNotFoundException", "The function doesn't exist.")
	wantError(t, put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn")}), "InvalidParameterValueException", "You must specify at least one of error handling or destination setting.")
	wantError(t, put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"), DestinationConfig: to(arnPrefix + "none")}), "InvalidParameterValueException", "The destination ARN "+arnPrefix+"none is invalid.")
	wantError(t, put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"), DestinationConfig: to(arnPrefix + "fn")}), "InvalidParameterValueException", "You can't specify the function as a destination for itself.")
	wantError(t, put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"), DestinationConfig: to("arn:aws:iam:us-east-1:000000000000:x")}), "InvalidParameterValueException", "The provided destination config")
	if err := errors.Join(put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"), MaximumRetryAttempts: aws.Int32(1), MaximumEventAgeInSeconds: aws.Int32(60)}),
		put(lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("fn:1"), MaximumRetryAttempts: aws.Int32(2)})); err != nil {
		t.Fatal(err)
	}
	up, err := w.UpdateFunctionEventInvokeConfig(ctx, &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: aws.String("fn"), MaximumRetryAttempts: aws.Int32(0)})
	if err != nil || *up.MaximumEventAgeInSeconds != 60 || *up.MaximumRetryAttempts != 0 || *up.FunctionArn != arnPrefix+"fn:$LATEST" {
		t.Errorf("updated: %+v, %v", up, err)
	}
	list, err := w.ListFunctionEventInvokeConfigs(ctx, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: aws.String("fn")})
	if err != nil || len(list.FunctionEventInvokeConfigs) != 2 {
		t.Errorf("listed: %+v, %v", list, err)
	}
	if _, err := w.DeleteFunctionEventInvokeConfig(ctx, &lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: aws.String("fn")}); err != nil {
		t.Fatal(err)
	}
	_, err = w.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: aws.String("fn")})
	wantError(t, err, "ResourceNotFoundException", "The function "+arnPrefix+"fn:$LATEST doesn't have an EventInvokeConfig")
}

// Two events of one request are two events.
func TestAsyncSameRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create("fn")
		var a attempts
		w.handle("index.handler", a.handler(never))
		if _, err := w.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("fn"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
		ctx, _ := call.With(t.Context(), call.Info{RequestID: "11111111-1111-4111-8111-111111111111"})
		for range 2 {
			if _, err := w.service.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("fn"), InvocationType: types.InvocationTypeEvent}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(a.at) != 2 {
			t.Errorf("invoked at %s", a.times())
		}
	})
}
