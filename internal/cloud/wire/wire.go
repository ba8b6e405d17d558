// Package wire answers: which operation of which service does an HTTP request ask for, with what input, and how is the
// answer written?
//
// It serves AWS's protocols (JSON 1.0 and 1.1, Query, REST-JSON, REST-XML, RPC-v2-CBOR) from the tables of package model, for
// services that are plain Go values whose methods have the SDK client's signatures without options:
//
//	func (s *Service) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error)
//
// A [Handler] finds the service and the operation as AWS does, checks the signature, decodes and validates the input as the
// model says, calls the method that bears the operation's name, and encodes what it returns. Inside the method, call.From
// tells of the caller, and call.Answer lets it set a status or header that the output cannot express. An operation that the
// model has and the service lacks is answered with an error that names it.
//
//	h, err := wire.New(wire.Config{Services: []wire.Service{
//		{Name: "dynamodb", For: func(region string) (any, error) { return tables(region) }},
//	}})
//	http.Serve(listener, h)
//
// [Transport] makes an http.RoundTripper of a Handler, so that an SDK client reaches it without a socket; tests of services
// use package wiretest, which makes an aws.Config of that.
//
// # Errors
//
// A method returns the SDK's error types where the model names the error, and *call.Error elsewhere. Any other error becomes
// an internal error that shows its text: this is a developer's own machine.
//
// # Streams
//
// An input's Body (io.Reader) is the request's, decoded from AWS's chunked form where it has that; reading it fails with a
// fitting error, to be returned as it is, when its length, hash or a chunk's signature is wrong. Members that come as trailing
// headers (S3's checksums) are set in the input when the Body has been read to its end. An output's Body (io.ReadCloser) is
// copied and closed.
//
// # Pages
//
// What a browser marks as coming from a page of another origin is refused, unless it is for S3 and the service named s3
// implements [CORS] and says that the bucket's documents allow it. Pages served from this machine may ask everything.
//
// # Credentials
//
// A request signed with an access key that [Config.Credentials] knows must be signed rightly. Any other access key, test and
// test by custom, is the local pair: it is accepted, from this machine only, whatever the signature. The same goes for
// requests without a signature. A presigned URL ends with its time in either case.
package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"time"

	"evo/internal/cloud/call"
	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
	"evo/internal/cloud/wire/sigv4"
)

// Service is an API that is served.
type Service struct {
	Name string                           // in package model
	For  func(region string) (any, error) // the instance whose methods are the operations
}

// Credentials knows the secrets of the access keys that the cloud issued.
type Credentials interface {
	Secret(accessKey string) (secret, token string, ok bool)
}

// Config is what a Handler is made of. Only Services must be set.
type Config struct {
	Services    []Service
	Credentials Credentials      // nil: none were issued
	Now         func() time.Time // by which signatures are judged: the machine's time, also in a cloud whose time runs faster; nil: time.Now
	Hosts       []string         // names, besides the usual ones, under which the cloud may be addressed; ".x" is any name below x
	MaxBody     int64            // of a body that is held in memory; 0: 64 MiB

	// Arrived sees each valid input, an SDK's struct by pointer, before its operation does, and may change it; nil: none is seen.
	Arrived func(info call.Info, in any)
}

// Handler serves the configured services.
type Handler struct {
	config   Config
	services map[string]Service
	now      func() time.Time
	methods  sync.Map // methodKey → *method or nil
	router   router
}

// New returns a Handler.
func New(c Config) (*Handler, error) {
	h := &Handler{config: c, services: map[string]Service{}, now: c.Now}
	if h.now == nil {
		h.now = time.Now
	}
	if h.config.MaxBody == 0 {
		h.config.MaxBody = 64 << 20
	}
	for _, s := range c.Services {
		if !known(s.Name) {
			return nil, fmt.Errorf("wire: no model of a service named %q", s.Name)
		}
		h.services[s.Name] = s
	}
	return h, nil
}

func known(name string) bool {
	for _, i := range model.Services() {
		if i.Name == name {
			return true
		}
	}
	return false
}

// An exchange is one request and its answer.
type exchange struct {
	h        *Handler
	w        http.ResponseWriter
	r        *http.Request
	id       string
	auth     *sigv4.Auth // nil: not signed
	region   string
	target   target
	info     call.Info
	response *call.Response
	chunks   *sigv4.Chunks // of the body, if it is chunked
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{h: h, w: w, r: r, id: newRequestID()}
	err := x.serve()
	if err != nil {
		x.fail(err)
	}
}

