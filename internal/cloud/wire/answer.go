package wire

import (
	"bytes"
	"hash/crc32"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
)

// encode writes the method's output.
func (x *exchange) encode(m *method, v reflect.Value) {
	x.commonHeaders()
	v = m.bindings.withLists(v)
	switch x.target.protocol {
	case model.RESTJSON, model.RESTXML:
		x.encodeREST(m, v)
	case model.Query:
		x.send(m.op.Status, "text/xml", x.queryAnswer(m, v))
	case model.CBOR:
		x.w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		var b []byte
		if m.op.Output != nil {
			b = m.out.AppendCBOR(nil, v)
		}
		x.send(m.op.Status, "application/cbor", b)
	default:
		buf := buffers.Get().(*bytes.Buffer)
		buf.Reset()
		b := m.out.AppendJSON(buf.AvailableBuffer(), v)
		x.send(m.op.Status, jsonType(x.target.protocol), b)
		buf.Write(b) // keeps the memory for the next answer
		release(buf)
	}
}

func jsonType(p model.Protocol) string {
	switch p {
	case model.JSON10:
		return "application/x-amz-json-1.0"
	case model.JSON11:
		return "application/x-amz-json-1.1"
	}
	return "application/json"
}

func (x *exchange) commonHeaders() {
	h := x.w.Header()
	if x.target.service != nil && x.target.service.Name == "s3" {
		h["X-Amz-Request-Id"] = []string{x.id}
		h["X-Amz-Id-2"] = []string{hostID(x.id)}
	} else {
		h["X-Amzn-Requestid"] = []string{x.id}
	}
	if x.response != nil {
		for k, v := range x.response.Header {
			h.Set(k, v)
		}
	}
}

