package sam

import (
	"strconv"
	"strings"

	"evo/internal/cfn"
)

// authorizer decides who may call a method of a REST API.
type authorizer struct {
	api  string
	name *value
	iam  bool
	conf *value // as in the template

	identity, functionArn, userPoolArn, invokeRole, payloadType, scopes *value
}

func newAuthorizer(api string, e field) *authorizer {
	a := &authorizer{
		api: api, name: &value{kind: cfn.String, text: e.key, marked: e.marked, span: e.span}, conf: e.value,
		identity: e.value.given("Identity"), functionArn: e.value.given("FunctionArn"), userPoolArn: e.value.given("UserPoolArn"),
		invokeRole: e.value.given("FunctionInvokeRole"), payloadType: e.value.given("FunctionPayloadType"),
		scopes: e.value.given("AuthorizationScopes"),
	}
	if a.payloadType != nil && !oneOf(a.payloadType.str(), "TOKEN", "REQUEST") {
		failResource(api, "%s Authorizer has invalid 'FunctionPayloadType': %s.", e.key, a.payloadType.display())
	}
	if a.payloadType.isText("REQUEST") && a.lacksIdentity() {
		failResource(api, "%s Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context.", e.key)
	}
	who := resourceOwner(api)
	if a.scopes != nil {
		who.expect(a.scopes, "Authorizers."+e.key+".AuthorizationScopes", aList)
	}
	if d := e.value.given("DisableFunctionDefaultPermissions"); d != nil {
		who.expect(d, "Authorizers."+e.key+".DisableFunctionDefaultPermissions", aBoolean)
	}
	return a
}

// lacksIdentity reports whether a REQUEST authorizer does not say what of the request identifies the caller, though its answers
// are kept.
func (a *authorizer) lacksIdentity() bool {
	if !a.identity.truthy() {
		return true
	}
	resourceOwner(a.api).expect(a.identity, "Authorizer."+a.name.text+".Identity", aMap)
	for _, s := range identitySources {
		if a.identity.get(s.property).truthy() {
			return false
		}
	}
	ttl, err := strconv.Atoi(strings.TrimSpace(a.identity.get("ReauthorizeEvery").display()))
	return err != nil || ttl > 0
}

