package sam

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"evo/internal/cfn"
)

var apiKind = &samKind{
	phase: apiPhase,
	properties: properties(
		optional(isFlag, managedFlag), optional(strOrDict, "Name"), required(strOrDict, "StageName"), optional(isDict, "Tags"),
		optional(isFlag, "PropagateTags"), optional(isDict, "DefinitionBody"), optional(strOrDict, "DefinitionUri"),
		literal(isFlag, "MergeDefinitions"), optional(isFlag, "CacheClusterEnabled"), optional(isStr, "CacheClusterSize"),
		optional(isDict, "Variables"), optional(strOrDict, "EndpointConfiguration"), optional(isArray, "MethodSettings", "BinaryMediaTypes"),
		optional(isInt, "MinimumCompressionSize"), optional(strOrDict, "Cors"),
		optional(isDict, "Auth", "GatewayResponses", "AccessLogSetting", "CanarySetting"), optional(isFlag, "TracingEnabled"),
		optional(isStr, "OpenApiVersion"), optional(isDict, "Models", "Domain"), optional(isFlag, "FailOnWarnings"),
		optional(isStr, "Description", "Mode"), optional(isFlag, "DisableExecuteApiEndpoint"), optional(isStr, "ApiKeySourceType"),
		literal(isFlag, "AlwaysDeploy"), optional(strOrDict, "Policy"), optional(isStr, "SecurityPolicy", "EndpointAccessMode"),
	),
	referable: map[string]string{
		"Stage": "AWS::ApiGateway::Stage", "Deployment": "AWS::ApiGateway::Deployment", "DomainName": "AWS::ApiGateway::DomainName",
		"DomainNameV2": "AWS::ApiGateway::DomainNameV2", "UsagePlan": "AWS::ApiGateway::UsagePlan",
		"UsagePlanKey": "AWS::ApiGateway::UsagePlanKey", "ApiKey": "AWS::ApiGateway::ApiKey",
	},
	transform: func(t *transformer, m *model, _ *value) []*resource { return newRestAPI(t, m).resources() },
}

// restAPI makes the resources of an AWS::Serverless::Api.
type restAPI struct {
	*model
	t    *transformer
	body *value // the definition
}

func newRestAPI(t *transformer, m *model) *restAPI {
	for _, name := range []string{"BinaryMediaTypes", "Domain", "Auth"} {
		if v := m.get(name); v != nil {
			m.set(name, t.params.resolve(v))
		}
	}
	return &restAPI{model: m, t: t, body: m.get("DefinitionBody")}
}

func (a *restAPI) resources() []*resource {
	api := a.api()
	domain := a.domain(api)
	deployment := newResource(a.id+"Deployment", "AWS::ApiGateway::Deployment", a.passthrough()).with("RestApiId", api.ref())
	if !a.get("OpenApiVersion").truthy() {
		deployment.set("StageName", str("Stage"))
	}
	definition := api.get("Body")
	if definition == nil {
		definition = api.get("BodyS3Location")
	}
	stage := a.stage(deployment, definition)
	made := append([]*resource{api, deployment, stage}, a.authorizerPermissions()...)
	made = append(made, domain...)
	made = append(made, a.usagePlan(stage)...)
	propagateTags(made, a.get("Tags"), a.get("PropagateTags").truthy())
	return made
}

// api makes the REST API with its definition, which each property may edit in turn.
func (a *restAPI) api() *resource {
	a.checkDefinition()
	api := newResource(a.id, "AWS::ApiGateway::RestApi", a.attributes)
	api.dependsOn = a.dependsOn
	api.with("BinaryMediaTypes", a.get("BinaryMediaTypes"), "MinimumCompressionSize", a.get("MinimumCompressionSize"))
	if endpoint := a.get("EndpointConfiguration"); endpoint.truthy() {
		a.setEndpoint(api, endpoint)
	} else if !a.t.hasEdgeEndpoints() {
		a.setEndpoint(api, str("REGIONAL"))
	}
	a.addCORS()
	a.addAuth()
	a.addGatewayResponses()
	a.addBinaryMediaTypes()
	a.addModels()
	a.disableExecuteEndpoint()
	if uri := a.get("DefinitionUri"); uri.truthy() {
		api.set("BodyS3Location", a.definitionLocation(uri))
	} else if a.body.truthy() {
		a.body = a.toOpenAPI3(a.body)
		api.set("Body", a.body)
	}
	for _, name := range []string{"FailOnWarnings", "Name", "Description", "Mode", "ApiKeySourceType", "Policy", "SecurityPolicy", "EndpointAccessMode"} {
		if v := a.get(name); v.truthy() {
			api.set(name, v)
		}
	}
	return api
}

var openAPIVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\A[2-3](\.\d)(\.\d)?$`) })

func (a *restAPI) checkDefinition() {
	uri := a.get("DefinitionUri").truthy()
	if uri && a.body.truthy() {
		failResource(a.id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
	}
	if uri && a.get("MergeDefinitions").truthy() {
		failResource(a.id, "Cannot set 'MergeDefinitions' to True when using `DefinitionUri`.")
	}
	if v := a.get("OpenApiVersion"); v.truthy() && !openAPIVersion().MatchString(v.display()) {
		failResource(a.id, "The OpenApiVersion value must be of the format '3.0.0'.")
	}
}

// hasEdgeEndpoints reports whether API Gateway has edge-optimized endpoints in the partition.
func (t *transformer) hasEdgeEndpoints() bool {
	return !strings.HasPrefix(t.partition, "aws-iso") && !oneOf(t.partition, "aws-us-gov", "aws-cn", "aws-eusc")
}

func (a *restAPI) setEndpoint(api *resource, endpoint *value) {
	kind := endpoint.get("Type")
	if !kind.truthy() {
		api.with("EndpointConfiguration", object("Types", list(endpoint)), "Parameters", object("endpointConfigurationTypes", endpoint))
		return
	}
	config := object("Types", list(kind))
	api.with("EndpointConfiguration", config, "Parameters", object("endpointConfigurationTypes", kind))
	const old, current = "VPCEndpointIds", "VpcEndpointIds"
	if endpoint.has(old) && endpoint.has(current) {
		failResource(a.id, "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration.")
	}
	if endpoint.has(old) || endpoint.has(current) {
		ids := endpoint.get(old)
		if !ids.truthy() {
			ids = endpoint.get(current)
		}
		if ids == nil {
			ids = null()
		}
		config.set(current, ids)
	}
	if endpoint.has("IpAddressType") {
		config.set("IpAddressType", endpoint.get("IpAddressType"))
	}
}

// edit begins to edit the definition for a property that needs one in the template. what names the property's purpose.
func (a *restAPI) edit(property, what string) *swagger {
	if !a.body.truthy() {
		failResource(a.id, "%s works only with inline Swagger specified in 'DefinitionBody' property.", property)
	}
	if !isSwagger(a.body) {
		failResource(a.id, "Unable to add %s because 'DefinitionBody' does not contain a valid Swagger definition.", what)
	}
	return editSwagger(a.body)
}

func (a *restAPI) addCORS() {
	cors := a.get("Cors")
	if !cors.truthy() {
		return
	}
	if !a.body.truthy() {
		failResource(a.id, "Cors works only with inline Swagger specified in 'DefinitionBody' property.")
	}
	h := a.corsHeaders(cors)
	const unable = "Unable to add Cors configuration because "
	if !isSwagger(a.body) {
		failResource(a.id, unable+"'DefinitionBody' does not contain a valid Swagger definition.")
	}
	if h.credentials && h.origins.isText("'*'") {
		failResource(a.id, unable+"'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set")
	}
	s := editSwagger(a.body)
	done := map[string]bool{}
	for _, path := range s.paths.entries() {
		// Paths that differ in a trailing slash only are one to API Gateway.
		normal := path.key
		if normal != "/" {
			normal = strings.TrimRight(normal, "/")
		}
		if done[normal] {
			continue
		}
		done[normal] = true
		if c := catch(func() { s.addCORS(path.key, h) }); c != nil {
			failResource(a.id, "%s", c.Error())
		}
	}
	a.body = s.finish()
}

func (a *restAPI) corsHeaders(cors *value) corsHeaders {
	if cors.isString() || isIntrinsic(cors) {
		return corsHeaders{origins: cors}
	}
	if !cors.isMap() {
		failResource(a.id, "Invalid value for 'Cors' property")
	}
	for _, e := range cors.entries() {
		if !oneOf(e.key, "AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials") {
			panic(spanned(resourceCause(a.id, "Invalid key '%s' for 'Cors' property.", e.key), e))
		}
	}
	h := corsHeaders{origins: str("'*'"), headers: cors.get("AllowHeaders"), methods: cors.get("AllowMethods"),
		maxAge: cors.get("MaxAge"), credentials: cors.get("AllowCredentials").isTrue()}
	if cors.has("AllowOrigin") {
		h.origins = cors.get("AllowOrigin")
	}
	return h
}

func (a *restAPI) addBinaryMediaTypes() {
	if types := a.get("BinaryMediaTypes"); types.truthy() && a.body.truthy() {
		s := editSwagger(a.body)
		s.addBinaryMediaTypes(types)
		a.body = s.finish()
	}
}

func (a *restAPI) addModels() {
	models := a.get("Models")
	if !models.truthy() {
		return
	}
	s := a.edit("Models", "Models definitions")
	for _, e := range models.entries() {
		if !e.value.isMap() {
			failResource(a.id, "Invalid value for 'Models' property")
		}
	}
	s.addModels(models)
	a.body = a.toOpenAPI3(s.finish())
}

func (a *restAPI) disableExecuteEndpoint() {
	disable := a.get("DisableExecuteApiEndpoint")
	if disable == nil {
		return
	}
	if !a.body.truthy() {
		failResource(a.id, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.")
	}
	s := editSwagger(a.body)
	s.disableExecuteEndpoint(disable)
	a.body = s.finish()
}

func (a *restAPI) addGatewayResponses() {
	responses := a.get("GatewayResponses")
	if !responses.truthy() {
		return
	}
	if !a.body.truthy() {
		failResource(a.id, "GatewayResponses works only with inline Swagger specified in 'DefinitionBody' property.")
	}
	for _, e := range responses.entries() {
		a.checkGatewayResponse(e)
	}
	s := a.edit("GatewayResponses", "Auth configuration")
	for _, e := range responses.entries() {
		s.addGatewayResponse(&value{kind: cfn.String, text: e.key, marked: e.marked}, a.gatewayResponse(e))
	}
	a.body = s.finish()
}

func (a *restAPI) checkGatewayResponse(e field) {
	if isIntrinsic(e.value) {
		failResource(a.id, "Unable to set GatewayResponses attribute because intrinsic functions are not supported for this field.")
	}
	if !e.value.isMap() {
		failResource(a.id, "Invalid property type '%s' for GatewayResponses. Expected an object of type 'GatewayResponse'.", pythonType(e.value))
	}
	for _, p := range e.value.entries() {
		if !oneOf(p.key, "ResponseParameters", "ResponseTemplates", "StatusCode") {
			panic(spanned(resourceCause(a.id, "Invalid property '%s' in 'GatewayResponses' property '%s'.", p.key, e.key), p))
		}
	}
}

var statusCode = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{1,3}$`) })

