package lambda

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/sandbox"
)

// shelf keeps log events by group.
type shelf struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (l *shelf) Put(_ context.Context, group, stream string, events []sandbox.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = map[string][]string{}
	}
	for _, e := range events {
		l.lines[group] = append(l.lines[group], e.Message)
	}
	return nil
}

type keys struct{}

func (keys) ForRole(_ context.Context, arn string) (string, string, string, time.Time, error) {
	return "key-of-" + arn[strings.LastIndex(arn, "/")+1:], "secret", "token", time.Now().Add(time.Hour), nil
}

// newProcessWorld runs functions as processes.
func newProcessWorld(t testing.TB, logs *shelf) *world {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on this machine")
	}
	var w *world
	box, err := sandbox.New(sandbox.Config{Dir: t.TempDir(), Logs: func(l sandbox.Lines) { w.service.Log(l) }})
	if err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, func(c *Config) {
		c.Runner, c.Logs, c.Credentials = box, logs, keys{}
		c.Endpoint = func() string { return "http://127.0.0.1:4566" }
	})
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestProcesses(t *testing.T) {
	logs := &shelf{}
	w := newProcessWorld(t, logs)
	ctx := context.Background()
	w.create("fn", func(in *lambda.CreateFunctionInput) {
		in.Code.ZipFile = zipOf(t, "index.js", `exports.handler = async (e) => { console.log("hello"); return [process.env.AWS_ACCESS_KEY_ID, process.env.AWS_ENDPOINT_URL, process.env.AWS_LAMBDA_FUNCTION_VERSION] }`)
		in.Publish = true
		in.Timeout = aws.Int32(20)
	})
	if out := w.call("fn", ""); string(out.Payload) != `["key-of-service","http://127.0.0.1:4566","$LATEST"]` {
		t.Errorf("answer %s", out.Payload)
	}
	out, err := w.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("fn:1"), LogType: types.LogTypeTail})
	if err != nil || string(out.Payload) != `["key-of-service","http://127.0.0.1:4566","1"]` {
		t.Errorf("answer %s, %v", out.Payload, err)
	}
	if v := w.publish("fn", `exports.handler = async () => "second"`); v != "2" {
		t.Errorf("version %s", v)
	}
	if out := w.call("fn", ""); string(out.Payload) != `"second"` {
		t.Errorf("after the update: %s", out.Payload)
	}
	if out := w.call("fn", "1"); !strings.Contains(string(out.Payload), `"1"`) {
		t.Errorf("the first version: %s", out.Payload)
	}
	w.service.record.close()
	got := strings.Join(logs.lines["/aws/lambda/fn"], "")
	for _, want := range []string{"INIT_START", "START RequestId: ", "\tINFO\thello\n", "END RequestId: ", "REPORT RequestId: "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in the log:\n%s", want, got)
		}
	}
}

// Every concurrent caller is answered, by the version that the answer names.
func TestProcessesUnderLoadWhileWeightsShift(t *testing.T) {
	w := newProcessWorld(t, &shelf{})
	ctx := context.Background()
	code := func(n int) []byte {
		return zipOf(t, "index.js", fmt.Sprintf(`exports.handler = async () => %d`, n))
	}
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile, in.Publish = code(1), true })
	w.publish("fn", `exports.handler = async () => 2`)
	if _, err := w.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
		t.Fatal(err)
	}
	stop := make(chan bool)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				out := w.call("fn", "live")
				if string(out.Payload) != *out.ExecutedVersion {
					t.Errorf("version %s answered %s", *out.ExecutedVersion, out.Payload)
				}
			}
		})
	}
	for _, weight := range []float64{0.1, 0.5, 0.9} {
		if _, err := w.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("fn"), Name: aws.String("live"), RoutingConfig: weights("2", weight)}); err != nil {
			t.Error(err)
		}
		for range 50 {
			w.call("fn", "live")
		}
	}
	close(stop)
	callers.Wait()
}

// A warm invocation through the SDK client and the wire.
func BenchmarkInvoke(b *testing.B) {
	w := newProcessWorld(b, &shelf{})
	w.create("fn", func(in *lambda.CreateFunctionInput) {
		in.Code.ZipFile = zipOf(b, "index.js", `exports.handler = async (e) => e`)
	})
	w.call("fn", "")
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		began := time.Now()
		w.call("fn", "")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// The service's own part of an invocation.
func BenchmarkService(b *testing.B) {
	w := newWorld(b)
	w.create("fn", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	in := &lambda.InvokeInput{FunctionName: aws.String("fn")}
	for b.Loop() {
		if _, err := w.service.Invoke(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}
