package wire_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/wire/wiretest"
)

const putItem = `{"TableName":"orders","Item":{"pk":{"S":"customer#1234567"},"sk":{"S":"order#2026-11-05T12:00:00Z"},"total":{"N":"129.95"},"note":{"S":"leave at the door, please"},"paid":{"BOOL":true},"lines":{"L":[{"S":"a"},{"S":"b"}]}}}`

// A discard is an http.ResponseWriter that keeps nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

type benchTables struct{ item map[string]ddb.AttributeValue }

func (s *benchTables) PutItem(context.Context, *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	return &dynamodb.PutItemOutput{}, nil
}

func (s *benchTables) GetItem(context.Context, *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: s.item}, nil
}

func newBench() *benchTables {
	return &benchTables{item: map[string]ddb.AttributeValue{
		"pk": &ddb.AttributeValueMemberS{Value: "customer#1234567"}, "sk": &ddb.AttributeValueMemberS{Value: "order#2026-11-05T12:00:00Z"},
		"total": &ddb.AttributeValueMemberN{Value: "129.95"}, "note": &ddb.AttributeValueMemberS{Value: "leave at the door, please"},
		"paid":  &ddb.AttributeValueMemberBOOL{Value: true},
		"lines": &ddb.AttributeValueMemberL{Value: []ddb.AttributeValue{&ddb.AttributeValueMemberS{Value: "a"}, &ddb.AttributeValueMemberS{Value: "b"}}},
	}}
}

// BenchmarkHandler is the cost of the wire alone: request in, answer out, without sockets and without net/http's server.
func BenchmarkHandler(b *testing.B) {
	h := wiretest.Handler(b, wiretest.Serve{"dynamodb": newBench()})
	for op, body := range map[string]string{"PutItem": putItem, "GetItem": `{"TableName":"orders","Key":{"pk":{"S":"customer#1234567"},"sk":{"S":"order"}}}`} {
		b.Run(op, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("POST", "http://localhost:4566/", nil)
			r.RemoteAddr = "127.0.0.1:4000"
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+op)
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261105/us-east-1/dynamodb/aws4_request, SignedHeaders=accept-encoding;amz-sdk-invocation-id;content-length;content-type;host;x-amz-date;x-amz-target, Signature=26e0f0b0a0b1d4a66a1e6a2e0b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8")
			r.Header.Set("X-Amz-Date", "20261105T120000Z")
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(body))
				h.ServeHTTP(&discard{http.Header{}}, r)
			}
		})
	}
}

// BenchmarkServer is the same over loopback and net/http, client and server in one process.
func BenchmarkServer(b *testing.B) {
	h := wiretest.Handler(b, wiretest.Serve{"dynamodb": newBench()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go srv.Serve(l)
	defer srv.Close()
	b.ReportAllocs()
	for b.Loop() {
		r, _ := http.NewRequest("POST", "http://"+l.Addr().String()+"/", strings.NewReader(putItem))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// BenchmarkS3 is the cost of the wire for a small object.
func BenchmarkS3(b *testing.B) {
	h := wiretest.Handler(b, wiretest.Serve{"s3": &objects{body: strings.Repeat("x", 1024)}})
	for method, body := range map[string]string{"PUT": strings.Repeat("x", 1024), "GET": ""} {
		b.Run(method, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(method, "http://localhost:4566/bucket/some/key?x-id=Object", nil)
			r.RemoteAddr = "127.0.0.1:4000"
			r.ContentLength = int64(len(body))
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261105/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=26e0")
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(body))
				h.ServeHTTP(&discard{http.Header{}}, r)
			}
		})
	}
}
