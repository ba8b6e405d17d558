package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/sandbox"
)

func TestInvoke(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn")
	w.handle("index.handler", func(_ context.Context, fn *sandbox.Function, inv sandbox.Invocation) (any, error) {
		if string(inv.Payload) == `{"fail":true}` {
			return nil, errors.New("no luck")
		}
		return map[string]string{"context": string(inv.ClientContext), "version": fn.Version, "id": fmt.Sprint(len(inv.RequestID))}, nil
	})
	out, err := w.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("fn"), Payload: []byte(`{}`), LogType: types.LogTypeTail,
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":1}`)))})
	if err != nil || out.StatusCode != 200 || *out.ExecutedVersion != "$LATEST" || out.FunctionError != nil ||
		string(out.Payload) != `{"context":"{\"custom\":1}","id":"36","version":"$LATEST"}` {
		t.Errorf("out: %+v %s, %v", out, out.Payload, err)
	}
	if tail, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult)); string(tail) != "START\n" {
		t.Errorf("tail %q", tail)
	}
	out, err = w.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("fn"), Payload: []byte(`{"fail":true}`)})
	if err != nil || out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || out.LogResult != nil {
		t.Errorf("failed: %+v, %v", out, err)
	}
	out, err = w.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("fn"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %+v, %v", out, err)
	}
	w.service.record.close()
	for key, want := range map[string]float64{
		"AWS/Lambda Invocations": 2, "AWS/Lambda Invocations FunctionName=fn": 2, "AWS/Lambda Errors FunctionName=fn": 1,
		"AWS/Lambda Duration FunctionName=fn": 24, "AWS/Lambda Throttles FunctionName=fn": 0, "AWS/Lambda ConcurrentExecutions FunctionName=fn": 2,
	} {
		if got, ok := w.metrics.sums[key]; !ok || got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}

// A client that gives up does not hide the invocation: it holds its concurrency to its end, and counts.
func TestInvocationOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create("fn")
		w.handle("index.handler", func(ctx context.Context, _ *sandbox.Function, _ sandbox.Invocation) (any, error) {
			select {
			case <-time.After(time.Minute):
				return nil, errors.New("too late")
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		if _, err := w.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("fn"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.Invoke(impatient, &lambda.InvokeInput{FunctionName: aws.String("fn")}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		_, err := w.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("fn")})
		wantError(t, err, "TooManyRequestsException", "Rate Exceeded")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.service.record.close()
		for key, want := range map[string]float64{"Invocations": 1, "Errors": 1} {
			if got := w.metrics.sums["AWS/Lambda "+key+" FunctionName=fn"]; got != want {
				t.Errorf("%s: %v, want %v", key, got, want)
			}
		}
	})
}

// Whoever has his answer may call again: the concurrency of the call before is free by then.
func TestOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	w.create("fn")
	if _, err := w.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("fn"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	for range 300 {
		if _, err := w.service.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("fn")}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInvokeRefusals(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Handler = aws.String("no.runtime") })
	w.handle("no.runtime", func(_ context.Context, fn *sandbox.Function, _ sandbox.Invocation) (any, error) {
		return nil, &sandbox.SetupError{Function: fn.Name, Problem: "no interpreter"}
	})
	big := []byte(`"` + strings.Repeat("x", maxSyncPayload) + `"`)
	tests := []struct {
		name          string
		in            lambda.InvokeInput
		code, message string
	}{
		{"no function", lambda.InvokeInput{FunctionName: aws.String("none")}, "ResourceNotFoundException", "Function not found: " + arnPrefix + "none"},
		{"no alias", lambda.InvokeInput{FunctionName: aws.String("fn:live")}, "ResourceNotFoundException", "Function not found: " + arnPrefix + "fn:live"},
		{"no alias, later", lambda.InvokeInput{FunctionName: aws.String("fn:live"), InvocationType: types.InvocationTypeEvent}, "ResourceNotFoundException", "Function not found: " + arnPrefix + "fn:live"},
		{"two qualifiers", lambda.InvokeInput{FunctionName: aws.String("fn:live"), Qualifier: aws.String("1")}, "InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier."},
		{"no JSON", lambda.InvokeInput{FunctionName: aws.String("fn"), Payload: []byte(`{`)}, "InvalidRequestContentException", "Could not parse request body into json"},
		{"large", lambda.InvokeInput{FunctionName: aws.String("fn"), Payload: big}, "RequestTooLargeException", "6291458 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"},
		{"large, later", lambda.InvokeInput{FunctionName: aws.String("fn"), Payload: big[len(big)-maxAsyncPayload-1:], InvocationType: types.InvocationTypeEvent}, "RequestTooLargeException", "(limit 1048576 bytes)"},
		{"no interpreter", lambda.InvokeInput{FunctionName: aws.String("fn")}, "InvalidRuntimeException", "run function fn: no interpreter"},
		{"other account", lambda.InvokeInput{FunctionName: aws.String("123456789012:function:fn")}, "AccessDeniedException", "this cloud has account 000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.Invoke(ctx, &tt.in)
			wantError(t, err, tt.code, tt.message)
		})
	}
}

