package sam

import "strings"

var graphQLKind = &samKind{
	phase: otherPhase,
	properties: properties(
		literal(anything, "Name"), literal(isDict, "Tags"), literal(anything, "XrayEnabled"),
		each(property{check: isDict, required: true, literal: true}, []string{"Auth"}), literal(isStr, "SchemaInline", "SchemaUri"),
		literal(either(isDict, isFlag), "Logging"),
		literal(isDict, "DataSources", "Functions", "Resolvers", "ApiKeys", "DomainName", "Cache"),
		literal(anything, "Visibility", "OwnerContact", "IntrospectionConfig", "QueryDepthLimit", "ResolverCountLimit"),
	),
	transform: func(t *transformer, m *model, _ *value) []*resource {
		if errs := graphQLShape.check(m.properties, nil, nil); len(errs) > 0 {
			m.owner().fail(nil, errs[0].at(), "Property '"+errs[0].at()+"' is invalid.")
		}
		m.properties = graphQLShape.read(m.properties)
		return (&graphQL{model: m, t: t, sources: map[string]*value{}, functions: map[string]*value{}}).resources()
	},
}

var (
	authorizerFields = []shapeField{
		must("Type", enumOf("AWS_IAM", "API_KEY", "AWS_LAMBDA", "OPENID_CONNECT", "AMAZON_COGNITO_USER_POOLS")),
		may("LambdaAuthorizer", structOf(may("AuthorizerResultTtlInSeconds", shapeAny), must("AuthorizerUri", shapeAny),
			may("IdentityValidationExpression", shapeAny))),
		may("OpenIDConnect", structOf(may("AuthTTL", shapeAny), may("ClientId", shapeAny), may("IatTTL", shapeAny), may("Issuer", shapeAny))),
		may("UserPool", structOf(may("AppIdClientRegex", shapeAny), may("AwsRegion", shapeAny), may("DefaultAction", shapeAny), must("UserPoolId", shapeAny))),
	}
	runtimeShape = structOf(must("Name", shapeAny), must("Version", shapeAny))
	syncShape    = structOf(must("ConflictDetection", shapeAny), may("ConflictHandler", shapeAny),
		may("LambdaConflictHandlerConfig", structOf(must("LambdaConflictHandlerArn", shapeAny))))
	dynamoDBSourceShape = structOf(must("TableName", shapeAny), may("ServiceRoleArn", shapeAny), may("TableArn", shapeAny),
		may("Permissions", listShape(enumOf("Read", "Write"))), may("Name", shapeAny), may("Description", shapeAny), may("Region", shapeAny),
		may("DeltaSync", structOf(must("BaseTableTTL", shapeAny), must("DeltaSyncTableName", shapeAny), must("DeltaSyncTableTTL", shapeAny))),
		may("UseCallerCredentials", shapeAny), may("Versioned", shapeAny))
	lambdaSourceShape = structOf(must("FunctionArn", shapeAny), may("ServiceRoleArn", shapeAny), may("Name", shapeAny), may("Description", shapeAny))
)

var loggingShape = structOf(may("CloudWatchLogsRoleArn", shapeAny), may("ExcludeVerboseContent", shapeAny), may("FieldLogLevel", shapeAny))

