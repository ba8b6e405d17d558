package executeapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/executeapi/vtl"
)

// mock serves a method that answers by itself: its request template says with which status.
func (x *restExchange) mock() {
	template, ok := x.requestTemplate()
	if !ok {
		return
	}
	text, err := x.render(template, x.variablesFor(string(x.body), 0))
	status := 0
	if err == nil {
		var request struct{ StatusCode json.Number }
		if json.Unmarshal([]byte(text), &request) == nil {
			status = atoi(request.StatusCode.String(), 0)
		} else if v, e := vtl.ParseJSON(loose(text)); e == nil {
			code, _ := vtl.Path(v, "$.statusCode")
			status = atoi(vtl.Text(code), 0)
		}
	}
	if status == 0 {
		x.log(fmt.Sprintf("%s: the MOCK integration's request template gives no statusCode: %v", x.m.resource.Path, err))
		x.fail("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException")
		return
	}
	r, ok := x.m.integration.IntegrationResponses[fmt.Sprint(status)]
	if !ok {
		r, ok = x.defaultResponse()
	}
	if !ok {
		x.fail("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException")
		return
	}
	x.respond(r, nil)
}

var bareKey = regexp.MustCompile(`([{,]\s*)([A-Za-z_][A-Za-z0-9_]*)\s*:`)

// loose quotes the keys of an object that was written without quotes: SAM's own CORS template is {statusCode:200}.
func loose(text string) string { return bareKey.ReplaceAllString(text, `$1"$2":`) }

// requestTemplate finds the template for the request's media type; false if the request was refused for lack of one. An
// empty template stands for the body as it is.
func (x *restExchange) requestTemplate() (string, bool) {
	templates := x.m.integration.RequestTemplates
	media, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || media == "" {
		media = "application/json"
	}
	if t, ok := templates[media]; ok {
		return t, true
	}
	if t, ok := templates["$default"]; ok {
		return t, true
	}
	switch aws.ToString(x.m.integration.PassthroughBehavior) {
	case "NEVER":
	case "WHEN_NO_TEMPLATES":
		if len(templates) == 0 {
			return "", true
		}
	default:
		return "", true
	}
	x.fail("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException")
	return "", false
}

// custom serves a method whose templates make the function's event, and the answer.
func (x *restExchange) custom() {
	template, ok := x.requestTemplate()
	if !ok {
		return
	}
	payload := x.body
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if template != "" {
		text, err := x.render(template, x.variablesFor(string(x.body), 0))
		if err != nil {
			x.log(x.m.resource.Path + ": request template: " + err.Error())
			x.fail("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException")
			return
		}
		payload = []byte(text)
	}
	if !json.Valid(payload) {
		x.fail("BAD_REQUEST_BODY", 400, "Could not parse request body into json", "BadRequestException")
		return
	}
	out, functionError, ok := x.call(payload)
	if !ok {
		return
	}
	r, ok := x.selectResponse(out, functionError)
	if !ok {
		x.malformed("no integration response fits")
		return
	}
	x.respond(r, out)
}

// selectResponse finds the integration response whose pattern matches the error message; without an error, or without a
// match, the one that has no pattern.
func (x *restExchange) selectResponse(payload []byte, functionError string) (types.IntegrationResponse, bool) {
	if functionError != "" {
		var failure struct{ ErrorMessage string }
		_ = json.Unmarshal(payload, &failure) // no message matches few patterns
		for _, status := range sortedKeys(x.m.integration.IntegrationResponses) {
			r := x.m.integration.IntegrationResponses[status]
			if p := aws.ToString(r.SelectionPattern); p != "" {
				if re, err := regexp.Compile("^(?s:" + p + ")$"); err == nil && re.MatchString(failure.ErrorMessage) {
					return r, true
				}
			}
		}
	}
	return x.defaultResponse()
}