// serve answers the request, or returns the error to answer; once it has begun to write it returns nil.
func (x *exchange) serve() error {
	if err := x.h.guardHost(x.r); err != nil {
		return err
	}
	if x.r.Method == http.MethodOptions {
		return x.preflight()
	}
	auth, err := sigv4.Parse(x.r)
	x.auth = auth
	routed := x.route()
	if err := x.guardOrigin(); err != nil {
		return err
	}
	if err := errors.Join(routed, err); err != nil {
		return err
	}
	if err := x.authenticate(); err != nil {
		return err
	}
	m, impl, err := x.method()
	if err != nil {
		return err
	}
	in := reflect.New(m.in.Type)
	if err := x.decode(m, in.Elem()); err != nil {
		return err
	}
	if err := x.validate(m, in.Elem()); err != nil {
		return err
	}
	ctx := x.context()
	if x.h.config.Arrived != nil {
		x.h.config.Arrived(x.info, in.Interface())
	}
	out, err := m.call(ctx, impl, in)
	if err != nil {
		return err
	}
	x.encode(m, out)
	return nil
}

func (x *exchange) context() context.Context {
	x.info = call.Info{
		RequestID: x.id, Region: x.region, Host: x.r.Host, Secure: x.r.TLS != nil, SourceIP: remoteIP(x.r), UserAgent: x.r.UserAgent(),
	}
	if x.auth != nil {
		x.info.AccessKey = x.auth.AccessKey
	}
	ctx, resp := call.With(x.r.Context(), x.info)
	x.response = resp
	return ctx
}

// A method is an operation's implementation by one Go type.
type method struct {
	op       *model.Operation
	index    int // of the Go method
	in, out  *codec.Plan
	bindings bindings
}

type methodKey struct {
	typ reflect.Type
	op  *model.Operation
}

// method finds what serves the operation in the request's region.
func (x *exchange) method() (*method, any, error) {
	s, ok := x.h.services[x.target.service.Name]
	if !ok || s.For == nil {
		return nil, nil, notServed(x.target.service, x.target.op)
	}
	impl, err := s.For(x.region)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s in %s: %w", s.Name, x.region, err)
	}
	key := methodKey{reflect.TypeOf(impl), x.target.op}
	m, ok := x.h.methods.Load(key)
	if !ok {
		found, err := newMethod(key)
		if err != nil {
			return nil, nil, err
		}
		m, _ = x.h.methods.LoadOrStore(key, found)
	}
	if m := m.(*method); m != nil {
		return m, impl, nil
	}
	return nil, nil, notImplemented(x.target.service, x.target.op.Name)
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// newMethod returns nil if the type has no method of the operation's name; one with another signature is a defect.
func newMethod(key methodKey) (*method, error) {
	gm, ok := key.typ.MethodByName(key.op.Name)
	if !ok {
		return nil, nil
	}
	t := gm.Type
	if t.NumIn() != 3 || t.In(1) != contextType || !isStructPointer(t.In(2)) || t.NumOut() != 2 || !isStructPointer(t.Out(0)) || t.Out(1) != errorType {
		return nil, fmt.Errorf("the method %s.%s has not the SDK's signature", key.typ, key.op.Name)
	}
	m := &method{op: key.op, index: gm.Index,
		in:  codec.For(orEmpty(key.op.Input), t.In(2).Elem()),
		out: codec.For(orEmpty(key.op.Output), t.Out(0).Elem()),
	}
	m.bindings = newBindings(m)
	return m, nil
}

func isStructPointer(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

var emptyShape = &model.Shape{Kind: model.Structure}

func orEmpty(s *model.Shape) *model.Shape {
	if s == nil {
		return emptyShape
	}
	return s
}

// call calls the method; a panic in it becomes an error, so that one bad request does not end the cloud.
func (m *method) call(ctx context.Context, impl any, in reflect.Value) (out reflect.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(m.op.Name, p)
		}
	}()
	results := reflect.ValueOf(impl).Method(m.index).Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if e, _ := results[1].Interface().(error); e != nil {
		return reflect.Value{}, e
	}
	if results[0].IsNil() {
		return reflect.New(m.out.Type).Elem(), nil
	}
	return results[0].Elem(), nil
}

// body reads the request's body into a buffer, which the caller gives back by release.
func (x *exchange) body() (*bytes.Buffer, error) {
	buf := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	var src io.Reader = x.r.Body
	if src == nil {
		return buf, nil
	}
	max := x.h.config.MaxBody
	if _, err := buf.ReadFrom(io.LimitReader(src, max+1)); err != nil {
		release(buf)
		if ctxErr := x.r.Context().Err(); ctxErr != nil {
			err = ctxErr
		}
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	if int64(buf.Len()) > max {
		release(buf)
		return nil, &call.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException",
			Message: fmt.Sprintf("Request must be smaller than %d bytes", max)}
	}
	return buf, nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// release gives a buffer back, unless it has grown so that keeping it would be a waste.
func release(b *bytes.Buffer) {
	if b.Cap() <= 1<<20 {
		buffers.Put(b)
	}
}

var errNoAnswer = errors.New("wire: the connection is gone")
