package sam

import (
	"slices"
	"strings"
)

// swagger edits the definition of a REST API.
type swagger struct {
	definition
	securityDefinitions *value
	gatewayResponses    *value
	policy              *value
	models              *value
}

func isSwagger(doc *value) bool {
	if !doc.get("paths").isMap() {
		return false
	}
	return doc.get("swagger").truthy() || doc.get("openapi").truthy() && isOpenAPI3(doc.get("openapi"))
}

func swaggerSkeleton() *value {
	return tableOf("swagger", "2.0", "info", tableOf("version", "1.0", "title", ref("AWS::StackName")), "paths", newTable())
}

// editSwagger begins to edit a copy of a definition.
func editSwagger(doc *value) *swagger { return openSwagger(doc.clone()) }

func openSwagger(doc *value) *swagger {
	if !isSwagger(doc) {
		failDocument(templateCause("Invalid Swagger document or the Swagger document is not explicitly defined in 'DefinitionBody'."))
	}
	s := &swagger{definition: newDefinition(doc)}
	s.securityDefinitions = orTable(s.doc.get("securityDefinitions"))
	s.gatewayResponses = orTable(s.doc.get("x-amazon-apigateway-gateway-responses"))
	s.policy = orTable(s.doc.get("x-amazon-apigateway-policy"))
	s.models = orTable(s.doc.get("definitions"))
	for _, path := range s.paths.entries() {
		for _, item := range branches(path.value) {
			needPathItem(item, path.key)
		}
	}
	return s
}

func orTable(v *value) *value {
	if v.truthy() {
		return v
	}
	return newTable()
}

// finish is a copy of the edited definition.
func (s *swagger) finish() *value { return s.close().clone() }

func (s *swagger) close() *value {
	for _, part := range []struct {
		key string
		v   *value
	}{
		{"securityDefinitions", s.securityDefinitions},
		{"x-amazon-apigateway-gateway-responses", s.gatewayResponses},
		{"definitions", s.models},
	} {
		if part.v.truthy() {
			s.doc.set(part.key, part.v)
		}
	}
	return s.doc
}

// integration is what a method calls.
type integration struct {
	uri              *value
	condition        *value // of the function or state machine; nil for none
	stream           bool
	credentials      *value
	requestTemplates *value
}

// addFunction lets a method call a Lambda function.
func (s *swagger) addFunction(path, method *value, in integration) {
	s.addMethod(path, method)
	name := methodName(method).str()
	uri := in.uri
	if in.condition != nil {
		uri = onlyIf(in.condition, uri)
	}
	for _, item := range branches(s.paths.get(path.str())) {
		m := needMethod(needPathItem(item, path.str()).get(name), path.str(), name)
		call := tableOf("type", "aws_proxy", "httpMethod", "POST", "uri", uri)
		if in.stream {
			call.set("responseTransferMode", str("STREAM"))
		}
		if in.credentials != nil {
			call.set("credentials", in.credentials)
		}
		m.set(integrationAt, call)
		m.setDefault("responses", newTable())
		if in.condition != nil {
			item.set(name, onlyIf(in.condition, m))
		}
	}
}

// addStateMachine lets a method start a state machine.
func (s *swagger) addStateMachine(path, method *value, in integration) {
	s.addMethod(path, method)
	name := methodName(method).str()
	uri := in.uri
	if in.condition != nil {
		uri = onlyIf(in.condition, uri)
	}
	for _, item := range branches(s.paths.get(path.str())) {
		m := needMethod(needPathItem(item, path.str()).get(name), path.str(), name)
		call := tableOf("type", "aws", "httpMethod", "POST", "uri", uri,
			"responses", tableOf("200", tableOf("statusCode", "200"), "400", tableOf("statusCode", "400")),
			"credentials", in.credentials)
		m.set(integrationAt, call)
		m.setDefault("responses", tableOf("200", tableOf("description", "OK"), "400", tableOf("description", "Bad Request")))
		if in.requestTemplates != nil {
			call.update(object("requestTemplates", in.requestTemplates))
		}
		if in.condition != nil {
			item.set(name, onlyIf(in.condition, m))
		}
	}
}

// corsHeaders are what an API answers to a browser's preflight request.
type corsHeaders struct {
	origins, headers, methods, maxAge *value
	credentials                       bool
}

// addCORS answers OPTIONS on a path, unless it does already.
func (s *swagger) addCORS(path string, h corsHeaders) {
	for _, item := range branches(s.paths.get(path)) {
		needPathItem(item, path)
		if item.has("options") {
			continue
		}
		if !h.origins.truthy() {
			failTemplate("Invalid input. Value for AllowedOrigins is required")
		}
		if !h.methods.truthy() {
			h.methods = str("'" + allowedMethods(item) + "'")
		}
		item.set("options", corsResponse(h))
	}
}

