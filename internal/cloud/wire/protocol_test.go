package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
)

// A protocolSuite is one of AWS's protocol tests: a small model in the older form, and cases of it.
type protocolSuite struct {
	Description string
	Metadata    struct{ Protocol, JSONVersion, TargetPrefix, APIVersion string }
	Shapes      map[string]*oldShape
	Cases       []protocolCase
}

type protocolCase struct {
	Given struct {
		Name          string
		Input, Output *oldRef
		HTTP          struct {
			Method, RequestURI string
			ResponseCode       int
		}
	}
	Params     any
	Serialized struct {
		Method, URI string
		Body        string
		Headers     map[string]string
	}
	Result   any
	Response struct {
		StatusCode int `json:"status_code"`
		Headers    map[string]string
		Body       any
	}
}

type oldShape struct {
	oldRef
	Type       string
	Members    map[string]*oldRef
	Member     *oldRef
	Key, Value *oldRef
	Required   []string
}

type oldRef struct {
	Shape, Location, LocationName, QueryName, TimestampFormat string
	Payload                                                   string
	XMLNamespace                                              any
	XMLAttribute, Flattened, Streaming, IdempotencyToken      bool
	JSONValue                                                 bool
}

// A suiteModel makes the suite's shapes into ours, and Go types for them as the SDK would.
type suiteModel struct {
	suite  *protocolSuite
	shapes map[string]*model.Shape
	ec2    bool
	json   map[*model.Member]bool   // members whose strings are JSON documents
	header map[*model.Member]bool   // and travel in headers
	names  map[*model.Member]string // in the parameters, of members that our models name after the path's labels
}

var oldKinds = map[string]model.Kind{
	"structure": model.Structure, "list": model.List, "map": model.Map, "string": model.String, "character": model.String,
	"integer": model.Number, "long": model.Number, "float": model.Number, "double": model.Number, "boolean": model.Boolean,
	"blob": model.Blob, "timestamp": model.Timestamp,
}

func (s *suiteModel) shape(name string) *model.Shape {
	if sh, ok := s.shapes[name]; ok {
		return sh
	}
	old := s.suite.Shapes[name]
	sh := &model.Shape{Name: name, Kind: oldKinds[old.Type], Streaming: old.Streaming, XMLName: old.LocationName}
	s.shapes[name] = sh
	switch sh.Kind {
	case model.Structure:
		names := make([]string, 0, len(old.Members))
		for n := range old.Members {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			m := s.member(n, old.Members[n])
			m.Payload = old.Payload == n
			sh.Members = append(sh.Members, m)
		}
	case model.List:
		sh.Elem = s.member("member", old.Member)
	case model.Map:
		sh.Key, sh.Elem = s.member("key", old.Key), s.member("value", old.Value)
	}
	return sh
}

var oldFormats = map[string]model.TimestampFormat{"iso8601": model.ISO8601, "rfc822": model.HTTPDate, "unixTimestamp": model.EpochSeconds}

// member joins what the reference and the shape itself say: in the older form either may.
func (s *suiteModel) member(name string, r *oldRef) *model.Member {
	old := s.suite.Shapes[r.Shape]
	m := &model.Member{Name: name, Target: s.shape(r.Shape), Attribute: r.XMLAttribute, Flattened: r.Flattened || old.Flattened,
		IdempotencyToken: r.IdempotencyToken, Timestamp: oldFormats[first(r.TimestampFormat, old.TimestampFormat)]}
	if r.Streaming || old.Streaming {
		m.Target.Streaming = true
	}
	if r.JSONValue {
		s.json[m] = true
	}
	loc, wire := first(r.Location, old.Location), first(r.LocationName, old.LocationName)
	kind := m.Target.Kind
	switch {
	case loc == "uri":
		m.Label = true
		m.Name = first(wire, name)
		s.names[m] = name
	case loc == "header":
		m.Header = textproto.CanonicalMIMEHeaderKey(first(wire, name)) // as the model's own reader does
		s.header[m] = true
	case loc == "headers":
		m.PrefixHeader = first(wire, "*")
	case loc == "querystring" && kind == model.Map:
		m.QueryParams = true
	case loc == "querystring":
		m.Query = first(wire, name)
	case loc == "statusCode":
		m.StatusCode = true
	default:
		m.JSONName, m.XMLName = r.LocationName, wire
	}
	if m.Flattened && kind == model.List && old.Member.LocationName != "" {
		m.XMLName = old.Member.LocationName
	}
	if ns, ok := first(r.XMLNamespace, old.XMLNamespace).(map[string]any); ok {
		m.XMLPrefix, _ = ns["prefix"].(string)
		m.XMLNamespace, _ = ns["uri"].(string)
	}
	if s.ec2 {
		if m.XMLName = r.QueryName; m.XMLName == "" && r.LocationName != "" {
			m.XMLName = title(r.LocationName)
		}
		m.Flattened = m.Flattened || kind == model.List
	}
	return m
}

