package wire

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"evo/internal/cloud/call"
	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/codec"
	"evo/internal/cloud/wire/sigv4"
)

// authenticate checks the signature of a request signed with a key that the cloud issued, and lets the local pair, which is
// any other key or none, pass from this machine.
func (x *exchange) authenticate() error {
	a := x.auth
	if a == nil {
		if !x.local() {
			return &sigv4.Error{Status: http.StatusForbidden, Code: "MissingAuthenticationToken", Message: "Request is missing Authentication Token"}
		}
		return nil
	}
	if a.Presigned {
		if err := x.timely(a); err != nil {
			return err
		}
	}
	secret, token, issued := x.secret(a.AccessKey)
	if !issued {
		if !x.local() {
			return &sigv4.Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
		}
		return nil
	}
	if token != "" && token != a.Token {
		return &sigv4.Error{Status: http.StatusForbidden, Code: "InvalidToken", Message: "The security token included in the request is invalid."}
	}
	if skew := x.h.now().Sub(a.Time); !a.Presigned && (skew > maxSkew || skew < -maxSkew) {
		return &sigv4.Error{Status: http.StatusForbidden, Code: "RequestTimeTooSkewed",
			Message: "The difference between the request time and the current time is too large."}
	}
	hash, err := x.payloadHash(a)
	if err != nil {
		return err
	}
	return a.Verify(x.r, secret, hash)
}

// maxSkew is how far a client's clock may be from ours.
const maxSkew = 15 * time.Minute

func (x *exchange) secret(accessKey string) (secret, token string, ok bool) {
	if x.h.config.Credentials == nil {
		return "", "", false
	}
	return x.h.config.Credentials.Secret(accessKey)
}

// local reports whether the request comes from this machine: over loopback, a local socket, or in process.
func (x *exchange) local() bool {
	ip, err := netip.ParseAddr(remoteIP(x.r))
	return err != nil || ip.Unmap().IsLoopback()
}

// timely checks that a presigned request comes when it may.
func (x *exchange) timely(a *sigv4.Auth) error {
	const stamp = "2006-01-02T15:04:05Z"
	switch now := x.h.now(); {
	case a.Time.Sub(now) > maxSkew:
		return &call.Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Request is not valid yet"}
	case !now.After(a.Time.Add(a.Expires)):
		return nil
	}
	return &call.Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Request has expired", Detail: map[string]string{
		"X-Amz-Expires": strconv.Itoa(int(a.Expires / time.Second)),
		"Expires":       a.Time.Add(a.Expires).UTC().Format(stamp),
		"ServerTime":    x.h.now().UTC().Format(stamp),
	}}
}

// payloadHash is what was signed for the payload: what the request states, or the hash of the body itself.
func (x *exchange) payloadHash(a *sigv4.Auth) (string, error) {
	if p := a.Payload(); p != "" {
		return p, nil
	}
	if a.Presigned && x.target.service.Name == "s3" {
		return "UNSIGNED-PAYLOAD", nil
	}
	body, err := x.peekBody()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// signatureCode is the service's word for a problem with a signature.
func (x *exchange) signatureCode(code string) string {
	s3 := x.target.service != nil && x.target.service.Name == "s3"
	jsonish := x.target.protocol != model.Query && x.target.protocol != model.NoProtocol && !s3
	switch code {
	case "SignatureDoesNotMatch", "RequestTimeTooSkewed":
		if jsonish {
			return "InvalidSignatureException"
		}
		if !s3 {
			return "SignatureDoesNotMatch"
		}
	case "InvalidClientTokenId", "InvalidToken":
		switch {
		case jsonish:
			return "UnrecognizedClientException"
		case !s3:
			return "InvalidClientTokenId"
		case code == "InvalidClientTokenId":
			return "InvalidAccessKeyId"
		}
	case "MissingAuthenticationToken":
		if s3 {
			return "AccessDenied"
		}
		if jsonish {
			return "MissingAuthenticationTokenException"
		}
	case "IncompleteSignature":
		if jsonish {
			return "IncompleteSignatureException"
		}
		if s3 {
			return "AuthorizationHeaderMalformed"
		}
	}
	return code
}

// checkPayload checks a body in memory against the hash that was stated.
func (x *exchange) checkPayload(body []byte) error {
	if want, ok := x.auth.SignedHash(); ok {
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != want {
			return errPayloadHash
		}
	}
	if x.target.service.Name != "s3" {
		return nil
	}
	for i, d := range digests {
		want := x.r.Header.Get(d.header)
		if want == "" || i > 0 && x.target.op.Name == "CompleteMultipartUpload" { // where they are the object's
			continue
		}
		h := d.new()
		h.Write(body)
		if base64.StdEncoding.EncodeToString(h.Sum(nil)) != want {
			return call.Errorf("BadDigest", "%s", d.mismatch)
		}
	}
	return nil
}

// digests are the checksums that S3 checks of the documents that it is sent.
var digests = []struct {
	header   string
	new      func() hash.Hash
	mismatch string
}{
	{"Content-Md5", md5.New, "The Content-MD5 you specified did not match what we received."},
	{"X-Amz-Checksum-Crc32", func() hash.Hash { return crc32.NewIEEE() }, "The CRC32 you specified did not match the calculated checksum."},
	{"X-Amz-Checksum-Crc32c", func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }, "The CRC32C you specified did not match the calculated checksum."},
	{"X-Amz-Checksum-Sha1", sha1.New, "The SHA1 you specified did not match the calculated checksum."},
	{"X-Amz-Checksum-Sha256", sha256.New, "The SHA256 you specified did not match the calculated checksum."},
}