func allowedMethods(item *value) string {
	methods := []string{"OPTIONS"}
	for _, key := range item.keys() {
		methods = append(methods, strings.ToUpper(key.text))
	}
	if item.has(anyMethod) {
		methods = []string{"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ",")
}

func corsResponse(h corsHeaders) *value {
	parameters, headers := newTable(), newTable()
	add := func(header string, v *value, kind string) {
		parameters.set("method.response.header."+header, v)
		headers.set(header, object("type", kind))
	}
	add("Access-Control-Allow-Origin", h.origins, "string")
	if h.headers.truthy() {
		add("Access-Control-Allow-Headers", h.headers, "string")
	}
	if h.methods.truthy() {
		add("Access-Control-Allow-Methods", h.methods, "string")
	}
	if !h.maxAge.isNone() {
		add("Access-Control-Max-Age", h.maxAge, "integer")
	}
	if h.credentials {
		add("Access-Control-Allow-Credentials", str("'true'"), "string")
	}
	jsonOnly := func() *value { return strList("application/json") }
	return tableOf("summary", "CORS support", "consumes", jsonOnly(), "produces", jsonOnly(),
		integrationAt, tableOf("type", "mock",
			"requestTemplates", object("application/json", "{\n  \"statusCode\" : 200\n}\n"),
			"responses", tableOf("default", tableOf("statusCode", "200", "responseParameters", parameters,
				"responseTemplates", object("application/json", "{}\n")))),
		"responses", tableOf("200", tableOf("description", "Default response for CORS method", "headers", headers)))
}

// addBinaryMediaTypes sets the types, in which ~1 stands for a slash.
func (s *swagger) addBinaryMediaTypes(types *value) {
	s.doc.set("x-amazon-apigateway-binary-media-types", withSlashes(types))
}

func withSlashes(v *value) *value {
	switch {
	case v.isMap():
		out := newTable()
		for _, e := range v.entries() {
			out.setLike(markedStr(strings.ReplaceAll(e.key, "~1", "/")), withSlashes(e.value))
		}
		return out
	case v.isList():
		return mapList(v.items, withSlashes)
	case v.isString():
		out := v.like(strings.ReplaceAll(v.text, "~1", "/"))
		out.marked = true
		return out
	}
	return v
}

func (s *swagger) addGatewayResponse(kind, response *value) {
	if !s.gatewayResponses.isMap() {
		failTemplate("x-amazon-apigateway-gateway-responses must be a dictionary.")
	}
	s.gatewayResponses.setLike(kind, response)
}

func (s *swagger) addModels(models *value) {
	for _, e := range models.entries() {
		if !e.value.get("type").truthy() {
			failDocument(templateCause("'Models' schema is missing 'type'."))
		}
		needMap(s.models, "definitions must be a dictionary.")
		s.models.setKey(field{key: strings.ToLower(e.key), marked: e.marked, value: e.value})
	}
}

func (s *swagger) disableExecuteEndpoint(disable *value) {
	const config, flag = "x-amazon-apigateway-endpoint-configuration", "disableExecuteApiEndpoint"
	if !s.doc.get("openapi").truthy() || !isOpenAPI3(s.doc.get("openapi")) {
		if at, ok := setDeep(s.doc, disable, config, flag); !ok {
			failDocument(templateCause("Invalid OpenAPI definition: %s.", shouldBeMap(at)))
		}
		return
	}
	servers := list(newTable())
	if s.doc.has("servers") {
		servers = s.doc.get("servers")
	}
	all := servers.itemsOrNone()
	if servers.isMap() {
		all = servers.keys()
	}
	for i, server := range all {
		if at, ok := setDeep(server, disable, config, flag); !ok {
			failDocument(templateCause("Invalid OpenAPI definition of 'servers[%d]': %s.", i, shouldBeMap(at)))
		}
	}
	s.doc.set("servers", servers)
}

// requestModel is what an event says about the body of a request.
type requestModel struct{ name, required *value }

func (s *swagger) addRequestModel(path string, method *value, model requestModel) {
	name := model.name.like(strings.ToLower(model.name.text))
	for m := range s.methods(path, method) {
		switch {
		case !s.doc.get("swagger").isNone():
			p := tableOf("in", "body", "name", name, "schema", object("$ref", "#/definitions/"+name.text))
			if !model.required.isNone() {
				p.set("required", model.required)
			}
			m.set("parameters", concat(m.get("parameters"), list(p)))
		case s.doc.get("openapi").truthy() && isOpenAPI3(s.doc.get("openapi")):
			schema := object("$ref", "#/components/schemas/"+name.text)
			body := object("content", object("application/json", object("schema", schema)))
			if !model.required.isNone() {
				body.set("required", model.required)
			}
			m.set("requestBody", body)
		}
	}
}

func (s *swagger) addRequestValidator(path string, method *value, body, parameters bool) {
	const validators, validator = "x-amazon-apigateway-request-validators", "x-amazon-apigateway-request-validator"
	name := "no-validation"
	switch {
	case body && parameters:
		name = "body-and-params"
	case body:
		name = "body-only"
	case parameters:
		name = "params-only"
	}
	if !s.doc.get(validators).truthy() {
		s.doc.set(validators, newTable())
	}
	if known := needMap(s.doc.get(validators), validators+" must be a dictionary."); !known.get(name).truthy() {
		known.update(tableOf(name, tableOf("validateRequestBody", body, "validateRequestParameters", parameters)))
	}
	for m := range s.methods(path, method) {
		m.update(tableOf(validator, name))
	}
}

// requestParameter is a parameter of a request that an event asks for: its name is method.request.LOCATION.NAME.
type requestParameter struct{ name, required, caching *value }

func (s *swagger) addRequestParameters(path string, method *value, parameters []requestParameter) {
	for m := range s.methods(path, method) {
		all := concat(m.get("parameters"), nil)
		for _, p := range parameters {
			where, name, _ := strings.Cut(strings.ReplaceAll(p.name.text, "method.request.", ""), ".")
			location := p.name.like(where)
			if where == "querystring" {
				location = str("query")
			}
			all.append(tableOf("in", location, "name", p.name.like(name), "required", p.required, "type", "string"))
			if p.caching.truthy() {
				call := m.get(integrationAt)
				call.set("cacheKeyParameters", concat(call.get("cacheKeyParameters"), list(p.name)))
			}
		}
		m.set("parameters", all)
	}
}
