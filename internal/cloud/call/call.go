// Package call answers: what does a service need to know of the API call it serves, besides its input?
//
// The wire layer puts an [Info] and a [Response] into the context before it calls a service's method; calls that services
// make of each other inside the cloud carry on the context that they were given. A context without them is a call made by
// the cloud itself.
package call

import (
	"context"
	"fmt"

	"github.com/aws/smithy-go"
)

// Account is the one account of the embedded cloud, in the form that AWS gives account ids.
const Account = "000000000000"

// DefaultRegion serves callers that name no region.
const DefaultRegion = "us-east-1"

// Info says who called, and how.
type Info struct {
	RequestID string
	Region    string // from the signature's scope, else DefaultRegion
	AccessKey string // empty for an anonymous call
	Host      string // the request's Host header, as the caller wrote it
	Secure    bool   // over TLS
	SourceIP  string
	UserAgent string
}

// Response lets a method say what its output struct cannot: a status other than the model's, a header that the model does
// not name. Wire reads it after the method has returned; of an error it takes the headers only, as a 304 has an entity tag.
type Response struct {
	Status int               // 0: the model's
	Header map[string]string // nil: none
}

type infoKey struct{}
type responseKey struct{}

// With returns a context that carries info, and a fresh Response for the method to fill.
func With(ctx context.Context, info Info) (context.Context, *Response) {
	r := new(Response)
	ctx = context.WithValue(ctx, infoKey{}, info)
	return context.WithValue(ctx, responseKey{}, r), r
}

// From returns what is known of the call; outside of a call, only the default region.
func From(ctx context.Context) Info {
	if i, ok := ctx.Value(infoKey{}).(Info); ok {
		return i
	}
	return Info{Region: DefaultRegion}
}

// Internal reports whether the cloud itself makes the call, as CloudFormation does for a stack: what is reserved for AWS, such
// as tags that begin with "aws:", is then allowed.
func Internal(ctx context.Context) bool {
	_, outside := ctx.Value(infoKey{}).(Info)
	return !outside
}

// Answer returns the Response of the call under way, or one that nobody reads.
func Answer(ctx context.Context) *Response {
	if r, ok := ctx.Value(responseKey{}).(*Response); ok {
		return r
	}
	return new(Response)
}

// Error is an error answer that the service's model does not name as a shape (DynamoDB's ValidationException, most of
// S3's), or that needs a status of its own. Errors that the model names are returned as the SDK's own types instead.
type Error struct {
	Status  int // 0: 400
	Code    string
	Message string
	Detail  map[string]string // further members, as S3's BucketName or Resource
}

// Errorf returns an Error with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Status: 400, Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string        { return e.Code + ": " + e.Message }
func (e *Error) ErrorCode() string    { return e.Code }
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorFault tells the client's mistakes from the cloud's by the status.
func (e *Error) ErrorFault() smithy.ErrorFault {
	if e.Status >= 500 {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}
