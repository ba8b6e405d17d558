package executeapi

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"evo/internal/cloud/call"
)

// eventV2 appends the event of payload format 2.0. Members without a value are left out.
func (x *exchange) eventV2(b []byte, route *httpRoute) []byte {
	o := newObject(b)
	o.str("version", "2.0")
	x.requestV2(&o, route)
	if len(x.body) == 0 {
		o.raw("isBase64Encoded", "false")
		return o.end()
	}
	o.body(x.body, !isText(x.r.Header.Get("Content-Type")))
	return o.end()
}

// requestV2 appends what events of format 2.0 say of the request besides its body.
func (x *exchange) requestV2(o *object, route *httpRoute) {
	o.str("routeKey", route.key)
	o.str("rawPath", decoded(x.full))
	o.str("rawQueryString", x.r.URL.RawQuery)
	headers := x.headers(true)
	headers = slices.DeleteFunc(headers, func(h header) bool {
		if h.name != "Cookie" {
			return false
		}
		o.strs("cookies", cookies(h.values))
		return true
	})
	o.joined("headers", lower(headers))
	if len(x.query) > 0 {
		o.texts("queryStringParameters", joinQuery(x.query))
	}
	o.key("requestContext")
	o.b = x.contextV2(o.b, route)
	if len(x.params) > 0 {
		o.texts("pathParameters", x.params)
	}
	if len(x.variables) > 0 {
		o.variables(x.variables)
	}
}

func (x *exchange) contextV2(b []byte, route *httpRoute) []byte {
	o := newObject(b)
	o.str("accountId", call.Account)
	o.str("apiId", x.apiID)
	if x.verdict != nil {
		o.key("authorizer")
		o.b = x.verdict.authorizerV2(o.b)
	}
	o.str("domainName", x.domain())
	o.str("domainPrefix", x.apiID)
	o.key("http")
	in := newObject(o.b)
	in.str("method", x.r.Method)
	in.str("path", decoded(x.full))
	in.str("protocol", x.r.Proto)
	in.str("sourceIp", x.sourceIP())
	in.str("userAgent", x.r.UserAgent())
	o.b = in.end()
	o.str("requestId", x.extended)
	o.str("routeKey", route.key)
	o.str("stage", x.stage)
	o.str("time", x.start.Format(timeFormat))
	o.int("timeEpoch", x.start.UnixMilli())
	return o.end()
}

// eventHTTPV1 appends the event of payload format 1.0 as HTTP APIs send it.
func (x *exchange) eventHTTPV1(b []byte, route *httpRoute) []byte {
	o := newObject(b)
	o.str("version", "1.0")
	o.str("resource", route.resource)
	o.str("path", decoded(x.full))
	o.str("httpMethod", x.r.Method)
	o.headersV1(lower(x.headers(true)))
	o.queryV1(x.query)
	o.key("requestContext")
	o.b = x.contextV1(o.b, route.resource, route.key, decoded(x.full))
	o.texts("pathParameters", x.params)
	o.variables(x.variables)
	o.body(x.body, !isText(x.r.Header.Get("Content-Type")))
	return o.end()
}

func lower(headers []header) []header {
	for i := range headers {
		headers[i].name = strings.ToLower(headers[i].name)
	}
	return headers
}

func cookies(values []string) (all []string) {
	for _, v := range values {
		for c := range strings.SplitSeq(v, ";") {
			if c = strings.TrimSpace(c); c != "" {
				all = append(all, c)
			}
		}
	}
	return all
}

// joined appends headers, with several values of one name in one, between commas.
func (o *object) joined(name string, headers []header) {
	o.key(name)
	in := newObject(o.b)
	for _, h := range headers {
		in.str(h.name, strings.Join(h.values, ","))
	}
	o.b = in.end()
}

func joinQuery(query []pair) (all []pair) {
	at := map[string]int{}
	for _, p := range query {
		if i, ok := at[p.name]; ok {
			all[i].value += "," + p.value
			continue
		}
		at[p.name] = len(all)
		all = append(all, p)
	}
	return all
}

// isText tells whether a body of a media type goes into the event as it is. Other bodies, forms among them, go in base64.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return contentType == ""
	}
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}

// parseHTTPAnswer reads a function's answer. In payload format 2.0, any JSON that is no object with a statusCode is the body
// itself.
func parseHTTPAnswer(payload []byte, v2 bool) (proxyAnswer, error) {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(payload, &members) // what is no object has no members
	if _, ok := members["statusCode"]; ok {
		a, err := parseProxyAnswer(payload, false)
		if !v2 {
			a.cookies = nil
		}
		if err == nil && a.headers.Get("Content-Type") == "" {
			a.headers.Set("Content-Type", "text/plain;charset=UTF-8")
		}
		return a, err
	}
	if !v2 {
		return proxyAnswer{}, errMalformed
	}
	a := proxyAnswer{status: http.StatusOK, headers: http.Header{"Content-Type": {"application/json"}}, body: string(payload)}
	var text string
	if json.Unmarshal(payload, &text) == nil && string(payload) != "null" {
		a.body = text
	}
	return a, nil
}

func (x *exchange) answerHTTP(a proxyAnswer) {
	body := []byte(a.body)
	if a.binary {
		b, err := base64.StdEncoding.DecodeString(a.body)
		if err != nil {
			x.plain(http.StatusInternalServerError, "Internal Server Error")
			return
		}
		body = b
	}
	h := x.w.Header()
	for name, values := range a.headers {
		if remapped[name] || h.Get(name) != "" && strings.HasPrefix(name, "Access-Control-") {
			continue // the API's own CORS configuration goes before the function's
		}
		h[name] = values
	}
	for _, c := range a.cookies {
		h.Add("Set-Cookie", c)
	}
	x.write(a.status, body)
}
