package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

// silent takes what wire lets through to it.
type silent struct{}

func (silent) SetAlarmState(context.Context, *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// TestValidationErrorsHaveTwoNames: a service that used to speak Query calls input that its model does not allow ValidationError
// there, and ValidationException in the newer protocols, which tell the old name to clients that ask for it.
func TestValidationErrorsHaveTwoNames(t *testing.T) {
	h, err := New(Config{Services: []Service{{Name: "cloudwatch", For: func(string) (any, error) { return silent{}, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"AlarmName": "a", "StateValue": "INVALID", "StateReason": "r"}`
	r := httptest.NewRequest(http.MethodPost, "http://localhost:4566/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.SetAlarmState")
	r.Header.Set("X-Amzn-Query-Mode", "true")
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261105/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("X-Amzn-Query-Error"); got != "ValidationError;Sender" {
		t.Errorf("X-Amzn-Query-Error: %q", got)
	}
	if got := w.Body.String(); !strings.Contains(got, `"__type":"com.amazon.coral.validate#ValidationException"`) {
		t.Errorf("got %s", got)
	}

	r = httptest.NewRequest(http.MethodPost, "http://monitoring.localhost:4566/", strings.NewReader("Action=SetAlarmState&Version=2010-08-01&AlarmName=a&StateValue=INVALID&StateReason=r"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261105/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Body.String(); !strings.Contains(got, "<Code>ValidationError</Code>") {
		t.Errorf("got %s", got)
	}
}
