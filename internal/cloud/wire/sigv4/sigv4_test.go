package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

var (
	creds  = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	moment = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
)

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// received is the request as the server's side of net/http reads it.
func received(t interface{ Fatal(...any) }, r *http.Request) *http.Request {
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRequest("GET", "/", nil)
	got, err := http.NewRequest(r.Method, r.URL.RequestURI(), nil)
	if err != nil {
		t.Fatal(err)
	}
	out.Method, out.URL, out.Header, out.Host, out.ContentLength = got.Method, got.URL, r.Header.Clone(), r.URL.Host, r.ContentLength
	return out
}

// TestSignerAndVerifierAgree signs with the SDK's signer, and checks that the signature is found right, and that of
// anything else wrong.
func TestSignerAndVerifierAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		service := rapid.SampledFrom([]string{"s3", "dynamodb", "lambda", "iam"}).Draw(t, "service")
		path := "/" + strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9 ._~!$&'()*+,;=:@%äß-]{1,8}`), 0, 4).Draw(t, "path"), "/")
		r, _ := http.NewRequest("PUT", "https://example.localhost:4566/", nil)
		r.URL.Path = path
		q := r.URL.Query()
		for _, k := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9 /+=-]{1,5}`), 0, 4, rapid.ID).Draw(t, "query") {
			q.Set(k, rapid.String().Draw(t, "value"))
		}
		r.URL.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
		body := []byte("body")
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
		r.Header.Set("X-Custom", "  a   b ")
		if err := signer.SignHTTP(t.Context(), creds, r, hashOf(body), service, "us-east-1", moment); err != nil {
			t.Fatal(err)
		}
		got := received(t, r)
		a, err := Parse(got)
		if err != nil || a == nil || a.AccessKey != creds.AccessKeyID || a.Service != service || a.Region != "us-east-1" || !a.Time.Equal(moment) {
			t.Fatalf("%+v %v", a, err)
		}
		if err := a.Verify(got, creds.SecretAccessKey, hashOf(body)); err != nil {
			t.Fatal(err)
		}
		if a.Verify(got, "another", hashOf(body)) == nil {
			t.Fatal("another secret's signature is taken for right")
		}
		if a.Verify(got, creds.SecretAccessKey, hashOf(nil)) == nil {
			t.Fatal("another payload's signature is taken for right")
		}
		got.Header.Set("X-Custom", "changed")
		if a.Verify(got, creds.SecretAccessKey, hashOf(body)) == nil {
			t.Fatal("a changed header is not seen")
		}
	})
}

func TestPresigned(t *testing.T) {
	r, _ := http.NewRequest("GET", "http://b.s3.localhost:4566/a%20key?versionId=1", nil)
	q := r.URL.Query()
	q.Set("X-Amz-Expires", "60")
	r.URL.RawQuery = q.Encode()
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	uri, _, err := signer.PresignHTTP(t.Context(), creds, r, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", moment)
	if err != nil {
		t.Fatal(err)
	}
	got := httptest.NewRequest("GET", uri, nil)
	a, err := Parse(got)
	if err != nil || !a.Presigned || a.Expires != time.Minute || a.Region != "eu-west-1" {
		t.Fatalf("%+v %v", a, err)
	}
	if err := a.Verify(got, creds.SecretAccessKey, "UNSIGNED-PAYLOAD"); err != nil {
		t.Error(err)
	}
	got.URL.Path, got.URL.RawPath = "/another", ""
	if a.Verify(got, creds.SecretAccessKey, "UNSIGNED-PAYLOAD") == nil {
		t.Error("another key's signature is taken for right")
	}
}

func TestPresignedTimes(t *testing.T) {
	for _, c := range []struct {
		service, date, expires string // "": not given
		want                   time.Duration
		problem                string
	}{
		{"s3", "20261105T120000Z", "604800", 7 * 24 * time.Hour, ""},
		{"s3", "20261105T120000Z", "0", 0, ""},
		{"s3", "20261105T120000Z", "", 0, "X-Amz-Expires should be a number"},
		{"s3", "20261105T120000Z", "1h", 0, "X-Amz-Expires should be a number"},
		{"s3", "20261105T120000Z", "-1", 0, "X-Amz-Expires must be non-negative"},
		{"s3", "20261105T120000Z", "604801", 0, "X-Amz-Expires must be less than a week"},
		{"s3", "", "60", 0, "X-Amz-Date must be"},
		{"s3", "2026-11-05T12:00:00Z", "60", 0, "X-Amz-Date must be"},
		{"sts", "20261105T120000Z", "", 15 * time.Minute, ""},
	} {
		q := url.Values{"X-Amz-Algorithm": {algorithm}, "X-Amz-Credential": {"AKID/20261105/us-east-1/" + c.service + "/aws4_request"},
			"X-Amz-SignedHeaders": {"host"}, "X-Amz-Signature": {"0"}}
		for name, value := range map[string]string{"X-Amz-Date": c.date, "X-Amz-Expires": c.expires} {
			if value != "" {
				q.Set(name, value)
			}
		}
		a, err := Parse(httptest.NewRequest("GET", "/?"+q.Encode(), nil))
		var bad *Error
		switch {
		case c.problem == "" && (err != nil || a.Expires != c.want):
			t.Errorf("%+v: %+v, %v", c, a, err)
		case c.problem != "" && (!errors.As(err, &bad) || bad.Code != "AuthorizationQueryParametersError" || !strings.Contains(bad.Message, c.problem)):
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// chunked writes a body in the chunked form, signed where a signature is given to begin with.
func chunked(a *Auth, parts []string, trailers string) string {
	var b strings.Builder
	key, previous := signingKey(creds.SecretAccessKey, a), a.Signature
	sign := func(data string) string {
		previous = hexMAC(key, a.stringToSign("AWS4-HMAC-SHA256-PAYLOAD", previous, emptyHash, hashOf([]byte(data))))
		return previous
	}
	for _, p := range append(parts, "") {
		b.WriteString(hexInt(len(p)) + ";chunk-signature=" + sign(p) + "\r\n" + p)
		if p != "" {
			b.WriteString("\r\n")
		}
	}
	if trailers != "" {
		b.WriteString(strings.ReplaceAll(trailers, "\n", "\r\n"))
		sig := hexMAC(key, a.stringToSign("AWS4-HMAC-SHA256-TRAILER", previous, hashOf([]byte(trailers))))
		b.WriteString("x-amz-trailer-signature:" + sig + "\r\n")
	}
	return b.String() + "\r\n"
}

func hexInt(n int) string { return strconv.FormatInt(int64(n), 16) }

func streamingAuth() *Auth {
	return &Auth{Algorithm: algorithm, Date: "20261105", Region: "us-east-1", Service: "s3", Time: moment, Signature: "seed",
		payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
}

func TestSignedChunks(t *testing.T) {
	a := streamingAuth()
	body := chunked(a, []string{"hello ", "world"}, "x-amz-checksum-crc32:AAAAAA==\n")
	c := NewChunks(strings.NewReader(body), a, creds.SecretAccessKey)
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "hello world" || c.Trailer.Get("X-Amz-Checksum-Crc32") != "AAAAAA==" {
		t.Fatalf("%q %v %v", got, c.Trailer, err)
	}
	for what, bad := range map[string]string{
		"another byte":      strings.Replace(body, "world", "World", 1),
		"another trailer":   strings.Replace(body, "AAAAAA==", "BAAAAA==", 1),
		"a chunk left out":  body[strings.Index(body, "5;"):],
		"the end left out":  body[:strings.Index(body, "0;")],
		"no chunks at all":  "hello world",
		"a negative length": "-5;chunk-signature=x\r\nhello\r\n",
	} {
		if _, err := io.ReadAll(NewChunks(strings.NewReader(bad), a, creds.SecretAccessKey)); err == nil {
			t.Errorf("%s is not noticed", what)
		} else if e := new(Error); !errors.As(err, &e) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestUnsignedChunks(t *testing.T) {
	const body = "5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-sha256: abc\r\n\r\n"
	c := NewChunks(strings.NewReader(body), nil, "")
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "hello!" || c.Trailer.Get("x-amz-checksum-sha256") != "abc" {
		t.Fatalf("%q %v %v", got, c.Trailer, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20261105/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261105%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261105T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00")
	f.Add("AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d", "%zz=%")
	f.Fuzz(func(t *testing.T, header, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", header)
		if a, err := Parse(r); err == nil && a != nil {
			if a.Verify(r, "secret", emptyHash) == nil {
				t.Error("a signature is right by chance")
			}
		}
	})
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"), false)
	f.Add([]byte(chunked(streamingAuth(), []string{"a", "bc"}, "x:y\n")), true)
	f.Add([]byte("ffffffffffffffff\r\n"), false)
	f.Fuzz(func(t *testing.T, body []byte, signed bool) {
		var a *Auth
		if signed {
			a = streamingAuth()
		}
		n, _ := io.Copy(io.Discard, NewChunks(bytes.NewReader(body), a, creds.SecretAccessKey))
		if n > int64(len(body)) {
			t.Errorf("%d bytes come out of %d", n, len(body))
		}
	})
}
