package inventory_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
)

// answerError is an error answer of a service, in the protocol that the request's service speaks.
type answerError struct {
	status        int
	code, message string
}

func (e *answerError) Error() string { return e.code + ": " + e.message }

func (e *answerError) response(r *http.Request) *http.Response {
	header := http.Header{"Content-Type": {"text/xml"}}
	body := fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message></Error>", e.code, e.message)
	switch awsmiddleware.GetServiceID(r.Context()) {
	case "S3":
	case "IAM", "CloudFormation":
		body = "<ErrorResponse>" + body + "</ErrorResponse>"
	default:
		header = http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {e.code}}
		body = fmt.Sprintf(`{"__type":%q,"message":%q}`, e.code, e.message)
	}
	return &http.Response{StatusCode: e.status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}
}

// denied answers as a service does to those who may not.
func denied(*http.Request) error { return &answerError{403, "AccessDenied", "not authorized"} }

func throttled(*http.Request) error { return &answerError{400, "ThrottlingException", "Rate exceeded"} }