func (x *restExchange) defaultResponse() (types.IntegrationResponse, bool) {
	for _, status := range sortedKeys(x.m.integration.IntegrationResponses) {
		if r := x.m.integration.IntegrationResponses[status]; aws.ToString(r.SelectionPattern) == "" {
			return r, true
		}
	}
	return types.IntegrationResponse{}, false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// respond answers as an integration response says; body is the integration's.
func (x *restExchange) respond(r types.IntegrationResponse, body []byte) {
	status := atoi(aws.ToString(r.StatusCode), 200)
	h := x.w.Header()
	media := "application/json"
	out := string(body)
	if len(r.ResponseTemplates) > 0 {
		var template string
		media, template = pick(r.ResponseTemplates, x.r.Header.Get("Accept"))
		if template != "" || body == nil {
			vars := x.variablesFor(string(body), status)
			override := vars["context"].(*contextVar)
			text, err := x.render(template, vars)
			if err != nil {
				x.malformed("response template: " + err.Error())
				return
			}
			out = text
			status = override.status(status)
			for _, name := range override.headers.Keys() {
				v, _ := override.headers.Get(name)
				h.Set(name, vtl.Text(v))
			}
		}
	}
	h.Set("Content-Type", media)
	for name, value := range r.ResponseParameters {
		if name, ok := strings.CutPrefix(name, "method.response.header."); ok {
			if v := x.fromIntegration(value, body); v != "" {
				h.Set(name, v)
			}
		}
	}
	if x.m.integration.Type != types.IntegrationTypeMock {
		h.Set("X-Amzn-Trace-Id", x.trace)
	}
	content := []byte(out)
	if r.ContentHandling == types.ContentHandlingStrategyConvertToBinary {
		if b, err := base64.StdEncoding.DecodeString(strings.Trim(out, `"`)); err == nil {
			content = b
		}
	}
	x.write(status, content)
}

// fromIntegration resolves a response parameter: a literal in quotes, or a place in the integration's answer.
func (x *restExchange) fromIntegration(value string, body []byte) string {
	switch {
	case strings.HasPrefix(value, "integration.response.body"):
		v, err := vtl.ParseJSON(string(body))
		if err != nil {
			return ""
		}
		path := strings.TrimPrefix(value, "integration.response.body")
		at, err := vtl.Path(v, "$"+path)
		if err != nil {
			return ""
		}
		return vtl.Text(at)
	case strings.HasPrefix(value, "integration.response.header."):
		return "" // Lambda's answer has no headers of its own
	}
	return x.mapped(value)
}

// mapped resolves a mapping expression: a literal in quotes, or a place in the request, the context or the stage.
func (x *restExchange) mapped(value string) string {
	if n := len(value); n >= 2 && value[0] == '\'' && value[n-1] == '\'' {
		return value[1 : n-1]
	}
	if rest, ok := strings.CutPrefix(value, "method.request."); ok {
		place, name, _ := strings.Cut(rest, ".")
		return x.parameter(place, name)
	}
	if name, ok := strings.CutPrefix(value, "stageVariables."); ok {
		return x.variables[name]
	}
	if path, ok := strings.CutPrefix(value, "context."); ok {
		var v any = x.contextVar(0)
		for name := range strings.SplitSeq(path, ".") {
			switch o := v.(type) {
			case vtl.Object:
				v, _ = o.Get(name)
			case *vtl.Map:
				v, _ = o.Get(name)
			default:
				v = nil
			}
		}
		return vtl.Text(v)
	}
	return ""
}

// render executes a template, which is parsed the first time.
func (x *restExchange) render(text string, vars map[string]any) (string, error) {
	var cached any
	var ok bool
	if x.m != nil {
		cached, ok = x.m.templates.Load(text)
	}
	if !ok {
		t, err := vtl.Parse(text)
		if cached = any(t); err != nil {
			cached = err
		}
		if x.m != nil {
			x.m.templates.Store(text, cached)
		}
	}
	if err, ok := cached.(error); ok {
		return "", err
	}
	return cached.(*vtl.Template).Execute(vars)
}

// variablesFor are a template's variables.
func (x *restExchange) variablesFor(body string, status int) map[string]any {
	stage := vtl.NewMap()
	for _, k := range sortedKeys(x.variables) {
		stage.Put(k, x.variables[k])
	}
	return map[string]any{"input": &inputVar{x: x, text: body}, "context": x.contextVar(status), "stageVariables": stage, "util": utilVar{}}
}

// inputVar is $input.
type inputVar struct {
	x      *restExchange
	text   string
	parsed any
	done   bool
}

// Get implements vtl.Object.
func (v *inputVar) Get(name string) (any, bool) {
	if name != "body" {
		return nil, false
	}
	if v.text == "" {
		return "{}", true
	}
	return v.text, true
}

func (v *inputVar) value() any {
	if !v.done {
		v.done = true
		v.parsed, _ = vtl.ParseJSON(v.text) // a body that is no JSON has no paths
	}
	return v.parsed
}

// Call implements vtl.Object.
func (v *inputVar) Call(name string, args []any) (any, error) {
	switch {
	case (name == "json" || name == "path") && len(args) == 1:
		at, err := vtl.Path(v.value(), vtl.Text(args[0]))
		if err != nil || name == "path" {
			return at, err
		}
		if at == nil && v.text == "" {
			return "{}", nil
		}
		if at == nil {
			return `""`, nil
		}
		return vtl.JSON(at), nil
	case name == "params" && len(args) == 0:
		return v.params(), nil
	case name == "params" && len(args) == 1:
		for _, place := range []string{"path", "querystring", "header"} {
			if s := v.x.parameter(place, vtl.Text(args[0])); s != "" {
				return s, nil
			}
		}
		return "", nil
	}
	return nil, vtl.ErrNoMethod
}

func (v *inputVar) params() *vtl.Map {
	path, query, headers := vtl.NewMap(), vtl.NewMap(), vtl.NewMap()
	for _, p := range v.x.params {
		path.Put(p.name, p.value)
	}
	for _, p := range v.x.query {
		query.Put(p.name, p.value)
	}
	for _, h := range v.x.headers(false) {
		headers.Put(h.name, h.values[len(h.values)-1])
	}
	return vtl.NewMap("path", path, "querystring", query, "header", headers)
}

// contextVar is $context. Templates change the answer by what they put into responseOverride.
type contextVar struct {
	values   *vtl.Map
	override *vtl.Map
	headers  *vtl.Map
	failure  *vtl.Map
}

func (x *restExchange) contextVar(status int) *contextVar {
	resource, resourceID := "", ""
	if x.m != nil {
		resource, resourceID = x.m.resource.Path, x.m.resource.ID
	}
	identity := vtl.NewMap("sourceIp", x.sourceIP(), "userAgent", x.r.UserAgent())
	values := vtl.NewMap(
		"accountId", call.Account, "apiId", x.apiID, "stage", x.stage, "requestId", x.id, "extendedRequestId", x.extended, "httpMethod", x.r.Method,
		"path", slashed(x.full), "protocol", x.r.Proto, "resourcePath", resource, "resourceId", resourceID, "domainName", x.domain(), "domainPrefix", x.apiID,
		"deploymentId", x.deployment, "requestTime", x.start.Format(timeFormat), "requestTimeEpoch", epoch(x.start), "identity", identity,
		"status", int64(status), "xrayTraceId", x.trace,
	)
	authorizer := vtl.NewMap()
	if x.verdict != nil {
		authorizer.Put("principalId", x.verdict.principal)
		for _, k := range sortedKeys(x.verdict.context) {
			authorizer.Put(k, contextText(x.verdict.context[k]))
		}
	}
	values.Put("authorizer", authorizer)
	headers := vtl.NewMap()
	return &contextVar{values: values, headers: headers, override: vtl.NewMap("header", headers)}
}

// Get implements vtl.Object.
func (c *contextVar) Get(name string) (any, bool) {
	switch {
	case name == "responseOverride":
		return c.override, true
	case name == "requestOverride":
		return vtl.NewMap("header", vtl.NewMap(), "path", vtl.NewMap(), "querystring", vtl.NewMap()), true
	case name == "error" && c.failure != nil:
		return c.failure, true
	}
	return c.values.Get(name)
}

// Call implements vtl.Object.
func (c *contextVar) Call(string, []any) (any, error) { return nil, vtl.ErrNoMethod }

func (c *contextVar) status(or int) int {
	v, _ := c.override.Get("status")
	return atoi(vtl.Text(v), or)
}

// utilVar is $util.
type utilVar struct{}

// Get implements vtl.Object.
func (utilVar) Get(string) (any, bool) { return nil, false }

// Call implements vtl.Object.
func (utilVar) Call(name string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, vtl.ErrNoMethod
	}
	s := vtl.Text(args[0])
	switch name {
	case "escapeJavaScript":
		return escapeJavaScript(s), nil
	case "parseJson":
		return vtl.ParseJSON(s)
	case "urlEncode":
		return url.QueryEscape(s), nil
	case "urlDecode":
		return unescape(s), nil
	case "base64Encode":
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	case "base64Decode":
		b, err := base64.StdEncoding.DecodeString(s)
		return string(b), err
	}
	return nil, vtl.ErrNoMethod
}

// escapeJavaScript escapes as Java's StringEscapeUtils does: quotes of both kinds, slashes and control characters.
func escapeJavaScript(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\'' || r == '"' || r == '\\' || r == '/':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r > 0x7e && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
