package executeapi

import (
	"encoding/base64"
	"mime"
	"net/http"
	"strings"
	"time"

	"evo/internal/cloud/call"
)

// proxy serves a method whose function sees the whole request and makes the whole answer.
func (x *restExchange) proxy() {
	event := x.eventV1(make([]byte, 0, 2048+2*len(x.body)), x.m.resource.Path, x.m.resource.ID, isBinary(x.api.BinaryMediaTypes, x.r.Header.Get("Content-Type")))
	payload, functionError, ok := x.call(event)
	if !ok {
		return
	}
	if functionError != "" {
		x.malformed("function error " + functionError)
		return
	}
	a, err := parseProxyAnswer(payload, true)
	if err != nil {
		x.malformed(err.Error())
		return
	}
	body := []byte(a.body)
	if a.binary && isBinary(x.api.BinaryMediaTypes, firstMedia(x.r.Header.Get("Accept"))) {
		if body, err = base64.StdEncoding.DecodeString(a.body); err != nil {
			x.malformed("the body is not base64")
			return
		}
	}
	h := x.w.Header()
	copyHeaders(h, a.headers)
	h.Set("X-Amzn-Trace-Id", x.trace)
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	x.write(a.status, body)
}

func (x *restExchange) malformed(why string) {
	x.log(x.m.resource.Path + ": " + why)
	x.fail("INTEGRATION_FAILURE", 502, "Internal server error", "InternalServerErrorException")
}

// remapped are headers of a function's answer that reach the client under another name.
var remapped = map[string]bool{"Connection": true, "Content-Length": true, "Date": true, "Server": true, "Www-Authenticate": true, "Transfer-Encoding": true}

func copyHeaders(to, from http.Header) {
	for name, values := range from {
		if remapped[name] {
			name = "X-Amzn-Remapped-" + name
		}
		to[name] = values
	}
}

func firstMedia(accept string) string {
	first, _, _ := strings.Cut(accept, ",")
	return first
}

// isBinary tells whether a media type is among an API's binary ones.
func isBinary(binary []string, contentType string) bool {
	if len(binary) == 0 {
		return false
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = strings.TrimSpace(contentType)
	}
	for _, b := range binary {
		b = strings.ReplaceAll(b, "~1", "/")
		if prefix, ok := strings.CutSuffix(b, "/*"); b == "*/*" || strings.EqualFold(b, media) || ok && strings.HasPrefix(media, prefix+"/") {
			return true
		}
	}
	return false
}

// eventV1 appends the event of payload format 1.0 as REST APIs send it.
func (x *exchange) eventV1(b []byte, resource, resourceID string, binary bool) []byte {
	o := newObject(b)
	o.str("resource", resource)
	o.str("path", slashed(x.path))
	o.str("httpMethod", x.r.Method)
	headers := x.headers(false)
	o.headersV1(headers)
	o.queryV1(x.query)
	o.texts("pathParameters", x.params)
	o.variables(x.variables)
	o.key("requestContext")
	o.b = x.contextV1(o.b, resource, resourceID, x.full)
	o.body(x.body, binary)
	return o.end()
}

// slashed lets a path begin with exactly one slash.
func slashed(path string) string { return "/" + strings.TrimLeft(path, "/") }

func (o *object) headersV1(headers []header) {
	o.key("headers")
	in := newObject(o.b)
	for _, h := range headers {
		in.str(h.name, h.values[len(h.values)-1])
	}
	o.b = in.end()
	o.key("multiValueHeaders")
	in = newObject(o.b)
	for _, h := range headers {
		in.strs(h.name, h.values)
	}
	o.b = in.end()
}

// queryV1 appends a query twice: with the last value of each name, and with all.
func (o *object) queryV1(query []pair) {
	var names []string
	values := map[string][]string{}
	for _, p := range query {
		if values[p.name] == nil {
			names = append(names, p.name)
		}
		values[p.name] = append(values[p.name], p.value)
	}
	if len(names) == 0 {
		o.raw("queryStringParameters", "null")
		o.raw("multiValueQueryStringParameters", "null")
		return
	}
	o.key("queryStringParameters")
	in := newObject(o.b)
	for _, n := range names {
		in.str(n, values[n][len(values[n])-1])
	}
	o.b = in.end()
	o.key("multiValueQueryStringParameters")
	in = newObject(o.b)
	for _, n := range names {
		in.strs(n, values[n])
	}
	o.b = in.end()
}

func (o *object) variables(variables map[string]string) {
	if len(variables) == 0 {
		o.raw("stageVariables", "null")
		return
	}
	o.key("stageVariables")
	in := newObject(o.b)
	for k, v := range variables {
		in.str(k, v)
	}
	o.b = in.end()
}

func (o *object) body(body []byte, binary bool) {
	switch {
	case len(body) == 0:
		o.raw("body", "null")
		o.raw("isBase64Encoded", "false")
	case binary:
		o.key("body")
		o.b = append(base64.StdEncoding.AppendEncode(append(o.b, '"'), body), '"')
		o.raw("isBase64Encoded", "true")
	default:
		o.str("body", string(body))
		o.raw("isBase64Encoded", "false")
	}
}

const timeFormat = "02/Jan/2006:15:04:05 -0700"

func (x *exchange) contextV1(b []byte, resource, resourceID, path string) []byte {
	o := newObject(b)
	o.str("resourceId", resourceID)
	o.str("resourcePath", resource)
	o.str("httpMethod", x.r.Method)
	o.str("extendedRequestId", x.extended)
	o.str("requestTime", x.start.Format(timeFormat))
	o.str("path", slashed(path))
	o.str("accountId", call.Account)
	o.str("protocol", x.r.Proto)
	o.str("stage", x.stage)
	o.str("domainPrefix", x.apiID)
	o.int("requestTimeEpoch", x.start.UnixMilli())
	o.str("requestId", x.id)
	o.key("identity")
	in := newObject(o.b)
	for _, name := range []string{"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller"} {
		in.raw(name, "null")
	}
	in.str("sourceIp", x.sourceIP())
	for _, name := range []string{"principalOrgId", "accessKey", "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn"} {
		in.raw(name, "null")
	}
	if agent := x.r.UserAgent(); agent != "" {
		in.str("userAgent", agent)
	} else {
		in.raw("userAgent", "null")
	}
	in.raw("user", "null")
	o.b = in.end()
	if x.verdict != nil {
		o.key("authorizer")
		o.b = x.verdict.authorizerV1(o.b)
	}
	o.str("domainName", x.domain())
	o.str("deploymentId", x.deployment)
	o.str("apiId", x.apiID)
	return o.end()
}

// domain is the host name that the client used, without the port.
func (x *exchange) domain() string {
	host, _, _ := strings.Cut(x.r.Host, ":")
	return host
}

// epoch is a moment as templates see it.
func epoch(t time.Time) int64 { return t.UnixMilli() }
