package sam

import "strings"

// httpAuthorizer decides who may call a route of an HTTP API: whoever has a JSON web token, whom a function lets in, or IAM.
type httpAuthorizer struct {
	api, name string
	kind      httpAuthKind
	conf      *value
	jwt       *value
}

type httpAuthKind uint8

const (
	jwtAuth httpAuthKind = iota
	requestAuth
	iamAuth
)

// httpAuthProperties are the properties of authorizers, which of them they are for, and how messages call that kind.
var httpAuthProperties = []struct {
	name string
	kind httpAuthKind
	with string
}{
	{"AuthorizationScopes", jwtAuth, "OAuth2 Authorizer"},
	{"JwtConfiguration", jwtAuth, "OAuth2 Authorizer"},
	{"IdentitySource", jwtAuth, "OAuth2 Authorizer. For Lambda Authorizer, use the 'Identity' property instead"},
	{"FunctionArn", requestAuth, "Lambda Authorizer"},
	{"FunctionInvokeRole", requestAuth, "Lambda Authorizer"},
	{"Identity", requestAuth, "Lambda Authorizer"},
	{"AuthorizerPayloadFormatVersion", requestAuth, "Lambda Authorizer"},
	{"EnableSimpleResponses", requestAuth, "Lambda Authorizer"},
	{"EnableFunctionDefaultPermissions", requestAuth, "Lambda Authorizer"},
}

func newHTTPAuthorizer(api string, e field) *httpAuthorizer {
	a := &httpAuthorizer{api: api, name: e.key, conf: e.value, kind: requestAuth}
	if jwt := e.value.get("JwtConfiguration"); jwt.truthy() {
		resourceOwner(api).expect(jwt, "JwtConfiguration", aMap)
		a.kind, a.jwt = jwtAuth, object()
		for _, p := range jwt.entries() {
			p.key = strings.ToLower(p.key)
			a.jwt.setKey(p)
		}
	}
	if s := e.value.given("AuthorizationScopes"); s != nil && !s.isList() {
		failResource(api, "AuthorizationScopes must be a list.")
	}
	for _, p := range httpAuthProperties {
		if p.kind != a.kind && e.value.given(p.name) != nil && (p.name != "JwtConfiguration" || a.jwt != nil) {
			failResource(api, "%s is only supported for %s.", p.name, p.with)
		}
	}
	a.checkRequired()
	if d := e.value.given("EnableFunctionDefaultPermissions"); d != nil {
		resourceOwner(api).expect(d, "Authorizers."+e.key+".EnableFunctionDefaultPermissions", aBoolean)
	}
	return a
}

func (a *httpAuthorizer) checkRequired() {
	need, kind := []string{"FunctionArn", "AuthorizerPayloadFormatVersion"}, "Lambda"
	if a.kind == jwtAuth {
		need, kind = []string{"IdentitySource"}, "OAuth2"
	}
	for _, name := range need {
		if !a.conf.get(name).truthy() {
			failResource(a.api, "%s %s Authorizer must define '%s'.", a.name, kind, name)
		}
	}
}

// openAPI is the authorizer as a security scheme.
func (a *httpAuthorizer) openAPI(partition string) *value {
	switch a.kind {
	case iamAuth:
		return object("type", "apiKey", "name", "Authorization", "in", "header", "x-amazon-apigateway-authtype", "awsSigv4")
	case jwtAuth:
		return object("type", "oauth2", authorizerKey,
			object("jwtConfiguration", a.jwt, "identitySource", a.conf.get("IdentitySource"), "type", "jwt"))
	}
	conf := object("type", "request",
		"authorizerUri", sub(invocationsOf(partition, "__FunctionArn__"), "__FunctionArn__", a.conf.get("FunctionArn")))
	if role := a.conf.get("FunctionInvokeRole"); role.truthy() && !role.isText("NONE") {
		conf.set("authorizerCredentials", role)
	}
	if identity := a.conf.get("Identity"); identity.truthy() {
		resourceOwner(a.api).expect(identity, "Auth.Authorizers."+a.name+".Identity", aMap)
		if ttl := identity.given("ReauthorizeEvery"); ttl != nil {
			conf.set("authorizerResultTtlInSeconds", ttl)
		}
		conf.set("identitySource", a.identitySource(identity))
	}
	conf.set("authorizerPayloadFormatVersion", a.conf.get("AuthorizerPayloadFormatVersion"))
	if simple := a.conf.get("EnableSimpleResponses"); simple.truthy() {
		conf.set("enableSimpleResponses", simple)
	}
	return object("type", "apiKey", "name", "Unused", "in", "header", authorizerKey, conf)
}

