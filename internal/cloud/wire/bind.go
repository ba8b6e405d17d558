package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"evo/internal/cloud/call"
	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
)

// bindings are the parts of an operation's input and output that are not simply members of a document.
type bindings struct {
	payloadIn  *codec.Field
	payloadOut *codec.Field
	bodyIn     bool // the input has members in the body's document
	bodyOut    bool
	lists      []*codec.Field // of the output, that are answered also when they are empty
	bound      []*codec.Field // of the input, that travel elsewhere than in the body
}

func newBindings(m *method) bindings {
	var b bindings
	b.payloadIn, b.bodyIn = payloadOf(m.in, (*model.Member).InBody)
	b.payloadOut, b.bodyOut = payloadOf(m.out, (*model.Member).InAnswer)
	for i := range m.in.Fields {
		if f := &m.in.Fields[i]; !f.Member.InBody() {
			b.bound = append(b.bound, f)
		}
	}
	for i := range m.out.Fields {
		if f := &m.out.Fields[i]; f.Plan.Shape.Kind == model.List && f.Member.InAnswer() && !f.Member.Flattened && enumerates(m.op.Name, f.Member.Name) {
			b.lists = append(b.lists, f)
		}
	}
	return b
}

// enumerates reports whether an operation answers what there is of something, and so answers an empty list if there is
// nothing. Other lists are parts of a thing, which AWS leaves out where the thing has none.
func enumerates(op, member string) bool {
	for _, verb := range []string{"List", "Describe", "Filter", "Search"} {
		if strings.HasPrefix(op, verb) {
			return true
		}
	}
	return strings.EqualFold(member, "items")
}