func first[T comparable](values ...T) (zero T) {
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}

// recursive is the Go type of the one shape that reflection cannot make, since it holds itself.
type recursive struct {
	NoRecurse       *string
	RecursiveStruct *recursive
	RecursiveList   []recursive
	RecursiveMap    map[string]recursive
}

func (s *suiteModel) goType(sh *model.Shape, pointer bool) reflect.Type {
	var t reflect.Type
	switch sh.Kind {
	case model.Structure:
		if t = reflect.TypeFor[recursive](); sh.Name != "RecursiveStructType" {
			t = s.structType(sh)
		}
	case model.List:
		return reflect.SliceOf(s.goType(sh.Elem.Target, false))
	case model.Map:
		return reflect.MapOf(reflect.TypeFor[string](), s.goType(sh.Elem.Target, false))
	case model.Blob:
		if sh.Streaming {
			return reflect.TypeFor[io.Reader]()
		}
		return reflect.TypeFor[[]byte]()
	case model.String:
		t = reflect.TypeFor[string]()
	case model.Boolean:
		t = reflect.TypeFor[bool]()
	case model.Timestamp:
		t = reflect.TypeFor[time.Time]()
	default:
		t = map[string]reflect.Type{"integer": reflect.TypeFor[int32](), "long": reflect.TypeFor[int64](), "float": reflect.TypeFor[float32](),
			"double": reflect.TypeFor[float64]()}[s.suite.Shapes[sh.Name].Type]
	}
	if pointer {
		return reflect.PointerTo(t)
	}
	return t
}

func (s *suiteModel) structType(sh *model.Shape) reflect.Type {
	var fields []reflect.StructField
	for _, m := range sh.Members {
		name := strings.NewReplacer("-", "_", ":", "_").Replace(title(m.Name))
		m.Name = strings.NewReplacer("-", "_", ":", "_").Replace(m.Name)
		fields = append(fields, reflect.StructField{Name: name, Type: s.goType(m.Target, true)})
	}
	return reflect.StructOf(fields)
}

// build sets v to what a case's parameters or result say.
func (s *suiteModel) build(p *codec.Plan, from any, v reflect.Value) {
	if from == nil {
		return
	}
	switch p.Shape.Kind {
	case model.Structure:
		for i := range p.Fields {
			f := &p.Fields[i]
			for k, x := range from.(map[string]any) {
				if strings.EqualFold(k, first(s.names[f.Member], f.Member.Name)) && x != nil {
					s.build(f.Plan, s.value(f.Member, x), f.Slot(v))
				}
			}
		}
	case model.List:
		list := from.([]any)
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i, x := range list {
			s.build(p.Elem().Plan, s.value(p.Elem().Member, x), p.Elem().ElemSlot(v.Index(i)))
		}
	case model.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for k, x := range from.(map[string]any) {
			e := reflect.New(v.Type().Elem()).Elem()
			s.build(p.Elem().Plan, x, p.Elem().ElemSlot(e))
			v.SetMapIndex(reflect.ValueOf(k), e)
		}
	case model.Blob:
		if v.Kind() == reflect.Interface {
			v.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(from.(string)))))
		} else {
			v.SetBytes([]byte(from.(string)))
		}
	case model.Timestamp:
		t, _ := codec.ParseTime(fmt.Sprint(int64(from.(float64))))
		v.Set(reflect.ValueOf(t))
	case model.String:
		v.SetString(from.(string))
	case model.Boolean:
		v.SetBool(from.(bool))
	default:
		if v.CanInt() {
			v.SetInt(int64(from.(float64)))
		} else {
			v.SetFloat(from.(float64))
		}
	}
}

// value is what the SDK's Go types hold of a member: a JSON document is a string there, as it is on the wire.
func (s *suiteModel) value(m *model.Member, x any) any {
	if !s.json[m] {
		return x
	}
	b, _ := json.Marshal(x)
	if s.header[m] {
		return base64.StdEncoding.EncodeToString(b)
	}
	return string(b)
}

