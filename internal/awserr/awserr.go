// Package awserr answers: what does an error of an SDK client say to a person?
//
// SDK clients wrap what AWS says in the names of operations, protocols and request ids. [Explain] keeps what was being done and
// AWS's own message, and adds what the person can do about it. The error that was explained stays in the chain.
package awserr

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind is what went wrong, as far as a person can do something about it.
type Kind int

// The kinds of errors.
const (
	Other        Kind = iota
	NoStack           // there is no stack of that name
	NoBucket          // there is no bucket of that name
	OtherRegion       // the bucket is in another region
	Denied            // the caller may not do that
	Unidentified      // AWS does not know the caller, or not any more
	Unreachable       // nothing answers
	Throttled         // too many requests
	NotAPI            // what answers is no AWS API
)

// Error is an SDK client's error in words for a person.
type Error struct {
	Kind      Kind
	Operation string // as IAM policies name it: cloudformation:DescribeStacks
	Host      string // where nothing answers, with the port if it has one
	Stack     string // that there is none of
	text      string
	cause     error
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.cause }

// Hint says what a person can do. What depends on the cloud that was asked, such as the stacks that it does have, is for those
// who know it.
func (e *Error) Hint() string {
	var h interface{ Hint() string }
	if errors.As(e.cause, &h) && h.Hint() != "" {
		return h.Hint()
	}
	switch e.Kind {
	case NoBucket:
		return "make the bucket first, or leave it to evo with --resolve-s3 in the place of --s3-bucket"
	case OtherRegion:
		return "name the bucket's own region with --region, or a bucket of this one with --s3-bucket"
	case Denied:
		return "the caller needs permission for " + e.Operation + "; ask whoever manages the account, or choose another --profile"
	case Unidentified:
		return "log in again (`aws sso login`), or name credentials that are valid with --profile or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	case Unreachable:
		return "is the network there, and is the --region one of AWS's?"
	case Throttled:
		return "AWS takes no more requests of this kind for the moment: try again in a minute"
	}
	return ""
}

// Explain returns err in words for a person if an SDK client's error is in it, else err itself.
func Explain(err error) error {
	var done *Error
	var op *smithy.OperationError
	if err == nil || errors.As(err, &done) || !errors.As(err, &op) {
		return err
	}
	e := &Error{Operation: action(op), cause: err}
	said := e.read(op)
	e.text = err.Error()
	if before, rest, ok := strings.Cut(e.text, op.Error()); ok && before == "" && !strings.HasPrefix(rest, ": ") {
		e.text = op.Service() + " " + op.Operation() + ": " + said + rest // nobody has said what was being done
	} else if ok {
		e.text = before + said + rest
	}
	return e
}

// Text is the explained error's text.
func Text(err error) string { return Explain(err).Error() }

// action is an operation as IAM policies name it.
func action(op *smithy.OperationError) string {
	service := strings.ToLower(strings.ReplaceAll(op.Service(), " ", ""))
	if short, ok := prefixes[service]; ok {
		service = short
	}
	return service + ":" + op.Operation()
}

// prefixes are the services whose name in policies is not the one in lower case.
var prefixes = map[string]string{"cloudwatchlogs": "logs", "configservice": "config", "applicationautoscaling": "application-autoscaling",
	"apigatewayv2": "apigateway"}

var unidentified = map[string]bool{"UnrecognizedClientException": true, "InvalidClientTokenId": true, "ExpiredToken": true,
	"ExpiredTokenException": true, "SignatureDoesNotMatch": true, "InvalidAccessKeyId": true, "AuthFailure": true,
	"MissingAuthenticationToken": true, "InvalidToken": true, "MissingAuthenticationTokenException": true, "InvalidSignatureException": true}

var denied = map[string]bool{"AccessDenied": true, "AccessDeniedException": true, "UnauthorizedOperation": true, "Forbidden": true,
	"NotAuthorized": true, "UnauthorizedException": true}

var throttled = map[string]bool{"Throttling": true, "ThrottlingException": true, "TooManyRequestsException": true, "RequestLimitExceeded": true,
	"SlowDown": true}

var (
	noStack   = regexp.MustCompile(`^Stack (?:with id |\[)?([^\s\]]+)\]? does not exist`)
	performed = regexp.MustCompile(`not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9]+)`)
)

// read fills in what is known of the error, and returns what was said.
func (e *Error) read(op *smithy.OperationError) string {
	var api smithy.APIError
	if errors.As(op, &api) {
		return e.readAPI(api)
	}
	var send *smithyhttp.RequestSendError
	if errors.As(op, &send) {
		return e.readSend(send)
	}
	if text := op.Unwrap().Error(); strings.Contains(text, "get credentials:") || strings.Contains(text, "get identity:") {
		e.Kind = Unidentified
		return "no AWS credentials: " + innermost(op).Error()
	}
	var resp *smithyhttp.ResponseError
	if errors.As(op, &resp) {
		e.Kind = NotAPI
		return "the answer was HTTP status " + strconv.Itoa(resp.HTTPStatusCode())
	}
	return innermost(op).Error()
}

func (e *Error) readAPI(api smithy.APIError) string {
	code, message := api.ErrorCode(), strings.TrimSpace(api.ErrorMessage())
	switch {
	case denied[code]:
		e.Kind = Denied
		if m := performed.FindStringSubmatch(message); m != nil {
			e.Operation = m[1]
		}
	case unidentified[code]:
		e.Kind = Unidentified
	case throttled[code]:
		e.Kind = Throttled
	case code == "NoSuchBucket":
		e.Kind = NoBucket
	case code == "PermanentRedirect", code == "MovedPermanently", code == "AuthorizationHeaderMalformed":
		e.Kind = OtherRegion
	case code == "ValidationError":
		if m := noStack.FindStringSubmatch(message); m != nil {
			e.Kind, e.Stack = NoStack, m[1]
		}
	}
	if message == "" {
		return code
	}
	return message + " (" + code + ")"
}

func (e *Error) readSend(send *smithyhttp.RequestSendError) string {
	e.Kind = Unreachable
	var u *url.Error
	if errors.As(send, &u) {
		if parsed, err := url.Parse(u.URL); err == nil {
			e.Host = parsed.Host
		}
	}
	why := innermost(send).Error()
	var dns *net.DNSError
	if errors.As(send, &dns) {
		why = "there is no such host"
	}
	if e.Host == "" {
		return "nothing answers: " + why
	}
	return "nothing answers at " + e.Host + ": " + why
}

// innermost is the end of an error's chain.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