// identitySources are the parts of a request that may identify a caller, and how definitions name them.
var identitySources = []struct{ property, prefix string }{
	{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."},
	{"StageVariables", "stageVariables."}, {"Context", "context."},
}

const authorizerKey = "x-amazon-apigateway-authorizer"

// definition is the authorizer as a security definition.
func (a *authorizer) definition(partition string) *value {
	isCognito := !a.iam && a.userPoolArn.truthy()
	isRequest := !a.iam && !isCognito && a.payloadType.isText("REQUEST")
	out := tableOf("type", "apiKey", "name", a.header(isRequest), "in", "header", "x-amazon-apigateway-authtype", a.authType(isCognito))
	var conf *value
	switch {
	case a.iam:
		return out
	case isCognito:
		conf = tableOf("type", "cognito_user_pools", "providerARNs", asList(a.userPoolArn))
	default:
		conf = a.lambda(partition, isRequest)
	}
	if e := a.identity.get("ValidationExpression"); !isRequest && e.truthy() {
		conf.set("identityValidationExpression", e)
	}
	out.set(authorizerKey, conf)
	return out
}

func (a *authorizer) authType(cognito bool) string {
	switch {
	case a.iam:
		return "awsSigv4"
	case cognito:
		return "cognito_user_pools"
	}
	return "custom"
}

func (a *authorizer) header(isRequest bool) *value {
	if isRequest {
		return str("Unused")
	}
	if a.identity.truthy() && !a.identity.isMap() {
		failResource(a.api, "Auth.Authorizers.<Authorizer>.Identity must be a dict (LambdaTokenAuthorizationIdentity, "+
			"LambdaRequestAuthorizationIdentity or CognitoAuthorizationIdentity).")
	}
	if h := a.identity.get("Header"); h.truthy() {
		return h
	}
	return str("Authorization")
}

func (a *authorizer) lambda(partition string, isRequest bool) *value {
	kind := "token"
	if isRequest {
		kind = "request"
	}
	arn := a.functionArn
	if arn == nil {
		arn = null()
	}
	conf := tableOf("type", kind, "authorizerUri", sub(invocationsOf(partition, "__FunctionArn__"), "__FunctionArn__", arn))
	if ttl := a.identity.given("ReauthorizeEvery"); ttl != nil {
		conf.set("authorizerResultTtlInSeconds", ttl)
	}
	if a.invokeRole.truthy() && !a.invokeRole.isText("NONE") {
		conf.set("authorizerCredentials", a.invokeRole)
	}
	if isRequest {
		if source := a.identitySource(); source.truthy() {
			conf.set("identitySource", source)
		}
	}
	return conf
}

// identitySource are the parts of the request in one string; it is marked if any part is.
func (a *authorizer) identitySource() *value {
	out := str("")
	var parts []string
	for _, s := range identitySources {
		names := a.identity.get(s.property)
		if !names.truthy() {
			continue
		}
		path := "Auth.Authorizers." + a.name.text + ".Identity." + s.property
		for _, name := range resourceOwner(a.api).expectList(names, path, aString).items {
			parts = append(parts, s.prefix+name.text)
			out.marked = out.marked || name.marked
		}
	}
	out.text = strings.Join(parts, ", ")
	return out
}

// addAuth lets the definition say who may call the API.
func (a *restAPI) addAuth() {
	auth := a.get("Auth")
	if !auth.truthy() {
		return
	}
	if !a.body.truthy() {
		failResource(a.id, "Auth works only with inline Swagger specified in 'DefinitionBody' property.")
	}
	if !auth.isMap() { // a parameter's value
		a.owner().fail(auth, "Auth", "Invalid value for 'Auth' property")
	}
	for _, e := range auth.entries() {
		if !oneOf(e.key, "Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight",
			"AddApiKeyRequiredToCorsPreflight", "ApiKeyRequired", "ResourcePolicy", "UsagePlan") {
			panic(spanned(resourceCause(a.id, "Invalid value for 'Auth' property"), e))
		}
	}
	s := a.edit("Auth", "Auth configuration")
	byDefault := auth.get("DefaultAuthorizer")
	authorizers := a.readAuthorizers(auth.get("Authorizers"), byDefault)
	if len(authorizers) > 0 {
		s.addAuthorizers(authorizers, a.t.partition)
		a.setDefaultAuthorizer(s, authorizers, byDefault, flagOr(auth, "AddDefaultAuthorizerToCorsPreflight", true))
	}
	if auth.get("ApiKeyRequired").truthy() {
		s.addAPIKeySecurity()
		for _, path := range s.paths.entries() {
			s.requireAPIKey(path.key, flagOr(auth, "AddApiKeyRequiredToCorsPreflight", true))
		}
	}
	if policy := auth.get("ResourcePolicy"); policy.truthy() {
		needMap(policy, "ResourcePolicy must be a map (ResourcePolicyStatement).")
		for _, path := range s.paths.keys() {
			s.addResourcePolicy(policy, path, a.get("StageName"))
		}
		if custom := policy.get("CustomStatements"); custom.truthy() {
			s.addCustomStatements(custom)
		}
	}
	a.body = a.toOpenAPI3(s.finish())
}

// flagOr is whether a flag is set, or otherwise if it is not there.
func flagOr(v *value, key string, otherwise bool) bool {
	if v.has(key) {
		return v.get(key).truthy()
	}
	return otherwise
}

// readAuthorizers are the authorizers of the API, in the order in which the map is visited; AWS_IAM first, if it is the default.
func (a *restAPI) readAuthorizers(config, byDefault *value) []*authorizer {
	order := newTable()
	all := map[string]*authorizer{}
	if byDefault.isText(iamAuthorizer) {
		order.setLike(byDefault, null())
		all[iamAuthorizer] = &authorizer{api: a.id, name: byDefault, iam: true}
	}
	if config.truthy() {
		a.owner().expect(config, "Auth.Authorizers", aMap)
	}
	for _, e := range config.entries() {
		a.owner().expect(e.value, "Auth.Authorizers."+e.key, aMap)
		all[e.key] = newAuthorizer(a.id, e)
		order.setKey(field{key: e.key, marked: e.marked, value: null()})
	}
	var out []*authorizer
	for _, key := range order.keys() {
		out = append(out, all[key.text])
	}
	return out
}

func (a *restAPI) setDefaultAuthorizer(s *swagger, authorizers []*authorizer, name *value, preflight bool) {
	if !name.truthy() {
		return
	}
	if !name.isString() {
		a.owner().fail(name, "Auth.DefaultAuthorizer", "DefaultAuthorizer is not a string.")
	}
	known := name.text == iamAuthorizer
	for _, other := range authorizers {
		known = known || other.name.text == name.text
	}
	if !known {
		a.owner().fail(name, "Auth.DefaultAuthorizer", "Unable to set DefaultAuthorizer because '"+name.text+"' was not defined in 'Authorizers'.")
	}
	for _, path := range s.paths.entries() {
		s.setDefaultAuthorizer(path.key, name, authorizers, preflight)
	}
}

// authorizerPermissions let the API call the functions of its authorizers.
func (a *restAPI) authorizerPermissions() []*resource {
	auth := a.get("Auth")
	if !auth.truthy() {
		return nil
	}
	var made []*resource
	for _, au := range a.readAuthorizers(auth.get("Authorizers"), nil) {
		if !au.functionArn.truthy() || au.conf.get("DisableFunctionDefaultPermissions").truthy() {
			continue
		}
		made = append(made, a.t.authorizerPermission(a.id+au.name.text+"AuthorizerPermission", a.t.partition, au.functionArn, ref(a.id), a.passthrough()))
	}
	return made
}

// authorizerPermission lets an API call the function of an authorizer.
func (t *transformer) authorizerPermission(id, partition string, function, api, attributes *value) *resource {
	return newResource(id, "AWS::Lambda::Permission", attributes).with(
		"Action", "lambda:InvokeFunction", "FunctionName", function, "Principal", "apigateway.amazonaws.com",
		"SourceArn", sub(arn(partition, "execute-api", "${__ApiId__}/authorizers/*"), "__ApiId__", api))
}