func readSuites(t *testing.T, path string) []*protocolSuite {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []*protocolSuite
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

var suiteProtocols = map[string]model.Protocol{
	"json": model.JSON11, "query": model.Query, "rest-json": model.RESTJSON, "rest-xml": model.RESTXML, "ec2": model.Query,
}

// TestProtocolInputs decodes the requests of AWS's protocol tests. EC2's protocol, which no service here speaks, differs
// from Query in names only, so that its cases hold the same decoder.
func TestProtocolInputs(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go"), "models", "protocol_tests", "input")
	var sum tally
	for file, protocol := range suiteProtocols {
		for _, suite := range readSuites(t, filepath.Join(dir, file+".json")) {
			for i := range suite.Cases {
				err := checkProtocolInput(t, suite, &suite.Cases[i], protocol, file == "ec2")
				sum.add(err == nil)
				if err != nil {
					t.Errorf("%s: %s, case %d: %v", file, suite.Description, i, err)
				}
			}
		}
	}
	t.Logf("%d of %d protocol test requests are decoded rightly", sum.passed, sum.total)
}

func newSuiteModel(suite *protocolSuite, ec2 bool) *suiteModel {
	return &suiteModel{suite: suite, shapes: map[string]*model.Shape{}, ec2: ec2, json: map[*model.Member]bool{}, header: map[*model.Member]bool{}, names: map[*model.Member]string{}}
}

// operation makes a method of a case, over types made for it.
func (s *suiteModel) operation(c *protocolCase) *method {
	op := &model.Operation{Name: c.Given.Name, Method: first(c.Given.HTTP.Method, "POST"), URI: first(c.Given.HTTP.RequestURI, "/"), Status: 200}
	m := &method{op: op}
	side := func(r *oldRef) (*model.Shape, *codec.Plan) {
		if r == nil {
			return nil, codec.For(emptyShape, reflect.TypeFor[struct{}]())
		}
		sh := s.shape(r.Shape)
		if m := sh.Member(r.Payload); m != nil {
			m.Payload = true
		}
		return sh, codec.For(sh, s.structType(sh))
	}
	op.Input, m.in = side(c.Given.Input)
	op.Output, m.out = side(c.Given.Output)
	m.bindings = newBindings(m)
	return m
}

func checkProtocolInput(t *testing.T, suite *protocolSuite, c *protocolCase, protocol model.Protocol, ec2 bool) error {
	s := newSuiteModel(suite, ec2)
	m := s.operation(c)
	r := httptest.NewRequest(first(c.Serialized.Method, m.op.Method), "http://localhost"+first(c.Serialized.URI, "/"), strings.NewReader(c.Serialized.Body))
	for k, v := range c.Serialized.Headers {
		r.Header.Set(k, strings.TrimSpace(v)) // as net/http reads it
	}
	h, err := New(Config{})
	if err != nil {
		return err
	}
	x := &exchange{h: h, w: httptest.NewRecorder(), r: r, target: target{service: &model.Service{}, op: m.op, protocol: protocol, query: r.URL.Query()}}
	if protocol == model.Query {
		x.target.form, _ = url.ParseQuery(c.Serialized.Body)
	}
	if protocol.REST() {
		route := newRoute(m.op)
		parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/"), "/")
		if !route.fits(parts, x.target.query) {
			return fmt.Errorf("%s does not fit %s", r.URL, m.op.URI)
		}
		x.target.labels = route.labels(parts)
	}
	got, want := reflect.New(m.in.Type).Elem(), reflect.New(m.in.Type).Elem()
	if err := x.decode(m, got); err != nil {
		return err
	}
	s.build(m.in, c.Params, want)
	tokens(m.in, got, want)
	if f := m.bindings.payloadIn; f != nil && c.Serialized.Body == "{}" {
		f.Raw(want).Set(f.Raw(got)) // no payload and an empty one look the same
	}
	if suite.Description == "Header whitespace" { // which ends with the request's parsing
		trimmed, err := trimJSON(m.in, want)
		if err != nil {
			return err
		}
		want = trimmed
	}
	if m.bindings.streams() {
		if a, b := readAll(m.bindings.payloadIn, got), readAll(m.bindings.payloadIn, want); a != b {
			return fmt.Errorf("body %q, want %q", a, b)
		}
	}
	return sameValues(m.in, want, got)
}

// trimJSON takes the spaces around all keys and values away.
func trimJSON(p *codec.Plan, v reflect.Value) (reflect.Value, error) {
	text := regexp.MustCompile(`"\s+|\s+"`).ReplaceAllString(string(p.AppendJSON(nil, v)), `"`)
	out := reflect.New(p.Type).Elem()
	return out, p.DecodeJSON([]byte(text), out)
}

// tokens lets pass what a client fills in by itself.
func tokens(p *codec.Plan, got, want reflect.Value) {
	for i := range p.Fields {
		if f := &p.Fields[i]; f.Member.IdempotencyToken {
			if _, ok := f.Value(want); !ok {
				f.Raw(want).Set(f.Raw(got))
			}
		}
	}
}

func readAll(f *codec.Field, v reflect.Value) string {
	fv, ok := f.Value(v)
	if !ok {
		return ""
	}
	b, _ := io.ReadAll(fv.Interface().(io.Reader))
	f.Raw(v).SetZero()
	return string(b)
}

// lenient are the cases in which a client is shown what no server of ours writes: they hold the reading side only.
var lenient = map[string]string{
	"Ignores extra data":                  "members that the model lacks",
	"Ignores undefined output":            "a body where the model has none",
	"unmodeled non-json response payload": "a body that is no document",
	"Not all members in response":         "an element that is closed at once",
	"Empty string":                        "an element that is closed at once",
	"Flattened single element list":       "another name than the model has",
}

// TestProtocolOutputs writes the answers of AWS's protocol tests. EC2's answers differ from Query's in their outermost
// elements, which are not compared for them.
func TestProtocolOutputs(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "github.com/aws/aws-sdk-go"), "models", "protocol_tests", "output")
	var sum tally
	for file, protocol := range suiteProtocols {
		for _, suite := range readSuites(t, filepath.Join(dir, file+".json")) {
			for i := range suite.Cases {
				err := checkProtocolOutput(suite, &suite.Cases[i], protocol)
				sum.add(err == nil)
				if err != nil {
					t.Errorf("%s: %s, case %d: %v", file, suite.Description, i, err)
				}
			}
		}
	}
	t.Logf("%d of %d protocol test answers are written, or read, rightly", sum.passed, sum.total)
}