func (a *restAPI) gatewayResponse(e field) *value {
	parameters := e.value.get("ResponseParameters")
	if parameters.truthy() {
		a.owner().expect(parameters, "GatewayResponses."+e.key+".ResponseParameters", aMap)
	}
	prefixes := [][2]string{{"Headers", "header."}, {"Paths", "path."}, {"QueryStrings", "querystring."}}
	for _, p := range parameters.entries() {
		if !oneOf(p.key, "Headers", "Paths", "QueryStrings") {
			failResource(a.id, "Invalid gateway response parameter '%s'", p.key)
		}
	}
	status := e.value.get("StatusCode")
	if status.truthy() && !statusCode().MatchString(status.display()) {
		failResource(a.id, "Property 'StatusCode' must be numeric")
	}
	prefixed := newTable()
	for _, p := range prefixes {
		group := parameters.get(p[0])
		if group == nil {
			continue
		}
		for _, g := range a.owner().expect(group, "ResponseParameters."+p[0], aMap).entries() {
			prefixed.setKey(field{key: "gatewayresponse." + p[1] + g.key, marked: g.marked, span: g.span, value: g.value})
		}
	}
	response := tableOf("responseParameters", prefixed, "responseTemplates", orTable(e.value.get("ResponseTemplates")))
	if !status.isNone() && status.display() != "" {
		response.set("statusCode", str(status.display()))
	}
	return response
}

// definitionLocation is where in S3 a definition lies.
func (a *restAPI) definitionLocation(uri *value) *value {
	bucket, key, version := definitionURI(a.id, uri)
	location := tableOf("Bucket", bucket, "Key", key)
	if version != nil {
		location.set("Version", version)
	}
	return location
}

