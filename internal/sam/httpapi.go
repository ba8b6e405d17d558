package sam

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"evo/internal/cfn"
)

var httpAPIKind = &samKind{
	phase: apiPhase,
	properties: properties(
		optional(isFlag, managedFlag), literal(anything, "Name"), optional(strOrDict, "StageName"), optional(isDict, "Tags"),
		optional(isFlag, "PropagateTags"), optional(isDict, "DefinitionBody"), optional(strOrDict, "DefinitionUri"),
		optional(isDict, "StageVariables"), optional(either(isFlag, isDict), "CorsConfiguration"),
		optional(isDict, "AccessLogSettings", "DefaultRouteSettings", "Auth", "RouteSettings", "Domain"),
		optional(isFlag, "FailOnWarnings"), optional(isStr, "Description"), optional(isFlag, "DisableExecuteApiEndpoint"),
	),
	referable: map[string]string{"Stage": "AWS::ApiGatewayV2::Stage", "DomainName": "AWS::ApiGatewayV2::DomainName"},
	transform: func(t *transformer, m *model, _ *value) []*resource {
		a := &httpAPI{model: m, t: t, body: m.get("DefinitionBody"), tags: m.get("Tags")}
		return a.resources()
	},
}

// httpAPI makes the resources of an AWS::Serverless::HttpApi.
type httpAPI struct {
	*model
	t    *transformer
	body *value
	tags *value
}

func (a *httpAPI) resources() []*resource {
	for _, name := range []string{"CorsConfiguration", "Domain"} {
		if v := a.get(name); v != nil {
			a.set(name, a.t.params.resolve(v))
		}
	}
	api := a.api()
	domain := a.t.apiDomain(a.model, api, "httpapi:createdBy", a.t.recordSets)
	made := append([]*resource{api}, a.authorizerPermissions(api)...)
	made = append(made, domain...)
	made = append(made, a.stage())
	// The stage and the domain get the tags whatever PropagateTags says, if the definition is in the template.
	if tags := a.get("Tags"); tags.truthy() && a.get("DefinitionBody") != nil {
		for _, r := range made {
			if oneOf(r.kind, "AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::DomainName") {
				r.set("Tags", tags)
			}
		}
	}
	return made
}