var graphQLShape = structOf(
	must("Auth", structOf(append(authorizerFields[:len(authorizerFields):len(authorizerFields)],
		may("Additional", listShape(structOf(authorizerFields...))))...)),
	may("Tags", dictShape(shapeAny)), may("Name", shapeAny), may("XrayEnabled", shapeFlag), may("SchemaInline", shapeAny),
	may("SchemaUri", shapeAny), may("Logging", inTurn(loggingShape, shapeFlag)),
	may("DataSources", structOf(may("DynamoDb", dictShape(dynamoDBSourceShape)), may("Lambda", dictShape(lambdaSourceShape)))),
	may("Functions", dictShape(structOf(may("DataSource", intrinsicOr(shapeText)), may("Runtime", runtimeShape), may("InlineCode", shapeAny),
		may("CodeUri", shapeAny), may("Description", shapeAny), may("MaxBatchSize", shapeAny), may("Name", shapeText), may("Id", shapeAny),
		may("Sync", syncShape)))),
	may("Resolvers", dictShape(dictShape(structOf(may("FieldName", shapeText),
		may("Caching", structOf(must("Ttl", shapeAny), may("CachingKeys", listShape(shapeAny)))), may("InlineCode", shapeAny),
		may("CodeUri", shapeAny), may("MaxBatchSize", shapeAny), may("Pipeline", listShape(shapeText)), may("Runtime", runtimeShape),
		may("Sync", syncShape))))),
	may("ApiKeys", dictShape(structOf(may("ApiKeyId", shapeAny), may("Description", shapeAny), may("ExpiresOn", shapeAny)))),
	may("DomainName", structOf(must("CertificateArn", shapeAny), must("DomainName", shapeAny), may("Description", shapeAny))),
	may("Cache", structOf(must("ApiCachingBehavior", shapeAny), must("Ttl", shapeAny), must("Type", shapeAny),
		may("AtRestEncryptionEnabled", shapeAny), may("TransitEncryptionEnabled", shapeAny))),
	may("Visibility", shapeAny), may("OwnerContact", shapeAny), may("IntrospectionConfig", shapeAny), may("QueryDepthLimit", shapeAny),
	may("ResolverCountLimit", shapeAny),
)

// graphQL makes the resources of an AWS::Serverless::GraphQLApi.
type graphQL struct {
	*model
	t         *transformer
	sources   map[string]*value // names of the data sources, by what the template calls them
	functions map[string]*value // ids of the functions, likewise
	none      *resource         // the data source of functions without one
}

func (g *graphQL) apiID() *value { return getAtt(g.id, "ApiId") }

// new makes a resource of the API.
func (g *graphQL) new(id, kind string) *resource {
	r := newResource(g.id+id, "AWS::AppSync::"+kind, g.attributes)
	r.dependsOn = g.dependsOn
	if kind != "GraphQLApi" && kind != "DomainName" {
		r.set("ApiId", g.apiID())
	}
	return r
}

func (g *graphQL) resources() []*resource {
	api, connectors := g.api()
	schema := g.schema()
	made := append([]*resource{api, schema}, connectors...)
	made = append(made, g.logging(api)...)
	for _, e := range g.get("ApiKeys").entries() {
		made = append(made, g.new(e.key, "ApiKey").with("ApiKeyId", e.value.get("ApiKeyId"), "Description", e.value.get("Description"),
			"Expires", e.value.get("ExpiresOn")))
	}
	if cache := g.get("Cache"); cache.truthy() {
		made = append(made, g.new("ApiCache", "ApiCache").with("ApiCachingBehavior", cache.get("ApiCachingBehavior"), "Type", cache.get("Type"),
			"Ttl", cache.get("Ttl"), "AtRestEncryptionEnabled", cache.get("AtRestEncryptionEnabled"),
			"TransitEncryptionEnabled", cache.get("TransitEncryptionEnabled")))
	}
	made = append(made, g.dataSources()...)
	if domain := g.get("DomainName"); domain.truthy() {
		name := g.new("DomainName", "DomainName").with("CertificateArn", domain.get("CertificateArn"), "DomainName", domain.get("DomainName"),
			"Description", domain.get("Description"))
		made = append(made, name, g.new("DomainNameApiAssociation", "DomainNameApiAssociation").with("DomainName", name.ref()))
	}
	for _, e := range g.get("Functions").entries() {
		if f := g.function(e); f != nil {
			made = append(made, f)
		}
	}
	for _, typ := range g.get("Resolvers").entries() {
		for _, e := range typ.value.entries() {
			made = append(made, g.resolver(typ.key, e, schema))
		}
	}
	if g.none != nil {
		made = append(made, g.none)
	}
	return made
}

func (g *graphQL) api() (api *resource, connectors []*resource) {
	api = g.new("", "GraphQLApi").with("Name", g.id, "XrayEnabled", g.get("XrayEnabled"))
	for _, name := range []string{"Name", "Visibility", "OwnerContact", "IntrospectionConfig", "QueryDepthLimit", "ResolverCountLimit"} {
		if v := g.get(name); v.truthy() {
			api.set(name, v)
		}
	}
	lambdas := g.setAuth(api)
	for i, arn := range lambdas {
		connectors = append(connectors, g.connect(g.id+"ToLambdaAuthConnector"+itoa(i+1),
			object("Type", "AWS::AppSync::GraphQLApi", "Arn", ref(g.id), "ResourceId", g.apiID()),
			object("Type", "AWS::Lambda::Function", "Arn", arn), strList("Write"))...)
	}
	tags := object()
	tags.update(g.get("Tags"))
	tags.set("graphqlapi:createdBy", str("SAM"))
	api.set("Tags", tagList(tags))
	return api, connectors
}

