package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"

	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
	"evo/internal/cloud/wire/sigv4"
)

// A filler sets every member of a value, each to something else.
type filler struct {
	n     int
	depth int
}

func (f *filler) fill(p *codec.Plan, v reflect.Value) {
	f.depth++
	defer func() { f.depth-- }()
	f.n++
	switch p.Shape.Kind {
	case model.Structure:
		for i := range p.Fields {
			if f.depth < 8 && p.Fields[i].Plan.Shape.Name != "Expires" {
				f.fill(p.Fields[i].Plan, p.Fields[i].Slot(v))
			}
		}
	case model.Union:
		fd := &p.Fields[f.n%len(p.Fields)]
		f.fill(fd.Plan, fd.Choose(v))
	case model.List:
		n := 2
		if f.depth >= 6 && p.Elem().Plan.Shape.Kind > model.Document {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(p.Elem().Plan, p.Elem().ElemSlot(v.Index(i)))
		}
	case model.Map:
		if f.depth >= 6 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 2 {
			elem := reflect.New(v.Type().Elem()).Elem()
			f.fill(p.Elem().Plan, p.Elem().ElemSlot(elem))
			key := reflect.New(v.Type().Key()).Elem()
			key.SetString(fmt.Sprintf("key%d", i))
			v.SetMapIndex(key, elem)
		}
	case model.String:
		v.SetString(fmt.Sprintf("v%d <&>\"é", f.n))
	case model.Number:
		if v.CanFloat() {
			v.SetFloat(float64(f.n) + 0.5)
		} else {
			v.SetInt(int64(f.n))
		}
	case model.Boolean:
		v.SetBool(true)
	case model.Timestamp:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+int64(f.n), 0).UTC()))
	case model.Blob:
		body := fmt.Sprintf("blob %d", f.n)
		if p.Shape.Streaming && v.Kind() == reflect.Interface {
			v.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(body))))
		} else {
			v.SetBytes([]byte(body))
		}
	}
}

// plainText makes the strings that travel in headers and paths such as those may hold.
func plainText(p *codec.Plan, v reflect.Value) {
	for i := range p.Fields {
		f := &p.Fields[i]
		fv, ok := f.Value(v)
		if !ok || f.Member.InBody() {
			continue
		}
		if f.Member.Header == "Content-Length" || f.Member.Name == "Expires" || f.Member.Header == "Content-Md5" {
			f.Raw(v).SetZero() // the transport's own; a header that two members of the SDK's share; one that is checked
			continue
		}
		switch {
		case f.Member.Name == "Bucket":
			fv.SetString("a-bucket")
		case f.Member.Name == "Key":
			fv.SetString("a key/with/parts & more.txt")
		case f.Member.StatusCode:
			fv.SetInt(200)
		case f.Member.Header == "X-Amz-Sdk-Checksum-Algorithm":
			fv.SetString("CRC32")
		case fv.Kind() == reflect.String:
			fv.SetString(fmt.Sprintf("value-%d", i))
		case fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.String:
			for j := range fv.Len() {
				fv.Index(j).SetString(fmt.Sprintf("value-%d", j))
			}
		case f.Member.PrefixHeader != "":
			fv.Set(reflect.ValueOf(map[string]string{"one": "1", "two": "2"}))
		}
	}
}

// An echo is the server of one operation: it keeps the input, and answers with the output that it was given.
type echo struct {
	t      testing.TB
	m      *method
	got    reflect.Value
	body   []byte // of a streamed input
	output reflect.Value
	err    error
}

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	return Transport{http.HandlerFunc(e.serve)}.RoundTrip(r)
}

func (e *echo) serve(w http.ResponseWriter, r *http.Request) {
	h, err := New(Config{})
	if err != nil {
		e.t.Fatal(err)
	}
	x := &exchange{h: h, w: w, r: r, id: newRequestID()}
	e.err = func() error {
		if x.auth, err = sigv4.Parse(r); err != nil {
			return err
		}
		if err := x.route(); err != nil {
			return err
		}
		if x.target.op != e.m.op {
			return fmt.Errorf("routed to %s.%s", x.target.service.Name, x.target.op.Name)
		}
		if err := x.authenticate(); err != nil {
			return err
		}
		in := reflect.New(e.m.in.Type)
		e.got = in.Elem()
		if err := x.decode(e.m, in.Elem()); err != nil {
			return err
		}
		if f := e.m.bindings.payloadIn; f != nil && e.m.bindings.streams() {
			body, _ := f.Value(e.got)
			e.body, err = io.ReadAll(body.Interface().(io.Reader))
			f.Raw(e.got).SetZero()
		}
		return err
	}()
	if e.err != nil {
		x.fail(e.err)
		return
	}
	x.encode(e.m, e.output)
}

