package executeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	restcontrol "evo/internal/cloud/apigateway"
	"evo/internal/cloud/apigateway/restapi"
	httpcontrol "evo/internal/cloud/apigatewayv2"
	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// functions stands for Lambda: functions by the name or ARN that they are called by.
type functions struct {
	mu    sync.Mutex
	all   map[string]func(ctx context.Context, event []byte) (answer, functionError string)
	calls []string
	event []byte // the last one

	asked  [][]string // the sources of each call, by which a permission was looked for
	denied bool       // there is none
}

func (f *functions) Permits(_, service string, sources ...string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, sources)
	return !f.denied && service == "apigateway.amazonaws.com"
}

func (f *functions) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	f.mu.Lock()
	fn := f.all[*in.FunctionName]
	f.calls = append(f.calls, *in.FunctionName)
	f.event = bytes.Clone(in.Payload)
	f.mu.Unlock()
	if fn == nil {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("Function not found: " + *in.FunctionName)}
	}
	answer, functionError := fn(ctx, in.Payload)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &lambda.InvokeOutput{StatusCode: 200, Payload: []byte(answer)}
	if functionError != "" {
		out.FunctionError = &functionError
	}
	return out, nil
}

// answers makes a function that always answers the same.
func answers(text string) func(context.Context, []byte) (string, string) {
	return func(context.Context, []byte) (string, string) { return text, "" }
}

// planes is both control planes.
type planes struct {
	rest *restcontrol.Service
	http *httpcontrol.Service
}

func (p planes) REST(id, stage string) (restapi.Deployed, bool) { return p.rest.Deployed(id, stage) }
func (p planes) HTTP(id, stage string) (httpapi.Deployed, bool) { return p.http.Deployed(id, stage) }

type counts struct {
	mu   sync.Mutex
	seen map[string]float64 // by metric and dimensions
}

func (c *counts) Record(_, namespace string, _ time.Time, data []Datum) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range data {
		key := namespace + " " + d.Name
		for _, dim := range d.Dimensions {
			key += " " + dim.Name + "=" + dim.Value
		}
		if d.Unit == "Milliseconds" {
			d.Value = 1
		}
		c.seen[key] += d.Value
	}
}

type world struct {
	testing.TB
	ctx     context.Context
	lambda  *functions
	metrics *counts
	rest    *apigateway.Client
	http    *apigatewayv2.Client
	gateway *Handler
	logs    []string
}

func newWorld(t testing.TB) *world {
	w := &world{TB: t, ctx: context.Background(), metrics: &counts{seen: map[string]float64{}}}
	w.lambda = &functions{all: map[string]func(context.Context, []byte) (string, string){}}
	db, fixed := store.Memory(), clock.NewStepped(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC))
	rest, err := restcontrol.New(restcontrol.Config{Region: "us-east-1", Store: db, Clock: fixed, Rand: new(counter)})
	if err != nil {
		t.Fatal(err)
	}
	v2, err := httpcontrol.New(httpcontrol.Config{Region: "us-east-1", Store: db, Clock: fixed, Rand: new(counter)})
	if err != nil {
		t.Fatal(err)
	}
	w.gateway, err = New(Config{
		APIs: planes{rest, v2}, Lambda: func(region string) (Lambda, error) { return w.lambda, nil }, Clock: fixed, Metrics: w.metrics,
		Rand: new(counter), Log: func(_, message string) { w.logs = append(w.logs, message) },
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := wiretest.Config(t, wiretest.Serve{"apigateway": rest, "apigatewayv2": v2})
	w.rest, w.http = apigateway.NewFromConfig(cfg), apigatewayv2.NewFromConfig(cfg)
	return w
}

// counter is a source of randomness that is the same each time.
type counter byte

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		*c++
		b[i] = byte(*c)
	}
	return len(b), nil
}

// importREST makes a REST API from a document and deploys it to stage prod; it returns its id.
func (w *world) importREST(document string) string {
	w.Helper()
	out, err := w.rest.ImportRestApi(w.ctx, &apigateway.ImportRestApiInput{Body: []byte(document)})
	if err != nil {
		w.Fatal(err)
	}
	w.deployREST(*out.Id)
	return *out.Id
}

func (w *world) deployREST(id string) {
	w.Helper()
	_, err := w.rest.CreateDeployment(w.ctx, &apigateway.CreateDeploymentInput{RestApiId: &id, StageName: aws.String("prod")})
	if err != nil {
		w.Fatal(err)
	}
}

// importHTTP makes an HTTP API from a document, with a stage $default that deploys by itself.
func (w *world) importHTTP(document string) string {
	w.Helper()
	out, err := w.http.ImportApi(w.ctx, &apigatewayv2.ImportApiInput{Body: &document})
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.http.CreateStage(w.ctx, &apigatewayv2.CreateStageInput{ApiId: out.ApiId, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)})
	if err != nil {
		w.Fatal(err)
	}
	return *out.ApiId
}

// call sends a request; header pairs follow the body.
func (w *world) call(id, method, path, body string, headers ...string) *http.Response {
	w.Helper()
	r := httptest.NewRequest(method, "http://"+id+".execute-api.localhost:4566"+path, strings.NewReader(body))
	r.Header.Set("User-Agent", "tester/1")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if !w.gateway.Serves(r) {
		w.Fatalf("%s is not for the gateway", r.URL)
	}
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, r)
	return rec.Result()
}

// want sends a request without a body and compares status and body.
func (w *world) want(id, method, path string, status int, body string, headers ...string) {
	w.Helper()
	got := w.call(id, method, path, "", headers...)
	if text := read(w, got); got.StatusCode != status || text != body {
		w.Errorf("%s %s: %d %s, want %d %s", method, path, got.StatusCode, text, status, body)
	}
}

func read(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// golden compares JSON with a file of testdata.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out.WriteByte('\n')
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) || out.String() != string(want) {
		t.Errorf("%s differs; what came:\n%s", file, out.String())
	}
}