// connect makes what a connector between two resources would.
func (g *graphQL) connect(id string, from, to, permissions *value) []*resource {
	dict := object("Properties", object("Source", from, "Destination", to, "Permissions", permissions))
	return g.t.connect(newModel(id, "", connectorType, dict, connectorKind.properties, nil))
}

// setAuth sets who may call the API, and returns the functions that decide it.
func (g *graphQL) setAuth(api *resource) (lambdas []*value) {
	auth := g.get("Auth")
	api.set("AuthenticationType", auth.get("Type"))
	if name, config := g.authConfig(auth, -1); config != nil {
		api.set(name, config)
		if name == "LambdaAuthorizerConfig" {
			lambdas = append(lambdas, config.get("AuthorizerUri"))
		}
	}
	additional := list()
	for i, other := range auth.get("Additional").itemsOrNone() {
		provider := object("AuthenticationType", other.get("Type"))
		if name, config := g.authConfig(other, i); config != nil {
			provider.set(name, config)
			if name == "LambdaAuthorizerConfig" {
				lambdas = append(lambdas, config.get("AuthorizerUri"))
			}
		}
		additional.append(provider)
	}
	if len(additional.items) > 0 {
		api.set("AdditionalAuthenticationProviders", additional)
	}
	return lambdas
}

// authConfig is the configuration of one way to authenticate, and the property for it; index is its place among the additional ones.
func (g *graphQL) authConfig(auth *value, index int) (property string, config *value) {
	path := "'Auth'"
	if index > 0 {
		path = "'Auth.Additional." + itoa(index) + "'"
	}
	given := 0
	for _, e := range auth.entries() {
		if e.key != "Additional" && !e.value.isNone() {
			given++
		}
	}
	if given > 2 {
		failResource(g.id, "%s has more than one authentication configuration defined.", path)
	}
	from := ""
	switch kind := auth.get("Type").str(); kind {
	case "AWS_LAMBDA":
		from, property = "LambdaAuthorizer", "LambdaAuthorizerConfig"
	case "OPENID_CONNECT":
		from, property = "OpenIDConnect", "OpenIDConnectConfig"
	case "AMAZON_COGNITO_USER_POOLS":
		from, property = "UserPool", "UserPoolConfig"
	default:
		return "", nil
	}
	settings := auth.given(from)
	if settings == nil {
		failResource(g.id, "'%s' must be defined if type is '%s'.", from, auth.get("Type").str())
	}
	config = withoutNulls(settings)
	if from == "UserPool" && index >= 0 {
		config.delete("DefaultAction")
	}
	return property, config
}

// withoutNulls is a copy of a map without its null entries.
func withoutNulls(v *value) *value {
	out := object()
	for _, e := range v.entries() {
		if !e.value.isNone() {
			out.setKey(e)
		}
	}
	return out
}

