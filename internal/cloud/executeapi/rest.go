package executeapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/executeapi/vtl"
	"evo/internal/cloud/jsontext"
)

// restRoutes are the compiled routes of one deployment.
type restRoutes struct {
	api     *restapi.API
	root    *restNode
	metrics [2][]Dimension // by API; by API and stage
}

// restNode is a path part, with what may follow it.
type restNode struct {
	resource  *restapi.Resource
	methods   map[string]*restMethod
	static    map[string]*restNode
	param     *restNode
	paramName string
	greedy    *restNode
	greedName string
}

// restMethod is a method, ready to be served.
type restMethod struct {
	types.Method
	resource    *restapi.Resource
	integration types.Integration
	function    callee // of a Lambda integration
	authorizer  *authorizer
	templates   sync.Map // template text → *vtl.Template or error
}

func (h *Handler) restRoutes(d restapi.Deployed) *restRoutes {
	key := d.API.ID + "/" + d.Stage
	if c, ok := h.rest.Load(key); ok && c.(*restRoutes).api == d.API {
		return c.(*restRoutes)
	}
	c := compileREST(d.API)
	c.metrics = [2][]Dimension{{{"ApiName", d.API.Name}}, {{"ApiName", d.API.Name}, {"Stage", d.Stage}}}
	h.rest.Store(key, c)
	return c
}

func compileREST(a *restapi.API) *restRoutes {
	c := &restRoutes{api: a, root: &restNode{}}
	for _, r := range a.Sorted() {
		n := c.root
		for part := range strings.SplitSeq(strings.Trim(r.Path, "/"), "/") {
			if part != "" {
				n = n.next(part)
			}
		}
		n.resource = &r
		n.methods = map[string]*restMethod{}
		for verb, m := range r.Methods {
			rm := &restMethod{Method: m, resource: &r}
			if m.MethodIntegration != nil {
				rm.integration = *m.MethodIntegration
			}
			rm.function = calleeOf(rm.integration.Uri, rm.integration.Credentials)
			rm.authorizer = restAuthorizer(a, aws.ToString(m.AuthorizerId))
			n.methods[verb] = rm
		}
	}
	return c
}

// next returns the node of a path part, made if it is not there.
func (n *restNode) next(part string) *restNode {
	name, variable := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
	switch {
	case variable && strings.HasSuffix(name, "+"):
		if n.greedy == nil {
			n.greedy, n.greedName = &restNode{}, strings.TrimSuffix(name, "+")
		}
		return n.greedy
	case variable:
		if n.param == nil {
			n.param, n.paramName = &restNode{}, name
		}
		return n.param
	}
	if n.static == nil {
		n.static = map[string]*restNode{}
	}
	if n.static[part] == nil {
		n.static[part] = &restNode{}
	}
	return n.static[part]
}

// match finds the resource of a path: parts that are spelled out go before variables, variables before greedy ones. Slashes
// before and after the path do not count.
func (n *restNode) match(path string, params []pair) (*restNode, []pair) {
	if path == "" {
		if n.resource != nil {
			return n, params
		}
		return nil, nil
	}
	part, rest, _ := strings.Cut(path, "/")
	if s := n.static[part]; s != nil {
		if found, p := s.match(rest, params); found != nil {
			return found, p
		}
	}
	if n.param != nil && part != "" {
		if found, p := n.param.match(rest, append(slices.Clip(params), pair{n.paramName, part})); found != nil {
			return found, p
		}
	}
	if n.greedy != nil && n.greedy.resource != nil {
		return n.greedy, append(slices.Clip(params), pair{n.greedName, path})
	}
	return nil, nil
}

// serveREST answers a request to a REST API.
func (x *exchange) serveREST(d restapi.Deployed) {
	x.region, x.stage, x.deployment, x.variables = d.Region, d.Stage, d.Deployment, d.Variables
	routes := x.h.restRoutes(d)
	h := x.w.Header()
	h.Set("X-Amzn-Requestid", x.id)
	h.Set("X-Amz-Apigw-Id", x.extended)
	defer x.recordREST(routes)
	node, params := routes.root.match(strings.Trim(x.path, "/"), nil)
	rx := &restExchange{exchange: x, api: routes.api}
	if node != nil {
		x.params = params
		if rx.m = node.methods[x.r.Method]; rx.m == nil {
			rx.m = node.methods["ANY"]
		}
	}
	switch {
	case rx.m == nil:
		rx.fail("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException")
		return
	case routes.api.Disabled:
		rx.fail("ACCESS_DENIED", 403, "Forbidden", "ForbiddenException")
		return
	}
	x.readQuery()
	if ok, tooLarge := x.readBody(); tooLarge {
		rx.fail("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLongException")
		return
	} else if !ok {
		rx.fail("BAD_REQUEST_BODY", 400, "Bad Request", "BadRequestException")
		return
	}
	if rx.authorized() && rx.valid() {
		rx.integrate()
	}
}

