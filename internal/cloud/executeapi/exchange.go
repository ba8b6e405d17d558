package executeapi

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/jsontext"
)

// Limits, as AWS has them.
const (
	maxBody     = 10 << 20
	maxSkipped  = 8 * maxBody // of a body that is refused
	httpTimeout = 30 * time.Second
)

// exchange is one request and its answer.
type exchange struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	start time.Time // by the cloud's clock
	began time.Time // by the machine's: what functions take is real

	id, extended, trace string
	apiID, region       string
	stage, deployment   string
	variables           map[string]string
	full, path          string // with the stage, and without it; escaped
	params              []pair // of the path
	query               []pair
	body                []byte
	status              int
	integration         time.Duration
	verdict             *verdict // of an authorizer; nil: none was asked
}

type pair struct{ name, value string }

// identify gives the request its ids.
func (x *exchange) identify() {
	var b [16 + 11 + 12]byte
	if _, err := io.ReadFull(x.h.cfg.Rand, b[:]); err != nil {
		copy(b[:], fmt.Sprint(time.Now().UnixNano())) // an id is better than no answer
	}
	x.id = id.FormatUUID([16]byte(b[:16]))
	x.extended = base64.StdEncoding.EncodeToString(b[16:27])[:15] + "="
	if x.trace = x.r.Header.Get("X-Amzn-Trace-Id"); x.trace == "" {
		x.trace = fmt.Sprintf("Root=1-%08x-%s", x.start.Unix(), hex.EncodeToString(b[27:]))
	}
}

func (x *exchange) log(message string) {
	if x.h.cfg.Log != nil {
		x.h.cfg.Log(x.apiID, message)
	}
}

// readBody reads the request's body; false if it is too large, or the client went away.
func (x *exchange) readBody() (ok, tooLarge bool) {
	if x.r.Body == nil || x.r.Body == http.NoBody || x.r.ContentLength == 0 {
		return true, false
	}
	if x.r.ContentLength > maxBody {
		x.skipBody()
		return false, true
	}
	var err error
	if x.r.ContentLength > 0 {
		x.body = make([]byte, x.r.ContentLength)
		_, err = io.ReadFull(x.r.Body, x.body)
	} else {
		x.body, err = io.ReadAll(io.LimitReader(x.r.Body, maxBody+1))
	}
	if len(x.body) > maxBody {
		x.skipBody()
		return false, true
	}
	return err == nil, false
}

// skipBody reads what is left of a body that is too large, within reason: a client that is still sending when the answer
// comes would see its connection break instead of the answer.
func (x *exchange) skipBody() { _, _ = io.CopyN(io.Discard, x.r.Body, maxSkipped) }

// readQuery decodes the query in its order.
func (x *exchange) readQuery() {
	for part := range strings.SplitSeq(x.r.URL.RawQuery, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		x.query = append(x.query, pair{unescape(k), unescape(v)})
	}
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

func (x *exchange) sourceIP() string {
	host, _, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

func (x *exchange) proto() (scheme, port string) {
	scheme, port = "http", "80"
	if x.r.TLS != nil {
		scheme, port = "https", "443"
	}
	if _, p, err := net.SplitHostPort(x.r.Host); err == nil {
		port = p
	}
	return scheme, port
}

// hop are headers that concern the connection, and stay there.
var hop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// headers returns the request's headers as functions see them, by name.
func (x *exchange) headers(withLength bool) []header {
	all := make([]header, 0, len(x.r.Header)+6)
	for name, values := range x.r.Header {
		if len(values) == 0 || slices.Contains(hop, name) || name == "Content-Length" && !withLength {
			continue
		}
		all = append(all, header{name, values})
	}
	scheme, port := x.proto()
	forwarded := x.sourceIP()
	if f := x.r.Header.Get("X-Forwarded-For"); f != "" {
		forwarded = f + ", " + forwarded
	}
	all = set(all, "Host", x.r.Host)
	all = set(all, "X-Amzn-Trace-Id", x.trace)
	all = set(all, "X-Forwarded-For", forwarded)
	all = set(all, "X-Forwarded-Port", port)
	all = set(all, "X-Forwarded-Proto", scheme)
	slices.SortFunc(all, func(a, b header) int { return strings.Compare(a.name, b.name) })
	return all
}

type header struct {
	name   string
	values []string
}

func set(all []header, name, value string) []header {
	for i := range all {
		if all[i].name == name {
			all[i].values = []string{value}
			return all
		}
	}
	return append(all, header{name, []string{value}})
}

// callee is the function that an integration or an authorizer names.
type callee struct {
	name    string // or its ARN; empty: the URI names none
	dynamic bool   // the name has stage variables
	assumes bool   // a role's permissions count, not the function's policy
}

// calleeOf reads an integration's or authorizer's URI.
func calleeOf(uri, role *string) callee {
	name, _ := restapi.FunctionOf(aws.ToString(uri))
	return callee{name: name, dynamic: strings.Contains(name, "${"), assumes: aws.ToString(role) != ""}
}

// sources are the ARNs that a function's policy may name a route or a resource by: with its own path, and with the request's.
func (x *exchange) sources(path string) []string {
	if !strings.HasPrefix(path, "/") {
		return []string{x.arn(x.stage + "/" + path), x.methodARN()}
	}
	return []string{x.arn(x.stage + "/" + x.r.Method + path), x.methodARN()}
}

// invoke calls a function, in the stage's words, and waits for its answer at most for the time given. The function's policy must
// let the API do so for one of the sources, which are ARNs.
func (x *exchange) invoke(c callee, payload []byte, timeout time.Duration, sources ...string) (*lambda.InvokeOutput, error) {
	l, err := x.h.cfg.Lambda(x.region)
	if err != nil {
		return nil, err
	}
	function := c.name
	if c.dynamic {
		function = restapi.Expand(function, x.variables)
	}
	if !c.assumes && !l.Permits(function, "apigateway.amazonaws.com", sources...) {
		return nil, fmt.Errorf("the policy of %s does not let apigateway.amazonaws.com invoke it for %s: an AWS::Lambda::Permission is missing", function, sources[0])
	}
	ctx, cancel := call.WithLimit(x.r.Context(), timeout)
	defer cancel()
	ctx, _ = call.With(ctx, call.Info{RequestID: x.id, Region: x.region, Host: x.r.Host, SourceIP: x.sourceIP(), UserAgent: x.r.UserAgent()})
	began := time.Now()
	out, err := l.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, InvocationType: lambdatypes.InvocationTypeRequestResponse, Payload: payload})
	x.integration = time.Since(began)
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return nil, context.DeadlineExceeded
	}
	return out, err
}

func errorCode(err error) string {
	if e := (smithy.APIError)(nil); errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// plain answers with a message.
func (x *exchange) plain(status int, message string) {
	b := append(jsontext.AppendString([]byte(`{"message":`), message), '}')
	x.w.Header().Set("Content-Type", "application/json")
	x.write(status, b)
}

// write ends the exchange.
func (x *exchange) write(status int, body []byte) {
	x.status = status
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified {
		x.w.Write(body) // the client may be gone: there is nobody to tell
	}
}