var errPayloadHash = &sigv4.Error{Status: http.StatusBadRequest, Code: "XAmzContentSHA256Mismatch",
	Message: "The provided 'x-amz-content-sha256' header does not match what was computed."}

// unchunk makes the request's body, if it is in AWS's chunked form, what it stands for, and its length that of what it
// stands for.
func (x *exchange) unchunk() *sigv4.Chunks {
	encodings := x.r.Header.Get("Content-Encoding")
	chunked := strings.HasPrefix(x.r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-")
	if !chunked && !strings.Contains(encodings, "aws-chunked") || x.r.Body == nil {
		return nil
	}
	var a *sigv4.Auth
	secret := ""
	if x.auth != nil {
		if s, _, ok := x.secret(x.auth.AccessKey); ok {
			a, secret = x.auth, s
		}
	}
	c := sigv4.NewChunks(x.r.Body, a, secret)
	x.r.Body = readCloser{c, x.r.Body}
	x.r.ContentLength = -1
	if n, err := strconv.ParseInt(x.r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64); err == nil && n >= 0 {
		x.r.ContentLength = n
	}
	x.r.Header.Del("Content-Length")
	x.r.Header.Del("Content-Encoding")
	if rest := withoutChunked(encodings); rest != "" {
		x.r.Header.Set("Content-Encoding", rest)
	}
	return c
}

type readCloser struct {
	io.Reader
	io.Closer
}

func withoutChunked(encodings string) string {
	var rest []string
	for e := range strings.SplitSeq(encodings, ",") {
		if e = strings.TrimSpace(e); e != "aws-chunked" && e != "" {
			rest = append(rest, e)
		}
	}
	return strings.Join(rest, ",")
}

// A payload is a body that the service reads itself. At its end it has been checked against its stated hash and length, and
// the members of the input that come as trailing headers are set.
type payload struct {
	x      *exchange
	src    io.Reader
	chunks *sigv4.Chunks
	sum    hash.Hash // nil: no hash was stated
	want   string
	read   int64
	length int64 // -1: not known
	plan   *codec.Plan
	input  reflect.Value
	err    error
}

// streamBody hands the body on as a stream, in the input's field f.
func (x *exchange) streamBody(p *codec.Plan, f *codec.Field, v reflect.Value) error {
	body := &payload{x: x, src: x.r.Body, chunks: x.chunks, length: x.r.ContentLength, plan: p, input: v}
	if body.src == nil {
		body.src = http.NoBody
	}
	if want, ok := x.auth.SignedHash(); ok && x.target.service.Name == "s3" {
		body.sum, body.want = sha256.New(), want
	}
	f.Slot(v).Set(reflect.ValueOf(body))
	return nil
}

func (b *payload) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	b.read += int64(n)
	if b.sum != nil {
		b.sum.Write(p[:n])
	}
	if err == io.EOF {
		err = b.end()
	} else if err != nil && b.x.r.Context().Err() != nil {
		err = b.x.r.Context().Err()
	}
	b.err = err
	return n, err
}

// end checks what only the whole body can tell, and returns io.EOF if all is well.
func (b *payload) end() error {
	if b.length >= 0 && b.read != b.length {
		return &call.Error{Status: http.StatusBadRequest, Code: "IncompleteBody",
			Message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
	}
	if b.sum != nil && hex.EncodeToString(b.sum.Sum(nil)) != b.want {
		return errPayloadHash
	}
	if b.chunks == nil {
		return io.EOF
	}
	for i := range b.plan.Fields {
		f := &b.plan.Fields[i]
		if values := b.chunks.Trailer.Values(f.Member.Header); f.Member.Header != "" && len(values) > 0 {
			if err := decodeTexts(f, values, b.input); err != nil {
				return b.x.malformed(err)
			}
		}
	}
	return io.EOF
}

// announced returns the checksum algorithm whose value will come in the trailer.
func announced(trailer string) string {
	name, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(trailer)), "x-amz-checksum-")
	if !ok {
		return ""
	}
	return strings.ToUpper(name)
}
