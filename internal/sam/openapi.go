package sam

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// openAPI edits the definition of an HTTP API.
type openAPI struct {
	definition
	securitySchemes *value
	tags            *value
	info            *value
}

// defaultPath is the route of an HTTP API for what no other route takes.
const defaultPath = "$default"

func isOpenAPIDoc(doc *value) bool {
	return doc.get("paths").isMap() && doc.get("openapi").truthy() && isOpenAPI3(doc.get("openapi"))
}

func openAPISkeleton() *value {
	return tableOf("openapi", "3.0.1", "info", tableOf("version", "1.0", "title", ref("AWS::StackName")), "paths", newTable())
}

// editOpenAPI begins to edit a copy of a definition.
func editOpenAPI(doc *value) *openAPI { return openOpenAPI(doc.clone()) }

func openOpenAPI(doc *value) *openAPI {
	if !isOpenAPIDoc(doc) {
		failDocument(templateCause("Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in 'DefinitionBody'."))
	}
	o := &openAPI{definition: newDefinition(doc)}
	schemes, at, ok := getDeep(o.doc, "components", "securitySchemes")
	if !ok {
		failDocument(templateCause("Invalid OpenApi document: %s", shouldBeMap(at)))
	}
	o.securitySchemes = orTable(schemes)
	o.tags = o.doc.get("tags")
	if !o.tags.truthy() {
		o.tags = list()
	}
	o.info = orTable(o.doc.get("info"))
	return o
}

// finish is a copy of the edited definition.
func (o *openAPI) finish() *value { return o.close().clone() }

func (o *openAPI) close() *value {
	o.doc.set("paths", o.paths)
	if o.tags.truthy() {
		o.doc.set("tags", o.tags)
	}
	if o.securitySchemes.truthy() {
		if !o.doc.get("components").truthy() {
			o.doc.set("components", newTable())
		}
		o.doc.get("components").set("securitySchemes", o.securitySchemes)
	}
	if o.info.truthy() {
		o.doc.set("info", o.info)
	}
	return o.doc
}

// addFunction lets a method call a Lambda function, unless it calls something already.
func (o *openAPI) addFunction(path, method *value, in integration) {
	if o.hasIntegration(path.str(), method) {
		return
	}
	o.addMethod(path, method)
	name := methodName(method).str()
	uri := in.uri
	if in.condition != nil {
		uri = onlyIf(in.condition, uri)
	}
	for _, item := range branches(o.paths.get(path.str())) {
		needPathItem(item, path.str())
		if item.get(name).isNone() {
			item.set(name, newTable())
		}
		m := needMethod(item.get(name), path.str(), name)
		m.set(integrationAt, tableOf("type", "aws_proxy", "httpMethod", "POST", "payloadFormatVersion", "2.0", "uri", uri))
		if path.str() == defaultPath && name == anyMethod {
			m.set("isDefaultRoute", boolean(true))
		}
		m.setDefault("responses", newTable())
		if in.condition != nil {
			item.set(name, onlyIf(in.condition, m))
		}
	}
}

