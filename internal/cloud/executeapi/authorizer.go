package executeapi

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/call"
	"evo/internal/cloud/wildcard"
)

// authorizer is a function that says who may call a method or a route.
type authorizer struct {
	id, name string
	function callee
	token    bool // REST: the event has the token and no more
	v2       bool // HTTP: the event is of format 2.0
	simple   bool // HTTP: the answer says isAuthorized
	sources  []string
	pattern  *regexp.Regexp // that a token must match
	ttl      time.Duration
}

// verdict is what an authorizer said.
type verdict struct {
	principal  string
	context    map[string]json.RawMessage
	statements []statement
	expires    time.Time
}

type statement struct {
	deny      bool
	resources []string
}

// outcome is what follows from a verdict for one request.
type outcome int

const (
	allowed outcome = iota
	unauthorized
	denied
	explicitlyDenied
	authorizerFailed
	authorizerBroken
)

// verdicts remembers what authorizers said, for as long as they allow.
type verdicts struct {
	mu  sync.Mutex
	all map[string]verdict
}

// maxVerdicts bounds what is remembered: beyond it everything is forgotten, which costs a call of an authorizer and no more.
const maxVerdicts = 10_000

func (v *verdicts) get(key string, now time.Time) (verdict, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.all[key]
	return found, ok && now.Before(found.expires)
}

func (v *verdicts) put(key string, x verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil || len(v.all) >= maxVerdicts {
		v.all = map[string]verdict{}
	}
	v.all[key] = x
}

func newAuthorizer(id, name, uri, role *string, sources string, ttl *int32) *authorizer {
	a := &authorizer{id: aws.ToString(id), name: aws.ToString(name), function: calleeOf(uri, role), ttl: 300 * time.Second}
	if a.function.name == "" {
		return nil
	}
	if ttl != nil {
		a.ttl = time.Duration(*ttl) * time.Second
	}
	for s := range strings.SplitSeq(sources, ",") {
		if s = strings.TrimSpace(s); s != "" {
			a.sources = append(a.sources, strings.TrimPrefix(strings.TrimPrefix(s, "method."), "$"))
		}
	}
	return a
}

