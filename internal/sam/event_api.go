package sam

import (
	"regexp"
	"strings"
	"sync"
)

// apiEvent is a method of a REST API that calls a function.
var apiEvent = &eventKind{
	properties: properties(
		required(isStr, "Path", "Method", "RestApiId"), optional(isStr, "Stage"), optional(isDict, "Auth", "RequestModel"),
		optional(isArray, "RequestParameters"), optional(isInt, "TimeoutInMillis"), optional(isStr, "ResponseTransferMode"),
	),
	link:      (*event).linkRestAPI,
	resources: (*event).apiResources,
}

// stateMachineAPIEvent is a method of a REST API that starts a state machine.
var stateMachineAPIEvent = &eventKind{
	properties: properties(
		required(isStr, "Path", "Method", "RestApiId"), optional(isStr, "Stage"), optional(isDict, "Auth"),
		literal(isFlag, "UnescapeMappingTemplate"),
	),
	link:      (*event).linkRestAPI,
	resources: (*event).stateMachineAPIResources,
}

// linkRestAPI finds the API.
func (e *event) linkRestAPI() {
	e.stage = "AllStages"
	id := apiReference(e.get("RestApiId"))
	if !id.isString() {
		return
	}
	api := e.t.source.get("Resources").get(id.text)
	if !api.isMap() {
		e.who().fail(id, "RestApiId", "RestApiId property of Api event must reference a valid resource in the same template.")
	}
	e.apiID, e.api = id.text, expectAttribute(propertiesOf(api), id.text, "Properties")
	e.stage = "Stage"
	if name := e.api.get("StageName"); name.isString() {
		if e.stage = name.text; name.text == "" {
			failResource(id.text, "StageName cannot be empty.")
		}
	}
}

// mergeFlag lets a user's definition be completed by what events bring.
const mergeFlag = "MergeDefinitions"

func (e *event) apiResources() []*resource {
	method := e.methodValue()
	permission := e.restPermission(method)
	if e.api.get(managedFlag).truthy() || e.api.get(mergeFlag).truthy() {
		e.addToDefinition(method)
	}
	body, auth := e.api.get("DefinitionBody"), e.get("Auth")
	if body.truthy() && auth.get("OverrideApiAuth").truthy() {
		if !auth.get("Authorizer").truthy() && !auth.get("ApiKeyRequired").truthy() && !auth.get("ResourcePolicy").truthy() {
			e.fail("Must define one of: Authorizer, ApiKeyRequired or ResourcePolicy when using the OverrideApiAuth property.")
		}
		s := editSwagger(body)
		e.addRestAuth(s, method)
		e.api.set("DefinitionBody", s.finish())
	}
	return []*resource{permission}
}

// methodValue is the event's method in lower case.
func (e *event) methodValue() *value {
	m := e.get("Method")
	if !m.isString() {
		e.who().expect(m, "Method", aString)
	}
	e.who().expect(e.get("Path"), "Path", aString)
	return m.like(strings.ToLower(m.text))
}