func TestMetricsByVersion(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	w.publish("fn", "// two")
	if _, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), FunctionVersion: aws.String("1"), RoutingConfig: weights("2", 1)}); err != nil {
		t.Fatal(err)
	}
	w.call("fn", "live")
	w.call("fn", "1")
	w.call("fn", "")
	w.service.record.close()
	for key, want := range map[string]float64{
		"": 3, " FunctionName=fn": 3, " FunctionName=fn Resource=fn:live": 1, " FunctionName=fn Resource=fn:live ExecutedVersion=2": 1,
		" FunctionName=fn Resource=fn:1": 1, " FunctionName=fn Resource=fn": 1,
	} {
		if got := w.metrics.sums["AWS/Lambda Invocations"+key]; got != want {
			t.Errorf("Invocations%s: %v, want %v", key, got, want)
		}
	}
}

func TestReservedConcurrency(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.create("fn")
	w.create("other")
	put := func(fn string, n int32) error {
		_, err := w.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &fn, ReservedConcurrentExecutions: &n})
		return err
	}
	wantError(t, put("none", 1), "ResourceNotFoundException", "Function not found: "+arnPrefix+"none:$LATEST")
	wantError(t, put("fn:1", 1), "InvalidParameterValueException", "This operation is permitted on Lambda functions only.")
	wantError(t, put("fn", 901), "InvalidParameterValueException", "below its minimum value of [100].")
	if err := errors.Join(put("fn", 2), put("other", 0)); err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan bool, 2), make(chan bool)
	w.handle("index.handler", func(context.Context, *sandbox.Function, sandbox.Invocation) (any, error) {
		entered <- true
		<-leave
		return 1, nil
	})
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() { w.call("fn", "") })
	}
	<-entered
	<-entered
	for _, fn := range []string{"fn", "other"} {
		_, err := w.Invoke(ctx, &lambda.InvokeInput{FunctionName: &fn})
		wantError(t, err, "TooManyRequestsException", "Rate Exceeded.")
		var many *types.TooManyRequestsException
		if !errors.As(err, &many) || many.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
			t.Errorf("error %+v", err)
		}
	}
	close(leave)
	calls.Wait()
	w.call("fn", "")
	if s, err := w.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{}); err != nil || *s.AccountLimit.UnreservedConcurrentExecutions != 998 || s.AccountUsage.FunctionCount != 2 {
		t.Errorf("account: %+v, %v", s, err)
	}
	if _, err := w.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String("fn")}); err != nil {
		t.Fatal(err)
	}
	if c, err := w.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String("fn")}); err != nil || c.ReservedConcurrentExecutions != nil {
		t.Errorf("reservation: %+v, %v", c, err)
	}
	w.service.record.close()
	if got := w.metrics.sums["AWS/Lambda Throttles FunctionName=fn"]; got != 1 {
		t.Errorf("throttles: %v", got)
	}
}

func TestAccountConcurrency(t *testing.T) {
	l := &limiter{busy: map[string]int{}, reserved: map[string]int{"own": 900}, total: 900}
	var leave []func()
	for range 100 {
		done, _, err := l.enter("fn")
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, done)
	}
	var many *types.TooManyRequestsException
	if _, _, err := l.enter("fn"); !errors.As(err, &many) || many.Reason != types.ThrottleReasonConcurrentInvocationLimitExceeded {
		t.Errorf("error %v", err)
	}
	if done, now, err := l.enter("own"); err != nil || now != (level{1, 100, 101}) {
		t.Errorf("a reservation is kept: %+v, %v", now, err)
	} else {
		done()
	}
	for _, f := range leave {
		f()
	}
	if l.all != 0 || l.shared != 0 || len(l.busy) != 0 {
		t.Errorf("left: %d, %d, %v", l.all, l.shared, l.busy)
	}
}