func checkProtocolOutput(suite *protocolSuite, c *protocolCase, protocol model.Protocol) error {
	s := newSuiteModel(suite, false)
	m := s.operation(c)
	out := reflect.New(m.out.Type).Elem()
	s.build(m.out, c.Result, out)
	body := bodyText(c.Response.Body)
	if lenient[suite.Description] != "" || strings.Contains(body, "null") {
		return readsAs(m, protocol, body, out)
	}
	rec := httptest.NewRecorder()
	x := &exchange{w: rec, r: httptest.NewRequest("POST", "/", nil), id: "request-id", target: target{service: &model.Service{}, op: m.op, protocol: protocol}}
	x.encode(m, out)
	for k, v := range c.Response.Headers {
		if got := rec.Header().Get(k); got != v && k != "Content-Type" && k != "Content-Length" {
			return fmt.Errorf("header %s is %q, want %q", k, got, v)
		}
	}
	if strings.HasPrefix(body, "<") {
		return sameTexts(body, rec.Body.Bytes())
	}
	// One case shows a client a moment in the form that this protocol does not have.
	body = strings.ReplaceAll(body, `"2015-01-25T08:00:00Z"`, "1422172800")
	return sameBody(rec.Header().Get("Content-Type"), []byte(body), rec.Body.Bytes())
}

func bodyText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// readsAs decodes a body that only a lenient reader understands.
func readsAs(m *method, protocol model.Protocol, body string, want reflect.Value) error {
	got := reflect.New(m.out.Type).Elem()
	var err error
	if protocol.XML() {
		err = m.out.DecodeXML([]byte(innermost(body, m.op.Name)), got)
	} else if strings.HasPrefix(body, "{") {
		err = m.out.DecodeJSON([]byte(body), got)
	}
	return errors.Join(err, sameValues(m.out, want, got))
}

// innermost cuts the element that holds the members out of its wrappers.
func innermost(body, op string) string {
	start, end := strings.Index(body, "<"+op+"Result>"), strings.Index(body, "</"+op+"Result>")
	if start < 0 || end < 0 {
		return body
	}
	return body[start : end+len("</"+op+"Result>")]
}

// sameTexts compares the members of two answers, without the elements around them, which the tests name freely, and the
// request's id.
func sameTexts(want string, got []byte) error {
	var sides [2][]string
	for i, b := range [][]byte{[]byte(want), got} {
		d := xml.NewDecoder(bytes.NewReader(b))
		var path []string
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				path = append(path, tok.Name.Local)
				for _, a := range tok.Attr {
					if a.Name.Local != "xmlns" && len(path) > 1 {
						sides[i] = append(sides[i], strings.Join(path[1:], "/")+"@"+a.Name.Local+"="+a.Value)
					}
				}
			case xml.EndElement:
				path = path[:len(path)-1]
			case xml.CharData:
				at := strings.Join(path, "/")
				if s := strings.TrimSpace(string(tok)); s != "" && !strings.Contains(strings.ToLower(at), "requestid") {
					_, at, _ = strings.Cut(at, "/")
					at = strings.TrimPrefix(at, "OperationNameResult/")
					sides[i] = append(sides[i], at+"="+s)
				}
			}
		}
		sort.Strings(sides[i])
	}
	if d := cmp.Diff(sides[0], sides[1]); d != "" {
		return fmt.Errorf("body (-recorded +own):\n%s", d)
	}
	return nil
}