var trailingSlash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)/$`) })

// restPermission lets the API call the function for the method, on all stages.
func (e *event) restPermission(method *value) *resource {
	path := trailingSlash().ReplaceAllString(e.get("Path").text, "$1")
	path = restPathParameter().ReplaceAllString(path, "*")
	verb := strings.ToUpper(method.text)
	if method.text == "any" {
		verb = "*"
	}
	source := sub(arn(e.t.partition, "execute-api", "${__ApiId__}/${__Stage__}/"+verb+path), "__ApiId__", e.get("RestApiId"), "__Stage__", "*")
	return e.permissionNamed(e.id, e.stage, "apigateway.amazonaws.com", "SourceArn", source)
}

// functionURI is the URI with which API Gateway calls the function. It is marked, and in a table, for the hash of the deployment.
func (e *event) functionURI(partition string, stream bool) *value {
	version, call := "2015-03-31", "/invocations"
	if stream {
		version, call = "2021-11-15", "/response-streaming-invocations"
	}
	uri := str("arn:" + partition + ":apigateway:${AWS::Region}:lambda:path/" + version + "/functions/" + shorthand(e.target.arn()) + call)
	uri.marked = e.target.alias == nil
	return tableOf("Fn::Sub", uri)
}

func (e *event) addToDefinition(method *value) {
	body := e.api.get("DefinitionBody")
	if body.isNone() {
		return
	}
	merging := e.api.get(mergeFlag).truthy()
	edited := body
	if merging {
		edited = swaggerSkeleton()
	}
	stream := e.get("ResponseTransferMode").isText("RESPONSE_STREAM")
	s := editSwagger(edited)
	e.checkNew(s, method)
	s.addFunction(e.get("Path"), method, integration{
		uri: e.functionURI(e.t.partition, stream), condition: e.target.condition(), stream: stream, credentials: e.integrationRole(),
	})
	if e.get("Auth").truthy() {
		e.addRestAuth(s, method)
	}
	if timeout := e.get("TimeoutInMillis"); timeout.truthy() {
		s.setTimeout(e.get("Path").text, method, timeout)
	}
	e.addRequestModel(s, method)
	e.addRequestParameters(s, method)
	if merging {
		e.api.set("DefinitionBody", e.mergeDefinitions(body, s, method))
		return
	}
	e.api.set("DefinitionBody", s.finish())
}

func (e *event) checkNew(s *swagger, method *value) {
	if s.hasIntegration(e.get("Path").text, method) {
		e.fail(`API method "%s" defined multiple times for path "%s".`, method.text, e.get("Path").text)
	}
}

// integrationRole is the role with which API Gateway calls the function where IAM authorizes: the caller's, unless an InvokeRole
// says otherwise (NONE: no role).
func (e *event) integrationRole() *value {
	own, api := e.get("Auth"), e.api.get("Auth")
	if !own.truthy() {
		own = newTable()
	}
	if !api.truthy() {
		api = newTable()
	}
	e.who().expect(own, "Auth", aMap)
	resourceOwner(e.apiID).expect(api, "Auth", aMap)
	byDefault := api.get("DefaultAuthorizer").isText(iamAuthorizer) && own.len() == 0
	if !own.get("Authorizer").isText(iamAuthorizer) && !byDefault {
		return nil
	}
	role := str("CALLER_CREDENTIALS")
	for _, auth := range []*value{own, api} {
		if !auth.has("InvokeRole") {
			continue
		}
		if role = auth.get("InvokeRole"); !role.truthy() {
			role = str("NONE")
		}
		break
	}
	switch role.str() {
	case "NONE":
		return nil
	case "CALLER_CREDENTIALS":
		return str("arn:" + e.t.partition + ":iam::*:user/*")
	}
	return role
}

// where says, in messages, which method of which path it is about.
func (e *event) onMethod(method *value) string {
	return "on API method [" + method.text + "] for path [" + e.get("Path").text + "]"
}

// addRestAuth adds what the event says about who may call its method.
func (e *event) addRestAuth(s *swagger, method *value) {
	auth := e.get("Auth")
	name := auth.get("Authorizer")
	apiAuth := e.t.params.resolve(e.api.get("Auth"))
	if name.truthy() {
		e.checkRestAuthorizer(name, apiAuth, method)
	}
	if scopes := auth.get("AuthorizationScopes"); scopes.truthy() {
		e.who().expect(scopes, "Auth.AuthorizationScopes", aList)
		if !name.truthy() {
			e.fail("AuthorizationScopes works only when Authorizer is set")
		}
	}
	key := auth.given("ApiKeyRequired")
	if key != nil && !key.truthy() && !apiAuth.get("ApiKeyRequired").truthy() {
		e.fail("Unable to set ApiKeyRequired [False] %s because the related API does not specify any ApiKeyRequired.", e.onMethod(method))
	}
	if name.truthy() || key != nil {
		s.addMethodAuth(e.get("Path").text, method, methodAuth{authorizer: name, scopes: auth.given("AuthorizationScopes"), apiKey: key}, e.api)
	}
	policy := auth.get("ResourcePolicy")
	if !policy.truthy() {
		return
	}
	resourceOwner(e.relativeID).expect(policy, "Auth.ResourcePolicy", aMap)
	s.addResourcePolicy(policy, e.get("Path"), e.policyStage())
	if custom := policy.get("CustomStatements"); custom.truthy() {
		s.addCustomStatements(custom)
	}
}

// policyStage is the stage that resource policies name; a state machine's events know none.
func (e *event) policyStage() *value {
	if e.target.lambda == nil {
		return orNone(e.get("Stage"))
	}
	stage := str(e.stage)
	if name := e.api.get("StageName"); name.isString() {
		stage.marked = name.marked
	}
	return stage
}

func (e *event) checkRestAuthorizer(name, apiAuth, method *value) {
	authorizers := apiAuth.get("Authorizers")
	if authorizers.truthy() {
		resourceOwner(e.apiID).expect(authorizers, "Auth.Authorizers", aMap)
	}
	switch {
	case name.isText(iamAuthorizer):
	case name.isText(noAuthorizer):
		e.checkNoAuthorizer(apiAuth, method)
	default:
		if !authorizers.truthy() {
			e.fail("Unable to set Authorizer [%s] %s because the related API does not define any Authorizers.", name.display(), e.onMethod(method))
		}
		e.checkAuthorizer(name, authorizers, method)
	}
}

func (e *event) checkNoAuthorizer(apiAuth, method *value) {
	if !apiAuth.get("DefaultAuthorizer").truthy() {
		e.fail("Unable to set Authorizer %s because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.", e.onMethod(method))
	}
}

// checkAuthorizer checks that the API has an authorizer.
func (e *event) checkAuthorizer(name, authorizers, method *value) {
	if !name.isString() || !authorizers.isMap() {
		e.fail("Unable to set Authorizer [%s] %s. The method authorizer must be a string with a corresponding dict entry in the api authorizer.",
			name.display(), e.onMethod(method))
	}
	if !authorizers.get(name.text).truthy() {
		panic(eventCause(e.relativeID, "Unable to set Authorizer [%s] %s because it wasn't defined in the API's Authorizers.", name.text, e.onMethod(method)).
			at(name).withHint(didYouMean(name.text, keysOf(authorizers))))
	}
}

func (e *event) addRequestModel(s *swagger, method *value) {
	config := e.get("RequestModel")
	if !config.truthy() {
		return
	}
	model := e.who().expect(config, "RequestModel", aMap).get("Model")
	if !model.truthy() {
		return
	}
	failModel := func(because string) {
		e.fail("Unable to set RequestModel [%s] %s because %s", model.display(), e.onMethod(method), because)
	}
	models := e.api.get("Models")
	switch {
	case !models.truthy():
		failModel("the related API does not define any Models.")
	case !models.isMap():
		failModel("the related API Models defined is of invalid type.")
	case !model.isString():
		failModel("the related API does not contain valid Models.")
	case !models.get(model.text).truthy():
		failModel("it wasn't defined in the API's Models.")
	}
	s.addRequestModel(e.get("Path").text, method, requestModel{model, config.get("Required")})
	body, parameters := config.given("ValidateBody"), config.given("ValidateParameters")
	if body == nil && parameters == nil {
		return
	}
	if body != nil && !body.isBool() || parameters != nil && !parameters.isBool() {
		e.fail("Unable to set Validator to RequestModel [%s] %s ValidateBody and ValidateParameters must be a boolean type, strings or intrinsics are not supported.",
			model.text, e.onMethod(method))
	}
	s.addRequestValidator(e.get("Path").text, method, body.isTrue(), parameters.isTrue())
}

var requestParameterName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^method\.request\.(querystring|path|header)\.`) })

