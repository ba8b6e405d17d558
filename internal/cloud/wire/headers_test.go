package wire_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/call"
	"evo/internal/cloud/wire/wiretest"
)

type kept struct{ policy string }

func (*kept) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if in.IfNoneMatch != nil {
		call.Answer(ctx).Status = 206
		call.Answer(ctx).Header = map[string]string{"ETag": `"x"`}
		return nil, &call.Error{Status: 304, Code: "NotModified"}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader("")), Metadata: map[string]string{"a-b": "c"}}, nil
}

func (k *kept) PutBucketPolicy(_ context.Context, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	k.policy = "<" + *in.Policy + ">"
	return &s3.PutBucketPolicyOutput{}, nil
}

// Clients such as boto3 hand the names of metadata on as they stand in the answer.
func TestMetadataNamesStay(t *testing.T) {
	cfg := wiretest.Config(t, wiretest.Serve{"s3": &kept{}})
	answer := ask(t, cfg, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k")})
	//lint:ignore SA1008 the name as it was kept is what is tested
	if v := answer.Header["x-amz-meta-a-b"]; len(v) != 1 || v[0] != "c" {
		t.Errorf("got %q, want x-amz-meta-a-b as it was kept", answer.Header)
	}
}

func TestErrorsKeepHeaders(t *testing.T) {
	cfg := wiretest.Config(t, wiretest.Serve{"s3": &kept{}})
	answer := ask(t, cfg, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), IfNoneMatch: aws.String("x")})
	if answer.StatusCode != 304 || answer.Header.Get("ETag") != `"x"` {
		t.Errorf("got status %d and %q, want 304 and the entity tag", answer.StatusCode, answer.Header)
	}
}

// ask returns the answer to a GetObject as it is on the wire.
func ask(t *testing.T, cfg aws.Config, in *s3.GetObjectInput) *http.Response {
	t.Helper()
	seen := &seen{next: cfg.HTTPClient}
	cfg.HTTPClient = seen
	if out, err := s3.NewFromConfig(cfg).GetObject(t.Context(), in); err == nil {
		out.Body.Close()
	}
	return seen.answer
}

type seen struct {
	next   aws.HTTPClient
	answer *http.Response
}

func (s *seen) Do(r *http.Request) (*http.Response, error) {
	answer, err := s.next.Do(r)
	s.answer = answer
	return answer, err
}

func TestEmptyTextReachesTheService(t *testing.T) {
	svc := &kept{}
	c := s3.NewFromConfig(wiretest.Config(t, wiretest.Serve{"s3": svc}))
	if _, err := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("bucket"), Policy: aws.String("")}); err != nil {
		t.Fatal(err)
	}
	if svc.policy != "<>" {
		t.Errorf("got the policy %q, want an empty one", svc.policy)
	}
}
