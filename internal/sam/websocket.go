package sam

import "strings"

var webSocketKind = &samKind{
	phase: apiPhase,
	properties: properties(
		optional(isStr, "ApiKeySelectionExpression"), optional(isDict, "AccessLogSettings", "Auth", "DefaultRouteSettings"),
		optional(isStr, "Description"), optional(isFlag, "DisableExecuteApiEndpoint"), optional(isDict, "Domain"),
		optional(isFlag, "DisableSchemaValidation", "FailOnWarnings"), optional(isStr, "IpAddressType", "Name"),
		optional(isFlag, "PropagateTags"), required(isDict, "Routes"), optional(isDict, "RouteSettings"),
		required(isStr, "RouteSelectionExpression"), optional(strOrDict, "StageName"), optional(isDict, "StageVariables", "Tags"),
	),
	referable: map[string]string{"Stage": "AWS::ApiGatewayV2::Stage", "DomainName": "AWS::ApiGatewayV2::DomainName"},
	transform: func(t *transformer, m *model, _ *value) []*resource {
		for _, name := range []string{"Auth", "Domain", "Routes"} {
			if v := m.get(name); v != nil {
				m.set(name, t.params.resolve(v))
			}
		}
		m.attributes = object() // of all SAM resources, this one alone hands none on
		return (&webSocketAPI{model: m, t: t}).resources()
	},
}

const webSocketTag = "websocketapi:createdBy"

// webSocketAPI makes the resources of an AWS::Serverless::WebSocketApi.
type webSocketAPI struct {
	*model
	t *transformer
}

func (a *webSocketAPI) resources() []*resource {
	a.checkAPI()
	api := a.api()
	// Unlike other APIs', these domains do not share their records' groups.
	domain := a.t.apiDomain(a.model, api, webSocketTag, map[string]*resource{})
	stage := a.stage()
	made := []*resource{api}
	var authorizer *resource
	var routes []string
	for _, e := range a.get("Routes").entries() {
		route, others, auth := a.route(e)
		made = append(append(made, route), others...)
		routes = append(routes, route.id)
		if auth != nil {
			authorizer = auth
		}
	}
	made = append(made, domain...)
	if a.get("RouteSettings").truthy() {
		stage.dependingOn(routes...)
	}
	made = append(made, stage)
	if authorizer != nil {
		made = append(made, authorizer)
		auth := a.get("Auth")
		if auth.get("AuthType").isText("CUSTOM") && !auth.get("InvokeRole").truthy() {
			made = append(made, a.t.authorizerPermission(a.id+"AuthorizerPermission", stackPartition, auth.get("AuthArn"), api.ref(), a.passthrough()))
		}
	}
	propagateTags(made, a.get("Tags"), a.get("PropagateTags").truthy())
	return made
}

func (a *webSocketAPI) checkAPI() {
	if !a.get("Routes").truthy() {
		failResource(a.id, "WebSocket API must have at least one route.")
	}
	if ip := a.get("IpAddressType"); ip != nil && !isIntrinsic(ip) && !oneOf(ip.str(), "ipv4", "dualstack") {
		a.owner().fail(ip, "IpAddressType", "IpAddressType must be 'ipv4' or 'dualstack'.")
	}
	if a.get("Domain").get("MutualTlsAuthentication").truthy() {
		failResource(a.id, "Mutual TLS domain name association is not supported for Websocket APIs.")
	}
}

func (a *webSocketAPI) api() *resource {
	api := newResource(a.id, "AWS::ApiGatewayV2::Api", a.attributes)
	api.dependsOn = a.dependsOn
	for _, name := range []string{"ApiKeySelectionExpression", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation",
		"IpAddressType", "RouteSelectionExpression"} {
		api.set(name, a.get(name))
	}
	if a.get("Auth").truthy() && !a.get("Routes").has("$connect") {
		failResource(a.id, "Authorization is only available if there is a $connect route.")
	}
	name := a.get("Name")
	if name == nil {
		name = str(a.id)
	}
	tags := a.get("Tags")
	if !tags.truthy() {
		tags = object()
	}
	tags.set(webSocketTag, str("SAM"))
	return api.with("Name", name, "Tags", tags, "ProtocolType", "WEBSOCKET")
}