var functionInURI = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([A-Za-z0-9]+\.Arn)`) })

// calls reports whether a method is integrated with the function of that logical id.
func (o *openAPI) calls(path string, method *value, function string) bool {
	if !o.hasIntegration(path, method) {
		return false
	}
	for m := range o.methods(path, method) {
		in := needMap(m.get(integrationAt), "Value of '%s' must be a dictionary according to Swagger spec.", integrationAt)
		uri := in.get("uri")
		if !uri.isMap() {
			return false
		}
		for _, branch := range branches(uri) {
			match := functionInURI().FindString(branch.get("Fn::Sub").str())
			if match == "" || strings.Split(match, ".Arn")[0] != function {
				return false
			}
		}
	}
	return true
}

// addPathParameters declares the parameters in a path.
func (o *openAPI) addPathParameters(path string, method *value, names []string) {
	for m := range o.methods(path, method) {
		parameters := m.setDefault("parameters", list())
		if !parameters.isList() {
			continue
		}
		for _, name := range names {
			i := slices.IndexFunc(parameters.items, func(p *value) bool { return p.get("name").isText(name) })
			if i < 0 {
				parameters.append(tableOf("name", markedStr(name), "in", "path", "required", true))
				continue
			}
			parameters.items[i].set("in", str("path"))
			parameters.items[i].set("required", boolean(true))
		}
	}
}

func (o *openAPI) setPayloadFormat(path string, method, version *value) {
	for m := range o.methods(path, method) {
		m.get(integrationAt).set("payloadFormatVersion", version)
	}
}

// setDefaultAuthorizer lets the methods of a path be called through an authorizer, unless they say otherwise.
func (o *openAPI) setDefaultAuthorizer(path, name string, scopes *value) {
	for _, item := range branches(o.paths.get(path)) {
		for _, e := range needPathItem(item, path).entries() {
			method := methodName(str(e.key)).str()
			if method == "parameters" || method == "options" {
				continue
			}
			if !item.has(method) {
				failDocument(templateCause("Could not find %s in %s within DefinitionBody.", method, path))
			}
			for _, m := range branches(e.value) {
				if integrated(needMethod(m, path, e.key)) && !m.get("security").truthy() {
					m.set("security", list(object(name, scopes)))
				}
			}
		}
	}
}

// addMethodAuth adds an event's own authorizer to its method.
func (o *openAPI) addMethodAuth(path string, method *value, auth methodAuth, authorizers *value) {
	name := auth.authorizer.str()
	for m := range o.methods(path, method) {
		scopes := list()
		if name != noAuthorizer && name != iamAuthorizer {
			a := authorizers.get(name)
			if a != nil && !a.isMap() {
				failDocument(templateCause("Type of authorizer '%s' must be a dictionary", name))
			}
			own := a.get("AuthorizationScopes")
			if auth.scopes.truthy() {
				own = auth.scopes
			}
			if a.truthy() && own.truthy() {
				scopes = own
			}
		}
		m.set("security", concat(securityOf(m, path, method.str()), list(object(name, scopes))))
	}
}

func (o *openAPI) addTags(tags *value) {
	for _, e := range tags.entries() {
		if !o.tags.isList() {
			failDocument(templateCause("Tags in OpenApi DefinitionBody needs to be a list. %s is a %s not a list.", o.tags.display(), pythonType(o.tags)))
		}
		const key = "x-amazon-apigateway-tag-value"
		i := slices.IndexFunc(o.tags.items, func(t *value) bool { return t.get("name").isText(e.key) })
		if i >= 0 {
			o.tags.items[i].set(key, e.value)
			continue
		}
		o.tags.append(tableOf("name", e.key, key, e.value))
	}
}

func (o *openAPI) disableExecuteEndpoint(disable *value) {
	const config = "x-amazon-apigateway-endpoint-configuration"
	servers := o.doc.get("servers")
	if !o.doc.has("servers") {
		servers = list(newTable())
	}
	for _, server := range asList(servers).items {
		needMap(server, "Value of 'servers' item must be a dictionary according to Swagger spec.")
		c := server.get(config)
		if !c.isMap() {
			c = object()
		}
		c.set("disableExecuteApiEndpoint", disable)
		server.set(config, c)
	}
	o.doc.set("servers", servers)
}

// corsProperties are the properties of CorsConfiguration; definitions spell them with a small first letter.
var corsProperties = []string{"AllowOrigins", "AllowHeaders", "AllowMethods", "ExposeHeaders", "MaxAge", "AllowCredentials"}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// addCORS sets the CORS configuration. One that an intrinsic function chooses is taken over with its keys spelled anew.
func (o *openAPI) addCORS(properties *value) {
	const key = "x-amazon-apigateway-cors"
	config := object()
	if o.doc.has(key) {
		config = needMap(o.doc.get(key), "Value of '%s' must be a dictionary according to Swagger spec.", key)
	}
	if origins := properties.get("AllowOrigins"); isIntrinsic(origins) {
		config.update(respellCORS(origins))
		o.doc.set(key, config)
		return
	}
	for _, name := range corsProperties {
		v := properties.get(name)
		switch {
		case name == "MaxAge" && !v.isNone(), name == "AllowCredentials" && v.isTrue(),
			name != "MaxAge" && name != "AllowCredentials" && v.truthy():
			config.set(lowerFirst(name), v)
		}
	}
	o.doc.set(key, config)
}

var corsSpelling = func() *strings.Replacer {
	var pairs []string
	for _, name := range corsProperties {
		pairs = append(pairs, name, lowerFirst(name))
	}
	return strings.NewReplacer(pairs...)
}()

func respellCORS(v *value) *value {
	switch {
	case v.isString():
		return v.like(corsSpelling.Replace(v.text))
	case v.isList():
		return mapList(v.items, respellCORS)
	case v.isMap():
		out := object()
		for _, e := range v.entries() {
			out.setKey(field{key: corsSpelling.Replace(e.key), span: e.span, value: respellCORS(e.value)})
		}
		return out
	}
	return v
}

// pythonType is the name of v's type in AWS's messages.
func pythonType(v *value) string {
	if v == nil {
		return "NoneType"
	}
	switch {
	case v.marked:
		return "Py27UniStr"
	case v.isMap() && v.fields.tabular:
		return "Py27Dict"
	}
	return [...]string{"NoneType", "bool", "int", "float", "str", "list", "dict"}[v.kind]
}