// TestEveryOperationRoundTrips sends, for every operation of every service, an input with every member set through the
// real client, and has it read an output with every member set.
func TestEveryOperationRoundTrips(t *testing.T) {
	var sum tally
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			for name := range model.Load(c.name).Operations {
				if c.skipped[name] != "" || stubborn[name] != "" {
					continue
				}
				m, _ := c.method(t, name)
				if m == nil {
					continue // newer, or older, than the Go client
				}
				err := checkRoundTrip(t, c, m)
				sum.add(err == nil)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	t.Logf("%d of %d operations round trip with every member set", sum.passed, sum.total)
}

// stubborn are the operations whose client adds to the input or judges the output by itself.
var stubborn = map[string]string{
	"GetExport":        "the client sends an Accept of its own",
	"PutEvents":        "the client makes a host name of the EndpointId",
	"SendMessage":      "the client checks the message's MD5",
	"SendMessageBatch": "the client checks the messages' MD5",
	"ReceiveMessage":   "the client checks the messages' MD5",
}

func checkRoundTrip(t *testing.T, c clientOf, m *method) error {
	in, out := reflect.New(m.in.Type), reflect.New(m.out.Type)
	(&filler{}).fill(m.in, in.Elem())
	(&filler{n: 1000}).fill(m.out, out.Elem())
	plainText(m.in, in.Elem())
	plainText(m.out, out.Elem())
	var sent []byte
	if f := m.bindings.payloadIn; f != nil && m.bindings.streams() {
		sent = []byte("a body of some length")
		f.Raw(in.Elem()).Set(reflect.ValueOf(bytes.NewReader(sent)))
	}
	e := &echo{t: t, m: m, output: out.Elem()}
	client := c.client(aws.Config{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: e}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		BaseEndpoint: aws.String("http://localhost:4566"),
		APIOptions:   []func(*middleware.Stack) error{withoutInputChanges},
	})
	res := reflect.ValueOf(client).MethodByName(m.op.Name).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	if e.err != nil {
		return e.err
	}
	if err, _ := res[1].Interface().(error); err != nil {
		return err
	}
	return errors.Join(sameInput(m, in.Elem(), e, sent), sameOutput(m, out.Elem(), res[0].Elem()))
}

// withoutInputChanges takes out the client's steps that refuse inputs or fill in members of their own.
func withoutInputChanges(s *middleware.Stack) error {
	for _, id := range s.Initialize.List() {
		if slices.Contains([]string{"OperationInputValidation", "S3:PutObjectAclInput"}, id) {
			s.Initialize.Remove(id)
		}
	}
	return nil
}

func sameInput(m *method, want reflect.Value, e *echo, sent []byte) error {
	if f := m.bindings.payloadIn; f != nil && m.bindings.streams() {
		f.Raw(want).SetZero()
		if !bytes.Equal(sent, e.body) {
			return fmt.Errorf("body %q, sent %q", e.body, sent)
		}
	}
	zeroLength(m.in, e.got)
	if err := sameValues(m.in, want, e.got); err != nil {
		return fmt.Errorf("input (-sent +decoded): %w", err)
	}
	return nil
}

// zeroLength forgets the length, which the transport says anyway.
func zeroLength(p *codec.Plan, v reflect.Value) {
	for i := range p.Fields {
		if p.Fields[i].Member.Header == "Content-Length" {
			p.Fields[i].Raw(v).SetZero()
		}
	}
}

func sameOutput(m *method, want, got reflect.Value) error {
	zeroLength(m.out, got)
	if f := m.bindings.payloadOut; f != nil && f.Member.Target.Streaming {
		f.Raw(want).SetZero()
		f.Raw(got).SetZero()
	}
	if err := sameValues(m.out, want, got); err != nil {
		return fmt.Errorf("output (-answered +read): %w", err)
	}
	return nil
}

// newer are the members that the models have and the Go client of the module's version has not.
var newer = map[string]bool{"types.Stack AliasName": true, "types.DeploymentInfo deploymentMode": true, "codedeploy.CreateDeploymentInput deploymentMode": true}

// TestNoMemberIsLost finds the members of the models for which the SDK's types seem to have no field.
func TestNoMemberIsLost(t *testing.T) {
	n := 0
	seen := map[*codec.Plan]bool{}
	var walk func(service string, p *codec.Plan)
	walk = func(service string, p *codec.Plan) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, m := range p.Shape.Members {
			n++
			streamOfEvents := m.Target.Kind == model.Union && m.Target.Streaming
			if f := p.Field(m.Name); f != nil {
				walk(service, f.Plan)
			} else if !streamOfEvents && !newer[p.Type.String()+" "+m.Name] {
				t.Errorf("%s: %s has no field for %s", service, p.Type, m.Name)
			}
		}
		if p.Elem() != nil {
			walk(service, p.Elem().Plan)
		}
	}
	for _, c := range clients {
		for name := range model.Load(c.name).Operations {
			if m, _ := c.method(t, name); m != nil {
				walk(c.name, m.in)
				walk(c.name, m.out)
			} else {
				t.Logf("%s: the Go client has no %s", c.name, name)
			}
		}
		client := reflect.TypeOf(c.client(aws.Config{}))
		for i := range client.NumMethod() {
			if m := client.Method(i); m.Type.NumIn() > 2 && model.Load(c.name).Operations[m.Name] == nil {
				t.Errorf("%s: the model has no %s", c.name, m.Name)
			}
		}
	}
	t.Logf("%d members have their fields", n)
}