// route makes a route, with what it calls and the permission to call it, and the authorizer if the route is the one that needs it.
func (a *webSocketAPI) route(e field) (route *resource, others []*resource, authorizer *resource) {
	base := a.id + a.routeID(e.key)
	spec := e.value
	route = newResource(base+"Route", "AWS::ApiGatewayV2::Route", a.passthrough()).with("RouteKey", e.key, "ApiId", ref(a.id))
	for _, name := range []string{"ApiKeyRequired", "ModelSelectionExpression", "OperationName", "RequestModels", "RouteResponseSelectionExpression"} {
		route.set(name, spec.get(name))
	}
	if parameters := spec.get("RequestParameters"); parameters.truthy() {
		if e.key != "$connect" {
			failResource(a.id, "Request parameters are only supported for the $connect route in WebSocket APIs.")
		}
		route.set("RequestParameters", parameters)
	}
	route.set("Target", object("Fn::Join", list(str("/"), list(str("integrations"), ref(base+"Integration")))))
	authorizer = a.authorize(e.key, route)
	if !spec.has("FunctionArn") {
		failResource(a.id, "Route must have associated function.")
	}
	function := spec.get("FunctionArn")
	integration := newResource(base+"Integration", "AWS::ApiGatewayV2::Integration", a.passthrough()).with("ApiId", ref(a.id),
		"IntegrationType", "AWS_PROXY", "IntegrationUri", sub(invocationsOf(stackPartition, "FunctionArn"), "FunctionArn", function),
		"TimeoutInMillis", spec.get("IntegrationTimeout"))
	permission := newResource(base+"Permission", "AWS::Lambda::Permission", a.passthrough()).with("Action", "lambda:InvokeFunction",
		"FunctionName", function, "Principal", "apigateway.amazonaws.com", "SourceArn", a.routeArn(e.key))
	return route, []*resource{integration, permission}, authorizer
}

// routeID is a route's part of logical ids.
func (a *webSocketAPI) routeID(key string) string {
	name := key
	if oneOf(key, "$connect", "$disconnect", "$default") {
		name = key[1:]
	}
	if !isAlphanumeric(name) {
		failResource(a.id, "Route key '%s' must be alphanumeric. Only $connect, $disconnect, and $default special routes are supported.", key)
	}
	r := []rune(name)
	return strings.ToUpper(string(r[:1])) + strings.ToLower(string(r[1:]))
}

func (a *webSocketAPI) stageName() *value {
	if name := a.get("StageName"); name != nil {
		return name
	}
	return str("default")
}

func (a *webSocketAPI) routeArn(key string) *value {
	const prefix = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${"
	stage := a.stageName()
	if stage.isString() {
		return sub(prefix + a.id + ".ApiId}/" + stage.text + "/" + key)
	}
	return sub(prefix+a.id+".ApiId}/${__StageName__}/"+key, "__StageName__", stage)
}

// authorize says on the route that connects who may do so, and makes the authorizer if it is a function.
func (a *webSocketAPI) authorize(key string, route *resource) *resource {
	auth := a.get("Auth")
	if !auth.truthy() {
		return nil
	}
	a.checkAuth(auth)
	if key != "$connect" {
		return nil
	}
	kind := auth.get("AuthType")
	if kind.isText(iamAuthorizer) {
		route.set("AuthorizationType", kind)
		return nil
	}
	if !kind.isText("CUSTOM") {
		route.set("AuthorizationType", str(noAuthorizer))
		return nil
	}
	id := a.id + "ConnectAuthorizer"
	name := auth.get("Name")
	if !name.truthy() {
		name = str(id)
	}
	authorizer := newResource(id, "AWS::ApiGatewayV2::Authorizer", a.passthrough()).with("ApiId", ref(a.id),
		"AuthorizerCredentialsArn", auth.get("InvokeRole"), "AuthorizerType", "REQUEST",
		"AuthorizerUri", sub(invocationsOf(stackPartition, "AuthArn"), "AuthArn", auth.get("AuthArn")),
		"IdentitySource", auth.get("IdentitySource"), "Name", name)
	route.with("AuthorizationType", "CUSTOM", "AuthorizerId", authorizer.ref())
	return authorizer
}

func (a *webSocketAPI) checkAuth(auth *value) {
	given := auth.get("AuthType")
	kind := strings.ToUpper(given.str())
	switch {
	case !given.truthy():
		a.owner().fail(auth, "Auth", "AuthType must be specified for additional auth configurations.")
	case !oneOf(kind, iamAuthorizer, "CUSTOM", noAuthorizer):
		a.owner().fail(given, "Auth.AuthType", "AuthType is not one of AWS_IAM, CUSTOM or NONE.")
	case kind == "CUSTOM" && !auth.get("AuthArn").truthy():
		a.owner().fail(auth, "Auth", "AuthArn must be specified if AuthType is CUSTOM.")
	case kind != "CUSTOM" && auth.len() > 1:
		a.owner().fail(auth, "Auth", "No additional configurations supported for AuthType "+kind+".")
	}
}

func (a *webSocketAPI) stage() *resource {
	name := a.stageName()
	if name.isText(defaultPath) {
		a.owner().fail(name, "StageName", "Stages cannot be named $default for WebSocket APIs.")
	}
	id := a.id + name.str() + "Stage"
	if name.isText("default") {
		id = a.id + "DefaultStage"
	}
	stage := newResource(id, "AWS::ApiGatewayV2::Stage", a.passthrough()).with("ApiId", ref(a.id), "StageName", name,
		"Tags", object(webSocketTag, "SAM"), "AutoDeploy", true)
	for _, p := range []string{"StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"} {
		stage.set(p, a.get(p))
	}
	return stage
}
