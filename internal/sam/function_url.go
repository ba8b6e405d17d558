package sam

import "evo/internal/cfn"

// url makes the function's own URL, and lets everybody call it if it asks for no authentication.
func (f *function) url() []*resource {
	config := f.get("FunctionUrlConfig")
	if !config.truthy() {
		return nil
	}
	f.checkURLAuth(config)
	f.checkURLCORS(config)
	target := f.lambda.ref()
	if f.alias != nil {
		target = f.alias.ref()
	}
	u := newResource(f.id+"Url", "AWS::Lambda::Url", f.passthrough()).with(
		"AuthType", config.get("AuthType"), "TargetFunctionArn", target, "InvokeMode", config.get("InvokeMode"))
	if cors := config.get("Cors"); cors.truthy() {
		u.set("Cors", cors)
	}
	if isIntrinsic(config) || !config.get("AuthType").isText("NONE") {
		return []*resource{u}
	}
	permission := func(id, action string) *resource {
		return newResource(f.id+id, "AWS::Lambda::Permission", f.passthrough()).with("Action", action, "FunctionName", target, "Principal", "*")
	}
	return []*resource{u,
		permission("UrlPublicPermissions", "lambda:InvokeFunctionUrl").with("FunctionUrlAuthType", "NONE"),
		permission("URLInvokeAllowPublicAccess", "lambda:InvokeFunction").with("InvokedViaFunctionUrl", true)}
}

func (f *function) checkURLAuth(config *value) {
	auth := config.get("AuthType")
	if !isIntrinsic(config) && !isIntrinsic(auth) && !oneOf(auth.str(), "AWS_IAM", "NONE") {
		f.owner().fail(config, "FunctionUrlConfig", "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.")
	}
}

// urlCORS are the properties of a function URL's CORS, with their types as messages name them.
var urlCORS = map[string]struct {
	kind  cfn.Kind
	words string
}{
	"AllowOrigins": {cfn.List, "list"}, "AllowMethods": {cfn.List, "list"}, "AllowCredentials": {cfn.Bool, "bool"},
	"AllowHeaders": {cfn.List, "list"}, "ExposeHeaders": {cfn.List, "list"}, "MaxAge": {cfn.Int, "int"},
}

func (f *function) checkURLCORS(config *value) {
	cors := config.get("Cors")
	if isIntrinsic(config) || !cors.truthy() || isIntrinsic(cors) {
		return
	}
	for _, e := range f.owner().expect(cors, "FunctionUrlConfig.Cors", aMap).entries() {
		want, ok := urlCORS[e.key]
		if !ok {
			panic(spanned(resourceCause(f.id, "%s is not a valid property for configuring Cors.", e.key), e))
		}
		if !isIntrinsic(e.value) && !e.value.is(want.kind) && !(want.kind == cfn.Int && e.value.isBool()) {
			f.owner().fail(e.value, "FunctionUrlConfig.Cors."+e.key, e.key+" must be of type "+want.words+".")
		}
	}
}
