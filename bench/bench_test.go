package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/bench/command"
	"evo/internal/cloud"
)

// These benchmarks take one request through the whole cloud, without sockets and without a client: what is left is what
// evo's own code costs, and where it allocates.

func start(b *testing.B) (*cloud.Server, *recorder) {
	s := &cloud.Server{Addr: "-"}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s, &recorder{to: s.RoundTripper()}
}

// A recorder keeps the last request that a client made.
type recorder struct {
	to   http.RoundTripper
	last *http.Request
	body []byte
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.body = nil
	if req.Body != nil {
		var err error
		if r.body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(r.body))
	}
	r.last = req.Clone(context.Background())
	return r.to.RoundTrip(req)
}

// replay sends the last request again and again.
func (r *recorder) replay(b *testing.B, h http.Handler) {
	req := r.last
	req.Host, req.RemoteAddr, req.RequestURI = req.URL.Host, "127.0.0.1:4000", req.URL.RequestURI()
	b.ReportAllocs()
	self := process{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	before := self.processor()
	for b.Loop() {
		req.Body = io.NopCloser(bytes.NewReader(r.body))
		w := &discard{header: http.Header{}}
		h.ServeHTTP(w, req)
		if w.status != http.StatusOK {
			b.Fatal("status ", w.status)
		}
	}
	// What other work on the machine lengthens less than ns/op.
	b.ReportMetric(float64(self.processor()-before)/float64(time.Microsecond)/float64(b.N), "processor-µs/op")
}

// A discard is an http.ResponseWriter that keeps the status only.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

func BenchmarkDynamoDB(b *testing.B) {
	s, r := start(b)
	cfg := s.Config("us-east-1")
	cfg.HTTPClient = &http.Client{Transport: r}
	c := dynamodb.NewFromConfig(cfg)
	if err := fill(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	for name, send := range map[string]func() error{
		"PutItem": func() error {
			_, err := c.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: item(7, 7)})
			return err
		},
		"GetItem": func() error {
			_, err := c.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: itemKey(7, 7)})
			return err
		},
		"Query": func() error {
			_, err := c.Query(b.Context(), &dynamodb.QueryInput{TableName: aws.String(table), KeyConditionExpression: aws.String("pk = :p"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":p": itemKey(7, 0)["pk"]}})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			if err := send(); err != nil {
				b.Fatal(err)
			}
			r.replay(b, s.Handler())
		})
	}
}

func BenchmarkS3(b *testing.B) {
	s, r := start(b)
	cfg := s.Config("us-east-1")
	cfg.HTTPClient = &http.Client{Transport: r}
	c := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := c.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		b.Fatal(err)
	}
	for _, op := range []struct {
		name string
		do   work
	}{{"PutObject", put(c, []byte(strings.Repeat("x", 1<<10)))}, {"GetObject", get(c)}} {
		b.Run(op.name, func(b *testing.B) {
			if err := op.do(b.Context(), 0, 0); err != nil {
				b.Fatal(err)
			}
			r.replay(b, s.Handler())
		})
	}
}

// BenchmarkFunction asks a warm function, a process of its own: directly, and through API Gateway.
func BenchmarkFunction(b *testing.B) {
	s, r := start(b)
	m := &bench{dir: b.TempDir()}
	var err error
	if m.peer, err = command.Build(b.Context(), m.dir, "evo/bench/peer"); err != nil {
		b.Fatal(err)
	}
	cfg := s.Config("us-east-1")
	cfg.HTTPClient = &http.Client{Transport: r}
	outputs, err := m.deployAPIs(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Invoke", func(b *testing.B) {
		if err := invoke(lambda.NewFromConfig(cfg), outputs["Function"])(b.Context(), 0, 0); err != nil {
			b.Fatal(err)
		}
		r.replay(b, s.Handler())
	})
	for name, path := range map[string]string{"Http": "/hello", "Rest": "/Prod/hello"} {
		b.Run(name, func(b *testing.B) {
			if err := fetch(&http.Client{Transport: r}, s.URL()+path, outputs[name]+".execute-api.localhost:4566")(b.Context(), 0, 0); err != nil {
				b.Fatal(err)
			}
			r.last.URL.Host = r.last.Host
			r.replay(b, s.Handler())
		})
	}
}
