package executeapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/apigatewayv2/httpapi"
)

// httpRoutes are the compiled routes of one deployment.
type httpRoutes struct {
	api      *httpapi.API
	root     *httpNode
	fallback *httpRoute // $default
	metrics  [2][]Dimension
}

type httpNode struct {
	routes    map[string]*httpRoute // by method, or ANY
	static    map[string]*httpNode
	param     *httpNode
	paramName string
	greedy    *httpNode
	greedName string
}

// httpRoute is a route, ready to be served.
type httpRoute struct {
	types.Route
	key         string
	resource    string // its path, or $default
	integration types.Integration
	function    callee
	v2          bool
	authorizer  *authorizer
	problem     string // why it cannot be served
}

func (h *Handler) httpRoutes(d httpapi.Deployed) *httpRoutes {
	key := d.API.ID + "/" + d.Stage
	if c, ok := h.http.Load(key); ok && c.(*httpRoutes).api == d.API {
		return c.(*httpRoutes)
	}
	c := compileHTTP(d.API)
	c.metrics = [2][]Dimension{{{"ApiId", d.API.ID}}, {{"ApiId", d.API.ID}, {"Stage", d.Stage}}}
	h.http.Store(key, c)
	return c
}

func compileHTTP(a *httpapi.API) *httpRoutes {
	c := &httpRoutes{api: a, root: new(httpNode)}
	for _, id := range sortedKeys(a.Routes) {
		r := compileRoute(a, a.Routes[id])
		verb, path, ok := strings.Cut(r.key, " ")
		if !ok {
			c.fallback = r
			continue
		}
		n := c.root
		for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
			n = n.next(part)
		}
		if n.routes == nil {
			n.routes = map[string]*httpRoute{}
		}
		n.routes[verb] = r
	}
	return c
}

func compileRoute(a *httpapi.API, route types.Route) *httpRoute {
	r := &httpRoute{Route: route, key: aws.ToString(route.RouteKey), resource: "$default"}
	if _, path, ok := strings.Cut(r.key, " "); ok {
		r.resource = path
	}
	id := strings.TrimPrefix(aws.ToString(route.Target), "integrations/")
	i, ok := a.Integrations[id]
	r.integration = i
	r.v2 = aws.ToString(i.PayloadFormatVersion) != "1.0"
	uri := aws.ToString(i.IntegrationUri)
	r.function = calleeOf(i.IntegrationUri, i.CredentialsArn)
	if strings.HasPrefix(uri, "arn:aws:lambda:") {
		r.function.name, r.function.dynamic = uri, strings.Contains(uri, "${")
	}
	if a, ok := a.Authorizers[aws.ToString(route.AuthorizerId)]; ok && a.AuthorizerType == types.AuthorizerTypeRequest {
		if r.authorizer = newAuthorizer(a.AuthorizerId, a.Name, a.AuthorizerUri, a.AuthorizerCredentialsArn, strings.Join(a.IdentitySource, ","), a.AuthorizerResultTtlInSeconds); r.authorizer != nil {
			r.authorizer.v2 = aws.ToString(a.AuthorizerPayloadFormatVersion) != "1.0"
			r.authorizer.simple = aws.ToBool(a.EnableSimpleResponses)
		}
	}
	switch kind := route.AuthorizationType; {
	case !ok:
		r.problem = "route " + r.key + " has no integration"
	case kind == types.AuthorizationTypeJwt || kind == types.AuthorizationTypeCustom && r.authorizer == nil:
		r.problem = "the authorizer of route " + r.key + " (" + string(kind) + ") is not there in the embedded cloud"
	case i.IntegrationType != types.IntegrationTypeAwsProxy || aws.ToString(i.IntegrationSubtype) != "" || r.function.name == "":
		r.problem = "integrations of type " + string(i.IntegrationType) + " " + aws.ToString(i.IntegrationSubtype) + " with " + uri + " are not there in the embedded cloud"
	case len(i.RequestParameters) > 0 || len(i.ResponseParameters) > 0:
		r.problem = "parameter mapping, as the integration of route " + r.key + " has it, is not there in the embedded cloud"
	}
	return r
}

// next returns the node of a path part, made if it is not there.
func (n *httpNode) next(part string) *httpNode {
	name, variable := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
	switch {
	case variable && strings.HasSuffix(name, "+"):
		if n.greedy == nil {
			n.greedy, n.greedName = new(httpNode), strings.TrimSuffix(name, "+")
		}
		return n.greedy
	case variable:
		if n.param == nil {
			n.param, n.paramName = new(httpNode), name
		}
		return n.param
	}
	if n.static == nil {
		n.static = map[string]*httpNode{}
	}
	if n.static[part] == nil {
		n.static[part] = new(httpNode)
	}
	return n.static[part]
}

// match finds the most specific route for a path (without its first slash) and a method.
func (n *httpNode) match(path, verb string, params []pair) (*httpRoute, []pair) {
	part, rest, more := strings.Cut(path, "/")
	step := func(next *httpNode, params []pair) (*httpRoute, []pair) {
		switch {
		case next == nil:
			return nil, nil
		case more:
			return next.match(rest, verb, params)
		}
		return next.route(verb), params
	}
	if r, p := step(n.static[part], params); r != nil {
		return r, p
	}
	if n.param != nil && part != "" {
		if r, p := step(n.param, append(slices.Clip(params), pair{n.paramName, decoded(part)})); r != nil {
			return r, p
		}
	}
	if n.greedy != nil && path != "" {
		if r := n.greedy.route(verb); r != nil {
			return r, append(slices.Clip(params), pair{n.greedName, decoded(path)})
		}
	}
	return nil, nil
}