// send writes an answer whose body is in memory.
func (x *exchange) send(status int, contentType string, body []byte) {
	if x.response != nil && x.response.Status != 0 {
		status = x.response.Status
	}
	h := x.w.Header()
	if contentType != "" && len(body) > 0 && h.Get("Content-Type") == "" {
		h.Set("Content-Type", contentType)
	}
	if status != http.StatusNoContent && status != http.StatusNotModified && h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if x.target.service != nil && x.target.service.Name == "dynamodb" {
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	x.w.WriteHeader(status)
	if len(body) > 0 && x.r.Method != http.MethodHead {
		x.w.Write(body) // an error means that the client has gone
	}
}

// queryAnswer wraps the output in the elements named after the operation.
func (x *exchange) queryAnswer(m *method, v reflect.Value) []byte {
	op := m.op.Name
	b := []byte("<" + op + `Response xmlns="` + x.target.service.XMLNamespace + `">`)
	if m.op.Output != nil {
		b = m.out.AppendXML(b, op+"Result", "", v)
	}
	b = append(b, "<ResponseMetadata><RequestId>"+x.id+"</RequestId></ResponseMetadata></"+op+"Response>"...)
	return b
}

func (x *exchange) encodeREST(m *method, v reflect.Value) {
	status := m.op.Status
	for i := range m.out.Fields {
		f := &m.out.Fields[i]
		if f.Member.InAnswer() {
			continue
		}
		fv, ok := f.Value(v)
		if !ok {
			continue
		}
		if f.Member.StatusCode {
			if code := int(fv.Int()); code != 0 {
				status = code
			}
			continue
		}
		setHeader(x.w.Header(), f, fv)
	}
	if f := m.bindings.payloadOut; f != nil {
		x.sendPayload(status, f, v)
		return
	}
	x.sendDocument(status, m, v)
}

// setHeader writes a member that travels in a header, or in several. Names that the caller chose, as those of S3's metadata, go
// out as they are kept: there are clients that hand them on as they come.
func setHeader(h http.Header, f *codec.Field, v reflect.Value) {
	m := f.Member
	if m.PrefixHeader != "" {
		for it := v.MapRange(); it.Next(); {
			h[strings.TrimPrefix(m.PrefixHeader, "*")+it.Key().String()] = []string{clean(text(it.Value()))}
		}
		return
	}
	if m.Header == "" {
		return
	}
	format := m.Timestamp
	if format == model.DefaultFormat {
		format = model.HTTPDate
	}
	if f.Plan.Shape.Kind == model.List {
		items := f.Plan.Texts(v, format)
		for i, s := range items {
			if strings.ContainsAny(s, `",`) && f.Plan.Shape.Elem.Target.Kind == model.String {
				items[i] = strconv.Quote(s)
			}
		}
		if len(items) > 0 {
			h[m.Header] = []string{clean(strings.Join(items, ", "))}
		}
		return
	}
	if s := clean(string(f.Plan.AppendText(nil, v, format))); s != "" || f.Plan.Shape.Kind != model.String {
		h[m.Header] = []string{s} // in its canonical form, as the model has it
	}
}

func text(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v.String()
}

// clean keeps a value from ending its header line.
func clean(s string) string {
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}

// sendPayload writes an output of which one member is the whole body.
func (x *exchange) sendPayload(status int, f *codec.Field, v reflect.Value) {
	fv, ok := f.Value(v)
	kind := f.Plan.Shape.Kind
	switch {
	case kind == model.Blob && f.Member.Target.Streaming:
		x.sendStream(status, fv, ok)
	case !ok:
		x.send(status, "", nil)
	case kind == model.Blob:
		x.send(status, "application/octet-stream", fv.Bytes())
	case kind == model.String:
		x.send(status, "text/plain", []byte(fv.String()))
	case x.target.protocol == model.RESTXML:
		name := f.Member.XMLName
		if name == "" {
			name = orElse(f.Plan.Shape.XMLName, f.Plan.Shape.Name)
		}
		x.send(status, "application/xml", f.Plan.AppendXML([]byte(xmlHeader), name, x.target.service.XMLNamespace, fv))
	default:
		x.send(status, "application/json", f.Plan.AppendJSON(nil, fv))
	}
}

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// sendStream copies the output's stream, and closes it.
func (x *exchange) sendStream(status int, v reflect.Value, ok bool) {
	if x.response != nil && x.response.Status != 0 {
		status = x.response.Status
	}
	h := x.w.Header()
	if h.Get("Content-Type") == "" && x.target.service.Name != "s3" {
		h.Set("Content-Type", "application/octet-stream")
	}
	if !ok {
		if h.Get("Content-Length") == "" {
			h.Set("Content-Length", "0")
		}
		x.w.WriteHeader(status)
		return
	}
	body := v.Interface().(io.Reader)
	if c, ok := body.(io.Closer); ok {
		defer c.Close()
	}
	x.w.WriteHeader(status)
	if x.r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(x.w, body); err != nil {
		panic(http.ErrAbortHandler) // the only way to tell the client that what it got is not all
	}
}

// sendDocument writes the members that no binding takes.
func (x *exchange) sendDocument(status int, m *method, v reflect.Value) {
	inBody := (*model.Member).InAnswer
	switch {
	case status == http.StatusNoContent || len(m.out.Shape.Members) == 0:
		x.send(status, "", nil)
	case !m.bindings.bodyOut && x.target.protocol == model.RESTXML:
		x.send(status, "", nil)
	case x.target.protocol == model.RESTJSON:
		b := m.out.AppendJSONMembers([]byte{'{'}, v, inBody)
		x.send(status, "application/json", append(b, '}'))
	case m.op.Name == "GetBucketLocation": // whose only member is the document itself
		b := m.out.AppendXMLMembers([]byte(xmlHeader), v, inBody)
		ns := ` xmlns="` + x.target.service.XMLNamespace + `"`
		if i := bytes.Index(b, []byte("<LocationConstraint")); i >= 0 {
			b = slices.Insert(b, i+len("<LocationConstraint"), []byte(ns)...)
		} else {
			b = append(b, "<LocationConstraint"+ns+"/>"...)
		}
		x.send(status, "application/xml", b)
	default:
		name := orElse(m.out.Shape.XMLName, m.out.Shape.Name)
		b := append([]byte(xmlHeader), "<"+name+` xmlns="`+x.target.service.XMLNamespace+`">`...)
		b = m.out.AppendXMLMembers(b, v, inBody)
		x.send(status, "application/xml", append(b, "</"+name+">"...))
	}
}
