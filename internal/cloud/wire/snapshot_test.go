package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
	"evo/internal/cloud/wire/sigv4"
)

// A clientOf is a service with its SDK client, whose methods tell the Go types of the operations.
type clientOf struct {
	name    string
	pkg     string
	client  func(aws.Config) any
	skipped map[string]string // operations that are left out, with the reason
}

var eventStream = "its answer is a stream of events"

var clients = []clientOf{
	{"apigateway", "apigateway", func(c aws.Config) any { return apigateway.NewFromConfig(c) }, nil},
	{"apigatewayv2", "apigatewayv2", func(c aws.Config) any { return apigatewayv2.NewFromConfig(c) }, nil},
	{"application-autoscaling", "applicationautoscaling", func(c aws.Config) any { return applicationautoscaling.NewFromConfig(c) }, nil},
	{"cloudformation", "cloudformation", func(c aws.Config) any { return cloudformation.NewFromConfig(c) }, nil},
	{"cloudwatch", "cloudwatch", func(c aws.Config) any { return cloudwatch.NewFromConfig(c) }, nil},
	{"codedeploy", "codedeploy", func(c aws.Config) any { return codedeploy.NewFromConfig(c) }, nil},
	{"config", "configservice", func(c aws.Config) any { return configservice.NewFromConfig(c) }, nil},
	{"dynamodb", "dynamodb", func(c aws.Config) any { return dynamodb.NewFromConfig(c) }, nil},
	{"events", "eventbridge", func(c aws.Config) any { return eventbridge.NewFromConfig(c) }, nil},
	{"iam", "iam", func(c aws.Config) any { return iam.NewFromConfig(c) }, nil},
	{"lambda", "lambda", func(c aws.Config) any { return lambda.NewFromConfig(c) }, map[string]string{"InvokeWithResponseStream": eventStream}},
	{"logs", "cloudwatchlogs", func(c aws.Config) any { return cloudwatchlogs.NewFromConfig(c) },
		map[string]string{"StartLiveTail": eventStream, "GetLogObject": eventStream}},
	{"s3", "s3", func(c aws.Config) any {
		return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true; o.DisableS3ExpressSessionAuth = aws.Bool(true) })
	}, map[string]string{"SelectObjectContent": eventStream, "WriteGetObjectResponse": "it belongs to S3 Object Lambda, under a host of its own"}},
	{"sns", "sns", func(c aws.Config) any { return sns.NewFromConfig(c) }, nil},
	{"sqs", "sqs", func(c aws.Config) any { return sqs.NewFromConfig(c) }, nil},
	{"sts", "sts", func(c aws.Config) any { return sts.NewFromConfig(c) }, nil},
}

// method makes the exchange's side of an operation, over the types of the client's method of that name.
func (c clientOf) method(t testing.TB, op string) (*method, reflect.Value) {
	t.Helper()
	client := reflect.ValueOf(c.client(aws.Config{}))
	fn := client.MethodByName(op)
	mop := model.Load(c.name).Operations[op]
	if !fn.IsValid() || mop == nil {
		return nil, fn
	}
	m := &method{op: mop, in: codec.For(orEmpty(mop.Input), fn.Type().In(1).Elem()), out: codec.For(orEmpty(mop.Output), fn.Type().Out(0).Elem())}
	m.bindings = newBindings(m)
	return m, fn
}

// moduleDir finds a module in the module cache, and fetches it if it can.
func moduleDir(t testing.TB, module string) string {
	t.Helper()
	find := func() string {
		out, _ := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
		return strings.TrimSpace(string(out))
	}
	dir := find()
	if dir == "" {
		exec.CommandContext(t.Context(), "go", "mod", "download", module).Run()
		dir = find()
	}
	if dir == "" {
		t.Skipf("%s is not in the module cache, and cannot be fetched: this test needs the data recorded there", module)
	}
	return dir
}

// A recorded is one file of a service module's snapshots: a first line, headers, a body.
type recorded struct {
	name   string
	first  string
	header http.Header
	body   []byte
}

func readSnapshots(t *testing.T, dir, suffix string) []recorded {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
	var out []recorded
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r := recorded{name: strings.TrimSuffix(filepath.Base(f), suffix), header: http.Header{}}
		rd := bufio.NewReader(bytes.NewReader(data))
		line, _ := rd.ReadString('\n')
		r.first = strings.TrimSpace(line)
		if strings.Contains(suffix, "request") {
			rd.ReadString('\n')
		}
		for {
			line, err := rd.ReadString('\n')
			if line = strings.TrimRight(line, "\r\n"); line == "" || err != nil {
				break
			}
			k, v, _ := strings.Cut(line, ": ")
			r.header.Add(k, v)
		}
		r.body, _ = io.ReadAll(rd)
		out = append(out, r)
	}
	return out
}

