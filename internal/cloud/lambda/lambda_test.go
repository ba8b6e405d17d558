package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// inProcess runs functions as plain Go: what each of them does is found by its handler's name. The tests of package sandbox run
// real processes; here it is Lambda's own behaviour that is tested.
type inProcess struct {
	mu       sync.Mutex
	handlers map[string]func(context.Context, *sandbox.Function, sandbox.Invocation) (any, error)
	retired  []string
}

func (r *inProcess) Invoke(ctx context.Context, fn *sandbox.Function, inv sandbox.Invocation) (*sandbox.Result, error) {
	r.mu.Lock()
	h := r.handlers[fn.Handler]
	r.mu.Unlock()
	res := &sandbox.Result{Duration: 12 * time.Millisecond, Billed: 12 * time.Millisecond, Tail: []byte("START\n"), Stream: "stream"}
	if h == nil {
		res.Payload, _ = json.Marshal(map[string]any{"version": fn.Version, "arn": inv.ARN})
		return res, nil
	}
	out, err := h(ctx, fn, inv)
	var setup *sandbox.SetupError
	if errors.As(err, &setup) {
		return nil, err
	}
	if err != nil {
		out, res.FunctionError = map[string]string{"errorMessage": err.Error(), "errorType": "Error"}, "Unhandled"
	}
	res.Payload, err = json.Marshal(out)
	return res, err
}

func (r *inProcess) Retire(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = append(r.retired, key)
}

// counter sums what is recorded, by metric and dimensions.
type counter struct {
	mu   sync.Mutex
	sums map[string]float64
}

func (c *counter) Record(_ context.Context, ns string, data []Datum) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sums == nil {
		c.sums = map[string]float64{}
	}
	for _, d := range data {
		key := ns + " " + d.Name
		for _, dim := range d.Dimensions {
			key += " " + dim.Name + "=" + dim.Value
		}
		c.sums[key] += d.Value
	}
	return nil
}

type world struct {
	*lambda.Client
	service *Service
	runner  *inProcess
	metrics *counter
	db      *store.DB
	cfg     Config
	t       testing.TB
}

const role = "arn:aws:iam::000000000000:role/service"

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, runner: &inProcess{handlers: map[string]func(context.Context, *sandbox.Function, sandbox.Invocation) (any, error){}}, metrics: &counter{}, db: store.Memory()}
	w.cfg = Config{Store: w.db, Clock: clock.Real{}, Dir: t.TempDir(), Runner: w.runner, Metrics: w.metrics, Report: func(err error) { t.Log(err) }}
	for _, c := range change {
		c(&w.cfg)
	}
	w.open()
	t.Cleanup(func() { w.service.Close() })
	return w
}

// open makes the service anew, as after a restart.
func (w *world) open() {
	w.t.Helper()
	s, err := New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.service = s
	w.Client = lambda.NewFromConfig(wiretest.Config(w.t, wiretest.Serve{"lambda": s}))
	if err := s.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) handle(handler string, f func(context.Context, *sandbox.Function, sandbox.Invocation) (any, error)) {
	w.runner.mu.Lock()
	defer w.runner.mu.Unlock()
	w.runner.handlers[handler] = f
}

func zipOf(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) create(fn string, change ...func(*lambda.CreateFunctionInput)) *lambda.CreateFunctionOutput {
	w.t.Helper()
	in := &lambda.CreateFunctionInput{FunctionName: &fn, Role: aws.String(role), Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: zipOf(w.t, "index.js", "// one")}}
	for _, c := range change {
		c(in)
	}
	out, err := w.CreateFunction(context.Background(), in)
	if err != nil {
		w.t.Fatalf("create %s: %v", fn, err)
	}
	return out
}

// publish gives a function new code and publishes it.
func (w *world) publish(fn, code string) string {
	w.t.Helper()
	out, err := w.UpdateFunctionCode(context.Background(), &lambda.UpdateFunctionCodeInput{FunctionName: &fn, ZipFile: zipOf(w.t, "index.js", code), Publish: true})
	if err != nil {
		w.t.Fatalf("publish: %v", err)
	}
	return *out.Version
}

func (w *world) call(fn, qualifier string) *lambda.InvokeOutput {
	w.t.Helper()
	in := &lambda.InvokeInput{FunctionName: &fn}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	out, err := w.Invoke(context.Background(), in)
	if err != nil {
		w.t.Fatalf("invoke: %v", err)
	}
	return out
}

// wantError holds an error against its code and a part of its message.
func wantError(t testing.TB, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v; want %s: %s", err, code, message)
	}
}

const arnPrefix = "arn:aws:lambda:us-east-1:000000000000:function:"

