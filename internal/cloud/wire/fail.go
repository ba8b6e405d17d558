package wire

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"evo/internal/cloud/call"
	"evo/internal/cloud/jsontext"
	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
	"evo/internal/cloud/wire/sigv4"
)

// A failure is an error as it is sent.
type failure struct {
	status    int
	code      string // the shape's name
	queryCode string // where Query has another
	message   string
	detail    map[string]string
	plan      *codec.Plan // of an error that the model names
	value     reflect.Value
}

// client reports whether the caller is to blame.
func (f *failure) client() bool { return f.status < 500 }

func (f *failure) fault() string {
	if f.client() {
		return "Sender"
	}
	return "Receiver"
}

// understand finds out what an error says.
func (x *exchange) understand(err error) *failure {
	var own *call.Error
	var sig *sigv4.Error
	var api smithy.APIError
	switch {
	case errors.As(err, &own):
		f := &failure{status: own.Status, code: own.Code, message: own.Message, detail: own.Detail}
		if f.status == 0 {
			f.status = http.StatusBadRequest
		}
		x.nameValidation(f)
		return f
	case errors.As(err, &sig):
		return &failure{status: sig.Status, code: x.signatureCode(sig.Code), message: sig.Message}
	case errors.As(err, &api):
		return x.modelled(api)
	}
	code := "InternalFailure"
	if s := x.target.service; s != nil {
		switch s.Name {
		case "s3":
			code = "InternalError"
		case "dynamodb":
			code = "InternalServerError"
		case "lambda":
			code = "ServiceException"
		}
	}
	return &failure{status: http.StatusInternalServerError, code: code, message: err.Error()}
}

// nameValidation gives input that its model does not allow both of its names, whichever the service used: the one that Query had,
// and the one that the newer protocols of such a service have.
func (x *exchange) nameValidation(f *failure) {
	s := x.target.service
	if s == nil || !s.Speaks(model.Query) || x.target.protocol == model.Query {
		return
	}
	if f.code == "ValidationError" || f.code == "ValidationException" {
		f.code, f.queryCode = "ValidationException", "ValidationError"
	}
}

// modelled describes one of the SDK's error types by the model's shape of that name.
func (x *exchange) modelled(api smithy.APIError) *failure {
	f := &failure{status: http.StatusBadRequest, code: api.ErrorCode(), message: api.ErrorMessage()}
	if api.ErrorFault() == smithy.FaultServer {
		f.status = http.StatusInternalServerError
	}
	v := reflect.ValueOf(api)
	if x.target.service == nil || v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return f
	}
	s := x.target.service.Shapes[v.Type().Elem().Name()]
	if s == nil || s.Error == nil {
		return f
	}
	f.code = s.Name
	f.plan, f.value = codec.For(s, v.Type().Elem()), v.Elem()
	if s.Error.Server {
		f.status = http.StatusInternalServerError
	}
	if s.Error.Status != 0 {
		f.status = s.Error.Status
	}
	if s.Error.QueryCode != "" {
		f.queryCode = s.Error.QueryCode
		if x.target.protocol == model.Query && s.Error.QueryStatus != 0 {
			f.status = s.Error.QueryStatus
		}
	}
	return f
}

// fail writes the error in the request's protocol.
func (x *exchange) fail(err error) {
	if errors.Is(err, context.Canceled) && x.r.Context().Err() != nil {
		return // nobody listens
	}
	if x.response != nil {
		x.response.Status = 0 // the error has its own; the headers stay: a 304 has the entity tag
	}
	f := x.understand(err)
	x.commonHeaders()
	switch x.target.protocol {
	case model.RESTXML, model.NoProtocol:
		x.failS3(f)
	case model.Query:
		x.failQuery(f)
	case model.CBOR:
		x.failCBOR(f)
	default:
		x.failJSON(f)
	}
}

func (x *exchange) failJSON(f *failure) {
	h := x.w.Header()
	code := f.code
	if x.target.protocol == model.RESTJSON {
		h.Set("X-Amzn-Errortype", code)
	} else {
		code = x.namespace(f) + code
	}
	x.queryCompatible(f)
	var b []byte
	b = append(b, '{')
	if x.target.protocol != model.RESTJSON {
		b = jsontext.AppendString(append(b, `"__type":`...), code)
	}
	b = x.jsonMembers(b, f)
	x.send(f.status, jsonType(x.target.protocol), append(b, '}'))
}

// jsonMembers writes the error's own members, with bindings to headers, and the message under the name that the model has.
func (x *exchange) jsonMembers(b []byte, f *failure) []byte {
	comma := func() {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
	}
	if f.plan == nil {
		comma()
		name := `"message":`
		if s := x.target.service; s != nil && s.Name == "lambda" {
			b = append(b, `"Type":`...)
			b = jsontext.AppendString(b, map[bool]string{true: "User", false: "Service"}[f.client()])
			comma()
			name = `"Message":`
		}
		b = jsontext.AppendString(append(b, name...), f.message)
		for _, k := range sortedDetail(f.detail) {
			comma()
			b = jsontext.AppendString(b, k)
			b = jsontext.AppendString(append(b, ':'), f.detail[k])
		}
		return b
	}
	for i := range f.plan.Fields {
		fd := &f.plan.Fields[i]
		v, ok := fd.Value(f.value)
		switch {
		case ok && fd.Member.Header != "":
			setHeader(x.w.Header(), fd, v)
		case ok:
			comma()
			b = jsontext.AppendString(b, fd.Member.JSON())
			b = fd.Plan.AppendJSON(append(b, ':'), v)
		case fd.Member.Name == "Type" && x.target.service.Name == "lambda":
			comma()
			b = jsontext.AppendString(append(b, `"Type":`...), map[bool]string{true: "User", false: "Service"}[f.client()])
		}
	}
	return b
}