// A tally counts how many of the recorded cases hold.
type tally struct{ passed, total int }

func (c *tally) add(ok bool) {
	c.total++
	if ok {
		c.passed++
	}
}

// serialize has the SDK's client write a request for the input, without sending it.
func serialize(fn func(aws.Config) any, op string, in reflect.Value) (*http.Request, []byte, error) {
	capture := &capture{}
	cfg := aws.Config{Region: "us-east-1", APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		s.Finalize.Clear()
		s.Initialize.Remove("OperationInputValidation")
		return s.Finalize.Add(capture, middleware.Before)
	}}}
	res := reflect.ValueOf(fn(cfg)).MethodByName(op).Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
	if err, _ := res[1].Interface().(error); !errors.Is(err, errCaptured) {
		return nil, nil, fmt.Errorf("serializing: %w", err)
	}
	return capture.req, capture.body, nil
}

var errCaptured = errors.New("captured")

type capture struct {
	req  *http.Request
	body []byte
}

func (*capture) ID() string { return "capture" }

func (c *capture) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler) (
	out middleware.FinalizeOutput, md middleware.Metadata, err error,
) {
	c.req = in.Request.(*smithyhttp.Request).Build(ctx)
	if c.req.Body != nil {
		if c.body, err = io.ReadAll(c.req.Body); err != nil {
			return out, md, err
		}
	}
	return out, md, errCaptured
}

// TestRequestSnapshots decodes the requests that the SDK's authors recorded, with every member set, and has the SDK write
// what was decoded: the same request must come out.
func TestRequestSnapshots(t *testing.T) {
	var sum tally
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go-v2/service/"+c.pkg), "request_snapshot")
			for _, r := range readSnapshots(t, dir, ".request.snap") {
				if c.skipped[r.name] != "" {
					continue
				}
				err := checkRequest(t, c, r)
				sum.add(err == nil)
				if err != nil {
					t.Errorf("%s: %v", r.name, err)
				}
			}
		})
	}
	t.Logf("%d of %d recorded requests decode to exactly what was set", sum.passed, sum.total)
}

func checkRequest(t *testing.T, c clientOf, r recorded) error {
	verb, uri, _ := strings.Cut(r.first, " ")
	req := httptest.NewRequest(verb, "http://localhost/", bytes.NewReader(r.body))
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return err
	}
	req.URL, req.Header = u, r.header.Clone()
	if req.Header.Get("Content-Md5") != "" { // which is checked
		sum := md5.Sum(r.body)
		req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	info := model.Load(c.name).Info
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+info.SigningName+"/aws4_request, SignedHeaders=host, Signature=0")
	m, _ := c.method(t, r.name)
	if m == nil {
		return errors.New("the model or the client lacks it")
	}
	if c.name == "s3" && m.op.Input.Member("Bucket") != nil {
		req.Host = "__bucket__.s3.us-east-1.amazonaws.com"
	}
	x := newExchange(t, req)
	if err := x.route(); err != nil {
		return err
	}
	if x.target.op != m.op {
		return fmt.Errorf("routed to %s.%s", x.target.service.Name, x.target.op.Name)
	}
	in := reflect.New(m.in.Type)
	if err := x.decode(m, in.Elem()); err != nil {
		return err
	}
	again, body, err := serialize(c.client, r.name, in)
	if err != nil {
		return err
	}
	if again.Header.Get("Content-Encoding") == "gzip" && r.header.Get("Content-Encoding") == "" { // it was recorded before that step
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(z); err != nil {
			return err
		}
	}
	return sameRequest(r, verb, u, again, body)
}

func newExchange(t testing.TB, req *http.Request) *exchange {
	h, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{h: h, w: httptest.NewRecorder(), r: req, id: "id"}
	x.auth, _ = sigv4.Parse(req)
	return x
}

func sameRequest(r recorded, verb string, u *url.URL, again *http.Request, body []byte) error {
	if again.Method != verb || again.URL.EscapedPath() != u.EscapedPath() {
		return fmt.Errorf("got %s %s, want %s %s", again.Method, again.URL.EscapedPath(), verb, u.EscapedPath())
	}
	if d := cmp.Diff(u.Query(), again.URL.Query()); d != "" {
		return fmt.Errorf("query (-recorded +decoded):\n%s", d)
	}
	for k, v := range r.header {
		if d := cmp.Diff(v, again.Header.Values(k)); d != "" && k != "Content-Md5" {
			return fmt.Errorf("header %s (-recorded +decoded):\n%s", k, d)
		}
	}
	return sameBody(r.header.Get("Content-Type"), r.body, body)
}