func (n *httpNode) route(verb string) *httpRoute {
	if r := n.routes[verb]; r != nil {
		return r
	}
	return n.routes["ANY"]
}

func decoded(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// serveHTTPAPI answers a request to an HTTP API.
func (x *exchange) serveHTTPAPI(d httpapi.Deployed) {
	x.region, x.stage, x.deployment, x.variables = d.Region, d.Stage, d.Deployment, d.Variables
	routes := x.h.httpRoutes(d)
	x.w.Header().Set("Apigw-Requestid", x.extended)
	defer x.recordHTTP(routes)
	if routes.api.Cors != nil && x.cors(routes.api.Cors) {
		return
	}
	route, params := routes.root.match(strings.TrimPrefix(x.path, "/"), x.r.Method, nil)
	if route == nil {
		route = routes.fallback
	}
	if route == nil || routes.api.Disabled {
		x.plain(http.StatusNotFound, "Not Found")
		return
	}
	x.params = params
	if route.problem != "" {
		x.log(route.problem)
		x.plain(http.StatusInternalServerError, route.problem)
		return
	}
	x.readQuery()
	if ok, tooLarge := x.readBody(); tooLarge {
		x.plain(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	} else if !ok {
		x.plain(http.StatusBadRequest, "Bad Request")
		return
	}
	if route.AuthorizationType != types.AuthorizationTypeCustom || x.askHTTP(route) {
		x.callRoute(route)
	}
}

func (x *exchange) callRoute(route *httpRoute) {
	event := make([]byte, 0, 2048+2*len(x.body))
	if route.v2 {
		event = x.eventV2(event, route)
	} else {
		event = x.eventHTTPV1(event, route)
	}
	timeout := httpTimeout
	if ms := aws.ToInt32(route.integration.TimeoutInMillis); ms > 0 {
		timeout = min(timeout, time.Duration(ms)*time.Millisecond)
	}
	out, err := x.invoke(route.function, event, timeout, x.sources(route.resource)...)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errorCode(err) == "TooManyRequestsException":
		x.plain(http.StatusServiceUnavailable, "Service Unavailable")
		return
	case errorCode(err) == "RequestTooLargeException":
		x.plain(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil || out.FunctionError != nil:
		if err != nil {
			x.log(route.key + ": " + err.Error())
		}
		x.plain(http.StatusInternalServerError, "Internal Server Error")
		return
	}
	a, err := parseHTTPAnswer(out.Payload, route.v2)
	if err != nil {
		x.log(route.key + ": " + err.Error())
		x.plain(http.StatusInternalServerError, "Internal Server Error")
		return
	}
	x.answerHTTP(a)
}

func (x *exchange) recordHTTP(routes *httpRoutes) {
	if x.h.cfg.Metrics == nil {
		return
	}
	data := make([]Datum, 0, 10)
	for _, dims := range routes.metrics {
		data = append(data,
			Datum{"Count", "Count", dims, 1}, Datum{"4xx", "Count", dims, errorClass(x.status, 4)}, Datum{"5xx", "Count", dims, errorClass(x.status, 5)},
			Datum{"Latency", "Milliseconds", dims, millis(time.Since(x.began))})
		if x.integration > 0 {
			data = append(data, Datum{"IntegrationLatency", "Milliseconds", dims, millis(x.integration)})
		}
	}
	x.h.cfg.Metrics.Record(x.region, "AWS/ApiGateway", x.start, data)
}

// cors sets the headers that the API's CORS configuration asks for, and answers preflight requests; true if it has.
func (x *exchange) cors(c *types.Cors) bool {
	origin := x.r.Header.Get("Origin")
	preflight := x.r.Method == http.MethodOptions && origin != "" && x.r.Header.Get("Access-Control-Request-Method") != ""
	allowed := originAllowed(c.AllowOrigins, origin)
	if origin != "" && allowed != "" {
		h := x.w.Header()
		h.Set("Access-Control-Allow-Origin", allowed)
		if aws.ToBool(c.AllowCredentials) {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		if len(c.ExposeHeaders) > 0 && !preflight {
			h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
		}
		if preflight {
			preflightHeaders(h, c)
		}
	}
	if preflight {
		x.write(http.StatusNoContent, nil)
	}
	return preflight
}

func preflightHeaders(h http.Header, c *types.Cors) {
	if len(c.AllowMethods) > 0 {
		h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
	}
	if len(c.AllowHeaders) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
	}
	if c.MaxAge != nil {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(*c.MaxAge)))
	}
}

// originAllowed returns what Access-Control-Allow-Origin must say; "" if the origin may not.
func originAllowed(allowed []string, origin string) string {
	for _, a := range allowed {
		prefix, wild := strings.CutSuffix(a, "*")
		switch {
		case a == "*":
			return "*"
		case strings.EqualFold(a, origin), wild && strings.HasPrefix(origin, prefix):
			return origin
		}
	}
	return ""
}