func (a *httpAPI) api() *resource {
	api := newResource(a.id, "AWS::ApiGatewayV2::Api", a.attributes)
	api.dependsOn = a.dependsOn
	uri := a.get("DefinitionUri")
	if uri.truthy() && a.body.truthy() {
		failResource(a.id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
	}
	a.addCORS()
	a.addAuth()
	a.addTags()
	if v := a.get("FailOnWarnings"); v.truthy() {
		api.set("FailOnWarnings", v)
	}
	a.disableExecuteEndpoint()
	a.addTitle()
	a.addDescription()
	a.renameDefaultPath()
	switch {
	case uri.truthy():
		bucket, key, version := definitionURI(a.id, uri)
		location := object("Bucket", bucket, "Key", key)
		if version != nil {
			location.set("Version", version)
		}
		api.set("BodyS3Location", location)
	case a.body.truthy():
		api.set("Body", a.body)
	default:
		failResource(a.id, "'DefinitionUri' or 'DefinitionBody' are required properties of an 'AWS::Serverless::HttpApi'. "+
			"Add a value for one of these properties or add a 'HttpApi' event to an 'AWS::Serverless::Function'.")
	}
	return api
}

// needBody fails if a property that edits the definition has none to edit.
func (a *httpAPI) needBody(property string) {
	if !a.body.truthy() {
		failResource(a.id, "%s works only with inline OpenApi specified in the 'DefinitionBody' property.", property)
	}
}

func (a *httpAPI) needOpenAPI(what string) {
	if !isOpenAPIDoc(a.body) {
		failResource(a.id, "Unable to add %s because 'DefinitionBody' does not contain a valid OpenApi definition.", what)
	}
}

func (a *httpAPI) addCORS() {
	cors := a.get("CorsConfiguration")
	if !cors.truthy() {
		return
	}
	if !a.body.truthy() {
		failResource(a.id, "Cors works only with inline OpenApi specified in 'DefinitionBody' property.")
	}
	everybody := strList("*")
	switch {
	case cors.isBool():
		cors = object("AllowOrigins", everybody)
	case isIntrinsic(cors):
		cors = object("AllowOrigins", cors)
	case !cors.isMap():
		failResource(a.id, "Invalid value for 'Cors' property.")
	}
	for _, e := range cors.entries() {
		if !oneOf(e.key, corsProperties...) {
			panic(spanned(resourceCause(a.id, "Invalid key '%s' for 'Cors' property.", e.key), e))
		}
	}
	a.needOpenAPI("Cors configuration")
	if cors.get("AllowCredentials").isTrue() && cors.get("AllowOrigins").equal(everybody) {
		failResource(a.id, "Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set.")
	}
	o := editOpenAPI(a.body)
	o.addCORS(cors)
	a.body = o.finish()
}

func (a *httpAPI) addTags() {
	if a.tags.truthy() {
		a.needBody("Tags")
		a.needOpenAPI("`Tags`")
	}
	if !isOpenAPIDoc(a.body) {
		return
	}
	if !a.tags.truthy() {
		a.tags = object()
	}
	a.tags.set("httpapi:createdBy", str("SAM"))
	o := editOpenAPI(a.body)
	o.addTags(a.tags)
	a.body = o.finish()
}

func (a *httpAPI) disableExecuteEndpoint() {
	disable := a.get("DisableExecuteApiEndpoint")
	if disable == nil {
		return
	}
	if !a.body.truthy() {
		failResource(a.id, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.")
	}
	o := editOpenAPI(a.body)
	o.disableExecuteEndpoint(disable)
	a.body = o.finish()
}

func (a *httpAPI) addTitle() {
	name := a.get("Name")
	if !name.truthy() {
		return
	}
	a.needBody("Name")
	title, at, ok := getDeep(a.body, "info", "title")
	if !ok {
		failResource(a.id, "Invalid 'DefinitionBody': %s.", shouldBeMap(at))
	}
	if !title.equal(ref("AWS::StackName")) {
		failResource(a.id, "Unable to set Name because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.")
	}
	o := editOpenAPI(a.body)
	o.info.set("title", name)
	a.body = o.finish()
}

func (a *httpAPI) addDescription() {
	description := a.get("Description")
	if !description.truthy() {
		return
	}
	a.needBody("Description")
	own, at, ok := getDeep(a.body, "info", "description")
	if !ok {
		failResource(a.id, "Invalid 'DefinitionBody': %s'.", shouldBeMap(at))
	}
	if own.truthy() {
		failResource(a.id, "Unable to set Description because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.")
	}
	o := editOpenAPI(a.body)
	o.info.set("description", description)
	a.body = o.finish()
}

// renameDefaultPath spells the default route so that API Gateway has nothing to warn of.
func (a *httpAPI) renameDefaultPath() {
	if paths := a.body.get("paths"); a.get("FailOnWarnings").truthy() && paths.has(defaultPath) {
		route := paths.get(defaultPath)
		paths.delete(defaultPath)
		paths.set("/"+defaultPath, route)
	}
}

func (a *httpAPI) stage() *resource {
	name := a.get("StageName")
	if !name.truthy() {
		name = str(defaultPath)
	}
	id := a.id + "Stage"
	switch prefix := name.str(); {
	case isAlphanumeric(prefix):
		id = a.id + prefix + "Stage"
	case prefix == defaultPath:
		id = a.id + "ApiGatewayDefaultStage"
	default:
		id = hashedID(id, str(prefix))
	}
	stage := newResource(id, "AWS::ApiGatewayV2::Stage", a.passthrough()).with("ApiId", ref(a.id), "StageName", name, "Tags", a.tags, "AutoDeploy", true)
	for _, p := range []string{"StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"} {
		stage.set(p, a.get(p))
	}
	return stage
}

// apiDomain makes the custom domain of an HTTP or WebSocket API. tag is what marks the domain as made by SAM.
func (t *transformer) apiDomain(m *model, api *resource, tag string, groups map[string]*resource) []*resource {
	config := m.get("Domain")
	if config == nil {
		return nil
	}
	name, certificate := config.given("DomainName"), config.given("CertificateArn")
	if name == nil || certificate == nil {
		m.owner().fail(config, "Domain", "Custom Domains only works if both DomainName and CertificateArn are provided.")
	}
	endpoint := config.get("EndpointConfiguration")
	if endpoint.isNone() {
		endpoint = str("REGIONAL")
	} else if !endpoint.isText("REGIONAL") {
		m.owner().fail(endpoint, "Domain.EndpointConfiguration", "EndpointConfiguration for Custom Domains must be one of ['REGIONAL'].")
	}
	domain := newResource(hashedID("ApiGatewayDomainNameV2", name), "AWS::ApiGatewayV2::DomainName", m.passthrough())
	domain.with("DomainName", name, "Tags", object(tag, "SAM"))
	settings := object("CertificateArn", certificate, "EndpointType", endpoint)
	for _, p := range []string{"OwnershipVerificationCertificateArn", "SecurityPolicy"} {
		if v := config.get(p); v.truthy() {
			settings.set(p, v)
		}
	}
	domain.with("DomainNameConfigurations", list(settings), "MutualTlsAuthentication", mutualTLSOf(m, config))
	made := append([]*resource{domain}, apiMappings(m, config, api, domain)...)
	if group := apiRecords(m, config, domain, groups); group != nil {
		made = append(made, group)
	}
	return made
}

func mutualTLSOf(m *model, config *value) *value {
	tls := config.get("MutualTlsAuthentication")
	if !tls.truthy() {
		return nil
	}
	if !tls.isMap() {
		failResource(m.id, "MutualTlsAuthentication must be a map with at least one of the following fields %s.",
			quotedList("TruststoreUri", "TruststoreVersion"))
	}
	var unknown []string
	var at field
	out := truststore(tls, func(e field, _ string) { unknown, at = append(unknown, e.key), e })
	if len(unknown) > 0 {
		slices.Sort(unknown)
		panic(spanned(resourceCause(strings.Join(unknown, ","), "Available MutualTlsAuthentication fields are %s.",
			quotedList("TruststoreUri", "TruststoreVersion")), at))
	}
	return out
}

var (
	notInBasePath  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^0-9a-zA-Z/\-_]+`) })
	notInMappingID = strings.NewReplacer("-", "", "_", "", "/", "")
)

func apiMappings(m *model, config *value, api, domain *resource) []*resource {
	mapping := func(id string) *resource {
		return newResource(id, "AWS::ApiGatewayV2::ApiMapping", m.passthrough()).with(
			"DomainName", domain.ref(), "ApiId", api.ref(), "Stage", ref(api.id+".Stage"))
	}
	paths := basePaths(config)
	if paths == nil {
		return []*resource{mapping(m.id + "ApiMapping")}
	}
	var made []*resource
	for _, path := range paths {
		if !path.isString() {
			m.owner().fail(path, "Domain.BasePath", "Basepath must be a string.")
		}
		if notInBasePath().MatchString(path.text) {
			m.owner().fail(path, "Domain.BasePath", "Invalid Basepath name provided.")
		}
		made = append(made, mapping(m.id+notInMappingID.Replace(path.text)+"ApiMapping").with("ApiMappingKey", strings.Trim(path.text, "/")))
	}
	return made
}

func apiRecords(m *model, config *value, domain *resource, groups map[string]*resource) *resource {
	route53 := config.given("Route53")
	if route53 == nil {
		return nil
	}
	id := hashedID("RecordSetGroup", m.hostedZone(route53))
	group := groups[id]
	if group == nil {
		group = newResource(id, "AWS::Route53::RecordSetGroup", m.passthrough()).with("RecordSets", list())
		if route53.has("HostedZoneId") {
			group.set("HostedZoneId", route53.get("HostedZoneId"))
		} else {
			group.set("HostedZoneName", route53.get("HostedZoneName"))
		}
		groups[id] = group
	}
	group.get("RecordSets").append(recordSets(config.get("DomainName"), route53, func() *value {
		target := object()
		if health := route53.given("EvaluateTargetHealth"); health != nil {
			target.set("EvaluateTargetHealth", health)
		}
		target.set("HostedZoneId", getAtt(domain.id, "RegionalHostedZoneId"))
		target.set("DNSName", getAtt(domain.id, "RegionalDomainName"))
		return target
	})...)
	return group
}

// keyString is the key of an entry as a string.
func (e field) keyString() *value {
	return &value{kind: cfn.String, text: e.key, marked: e.marked, span: e.span}
}