// sameBody compares two documents by what they say, not by their order.
func sameBody(contentType string, want, got []byte) error {
	if bytes.Equal(want, got) {
		return nil
	}
	w, err := normalize(contentType, want)
	if err != nil {
		return fmt.Errorf("recorded body: %w", err)
	}
	g, err := normalize(contentType, got)
	if err != nil {
		return fmt.Errorf("own body: %w\n%s", err, got)
	}
	if d := cmp.Diff(w, g); d != "" {
		return fmt.Errorf("body (-recorded +own):\n%s", d)
	}
	return nil
}

func normalize(contentType string, b []byte) (any, error) {
	var v any
	switch {
	case strings.Contains(contentType, "json"):
		d := json.NewDecoder(bytes.NewReader(b))
		err := d.Decode(&v)
		return v, err
	case strings.Contains(contentType, "cbor"):
		err := cbor.Unmarshal(b, &v)
		return v, err
	case strings.Contains(contentType, "form"):
		return url.ParseQuery(string(b))
	case strings.Contains(contentType, "xml"):
		return normalizeXML(b)
	}
	return string(b), nil
}

// normalizeXML lists the paths of a document's texts and attributes.
func normalizeXML(b []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var path []string
	counts := map[string]int{}
	out := map[string]string{}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			at := strings.Join(path, "/") + "/" + tok.Name.Local
			counts[at]++
			path = append(path, fmt.Sprintf("%s[%d]", tok.Name.Local, counts[at]))
			for _, a := range tok.Attr {
				out[strings.Join(path, "/")+"@"+a.Name.Local] = a.Value
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if s := strings.TrimSpace(string(tok)); s != "" {
				out[strings.Join(path, "/")] = s
			}
		}
	}
}

// replay makes a client that gets the recorded answer, whatever it asks.
func replay(fn func(aws.Config) any, r recorded) (any, int) {
	status, _ := strconv.Atoi(r.first)
	return fn(aws.Config{Region: "us-east-1", APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		s.Finalize.Clear()
		s.Initialize.Remove("OperationInputValidation")
		return nil
	}}, HTTPClient: smithyhttp.ClientDoFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: r.header.Clone(), Request: req, ContentLength: int64(len(r.body)), Body: io.NopCloser(bytes.NewReader(r.body))}, nil
	})}), status
}

// TestResponseSnapshots has the SDK read the recorded answers, and writes what it read: the same answer must come out.
func TestResponseSnapshots(t *testing.T) {
	var sum tally
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go-v2/service/"+c.pkg), "response_snapshot")
			for _, r := range readSnapshots(t, dir, ".response.snap") {
				if c.skipped[r.name] != "" {
					continue
				}
				err := checkResponse(t, c, r)
				sum.add(err == nil)
				if err != nil {
					t.Errorf("%s: %v", r.name, err)
				}
			}
		})
	}
	t.Logf("%d of %d recorded answers are what the codec writes", sum.passed, sum.total)
}

func checkResponse(t *testing.T, c clientOf, r recorded) error {
	m, _ := c.method(t, r.name)
	if m == nil {
		return errors.New("the model or the client lacks it")
	}
	client, status := replay(c.client, r)
	in := reflect.New(m.in.Type)
	fillLabels(m, in.Elem())
	res := reflect.ValueOf(client).MethodByName(r.name).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	if err, _ := res[1].Interface().(error); err != nil {
		return fmt.Errorf("the SDK does not read the recorded answer: %w", err)
	}
	rec := httptest.NewRecorder()
	s := model.Load(c.name)
	x := &exchange{w: rec, r: httptest.NewRequest("POST", "/", nil), id: "id", target: target{service: s, op: m.op, protocol: protocolOf(s, r)}}
	x.encode(m, res[0].Elem())
	if rec.Code != status && (status != http.StatusOK || rec.Code != m.op.Status) { // 200 was recorded for all
		return fmt.Errorf("status %d, recorded %d", rec.Code, status)
	}
	if statusInBody[r.name] {
		return sameReading(t, c, r.name, res[0], rec)
	}
	for k, v := range r.header {
		if k == "Accept" || k == "X-Amz-Target" || k == "X-Amzn-Query-Mode" || k == "Content-Length" || k == "Content-Type" && len(r.body) == 0 {
			continue // of the request; the recording took the same map for both
		}
		if d := cmp.Diff(v, rec.Header().Values(k)); d != "" {
			return fmt.Errorf("header %s (-recorded +own):\n%s", k, d)
		}
	}
	return sameBody(r.header.Get("Content-Type"), r.body, rec.Body.Bytes())
}