func (a *httpAuthorizer) identitySource(identity *value) *value {
	out := list()
	for _, s := range []struct{ property, prefix string }{
		{"Headers", "$request.header."}, {"QueryStrings", "$request.querystring."}, {"StageVariables", "$stageVariables."}, {"Context", "$context."},
	} {
		names := identity.get(s.property)
		if !names.truthy() {
			continue
		}
		for _, name := range resourceOwner(a.api).expectList(names, "Authorizers."+a.name+".Identity."+s.property, aString).items {
			out.append(str(s.prefix + name.text))
		}
	}
	return out
}

func (a *httpAPI) addAuth() {
	auth := a.get("Auth")
	if !auth.truthy() {
		return
	}
	a.needBody("Auth")
	if !auth.isMap() { // a parameter's value
		a.owner().fail(auth, "Auth", "Invalid value for 'Auth' property")
	}
	for _, e := range auth.entries() {
		if !oneOf(e.key, "Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer") {
			panic(spanned(resourceCause(a.id, "Invalid value for 'Auth' property"), e))
		}
	}
	a.needOpenAPI("Auth configuration")
	o := editOpenAPI(a.body)
	authorizers := a.authorizers()
	for _, au := range authorizers {
		o.securitySchemes.set(au.name, au.openAPI(a.t.partition))
	}
	a.setDefaultAuthorizer(o, authorizers, auth.get("DefaultAuthorizer"))
	a.body = o.finish()
}

func (a *httpAPI) authorizers() []*httpAuthorizer {
	auth := a.get("Auth")
	var all []*httpAuthorizer
	if auth.get("EnableIamAuthorizer").isTrue() {
		all = append(all, &httpAuthorizer{api: a.id, name: iamAuthorizer, kind: iamAuth})
	}
	config := auth.get("Authorizers")
	if !config.truthy() {
		return all
	}
	for _, e := range a.owner().expect(config, "Auth.Authorizers", aMap).entries() {
		a.owner().expect(e.value, "Auth.Authorizers."+e.key, aMap)
		if e.value.has("OpenIdConnectUrl") {
			failResource(a.id, "'OpenIdConnectUrl' is no longer a supported property for authorizer '%s'. Please refer to the AWS SAM documentation.", e.key)
		}
		all = append(all, newHTTPAuthorizer(a.id, e))
	}
	return all
}

func (a *httpAPI) setDefaultAuthorizer(o *openAPI, authorizers []*httpAuthorizer, name *value) {
	if !name.truthy() || isNoValue(name) {
		return
	}
	a.owner().expect(name, "Auth.DefaultAuthorizer", aString)
	var chosen *httpAuthorizer
	for _, au := range authorizers {
		if au.name == name.text {
			chosen = au
		}
	}
	if chosen == nil {
		a.owner().fail(name, "Auth.DefaultAuthorizer", "Unable to set DefaultAuthorizer because '"+name.text+"' was not defined in 'Authorizers'.")
	}
	scopes := chosen.conf.given("AuthorizationScopes")
	if scopes == nil {
		scopes = list()
	}
	for _, path := range o.paths.entries() {
		o.setDefaultAuthorizer(path.key, name.text, scopes)
	}
}

// authorizerPermissions let the API call the functions of its authorizers, where asked for.
func (a *httpAPI) authorizerPermissions(api *resource) []*resource {
	var made []*resource
	for _, au := range a.authorizers() {
		if au.conf.get("FunctionArn").truthy() && au.conf.get("EnableFunctionDefaultPermissions").truthy() {
			made = append(made, a.t.authorizerPermission(a.id+au.name+"AuthorizerPermission", stackPartition,
				au.conf.get("FunctionArn"), api.ref(), a.passthrough()))
		}
	}
	return made
}
