package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"evo/internal/cloud/wire"
)

// issued are the credentials that the cloud of these tests has issued.
type issued map[string][2]string

func (i issued) Secret(key string) (secret, token string, ok bool) {
	s, ok := i[key]
	return s[0], s[1], ok
}

func serve(t *testing.T, now time.Time, services map[string]any) *wire.Handler {
	t.Helper()
	c := wire.Config{Credentials: issued{"AKIDISSUED": {"secret", ""}, "ASIAISSUED": {"secret", "token"}}, Now: func() time.Time { return now }}
	for name, impl := range services {
		c.Services = append(c.Services, wire.Service{Name: name, For: func(string) (any, error) { return impl, nil }})
	}
	h, err := wire.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func config(h http.Handler, key, secret, token string) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: wire.Transport{Handler: h}},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: token}, nil
		}),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
	}
}

func TestSignatures(t *testing.T) {
	h := serve(t, time.Now(), map[string]any{"sts": identity{}, "dynamodb": &tables{}, "s3": &objects{}})
	late := serve(t, time.Now().Add(time.Hour), map[string]any{"sts": identity{}, "dynamodb": &tables{}, "s3": &objects{}})
	for _, c := range []struct {
		what               string
		h                  http.Handler
		key, secret, token string
		json, query, xml   string
	}{
		{"the local pair", h, "test", "test", "", "", "", ""},
		{"any other key", h, "AKIAIOSFODNN7EXAMPLE", "whatever", "", "", "", ""},
		{"an issued key", h, "AKIDISSUED", "secret", "", "", "", ""},
		{"an issued session", h, "ASIAISSUED", "secret", "token", "", "", ""},
		{"another secret", h, "AKIDISSUED", "other", "", "InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"},
		{"another token", h, "ASIAISSUED", "secret", "other", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidToken"},
		{"a wrong clock", late, "AKIDISSUED", "secret", "", "InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed"},
	} {
		cfg := config(c.h, c.key, c.secret, c.token)
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		if code(err) != c.query || err != nil && c.query == "" {
			t.Errorf("%s: STS answers %v", c.what, err)
		}
		_, err = dynamodb.NewFromConfig(cfg).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("abc"), Item: map[string]ddb.AttributeValue{}})
		if code(err) != c.json || err != nil && c.json == "" {
			t.Errorf("%s: DynamoDB answers %v", c.what, err)
		}
		_, err = s3.NewFromConfig(cfg).ListBuckets(t.Context(), nil)
		if code(err) != c.xml || err != nil && c.xml == "" {
			t.Errorf("%s: S3 answers %v", c.what, err)
		}
	}
}

// uploads keeps what PutObject is given.
type uploads struct {
	objects
	in   *s3.PutObjectInput
	body string
}

func (u *uploads) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	u.in, u.body = in, string(b)
	return &s3.PutObjectOutput{}, nil
}

// unseekable is a body whose checksum cannot be computed before it is sent.
type unseekable struct{ io.Reader }

func TestStreamedUploads(t *testing.T) {
	u := &uploads{}
	h := serve(t, time.Now(), map[string]any{"s3": u})
	srv := httptest.NewServer(h)
	defer srv.Close()
	big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for _, c := range []struct {
		what string
		cfg  aws.Config
		body io.Reader
		opts func(*s3.Options)
	}{
		{"a trailer, in chunks without signatures", config(h, "AKIDISSUED", "secret", ""), unseekable{strings.NewReader(big)}, nil},
		{"a trailer, in chunks, seekable", config(h, "AKIDISSUED", "secret", ""), strings.NewReader(big), nil},
		{"a hashed body over a socket", config(h, "AKIDISSUED", "secret", ""), strings.NewReader(big), func(o *s3.Options) {
			o.HTTPClient, o.BaseEndpoint, o.UsePathStyle = awshttp.NewBuildableClient(), aws.String(srv.URL), true
		}},
	} {
		client := s3.NewFromConfig(c.cfg)
		in := &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Body: c.body, ContentEncoding: aws.String("gzip"), ContentLength: aws.Int64(int64(len(big)))}
		var opts []func(*s3.Options)
		if c.opts != nil {
			opts = append(opts, c.opts)
		}
		if _, err := client.PutObject(t.Context(), in, opts...); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if u.body != big || aws.ToInt64(u.in.ContentLength) != int64(len(big)) || aws.ToString(u.in.ContentEncoding) != "gzip" {
			t.Errorf("%s: %d bytes, length %d, encoding %q", c.what, len(u.body), aws.ToInt64(u.in.ContentLength), aws.ToString(u.in.ContentEncoding))
		}
		if aws.ToString(u.in.ChecksumCRC32) == "" || c.opts == nil && u.in.ChecksumAlgorithm != s3types.ChecksumAlgorithmCrc32 {
			t.Errorf("%s: checksum %q of %q", c.what, aws.ToString(u.in.ChecksumCRC32), u.in.ChecksumAlgorithm)
		}
	}
}