func TestFunctionLifecycle(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	made := w.create("fn", func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"AA": "1"}}
		in.Tags = map[string]string{"team": "shop"}
	})
	if made.State != types.StatePending || *made.FunctionArn != arnPrefix+"fn" || *made.Version != "$LATEST" || *made.MemorySize != 128 || *made.Timeout != 3 || made.CodeSize == 0 {
		t.Errorf("created: %+v", made)
	}
	_, err := w.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("fn"), Role: aws.String(role), Runtime: types.RuntimePython312,
		Handler: aws.String("a.b"), Code: &types.FunctionCode{ZipFile: zipOf(t, "a.py", "")}})
	wantError(t, err, "ResourceConflictException", "Function already exist: fn")

	if err := lambda.NewFunctionActiveV2Waiter(w).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("fn")}, time.Minute); err != nil {
		t.Errorf("waiter: %v", err)
	}
	up, err := w.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: made.FunctionArn, MemorySize: aws.Int32(512), Timeout: aws.Int32(10), Description: aws.String("changed")})
	if err != nil || up.LastUpdateStatus != types.LastUpdateStatusInProgress || *up.MemorySize != 512 || up.Environment.Variables["AA"] != "1" {
		t.Fatalf("updated: %+v, %v", up, err)
	}
	if err := lambda.NewFunctionUpdatedV2Waiter(w).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("000000000000:function:fn")}, time.Minute); err != nil {
		t.Errorf("waiter: %v", err)
	}
	got, err := w.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("fn:$LATEST")})
	if err != nil || *got.Configuration.FunctionArn != arnPrefix+"fn:$LATEST" || got.Configuration.State != types.StateActive || got.Tags["team"] != "shop" || *got.Configuration.Description != "changed" {
		t.Fatalf("got: %+v, %v", got, err)
	}
	_, err = w.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("fn"), ZipFile: zipOf(t, "index.js", "2"), RevisionId: aws.String("stale")})
	wantError(t, err, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	dry, err := w.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("fn"), ZipFile: zipOf(t, "index.js", "2"), DryRun: true})
	if err != nil || *dry.CodeSha256 == *made.CodeSha256 {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	if got, err := w.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("fn")}); err != nil || *got.CodeSha256 != *made.CodeSha256 {
		t.Errorf("after the dry run: %+v, %v", got, err)
	}
	if _, err := w.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("fn")}); err != nil {
		t.Fatal(err)
	}
	_, err = w.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("fn")})
	wantError(t, err, "ResourceNotFoundException", "Function not found: "+arnPrefix+"fn")
	if len(w.runner.retired) == 0 {
		t.Error("no environment was ended")
	}
}

func TestFunctionRefusals(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Roles = noRole{} })
	ctx := context.Background()
	tests := []struct {
		name, code, message string
		change              func(*lambda.CreateFunctionInput)
	}{
		{"role", "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", func(in *lambda.CreateFunctionInput) { in.Role = aws.String(role + "-bad") }},
		{"no zip", "InvalidParameterValueException", "Could not unzip uploaded file. Please check your file, then try to upload again.", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = []byte("no zip") }},
		{"path", "InvalidParameterValueException", "leaves the folder", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipOf(t, "../evil", "") }},
		{"no code", "InvalidParameterValueException", "Please provide a source for function code.", func(in *lambda.CreateFunctionInput) { in.Code = &types.FunctionCode{} }},
		{"image", "InvalidParameterValueException", "PackageType Image is not there yet", func(in *lambda.CreateFunctionInput) { in.PackageType = types.PackageTypeImage }},
		{"environment", "InvalidParameterValueException", "exceeded the 4KB limit. String measured: {\"BIG\":\"xxx", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"BIG": strings.Repeat("x", 4096)}}
		}},
		{"reserved variable", "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
		}},
		{"layer", "InvalidParameterValueException", "Layer version arn:aws:lambda:us-east-1:000000000000:layer:none:1 does not exist.", func(in *lambda.CreateFunctionInput) {
			in.Layers = []string{"arn:aws:lambda:us-east-1:000000000000:layer:none:1"}
		}},
		{"other region", "ResourceNotFoundException", "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')", func(in *lambda.CreateFunctionInput) {
			in.FunctionName = aws.String("arn:aws:lambda:eu-west-1:000000000000:function:fn")
		}},
		{"long name", "InvalidParameterValueException", "Member must have length less than or equal to 64", func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String(strings.Repeat("a", 65)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &lambda.CreateFunctionInput{FunctionName: aws.String("fn"), Role: aws.String(role), Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
				Code: &types.FunctionCode{ZipFile: zipOf(t, "index.js", "")}}
			tt.change(in)
			_, err := w.CreateFunction(ctx, in)
			wantError(t, err, tt.code, tt.message)
		})
	}
	if out, err := w.ListFunctions(ctx, &lambda.ListFunctionsInput{}); err != nil || len(out.Functions) != 0 {
		t.Errorf("something was made: %v, %v", out.Functions, err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.cfg.Dir, "*", "unpacked", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

type noRole struct{}

func (noRole) Assumable(_ context.Context, arn, service string) bool {
	return arn == role && service == "lambda.amazonaws.com"
}