// restExchange is an exchange with a REST API.
type restExchange struct {
	*exchange
	api *restapi.API
	m   *restMethod // nil: none matched
}

// authorized asks the method's authorizer, if it has one. IAM policies are not enforced yet; the verdict of an authorizer that
// is not there cannot be made up.
func (x *restExchange) authorized() bool {
	switch kind := aws.ToString(x.m.AuthorizationType); {
	case kind == "CUSTOM" && x.m.authorizer != nil:
		return x.askREST(x.m.authorizer)
	case kind == "CUSTOM" || kind == "COGNITO_USER_POOLS":
		name := x.api.Authorizers[aws.ToString(x.m.AuthorizerId)].Name
		message := "the authorizer " + aws.ToString(name) + " (" + kind + ") is not there in the embedded cloud: " + x.m.resource.Path + " cannot be called"
		x.log(message)
		x.fail("AUTHORIZER_CONFIGURATION_ERROR", 500, message, "AuthorizerConfigurationException")
		return false
	}
	return true
}

// valid looks at what a request validator asks for: required parameters. Bodies are not judged by models.
func (x *restExchange) valid() bool {
	v, ok := x.api.Validators[aws.ToString(x.m.RequestValidatorId)]
	if !ok || !v.ValidateRequestParameters {
		return true
	}
	var missing []string
	for name, required := range x.m.RequestParameters {
		place, key, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
		if required && x.parameter(place, key) == "" {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return true
	}
	slices.Sort(missing)
	x.fail("BAD_REQUEST_PARAMETERS", 400, "Missing required request parameters: ["+strings.Join(missing, ", ")+"]", "BadRequestException")
	return false
}

// parameter returns a request parameter: the last one of its name.
func (x *exchange) parameter(place, name string) (value string) {
	switch place {
	case "header":
		if strings.EqualFold(name, "host") {
			return x.r.Host
		}
		if all := x.r.Header.Values(name); len(all) > 0 {
			value = all[len(all)-1]
		}
	case "querystring":
		for _, p := range x.query {
			if p.name == name {
				value = p.value
			}
		}
	case "path":
		for _, p := range x.params {
			if p.name == name {
				value = p.value
			}
		}
	}
	return value
}

func (x *restExchange) integrate() {
	i := x.m.integration
	switch {
	case i.Type == types.IntegrationTypeAwsProxy && x.m.function.name != "":
		x.proxy()
	case i.Type == types.IntegrationTypeMock:
		x.mock()
	case i.Type == types.IntegrationTypeAws && x.m.function.name != "":
		x.custom()
	default:
		message := "integrations of type " + string(i.Type) + " with " + aws.ToString(i.Uri) + " are not there in the embedded cloud"
		x.log(message)
		x.fail("API_CONFIGURATION_ERROR", 500, message, "InternalServerErrorException")
	}
}

// call invokes the method's function; false if there was no answer, and the client has been told so.
func (x *restExchange) call(payload []byte) ([]byte, string, bool) {
	timeout := time.Duration(x.m.integration.TimeoutInMillis) * time.Millisecond
	if timeout <= 0 {
		timeout = 29 * time.Second
	}
	out, err := x.invoke(x.m.function, payload, timeout, x.sources(x.m.resource.Path)...)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		x.fail("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException")
	case errorCode(err) == "RequestTooLargeException":
		x.fail("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLongException")
	case err != nil:
		x.log(err.Error())
		x.fail("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException")
	default:
		return out.Payload, aws.ToString(out.FunctionError), true
	}
	return nil, "", false
}

// fail answers with a gateway response.
func (x *restExchange) fail(kind string, status int, message, errorType string) {
	h := x.w.Header()
	h.Set("X-Amzn-Errortype", errorType)
	h.Set("Content-Type", "application/json")
	if len(x.api.Responses) == 0 {
		x.plain(status, message)
		return
	}
	r := x.api.Response(kind)
	if code := aws.ToString(r.StatusCode); code != "" && !(r.DefaultResponse && code == restapi.DefaultResponses[kind]) {
		status = atoi(code, status)
	}
	for name, value := range r.ResponseParameters {
		if name, ok := strings.CutPrefix(name, "gatewayresponse.header."); ok {
			h.Set(name, x.mapped(value))
		}
	}
	media, template := pick(r.ResponseTemplates, x.r.Header.Get("Accept"))
	vars := x.variablesFor("", status)
	vars["context"].(*contextVar).failure = vtl.NewMap("message", message, "messageString", quote(message), "responseType", kind)
	text, err := x.render(template, vars)
	if err != nil {
		x.log("gateway response " + kind + ": " + err.Error())
		x.plain(status, message)
		return
	}
	h.Set("Content-Type", media)
	x.write(status, []byte(text))
}