// logging sets what the API logs, and makes the role for it unless one is given.
func (g *graphQL) logging(api *resource) []*resource {
	config := g.get("Logging")
	if config.isBool() && !config.isTrue() {
		return nil
	}
	out := object("FieldLogLevel", "ALL")
	for _, name := range []string{"ExcludeVerboseContent", "FieldLogLevel"} {
		if v := config.get(name); v.truthy() {
			out.set(name, v)
		}
	}
	api.set("LogConfig", out)
	if role := config.get("CloudWatchLogsRoleArn"); role.truthy() {
		out.set("CloudWatchLogsRoleArn", role)
		return nil
	}
	role := g.role("CloudWatchRole").with("ManagedPolicyArns",
		list(sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSAppSyncPushToCloudWatchLogs")))
	out.set("CloudWatchLogsRoleArn", role.arn())
	return []*resource{role}
}

// role is a role that AppSync works with.
func (g *graphQL) role(id string) *resource {
	r := newResource(g.id+id, "AWS::IAM::Role", g.attributes).with("AssumeRolePolicyDocument", assumableBy("appsync.amazonaws.com"))
	r.dependsOn = g.dependsOn
	return r
}

func (g *graphQL) schema() *resource {
	inline, uri := g.get("SchemaInline"), g.get("SchemaUri")
	if !inline.truthy() && !uri.truthy() {
		failResource(g.id, "One of 'SchemaInline' or 'SchemaUri' must be set.")
	}
	if inline.truthy() && uri.truthy() {
		failResource(g.id, "Both 'SchemaInline' and 'SchemaUri' cannot be defined at the same time.")
	}
	return g.new("Schema", "GraphQLSchema").with("Definition", inline, "DefinitionS3Location", uri)
}

func (g *graphQL) dataSources() []*resource {
	var made []*resource
	for _, e := range g.get("DataSources").get("DynamoDb").entries() {
		made = append(made, g.dynamoDBSource(e)...)
	}
	for _, e := range g.get("DataSources").get("Lambda").entries() {
		made = append(made, g.lambdaSource(e)...)
	}
	return made
}

func (g *graphQL) dataSource(e field, id, kind string) *resource {
	name := e.value.get("Name")
	if !name.truthy() {
		name = str(e.key)
	}
	source := g.new(id, "DataSource").with("Name", name, "Type", kind, "Description", e.value.get("Description"))
	g.sources[e.key] = getAtt(source.id, "Name")
	return source
}

func (g *graphQL) dynamoDBSource(e field) []*resource {
	id := e.key + "DynamoDBDataSource"
	source := g.dataSource(e, id, "AMAZON_DYNAMODB")
	region := e.value.get("Region")
	if !region.truthy() {
		region = ref("AWS::Region")
	}
	config := object("AwsRegion", region, "TableName", e.value.get("TableName"))
	for _, name := range [][2]string{{"UseCallerCredentials", "UseCallerCredentials"}, {"Versioned", "Versioned"}, {"DeltaSync", "DeltaSyncConfig"}} {
		if v := e.value.get(name[0]); v.truthy() {
			config.set(name[1], v)
		}
	}
	source.set("DynamoDBConfig", config)
	table := e.value.get("TableArn")
	if !table.truthy() {
		table = sub("arn:${AWS::Partition}:dynamodb:${__Region__}:${AWS::AccountId}:table/${__TableName__}",
			"__TableName__", e.value.get("TableName"), "__Region__", region)
	}
	permissions := e.value.get("Permissions")
	if !permissions.truthy() {
		permissions = strList("Read", "Write")
	}
	return g.withSourceRole(source, e, id, "ToTableConnector", object("Type", "AWS::DynamoDB::Table", "Arn", table), permissions)
}

func (g *graphQL) lambdaSource(e field) []*resource {
	id := e.key + "LambdaDataSource"
	function := e.value.get("FunctionArn")
	source := g.dataSource(e, id, "AWS_LAMBDA").with("LambdaConfig", object("LambdaFunctionArn", function))
	return g.withSourceRole(source, e, id, "ToLambdaConnector", object("Type", "AWS::Lambda::Function", "Arn", function), strList("Write"))
}

// withSourceRole gives a data source its role, which is made with what it permits unless the template gives one.
func (g *graphQL) withSourceRole(source *resource, e field, id, connector string, to, permissions *value) []*resource {
	if role := e.value.get("ServiceRoleArn"); role.truthy() {
		source.set("ServiceRoleArn", role)
		return []*resource{source}
	}
	role := g.role(id + "Role")
	source.set("ServiceRoleArn", role.arn())
	from := object("Type", "AWS::AppSync::DataSource", "Arn", getAtt(source.id, "DataSourceArn"), "RoleName", role.ref())
	return append([]*resource{source, role}, g.connect(g.id+id+connector, from, to, permissions)...)
}

// function makes a function of the API; nil for one that is elsewhere and only named by its id.
func (g *graphQL) function(e field) *resource {
	f := e.value
	if id := f.get("Id"); id.truthy() {
		if withoutNulls(f).len() != 1 {
			failResource(e.key, "'Id' cannot be defined with other properties in Function.")
		}
		g.functions[e.key] = id
		return nil
	}
	r := g.new(e.key, "FunctionConfiguration").with("Name", e.key, "MaxBatchSize", f.get("MaxBatchSize"), "Description", f.get("Description"))
	if name := f.get("Name"); name.truthy() {
		r.set("Name", name)
	}
	inline, uri := f.get("InlineCode"), f.get("CodeUri")
	switch {
	case inline.truthy() && uri.truthy():
		failResource(e.key, "Both 'InlineCode' and 'CodeUri' cannot be defined at the same time.")
	case inline.truthy():
		r.set("Code", inline)
	case uri.truthy():
		r.set("CodeS3Location", uri)
	default:
		failResource(e.key, "One of 'InlineCode' or 'CodeUri' must be set.")
	}
	r.set("DataSourceName", g.sourceName(e))
	r.set("Runtime", appSyncRuntime(e))
	if sync := f.get("Sync"); sync.truthy() {
		r.set("SyncConfig", withoutNulls(sync))
	}
	g.functions[e.key] = getAtt(r.id, "FunctionId")
	return r
}

// sourceName is the name of the data source that a function works with.
func (g *graphQL) sourceName(e field) *value {
	source := e.value.get("DataSource")
	if !source.truthy() {
		failResource(e.key, "'DataSource' must be set.")
	}
	if !source.isString() {
		return source
	}
	if strings.EqualFold(source.text, "none") {
		if g.none == nil {
			g.none = g.new("NoneDataSource", "DataSource").with("Name", g.id+"NoneDataSource", "Type", "NONE")
		}
		return getAtt(g.none.id, "Name")
	}
	if name := g.sources[source.text]; name != nil {
		return name
	}
	failResource(e.key, "Either define DataSource '%s' in 'DataSources' or use intrinsic function like GetAtt, ImportValue, Sub or another one "+
		"to reference a DataSource defined outside of this GraphQLApi resource.", source.text)
	return nil
}

func appSyncRuntime(e field) *value {
	runtime := e.value.get("Runtime")
	if !runtime.truthy() {
		failResource(e.key, "'Runtime' must be defined as a property in %s.", e.key)
	}
	return object("Name", runtime.get("Name"), "RuntimeVersion", runtime.get("Version"))
}

// passThroughCode is the code of a resolver that only runs its functions.
const passThroughCode = "\nexport function request(ctx) {\n    return {};\n}\n\nexport function response(ctx) {\n    return ctx.prev.result;\n}\n"

func (g *graphQL) resolver(typ string, e field, schema *resource) *resource {
	v := e.value
	inline, uri := v.get("InlineCode"), v.get("CodeUri")
	if inline.truthy() && uri.truthy() {
		failResource(e.key, "Both 'InlineCode' and 'CodeUri' cannot be defined at the same time.")
	}
	r := g.new(typ+e.key, "Resolver").with("Code", inline, "CodeS3Location", uri, "FieldName", e.key, "TypeName", typ, "Kind", "PIPELINE")
	r.dependingOn(schema.id)
	if inline.truthy() || uri.truthy() {
		r.set("Runtime", appSyncRuntime(e))
	} else {
		r.with("Code", passThroughCode, "Runtime", object("Name", "APPSYNC_JS", "RuntimeVersion", "1.0.0"))
	}
	if name := v.get("FieldName"); name.truthy() {
		r.set("FieldName", name)
	}
	pipeline := v.get("Pipeline")
	if !pipeline.truthy() {
		failResource(e.key, "Resolver '%s' must have Pipeline defined. Unit resolvers are not supported. If you need a Unit resolver you can use AppSync resource.", e.key)
	}
	functions := list()
	for _, name := range pipeline.items {
		id := g.functions[name.display()]
		if id == nil {
			failResource(e.key, "Function '%s' does not exist.", name.display())
		}
		functions.append(id)
	}
	r.set("PipelineConfig", object("Functions", functions))
	if caching := v.get("Caching"); caching.truthy() {
		r.set("CachingConfig", withoutNulls(caching))
	}
	if size := v.get("MaxBatchSize"); size.truthy() {
		r.set("MaxBatchSize", size)
	}
	return r
}