func (e *event) addRequestParameters(s *swagger, method *value) {
	given := e.get("RequestParameters")
	if !given.truthy() {
		return
	}
	var parameters []requestParameter
	for _, g := range asList(given).items {
		p := requestParameter{name: g, required: boolean(false), caching: boolean(false)}
		switch {
		case g.isMap() && g.len() > 0:
			entry := g.entries()[0]
			p.name = entry.keyString()
			e.checkParameterName(p.name)
			e.checkParameterSettings(entry.value)
			if v := entry.value.get("Required"); v != nil {
				p.required = v
			}
			if v := entry.value.get("Caching"); v != nil {
				p.caching = v
			}
		case g.isString():
			e.checkParameterName(g)
		default:
			e.fail("Invalid value for 'RequestParameters' property. Property must be either a string or an object")
		}
		parameters = append(parameters, p)
	}
	s.addRequestParameters(e.get("Path").text, method, parameters)
}

func (e *event) checkParameterName(name *value) {
	if !requestParameterName().MatchString(name.text) {
		e.fail("Invalid value for 'RequestParameters' property. Keys must be in the format 'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'.")
	}
}

func (e *event) checkParameterSettings(settings *value) {
	ok := settings.isMap()
	for _, s := range settings.entries() {
		ok = ok && oneOf(s.key, "Required", "Caching")
	}
	if !ok {
		e.fail("Invalid value for 'RequestParameters' property. Values must be an object, e.g { Required: true, Caching: false }")
	}
}

