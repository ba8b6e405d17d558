package sam

import (
	"regexp"
	"strings"
	"sync"
)

// httpAPIEvent is a route of an HTTP API that calls a function.
var httpAPIEvent = &eventKind{
	properties: properties(
		optional(isStr, "Path", "Method", "ApiId", "Stage"), optional(isDict, "Auth"), optional(isInt, "TimeoutInMillis"),
		optional(isDict, "RouteSettings"), optional(isStr, "PayloadFormatVersion"),
	),
	link: func(e *event) {
		id := apiReference(e.get("ApiId"))
		api := e.t.source.get("Resources").get(id.str())
		if !api.isMap() {
			e.who().fail(id, "ApiId", "ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template.")
		}
		e.apiID, e.api = id.str(), propertiesOf(api)
	},
	resources: (*event).httpAPIResources,
}

func (e *event) httpAPIResources() []*resource {
	method := e.methodValue()
	permission := e.httpPermission(method)
	e.addRoute(method)
	if permission == nil {
		return nil
	}
	return []*resource{permission}
}

// httpPermission lets the API call the function for the route, on all stages; nil if the function has the default route, and may
// be called for all.
func (e *event) httpPermission(method *value) *resource {
	path := trailingSlash().ReplaceAllString(e.get("Path").text, "$1")
	var o *openAPI
	if body := e.api.get("DefinitionBody"); body.truthy() {
		if !isOpenAPIDoc(body) {
			failResource(e.apiID, "%s", templateCause("Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in 'DefinitionBody'.").Error())
		}
		o = editOpenAPI(body)
	}
	if path == defaultPath {
		path = ""
	} else if o != nil && o.calls(defaultPath, str(anyMethod), e.target.id()) {
		return nil
	}
	path = httpPathParameter().ReplaceAllString(path, "*")
	verb := strings.ToUpper(method.text)
	if method.text == "any" || method.text == anyMethod {
		verb = "*"
	}
	route := "/" + verb + path
	if method.text == "any" && path == "/"+defaultPath {
		route = path
	}
	api := e.get("ApiId")
	return e.permission("apigateway.amazonaws.com", "SourceArn",
		sub(arn(stackPartition, "execute-api", "${__ApiId__}/${__Stage__}"+route), "__ApiId__", api, "__Stage__", "*"))
}

var braces = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(.*?)\}`) })

func (e *event) addRoute(method *value) {
	body := e.api.get("DefinitionBody")
	if body.isNone() {
		return
	}
	o := editOpenAPI(body)
	path := e.get("Path")
	if e.api.get(managedFlag).truthy() && o.hasIntegration(path.text, method) {
		e.fail("API method '%s' defined multiple times for path '%s'.", method.text, path.text)
	}
	uri := e.functionURI(stackPartition, false)
	o.addFunction(path, method, integration{uri: uri, condition: e.target.condition()})
	if e.get("Auth").truthy() {
		e.addHTTPAuth(o, method)
	}
	if timeout := e.get("TimeoutInMillis"); timeout.truthy() {
		o.setTimeout(path.text, method, timeout)
	}
	var parameters []string
	for _, m := range braces().FindAllStringSubmatch(path.text, -1) {
		parameters = append(parameters, m[1])
	}
	if len(parameters) > 0 {
		o.addPathParameters(path.text, method, parameters)
	}
	if version := e.get("PayloadFormatVersion"); version.truthy() {
		o.setPayloadFormat(path.text, method, version)
	}
	e.api.set("DefinitionBody", o.finish())
}

// addHTTPAuth adds what the event says about who may call its route. Auth without an Authorizer means the default one.
func (e *event) addHTTPAuth(o *openAPI, method *value) {
	auth := e.get("Auth")
	apiAuth := e.api.get("Auth")
	if apiAuth == nil {
		apiAuth = object()
	}
	resourceOwner(e.apiID).expect(apiAuth, "Auth", aMap)
	name := auth.get("Authorizer")
	if !name.truthy() {
		if name = apiAuth.get("DefaultAuthorizer"); !name.truthy() {
			e.fail("'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi.")
		}
		auth.set("Authorizer", name)
	}
	authorizers := apiAuth.get("Authorizers")
	if !apiAuth.truthy() {
		authorizers = apiAuth
	}
	iam := name.isText(iamAuthorizer) && apiAuth.get("EnableIamAuthorizer").isTrue()
	switch {
	case name.isText(noAuthorizer):
		e.checkNoAuthorizer(apiAuth, method)
	case iam:
	case !name.isString() || !authorizers.isMap():
		e.checkAuthorizer(name, authorizers, method)
	case !authorizers.truthy():
		e.fail("Unable to set Authorizer [%s] %s because the related API does not define any Authorizers.", name.text, e.onMethod(method))
	default:
		e.checkAuthorizer(name, authorizers, method)
	}
	scopes := auth.get("AuthorizationScopes")
	if scopes.truthy() && !scopes.isList() {
		e.fail("Unable to set Authorizer %s because 'AuthorizationScopes' must be a list of strings.", e.onMethod(method))
	}
	o.addMethodAuth(e.get("Path").text, method, methodAuth{authorizer: name, scopes: scopes}, authorizers)
}