// identity returns the values that an authorizer looks at; false if one is missing.
func (x *exchange) identity(a *authorizer) (values []string, ok bool) {
	for _, s := range a.sources {
		value := ""
		if rest, ok := strings.CutPrefix(s, "request."); ok {
			place, name, _ := strings.Cut(rest, ".")
			value = x.parameter(place, name)
		} else if name, ok := strings.CutPrefix(s, "stageVariables."); ok {
			value = x.variables[name]
		} else {
			value = map[string]string{"context.identity.sourceIp": x.sourceIP(), "context.httpMethod": x.r.Method, "context.path": slashed(x.full), "context.stage": x.stage}[s]
		}
		if value == "" {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// arn names a part of the API, as policies do.
func (x *exchange) arn(part string) string {
	return "arn:aws:execute-api:" + x.region + ":" + call.Account + ":" + x.apiID + "/" + part
}

// methodARN names what is called.
func (x *exchange) methodARN() string { return x.arn(x.stage + "/" + x.r.Method + slashed(x.path)) }

// authorize asks an authorizer, or remembers what it said; event makes what it is asked with.
func (x *exchange) authorize(a *authorizer, event func(values []string) []byte) outcome {
	values, ok := x.identity(a)
	if !ok || a.pattern != nil && !a.pattern.MatchString(values[0]) {
		return unauthorized
	}
	key := strings.Join(append([]string{x.apiID, x.stage, x.deployment, a.name}, values...), "\x00")
	v, known := x.h.verdicts.get(key, x.start)
	if !known {
		out, err := x.invoke(a.function, event(values), httpTimeout, x.arn("authorizers/"+a.id))
		x.integration = 0 // that was not the integration yet
		switch {
		case err != nil:
			x.log("authorizer " + a.name + ": " + err.Error())
			return authorizerFailed
		case out.FunctionError != nil:
			return failureOf(out.Payload)
		}
		if v, ok = parseVerdict(out.Payload, a.simple); !ok {
			x.log("authorizer " + a.name + ": its answer is malformed: " + string(out.Payload))
			return authorizerBroken
		}
		if v.expires = x.start.Add(a.ttl); a.ttl > 0 && len(a.sources) > 0 {
			x.h.verdicts.put(key, v)
		}
	}
	x.verdict = &v
	return v.on(x.methodARN())
}

// failureOf sorts a function's error: "Unauthorized" is a verdict, anything else a failure.
func failureOf(payload []byte) outcome {
	var e struct{ ErrorMessage string }
	if json.Unmarshal(payload, &e) == nil && e.ErrorMessage == "Unauthorized" {
		return unauthorized
	}
	return authorizerFailed
}

// parseVerdict reads an authorizer's answer: a policy, or whether the caller is authorized.
func parseVerdict(payload []byte, simple bool) (v verdict, ok bool) {
	var answer struct {
		PrincipalID    any `json:"principalId"`
		IsAuthorized   *bool
		PolicyDocument *struct {
			Statement json.RawMessage
		}
		Context map[string]json.RawMessage
	}
	if json.Unmarshal(payload, &answer) != nil {
		return v, false
	}
	v.context = answer.Context
	if simple {
		if answer.IsAuthorized != nil && *answer.IsAuthorized {
			v.statements = []statement{{resources: []string{"*"}}}
		}
		return v, answer.IsAuthorized != nil
	}
	if answer.PolicyDocument == nil {
		return v, false
	}
	if v.principal, ok = answer.PrincipalID.(string); !ok && answer.PrincipalID != nil {
		b, _ := json.Marshal(answer.PrincipalID)
		v.principal = string(b)
	}
	v.statements, ok = parseStatements(answer.PolicyDocument.Statement)
	return v, ok
}

func parseStatements(raw json.RawMessage) (all []statement, ok bool) {
	type entry struct {
		Effect           string
		Action, Resource json.RawMessage
	}
	var entries []entry
	if json.Unmarshal(raw, &entries) != nil {
		entries = make([]entry, 1)
		if json.Unmarshal(raw, &entries[0]) != nil {
			return nil, false
		}
	}
	for _, e := range entries {
		actions, ok := oneOrMany(e.Action)
		resources, ok2 := oneOrMany(e.Resource)
		if !ok || !ok2 || e.Effect != "Allow" && e.Effect != "Deny" {
			return nil, false
		}
		invokes := slices.ContainsFunc(actions, func(a string) bool { return wildcard.Like(strings.ToLower(a), "execute-api:invoke") })
		if invokes {
			all = append(all, statement{deny: e.Effect == "Deny", resources: resources})
		}
	}
	return all, true
}

func oneOrMany(raw json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, true
	}
	var many []string
	return many, json.Unmarshal(raw, &many) == nil
}

// on applies a verdict to what is called.
func (v verdict) on(arn string) outcome {
	o := denied
	for _, s := range v.statements {
		if !slices.ContainsFunc(s.resources, func(r string) bool { return wildcard.Like(r, arn) }) {
			continue
		}
		if s.deny {
			return explicitlyDenied
		}
		o = allowed
	}
	return o
}

// authorizerV1 appends the verdict's context as REST APIs hand it on: all values as strings.
func (v *verdict) authorizerV1(b []byte) []byte {
	o := newObject(b)
	for _, k := range slices.Sorted(maps.Keys(v.context)) {
		o.str(k, contextText(v.context[k]))
	}
	if v.principal != "" {
		o.str("principalId", v.principal)
	}
	return o.end()
}

// authorizerV2 appends the verdict's context as HTTP APIs hand it on.
func (v *verdict) authorizerV2(b []byte) []byte {
	o := newObject(append(b, `{"lambda":`...))
	for _, k := range slices.Sorted(maps.Keys(v.context)) {
		o.raw(k, string(v.context[k]))
	}
	return append(o.end(), '}')
}

func contextText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return string(raw)
}

// restAuthorizer compiles an authorizer of a REST API; nil if it is not of a kind that is there.
func restAuthorizer(api *restapi.API, id string) *authorizer {
	def, ok := api.Authorizers[id]
	if !ok || def.Type != "TOKEN" && def.Type != "REQUEST" {
		return nil
	}
	a := newAuthorizer(def.Id, def.Name, def.AuthorizerUri, def.AuthorizerCredentials, aws.ToString(def.IdentitySource), def.AuthorizerResultTtlInSeconds)
	if a == nil {
		return nil
	}
	if a.token = def.Type == "TOKEN"; a.token && len(a.sources) != 1 {
		return nil
	}
	if p := aws.ToString(def.IdentityValidationExpression); p != "" && a.token {
		re, err := regexp.Compile("^(?:" + p + ")$")
		if err != nil {
			return nil
		}
		a.pattern = re
	}
	return a
}

// askREST asks a REST API's authorizer; false if the request must not go on, and the client has been told so.
func (x *restExchange) askREST(a *authorizer) bool {
	o := x.authorize(a, func(values []string) []byte {
		if a.token {
			e := newObject(nil)
			e.str("type", "TOKEN")
			e.str("methodArn", x.methodARN())
			e.str("authorizationToken", values[0])
			return e.end()
		}
		return x.authorizerEventV1(x.m.resource.Path, x.m.resource.ID, x.headers(false), slashed(x.path))
	})
	switch o {
	case allowed:
		return true
	case unauthorized:
		x.fail("UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException")
	case denied:
		x.fail("ACCESS_DENIED", 403, "User is not authorized to access this resource", "AccessDeniedException")
	case explicitlyDenied:
		x.fail("ACCESS_DENIED", 403, "User is not authorized to access this resource with an explicit deny", "AccessDeniedException")
	case authorizerFailed:
		x.fail("AUTHORIZER_FAILURE", 500, "Internal server error", "AuthorizerFailureException")
	default:
		x.fail("AUTHORIZER_CONFIGURATION_ERROR", 500, "Internal server error", "AuthorizerConfigurationException")
	}
	return false
}

// authorizerEventV1 is the event of format 1.0 that an authorizer of type REQUEST gets.
func (x *exchange) authorizerEventV1(resource, resourceID string, headers []header, path string) []byte {
	o := newObject(make([]byte, 0, 2048))
	o.str("type", "REQUEST")
	o.str("methodArn", x.methodARN())
	o.str("resource", resource)
	o.str("path", path)
	o.str("httpMethod", x.r.Method)
	o.headersV1(headers)
	o.queryV1(x.query)
	o.texts("pathParameters", x.params)
	o.variables(x.variables)
	o.key("requestContext")
	o.b = x.contextV1(o.b, resource, resourceID, x.full)
	return o.end()
}

// askHTTP asks an HTTP API's authorizer; false if the request must not go on, and the client has been told so.
func (x *exchange) askHTTP(route *httpRoute) bool {
	a := route.authorizer
	o := x.authorize(a, func(values []string) []byte {
		if !a.v2 {
			return x.authorizerEventV1(route.resource, route.key, lower(x.headers(true)), decoded(x.full))
		}
		o := newObject(make([]byte, 0, 2048))
		o.str("version", "2.0")
		o.str("type", "REQUEST")
		o.str("routeArn", x.methodARN())
		o.strs("identitySource", values)
		x.requestV2(&o, route)
		return o.end()
	})
	switch o {
	case allowed:
		return true
	case unauthorized:
		x.plain(401, "Unauthorized")
	case denied, explicitlyDenied:
		x.plain(403, "Forbidden")
	default:
		x.plain(500, "Internal Server Error")
	}
	return false
}