// pick chooses a template by the client's wish; without one that fits, JSON's, or else the first.
func pick(templates map[string]string, accept string) (media, template string) {
	for _, m := range []string{accept, "application/json"} {
		if t, ok := templates[m]; ok {
			return m, t
		}
	}
	for m, t := range templates {
		if media == "" || m < media {
			media, template = m, t
		}
	}
	if media == "" {
		media = "application/json"
	}
	return media, template
}

func quote(s string) string { return string(jsontext.AppendString(nil, s)) }

func atoi(s string, or int) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return or
		}
		n = n*10 + int(c-'0')
	}
	if n < 100 || n > 599 {
		return or
	}
	return n
}

func (x *exchange) recordREST(routes *restRoutes) {
	if x.h.cfg.Metrics == nil {
		return
	}
	data := make([]Datum, 0, 10)
	for _, dims := range routes.metrics {
		data = append(data,
			Datum{"Count", "Count", dims, 1}, Datum{"4XXError", "Count", dims, errorClass(x.status, 4)}, Datum{"5XXError", "Count", dims, errorClass(x.status, 5)},
			Datum{"Latency", "Milliseconds", dims, millis(time.Since(x.began))})
		if x.integration > 0 {
			data = append(data, Datum{"IntegrationLatency", "Milliseconds", dims, millis(x.integration)})
		}
	}
	x.h.cfg.Metrics.Record(x.region, "AWS/ApiGateway", x.start, data)
}

func errorClass(status, class int) float64 {
	if status/100 == class {
		return 1
	}
	return 0
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// proxyAnswer is what a function answers through a proxy integration.
type proxyAnswer struct {
	status  int
	headers http.Header
	cookies []string
	body    string
	binary  bool
}

var errMalformed = errors.New("malformed Lambda proxy response")

// parseProxyAnswer reads an answer of payload format 1.0. An answer with members that nobody knows is malformed to a REST
// API; HTTP APIs are lenient.
func parseProxyAnswer(payload []byte, strict bool) (a proxyAnswer, err error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || members == nil {
		return a, errMalformed
	}
	a.status = 200
	a.headers = http.Header{}
	var single map[string]any
	var multi map[string][]any
	for name, raw := range members {
		switch name {
		case "statusCode":
			a.status, err = statusOf(raw)
		case "body":
			a.body, err = bodyOf(raw)
		case "isBase64Encoded":
			err = json.Unmarshal(raw, &a.binary)
		case "headers":
			err = json.Unmarshal(raw, &single)
		case "multiValueHeaders":
			err = json.Unmarshal(raw, &multi)
		case "cookies":
			if err = json.Unmarshal(raw, &a.cookies); strict {
				err = errMalformed
			}
		default:
			if strict {
				err = errMalformed
			}
		}
		if err != nil {
			return a, errMalformed
		}
	}
	return a, a.join(single, multi)
}

// join merges both kinds of headers: what is in both counts once.
func (a *proxyAnswer) join(single map[string]any, multi map[string][]any) error {
	for name, values := range multi {
		for _, v := range values {
			text, ok := headerText(v)
			if !ok {
				return errMalformed
			}
			a.headers.Add(name, text)
		}
	}
	for name, v := range single {
		text, ok := headerText(v)
		if !ok {
			return errMalformed
		}
		if !slices.Contains(a.headers.Values(name), text) {
			a.headers.Add(name, text)
		}
	}
	return nil
}

func headerText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool, float64:
		b, _ := json.Marshal(v)
		return string(b), true
	}
	return "", false
}

func statusOf(raw json.RawMessage) (int, error) {
	text := strings.Trim(string(raw), `"`)
	if text == "null" {
		return 200, nil
	}
	text = strings.TrimSuffix(text, ".0")
	status := atoi(text, 0)
	if status == 0 {
		return 0, errMalformed
	}
	return status, nil
}

// bodyOf returns a body. It should be a string; numbers and bools are written as they are.
func bodyOf(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '{' || raw[0] == '[':
		return "", errMalformed
	}
	return string(raw), nil
}