// definitionURI are bucket, key and version of a DefinitionUri, which is an s3:// URI or a map.
func definitionURI(id string, uri *value) (bucket, key, version *value) {
	if uri.isMap() {
		if !uri.get("Bucket").truthy() || !uri.get("Key").truthy() {
			failResource(id, "'DefinitionUri' requires Bucket and Key properties to be specified.")
		}
		return uri.get("Bucket"), uri.get("Key"), uri.get("Version")
	}
	bucket, key, version, ok := parseS3URI(uri)
	if !ok {
		resourceOwner(id).failWithHint(uri, "DefinitionUri",
			"'DefinitionUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.", packageFirst)
	}
	return bucket, key, version
}

// toOpenAPI3 moves what OpenAPI 3 has in other places than Swagger 2, if the definition is of version 3.
func (a *restAPI) toOpenAPI3(body *value) *value {
	if !body.get("swagger").isNone() {
		return body
	}
	version := a.get("OpenApiVersion")
	own := body.get("openapi")
	if own != nil && a.t.toggled("normalized_open_api_version") || !own.isNone() && version == nil {
		version = own
	}
	if !version.truthy() || !isOpenAPI3(version) {
		return body
	}
	moveToComponents(body, "securityDefinitions", "securitySchemes")
	moveToComponents(body, "definitions", "schemas")
	paths := body.get("paths")
	if paths.truthy() {
		needMap(paths, "Value of paths must be a dictionary according to Swagger spec.")
	}
	for _, path := range paths.entries() {
		if options := needPathItem(path.value, path.key).get("options"); options.truthy() {
			fixOptions(options, path.key)
		}
	}
	return body
}

func moveToComponents(body *value, from, to string) {
	v := body.get(from)
	if !v.truthy() {
		return
	}
	components := orTable(body.get("components"))
	needMap(components, "Value of components must be a dictionary according to Swagger spec.").set(to, v)
	body.set("components", components)
	body.delete(from)
}

// fixOptions makes the answer to preflight requests one of OpenAPI 3: media types go, headers have schemas.
func fixOptions(options *value, path string) {
	needMap(options, "Value of options method for path %s must be a dictionary according to Swagger spec.", path)
	options.delete("produces")
	options.delete("consumes")
	if !options.has("responses") {
		return
	}
	headers, at, ok := getDeep(options.get("responses"), "200", "headers")
	if !ok {
		failDocument(templateCause("Invalid responses in options method for path %s: %s.", path, shouldBeMap(at)))
	}
	if !headers.truthy() {
		return
	}
	needMap(headers, "Value of response's headers in options method for path %s must be a dictionary according to Swagger spec.", path)
	for _, h := range headers.entries() {
		headers.set(h.key, tableOf("schema", h.value))
	}
}

// stage makes the stage, and gives the deployment an id that changes with what it deploys.
func (a *restAPI) stage(deployment *resource, definition *value) *resource {
	name := a.get("StageName")
	id := a.id + "Stage"
	if isAlphanumeric(name.str()) {
		id = a.id + name.str() + "Stage"
	} else {
		id = hashedID(id, str(name.str()))
	}
	stage := newResource(id, "AWS::ApiGateway::Stage", a.passthrough()).with("RestApiId", ref(a.id), "StageName", name)
	for _, p := range []string{"CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings", "AccessLogSetting", "CanarySetting", "TracingEnabled"} {
		stage.set(p, a.get(p))
	}
	if definition.truthy() {
		a.nameDeployment(deployment, definition)
	}
	stage.set("DeploymentId", deployment.ref())
	if tags := a.get("Tags"); tags != nil {
		stage.set("Tags", tagList(tags))
	}
	return stage
}

// nameDeployment hashes what is deployed into the deployment's id: API Gateway deploys only when there is a new deployment.
func (a *restAPI) nameDeployment(deployment *resource, definition *value) {
	pieces := []string{definition.textForm(withMarks)}
	if v := a.get("OpenApiVersion"); v.truthy() {
		pieces = append(pieces, v.display())
	}
	if domain := a.get("Domain"); domain.truthy() {
		pieces = append(pieces, dumpJSON(domain, spacedJSON))
	}
	if names := a.t.names[a.id]; names != "" {
		pieces = append(pieces, names)
	}
	data := strings.Join(pieces, "||")
	if a.get("AlwaysDeploy").truthy() {
		data = strconv.FormatInt(a.t.opts.Now.Unix(), 10)
	}
	hash := hashText(data)
	deployment.id += hash[:hashLength]
	deployment.set("Description", str("RestApi deployment id: "+hash))
}