// mergeDefinitions puts the event's method into the user's definition; what the event brings wins.
func (e *event) mergeDefinitions(body *value, s *swagger, method *value) *value {
	merged := body.copy()
	paths := merged.get("paths")
	if !paths.truthy() {
		paths = object()
	}
	path := e.get("Path")
	own, at, ok := getDeep(paths, path.text, method.text)
	if !ok {
		failResource(e.apiID, "Property 'DefinitionBody' is invalid: %s", shouldBeMap(at))
	}
	if own.truthy() {
		resourceOwner(e.apiID).expect(own, "DefinitionBody.paths."+path.text+"."+method.text, aMap)
	}
	generated := s.finish().get("paths").get(path.text).get(methodName(method).text)
	both := object()
	for _, part := range []*value{own, generated} {
		for _, entry := range part.entries() {
			both.setKey(entry)
		}
	}
	if !paths.has(path.text) {
		paths.setLike(path, object())
	}
	if item := paths.get(path.text); item.isMap() {
		item.setLike(method, both)
	}
	return merged
}

func (e *event) stateMachineAPIResources() []*resource {
	method := e.methodValue()
	role := e.eventRole()
	body := e.api.get("DefinitionBody")
	if e.api.get(managedFlag).truthy() && !body.isNone() {
		s := editSwagger(body)
		e.checkNew(s, method)
		s.addStateMachine(e.get("Path"), method, integration{
			uri:       sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution"),
			condition: e.target.condition(), credentials: role.arn(), requestTemplates: e.requestTemplate(),
		})
		if e.get("Auth").truthy() {
			e.addRestAuth(s, method)
		}
		e.api.set("DefinitionBody", s.finish())
	}
	return []*resource{role}
}

// requestTemplate makes a request's body the input of an execution.
func (e *event) requestTemplate() *value {
	machine := "${" + e.target.id() + "}"
	text := dumpJSON(object("input", "$util.escapeJavaScript($input.json('$'))", "stateMachineArn", machine), spacedJSON)
	if e.get("UnescapeMappingTemplate").truthy() {
		text = `{"input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")", "stateMachineArn": "` + machine + `"}`
	}
	return object("application/json", sub(text))
}