// statusInBody are the operations of Lambda whose recordings have the HTTP status in the body, where it does not belong.
var statusInBody = map[string]bool{"DeleteFunction": true, "InvokeAsync": true}

// sameReading checks that the SDK reads from our own answer what it read from the recorded one.
func sameReading(t *testing.T, c clientOf, op string, want reflect.Value, rec *httptest.ResponseRecorder) error {
	own := recorded{name: op, first: strconv.Itoa(rec.Code), header: rec.Header(), body: rec.Body.Bytes()}
	client, _ := replay(c.client, own)
	m, _ := c.method(t, op)
	in := reflect.New(m.in.Type)
	fillLabels(m, in.Elem())
	res := reflect.ValueOf(client).MethodByName(op).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	if err, _ := res[1].Interface().(error); err != nil {
		return err
	}
	return sameValues(m.out, want.Elem(), res[0].Elem())
}

// sameValues compares two values of a plan's type, as JSON shows them.
func sameValues(p *codec.Plan, want, got reflect.Value) error {
	if d := cmp.Diff(string(p.AppendJSON(nil, want)), string(p.AppendJSON(nil, got))); d != "" {
		return errors.New(d)
	}
	return nil
}

// fillLabels sets what a client needs to make a path.
func fillLabels(m *method, v reflect.Value) {
	for i := range m.in.Fields {
		if f := &m.in.Fields[i]; f.Member.Label {
			if to := f.Slot(v); to.Kind() == reflect.String {
				to.SetString("x")
			}
		}
	}
}

func protocolOf(s *model.Service, r recorded) model.Protocol {
	if strings.Contains(r.header.Get("Content-Type"), "cbor") || r.header.Get("Smithy-Protocol") != "" {
		return model.CBOR
	}
	return s.Protocols[0]
}

// TestErrorSnapshots does the same for the recorded errors.
func TestErrorSnapshots(t *testing.T) {
	var sum tally
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go-v2/service/"+c.pkg), "response_snapshot")
			for _, r := range readSnapshots(t, dir, ".error.snap") {
				err := checkError(t, c, r)
				sum.add(err == nil)
				if err != nil {
					t.Errorf("%s: %v", r.name, err)
				}
			}
		})
	}
	t.Logf("%d of %d recorded errors are what the codec writes", sum.passed, sum.total)
}

// checkError tries operations until one's client knows the error by its own type: only those that may return it do.
func checkError(t *testing.T, c clientOf, r recorded) error {
	s := model.Load(c.name)
	client, status := replay(c.client, r)
	var err error
	for name := range s.Operations {
		m, fn := c.method(t, name)
		if m == nil || c.skipped[name] != "" {
			continue
		}
		_ = fn
		in := reflect.New(m.in.Type)
		fillLabels(m, in.Elem())
		res := reflect.ValueOf(client).MethodByName(name).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
		err, _ = res[1].Interface().(error)
		var api smithy.APIError
		if errors.As(err, &api) && reflect.TypeOf(api).Elem().Name() == r.name {
			return checkErrorAnswer(s, r, status, err)
		}
	}
	return fmt.Errorf("no client reads it as a type of its own: %w", err)
}

func checkErrorAnswer(s *model.Service, r recorded, status int, err error) error {
	rec := httptest.NewRecorder()
	x := &exchange{w: rec, r: httptest.NewRequest("POST", "/", nil), id: "id", target: target{service: s, protocol: protocolOf(s, r)}}
	x.fail(err)
	if rec.Code != status {
		return fmt.Errorf("status %d, recorded %d", rec.Code, status)
	}
	own, nerr := normalize(rec.Header().Get("Content-Type"), rec.Body.Bytes())
	if nerr != nil {
		return nerr
	}
	want, nerr := normalize(r.header.Get("Content-Type"), r.body)
	if nerr != nil {
		return nerr
	}
	for _, v := range []any{own, want} {
		switch m := v.(type) {
		case map[string]any:
			delete(m, "__type")
		case map[any]any:
			delete(m, "__type")
		}
	}
	if d := cmp.Diff(want, own); d != "" {
		return fmt.Errorf("body (-recorded +own):\n%s", d)
	}
	return nil
}