func TestStatedHash(t *testing.T) {
	h := serve(t, time.Now(), map[string]any{"s3": &uploads{}})
	r := httptest.NewRequest("PUT", "http://localhost/b/k", strings.NewReader("hello"))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261105/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "<Code>XAmzContentSHA256Mismatch</Code>") {
		t.Error(w.Code, w.Body)
	}
}

func TestPresigned(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		what, key, secret string
		now               time.Time
		code              int
		text              string
	}{
		{"in time", "AKIDISSUED", "secret", now, 200, "b/k=v"},
		{"too late", "AKIDISSUED", "secret", now.Add(16 * time.Minute), 403, "Request has expired"},
		{"too late, by the local pair", "test", "test", now.Add(16 * time.Minute), 403, "Request has expired"},
		{"too early", "AKIDISSUED", "secret", now.Add(-16 * time.Minute), 403, "Request is not valid yet"},
		{"by a clock that is a little fast", "AKIDISSUED", "secret", now.Add(-14 * time.Minute), 200, "b/k=v"},
		{"another secret", "AKIDISSUED", "other", now, 403, "SignatureDoesNotMatch"},
	} {
		o := &objects{body: "b/k=v"}
		h := serve(t, c.now, map[string]any{"s3": o})
		client := s3.NewPresignClient(s3.NewFromConfig(config(h, c.key, c.secret, "")))
		url, err := client.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k k")})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: wire.Transport{Handler: h}}).Get(url.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != c.code || !strings.Contains(string(body), c.text) {
			t.Errorf("%s: %d %s", c.what, resp.StatusCode, body)
		}
	}
}

// TestWhoMayAsk holds who is refused before anything else: other machines without a key, names that are not ours, pages of
// another origin.
func TestWhoMayAsk(t *testing.T) {
	h := serve(t, time.Now(), map[string]any{"sts": identity{}})
	for _, c := range []struct {
		what, host, origin, remote string
		code                       int
	}{
		{"this machine", "localhost:4566", "", "127.0.0.1:5", 200},
		{"this machine, in version 6", "[::1]:4566", "", "[::1]:5", 200},
		{"AWS's name", "sts.us-east-1.amazonaws.com", "", "127.0.0.1:5", 200},
		{"a name below localhost", "sts.localhost:4566", "", "127.0.0.1:5", 200},
		{"an own page", "localhost:4566", "http://localhost:4566", "127.0.0.1:5", 200},
		{"another machine", "localhost:4566", "", "192.0.2.1:5", 403},
		{"a foreign name", "evil.example", "", "127.0.0.1:5", 403},
		{"a foreign address", "192.0.2.1:4566", "", "127.0.0.1:5", 403},
		{"a foreign page", "localhost:4566", "https://evil.example", "127.0.0.1:5", 403},
		{"a page without origin", "localhost:4566", "null", "127.0.0.1:5", 403},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		r.Host, r.RemoteAddr = c.host, c.remote
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code {
			t.Errorf("%s: %d %s", c.what, w.Code, w.Body)
		}
	}
}

func TestCancelledRequestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := serve(t, time.Now(), map[string]any{"sts": waiting{started: cancel}})
	_, err := sts.NewFromConfig(config(h, "test", "test", "")).GetCallerIdentity(ctx, nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// waiting answers when the caller has gone.
type waiting struct{ started func() }

func (w waiting) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	w.started()
	<-ctx.Done()
	return nil, ctx.Err()
}
