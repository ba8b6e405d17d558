package wire

import (
	"io"
	"net/http"
	"reflect"

	"evo/internal/cloud/wire/codec"
)

// authenticate checks the signature of a request signed with a key that the cloud issued.
func (x *exchange) authenticate() error {
	return nil
}

// signatureCode is the service's word for a problem with a signature.
func (x *exchange) signatureCode(code string) string { return code }

// checkPayload checks a body in memory against the hash that was signed.
func (x *exchange) checkPayload([]byte) error { return nil }

// streamBody hands the body on as a stream.
func (x *exchange) streamBody(f *codec.Field, v reflect.Value) error {
	body := x.r.Body
	if body == nil {
		body = http.NoBody
	}
	f.Slot(v).Set(reflect.ValueOf(io.Reader(body)))
	return nil
}