func sortedDetail(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// namespace is what DynamoDB and CloudWatch put before an error's name: their own for their errors, the framework's for the
// framework's.
func (x *exchange) namespace(f *failure) string {
	own := ""
	if s := x.target.service; s == nil {
		return ""
	} else if s.Name == "dynamodb" {
		own = "com.amazonaws.dynamodb.v20120810#"
	} else if s.Name == "cloudwatch" {
		own = "com.amazonaws.cloudwatch.v2010_08_01#"
	} else {
		return ""
	}
	switch f.code {
	case "ValidationException":
		return "com.amazon.coral.validate#"
	case "SerializationException", "UnknownOperationException", "UnrecognizedClientException", "InvalidSignatureException",
		"MissingAuthenticationTokenException", "IncompleteSignatureException", "NotImplemented":
		return "com.amazon.coral.service#"
	}
	return own
}

// queryCompatible tells a client that used to speak Query the code that it would have got then.
func (x *exchange) queryCompatible(f *failure) {
	s := x.target.service
	if s == nil || !s.Speaks(model.Query) || x.r.Header.Get("X-Amzn-Query-Mode") == "" {
		return
	}
	x.w.Header().Set("X-Amzn-Query-Error", orElse(f.queryCode, f.code)+";"+f.fault())
}

func (x *exchange) failCBOR(f *failure) {
	h := x.w.Header()
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
	x.queryCompatible(f)
	b := codec.AppendCBORText(codec.AppendCBORText([]byte{0xbf}, "__type"), x.namespace(f)+f.code)
	if f.plan != nil {
		b = f.plan.AppendCBORMembers(b, f.value)
	} else {
		b = codec.AppendCBORText(codec.AppendCBORText(b, "message"), f.message)
	}
	x.send(f.status, "application/cbor", append(b, 0xff))
}

func (x *exchange) failQuery(f *failure) {
	ns := ""
	if s := x.target.service; s != nil {
		ns = ` xmlns="` + s.XMLNamespace + `"`
	}
	b := []byte("<ErrorResponse" + ns + "><Error><Type>" + f.fault() + "</Type><Code>")
	b = codec.AppendXMLText(b, orElse(f.queryCode, f.code))
	b = append(b, "</Code><Message>"...)
	b = codec.AppendXMLText(b, f.message)
	b = append(b, "</Message>"...)
	b = x.xmlDetail(b, f)
	b = append(b, "</Error><RequestId>"+x.id+"</RequestId></ErrorResponse>"...)
	x.send(f.status, "text/xml", b)
}

// xmlDetail writes what an error has besides code and message.
func (x *exchange) xmlDetail(b []byte, f *failure) []byte {
	for _, k := range sortedDetail(f.detail) {
		b = append(b, "<"+k+">"...)
		b = codec.AppendXMLText(b, f.detail[k])
		b = append(b, "</"+k+">"...)
	}
	if f.plan != nil {
		b = f.plan.AppendXMLMembers(b, f.value, func(m *model.Member) bool { return !strings.EqualFold(m.Name, "message") })
	}
	return b
}

func (x *exchange) failS3(f *failure) {
	b := append([]byte(xmlHeader), "<Error><Code>"...)
	b = codec.AppendXMLText(b, f.code)
	b = append(b, "</Code><Message>"...)
	b = codec.AppendXMLText(b, f.message)
	b = append(b, "</Message>"...)
	b = x.xmlDetail(b, f)
	b = append(b, "<RequestId>"+x.id+"</RequestId><HostId>"+hostID(x.id)+"</HostId></Error>"...)
	if f.status == http.StatusNotModified || x.r.Method == http.MethodHead {
		b = nil
	}
	x.send(f.status, "application/xml", b)
}

func unknownOperation(s *model.Service, op string) error {
	code, status := "UnknownOperationException", http.StatusBadRequest
	if s.Protocols[0] == model.Query {
		code = "InvalidAction"
	} else if s.Protocols[0].REST() {
		status = http.StatusNotFound
	}
	return &call.Error{Status: status, Code: code, Message: fmt.Sprintf("%s has no operation %s", s.ID, op)}
}

func methodNotAllowed(method string) error {
	return &call.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed",
		Message: "The specified method is not allowed against this resource.", Detail: map[string]string{"Method": method}}
}

func notImplemented(s *model.Service, op string) error {
	return &call.Error{Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: fmt.Sprintf("evo's cloud does not have the operation %s of %s yet", op, s.ID)}
}

func notServed(s *model.Service, op *model.Operation) error {
	return &call.Error{Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: fmt.Sprintf("evo's cloud does not have the service %s yet (asked for its operation %s)", s.ID, op.Name)}
}

// panicked makes an error of a panic in a service, and leaves its stack in the log.
func panicked(op string, p any) error {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	slog.Error("a service panicked", "operation", op, "panic", p, "stack", string(debug.Stack()))
	return fmt.Errorf("%s panicked: %v", op, p)
}

// newRequestID returns an id in AWS's form. It tells requests apart, and guards nothing.
func newRequestID() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], rand.Uint64())
	binary.BigEndian.PutUint64(raw[8:], rand.Uint64())
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	var b [36]byte
	hex.Encode(b[:8], raw[:4])
	hex.Encode(b[9:13], raw[4:6])
	hex.Encode(b[14:18], raw[6:8])
	hex.Encode(b[19:23], raw[8:10])
	hex.Encode(b[24:], raw[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// hostID is S3's second id; here it says nothing that the first does not.
func hostID(id string) string {
	var room [64]byte
	return base64.StdEncoding.EncodeToString(append(append(room[:0], "evo/"...), id...))
}