// withLists returns the output with empty lists for those that the service left out, in a copy: the output may be shared.
func (b *bindings) withLists(v reflect.Value) reflect.Value {
	missing := false
	for _, f := range b.lists {
		missing = missing || f.Raw(v).IsNil()
	}
	if !missing {
		return v
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	for _, f := range b.lists {
		if to := f.Raw(out); to.IsNil() {
			to.Set(reflect.MakeSlice(to.Type(), 0, 0))
		}
	}
	return out
}

func payloadOf(p *codec.Plan, inBody func(*model.Member) bool) (payload *codec.Field, body bool) {
	for i := range p.Fields {
		m := p.Fields[i].Member
		if m.Payload {
			payload = &p.Fields[i]
		} else if inBody(m) {
			body = true
		}
	}
	return payload, body
}

// streams reports whether the operation's input is read by the service itself.
func (b *bindings) streams() bool {
	return b.payloadIn != nil && b.payloadIn.Member.Target.Streaming
}

// decode reads the request into v, the operation's input.
func (x *exchange) decode(m *method, v reflect.Value) error {
	p := x.target.protocol
	if p.REST() {
		if err := x.decodeREST(m, v); err != nil {
			return x.malformed(err)
		}
		return nil
	}
	if p == model.Query {
		return x.malformed(m.in.DecodeQuery(x.target.form, v))
	}
	buf, err := x.document()
	if err != nil {
		return err
	}
	defer release(buf)
	if buf.Len() == 0 {
		return nil
	}
	if p == model.CBOR {
		return x.malformed(m.in.DecodeCBOR(buf.Bytes(), v))
	}
	return x.malformed(m.in.DecodeJSON(buf.Bytes(), v))
}

// document reads a body that is held in memory, unpacked, and checks it against the checksums that came with it.
func (x *exchange) document() (*bytes.Buffer, error) {
	buf, err := x.body()
	if err != nil {
		return nil, err
	}
	if err := x.checkPayload(buf.Bytes()); err != nil {
		release(buf)
		return nil, err
	}
	if !strings.EqualFold(x.r.Header.Get("Content-Encoding"), "gzip") {
		return buf, nil
	}
	defer release(buf)
	plain := buffers.Get().(*bytes.Buffer)
	plain.Reset()
	z, err := gzip.NewReader(buf)
	if err == nil {
		_, err = plain.ReadFrom(io.LimitReader(z, x.h.config.MaxBody+1))
	}
	if err == nil && int64(plain.Len()) > x.h.config.MaxBody {
		err = errors.New("it is too large")
	}
	if err != nil {
		release(plain)
		return nil, call.Errorf("SerializationException", "the body is not what its Content-Encoding gzip says: %v", err)
	}
	return plain, nil
}

func (x *exchange) decodeREST(m *method, v reflect.Value) error {
	x.chunks = x.unchunk()
	if err := x.decodeBody(m, v); err != nil {
		return err
	}
	for _, f := range m.bindings.bound {
		if err := x.decodeBound(m, f, v); err != nil {
			return fmt.Errorf("%s: %w", f.Member.Name, err)
		}
	}
	return nil
}

func (x *exchange) decodeBody(m *method, v reflect.Value) error {
	b := &m.bindings
	if b.payloadIn == nil && !b.bodyIn {
		return nil
	}
	if b.streams() {
		return x.streamBody(m.in, b.payloadIn, v)
	}
	buf, err := x.document()
	if err != nil {
		return err
	}
	defer release(buf)
	if f := b.payloadIn; buf.Len() == 0 && !(f != nil && f.Member.Required && f.Plan.Shape.Kind == model.String) {
		return nil // an empty text may be what is required: it is for the service to judge
	}
	plan, to := m.in, v
	if f := b.payloadIn; f != nil {
		plan, to = f.Plan, f.Slot(v)
		switch plan.Shape.Kind {
		case model.Blob:
			to.SetBytes(bytes.Clone(buf.Bytes()))
			return nil
		case model.String:
			to.SetString(buf.String())
			return nil
		}
	}
	if x.target.protocol == model.RESTXML {
		return plan.DecodeXML(buf.Bytes(), to)
	}
	return plan.DecodeJSON(buf.Bytes(), to)
}

func (x *exchange) decodeBound(m *method, f *codec.Field, v reflect.Value) error {
	mb := f.Member
	switch {
	case mb.Label:
		if s, ok := x.target.labels[mb.Name]; ok {
			return f.Plan.ParseText(s, f.Slot(v))
		}
	case mb.Header != "":
		return x.decodeHeader(f, v)
	case mb.PrefixHeader != "":
		x.decodePrefixed(f, v)
	case mb.Query != "":
		if values, ok := x.target.query[mb.Query]; ok {
			return decodeTexts(f, values, v)
		}
	case mb.QueryParams:
		x.decodeParams(m, f, v)
	}
	return nil
}

func (x *exchange) decodeHeader(f *codec.Field, v reflect.Value) error {
	name := f.Member.Header
	if name == "Content-Length" { // which net/http, and a chunked form, keep elsewhere
		if x.r.ContentLength < 0 {
			return nil
		}
		return f.Plan.ParseText(strconv.FormatInt(x.r.ContentLength, 10), f.Slot(v))
	}
	// The model has the name in its canonical form; Header.Values would make sure of that for each of the many that are not there.
	if values := x.r.Header[name]; len(values) > 0 {
		return decodeTexts(f, splitHeader(f, values), v)
	}
	if name == "X-Amz-Sdk-Checksum-Algorithm" && x.chunks != nil {
		if a := announced(x.r.Header.Get("X-Amz-Trailer")); a != "" {
			return f.Plan.ParseText(a, f.Slot(v))
		}
	}
	return nil
}

// splitHeader splits a list in a header at its commas; a timestamp of the old kind has one of its own.
func splitHeader(f *codec.Field, values []string) []string {
	if f.Plan.Shape.Kind != model.List {
		return values[:1]
	}
	var out []string
	dates := f.Plan.Shape.Elem.Target.Kind == model.Timestamp
	for _, v := range values {
		parts := splitQuoted(v)
		for i := 0; i < len(parts); i++ {
			if dates && i+1 < len(parts) && len(parts[i]) == 3 {
				parts[i+1] = parts[i] + ", " + parts[i+1]
				continue
			}
			out = append(out, parts[i])
		}
	}
	return out
}

func splitQuoted(s string) []string {
	var out []string
	for s != "" {
		s = strings.TrimLeft(s, " ,")
		if strings.HasPrefix(s, `"`) {
			var b strings.Builder
			i := 1
			for ; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				b.WriteByte(s[i])
			}
			out = append(out, b.String())
			s = s[min(i+1, len(s)):]
			continue
		}
		var part string
		part, s, _ = strings.Cut(s, ",")
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// decodeTexts reads the values of a header or parameter: all of them for a list, else the first.
func decodeTexts(f *codec.Field, values []string, v reflect.Value) error {
	if f.Plan.Shape.Kind == model.List {
		return f.Plan.ParseTexts(values, f.Slot(v))
	}
	if len(values) == 0 || values[0] == "" && f.Plan.Shape.Kind != model.String {
		return nil
	}
	return f.Plan.ParseText(values[0], f.Slot(v))
}

// decodePrefixed reads the headers with the member's prefix; names are in lower case, as S3 keeps them.
func (x *exchange) decodePrefixed(f *codec.Field, v reflect.Value) {
	var found map[string]string
	prefix := strings.TrimPrefix(f.Member.PrefixHeader, "*")
	for name, values := range x.r.Header {
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		found[strings.ToLower(name[len(prefix):])] = strings.Join(values, ",")
	}
	if len(found) > 0 {
		setStrings(f.Slot(v), found)
	}
}

func setStrings(v reflect.Value, m map[string]string) {
	out := reflect.MakeMapWithSize(v.Type(), len(m))
	for k, s := range m {
		elem := reflect.New(v.Type().Elem()).Elem()
		if elem.Kind() == reflect.Pointer {
			elem.Set(reflect.ValueOf(&s))
		} else {
			elem.SetString(s)
		}
		out.SetMapIndex(reflect.ValueOf(k), elem)
	}
	v.Set(out)
}

// decodeParams reads the query parameters that no other member has.
func (x *exchange) decodeParams(m *method, f *codec.Field, v reflect.Value) {
	taken := map[string]bool{}
	for k := range newRoute(m.op).query {
		taken[k] = true
	}
	for i := range m.in.Fields {
		taken[m.in.Fields[i].Member.Query] = true
	}
	to := f.Slot(v)
	if to.Type().Elem().Kind() != reflect.Slice {
		one := map[string]string{}
		for k, values := range x.target.query {
			if !taken[k] {
				one[k] = values[0]
			}
		}
		setStrings(to, one)
		return
	}
	out := reflect.MakeMap(to.Type())
	for k, values := range x.target.query {
		if !taken[k] {
			out.SetMapIndex(reflect.ValueOf(k), reflect.ValueOf(values))
		}
	}
	to.Set(out)
}

// malformed turns a codec's error into the protocol's.
func (x *exchange) malformed(err error) error {
	var bad *codec.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, codec.ErrNotXML):
		return &call.Error{Status: http.StatusBadRequest, Code: "MalformedXML",
			Message: "The XML you provided was not well-formed or did not validate against our published schema"}
	case !errors.As(err, &bad):
		return err
	case bad.Path == "union":
		return call.Errorf("ValidationException", "%s", bad.Message)
	}
	switch {
	case x.target.service.Name == "s3":
		return call.Errorf("InvalidArgument", "%s", err.Error())
	case x.target.protocol == model.Query:
		return call.Errorf("MalformedInput", "%s", err.Error())
	}
	return call.Errorf("SerializationException", "%s", err.Error())
}
