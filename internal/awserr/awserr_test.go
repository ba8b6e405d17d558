package awserr_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/awserr"
)

func config(url string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
}

// describe asks a server that answers each request with an error of CloudFormation's.
func describe(t *testing.T, code, message string) error {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`, code, message)
	}))
	defer srv.Close()
	_, err := cloudformation.NewFromConfig(config(srv.URL)).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
	return err
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		code, message string
		kind          awserr.Kind
		text, hint    string
	}{
		{"ValidationError", "Stack with id shop does not exist", awserr.NoStack, "Stack with id shop does not exist (ValidationError)", ""},
		{"ValidationError", "Stack [shop] does not exist", awserr.NoStack, "Stack [shop] does not exist (ValidationError)", ""},
		{"ValidationError", "No updates are to be performed.", awserr.Other, "No updates are to be performed. (ValidationError)", ""},
		{"AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: cloudformation:ListStacks on resource: *", awserr.Denied,
			"User: arn:aws:iam::1:user/x is not authorized to perform: cloudformation:ListStacks on resource: * (AccessDenied)", "cloudformation:ListStacks"},
		{"AccessDenied", "No.", awserr.Denied, "No. (AccessDenied)", "cloudformation:DescribeStacks"},
		{"ExpiredToken", "The security token included in the request is expired", awserr.Unidentified,
			"The security token included in the request is expired (ExpiredToken)", "aws sso login"},
		{"Throttling", "Rate exceeded", awserr.Throttled, "Rate exceeded (Throttling)", "try again"},
	} {
		err := awserr.Explain(fmt.Errorf("read stack shop: %w", describe(t, c.code, c.message)))
		var e *awserr.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s is not explained: %v", c.code, err)
		}
		if want := "read stack shop: " + c.text; e.Kind != c.kind || err.Error() != want {
			t.Errorf("kind %v, %q; want kind %v, %q", e.Kind, err, c.kind, want)
		}
		if !strings.Contains(e.Hint(), c.hint) || (c.hint == "") != (e.Hint() == "") {
			t.Errorf("%s: the hint is %q, not with %q", c.code, e.Hint(), c.hint)
		}
		if e.Kind == awserr.NoStack && e.Stack != "shop" {
			t.Errorf("the stack is %q", e.Stack)
		}
	}
}

func TestExplainSaysWhatWasDone(t *testing.T) {
	err := awserr.Explain(describe(t, "InternalFailure", "Sorry"))
	if want := "CloudFormation DescribeStacks: Sorry (InternalFailure)"; err.Error() != want {
		t.Errorf("%q, not %q", err, want)
	}
	if again := awserr.Explain(fmt.Errorf("later: %w", err)); again.Error() != "later: "+err.Error() {
		t.Errorf("explained twice: %q", again)
	}
}

func TestExplainUnreachable(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	_, err = s3.NewFromConfig(config("http://"+host), func(o *s3.Options) { o.UsePathStyle = true }).
		GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	err = awserr.Explain(fmt.Errorf("read it: %w", err))
	var e *awserr.Error
	if !errors.As(err, &e) || e.Kind != awserr.Unreachable || e.Host != host {
		t.Fatalf("%#v", err)
	}
	if want := "read it: nothing answers at " + host + ": connection refused"; err.Error() != want {
		t.Errorf("%q, not %q", err, want)
	}
}

func TestExplainLeavesOthers(t *testing.T) {
	for _, err := range []error{nil, errors.New("mine"), context.Canceled} {
		if got := awserr.Explain(err); got != err { //nolint:errorlint // the very same
			t.Errorf("%v became %v", err, got)
		}
	}
}
