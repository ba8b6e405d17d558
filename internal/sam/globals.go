package sam

import (
	"maps"
	"slices"
	"strings"
)

// globalProperties are the properties that Globals may hold for each type.
var globalProperties = map[string][]string{
	"Function": {
		"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment", "Tags",
		"PropagateTags", "Tracing", "KmsKeyArn", "AutoPublishAlias", "AutoPublishAliasAllProperties", "Layers",
		"DeploymentPreference", "RolePath", "PermissionsBoundary", "ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig",
		"AssumeRolePolicyDocument", "EventInvokeConfig", "FileSystemConfigs", "CodeSigningConfigArn", "Architectures", "SnapStart",
		"EphemeralStorage", "FunctionUrlConfig", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn",
		"TenancyConfig", "DurableConfig", "CapacityProviderConfig", "FunctionScalingConfig", "PublishToLatestPublished",
		"VersionDeletionPolicy",
	},
	"Api": {
		"Auth", "Name", "DefinitionUri", "CacheClusterEnabled", "CacheClusterSize", "MergeDefinitions", "Variables",
		"EndpointConfiguration", "MethodSettings", "BinaryMediaTypes", "MinimumCompressionSize", "Cors", "GatewayResponses",
		"AccessLogSetting", "CanarySetting", "TracingEnabled", "OpenApiVersion", "Domain", "AlwaysDeploy", "PropagateTags",
		"SecurityPolicy", "EndpointAccessMode",
	},
	"HttpApi": {
		"Auth", "AccessLogSettings", "StageVariables", "Tags", "CorsConfiguration", "DefaultRouteSettings", "Domain",
		"RouteSettings", "FailOnWarnings", "PropagateTags",
	},
	"SimpleTable":  {"SSESpecification"},
	"StateMachine": {"PropagateTags"},
	"LayerVersion": {"PublishLambdaVersion"},
	"CapacityProvider": {
		"VpcConfig", "OperatorRole", "Tags", "InstanceRequirements", "ScalingConfig", "KmsKeyArn", "PropagateTags",
	},
	"WebSocketApi": {
		"AccessLogSettings", "ApiKeySelectionExpression", "DefaultRouteSettings", "DisableExecuteApiEndpoint",
		"DisableSchemaValidation", "Domain", "FailOnWarnings", "IpAddressType", "PropagateTags", "RouteSelectionExpression",
		"RouteSettings", "StageVariables", "Tags",
	},
}

// maxGlobals bounds what Globals may grow the resources to, in values. A template of CloudFormation's greatest size holds fewer.
const maxGlobals = 500_000

// applyGlobals merges the section Globals into the resources that it is for, and removes it.
func (t *transformer) applyGlobals() {
	var globals *value
	if t.source.has("Globals") {
		globals = t.source.get("Globals")
		if wrong := globalsCauses(globals); len(wrong) > 0 {
			failDocument(wrong[0])
		}
	}
	size := 0
	for _, e := range samResources(t.source) {
		section := strings.TrimPrefix(e.value.get("Type").str(), "AWS::Serverless::")
		local := propertiesOf(e.value)
		if globals.has(section) {
			merged := merge(globalsFor(e, globals.get(section)), local)
			if merged.isMap() && !merged.span.IsValid() {
				merged.span = local.span
			}
			if size += merged.size(); size > maxGlobals {
				failDocument(globalsCause("With it, the resources hold more than %d values", maxGlobals))
			}
			e.value.set("Properties", merged)
		}
	}
	t.source.delete("Globals")
	t.setOpenAPIVersions()
}

func globalsCause(format string, args ...any) *Cause {
	c := templateCause(format, args...)
	c.prefix = "'Globals' section is invalid. "
	return c
}

// globalsCauses are all that is wrong with the section. SAM knows the first alone.
func globalsCauses(globals *value) (wrong []*Cause) {
	if !globals.isMap() {
		return []*Cause{globalsCause("It must be a non-empty dictionary")}
	}
	for _, e := range globals.entries() {
		supported, ok := globalProperties[e.key]
		switch {
		case !ok:
			wrong = append(wrong, spanned(globalsCause("'%s' is not supported. Must be one of the following values - %s", e.key, quotedList(globalSections()...)), e).
				inShort("Globals has no section "+e.key).withHint(didYouMean(e.key, globalSections())))
			continue
		case !e.value.isMap():
			wrong = append(wrong, spanned(globalsCause("Value of ${section} must be a dictionary"), e))
		}
		for _, p := range e.value.entries() {
			if !slices.Contains(supported, p.key) {
				wrong = append(wrong, spanned(globalsCause("'%s' is not a supported property of '%s'. Must be one of the following values - %s",
					p.key, e.key, quotedList(supported...)), p).inShort("Globals."+e.key+" has no property "+p.key).withHint(didYouMean(p.key, supported)))
			}
		}
	}
	return wrong
}

// inShort is what a diagnostic says, where SAM's own sentence lists all that it would have taken.
func (c *Cause) inShort(text string) *Cause {
	c.parts = []part{{text: text, span: c.Span}}
	return c
}

func spanned(c *Cause, e field) *Cause {
	c.Span = e.span
	return c
}

func globalSections() []string { return slices.Sorted(maps.Keys(globalProperties)) }

// globalsFor are the global properties for a resource, without those that its attribute IgnoreGlobals names.
func globalsFor(e field, global *value) *value {
	ignored := e.value.get("IgnoreGlobals")
	bad := func(what string) {
		failDocument(spanned(resourceCause(e.key, "Resource %s has invalid resource attribute 'IgnoreGlobals'%s.", e.key, what), e))
	}
	switch {
	case !ignored.truthy():
		return global
	case ignored.isText("*"):
		return object()
	case !ignored.isList():
		bad("")
	}
	rest := global.clone()
	for _, name := range ignored.items {
		if !name.isString() || !rest.has(name.text) {
			bad(" on item '" + name.display() + "'")
		}
		rest.delete(name.text)
	}
	return rest
}

// merge puts a local value over a global one: maps key by key, lists one after the other, and of anything else the local one.
// An intrinsic function is no map here.
func merge(global, local *value) *value {
	switch {
	case isPlainMap(global) && isPlainMap(local):
		merged := global.copy()
		for _, e := range local.entries() {
			if merged.has(e.key) {
				e.value = merge(merged.get(e.key), e.value)
			}
			merged.setKey(e)
		}
		return merged
	case global.isList() && local.isList():
		l := concat(global, local)
		l.span = local.span
		return l
	}
	return local
}

func isPlainMap(v *value) bool { return v.isMap() && !isIntrinsic(v) }

// setOpenAPIVersions makes definitions that SAM wrote those of OpenAPI 3, where OpenApiVersion asks for it.
func (t *transformer) setOpenAPIVersions() {
	for _, e := range t.source.get("Resources").entries() {
		props := e.value.get("Properties")
		version := props.get("OpenApiVersion")
		if !e.value.get("Type").isText(apiType) || version == nil || !props.has(managedFlag) || !isOpenAPI3(version) {
			continue
		}
		if !version.isString() {
			version = str(version.display())
			props.set("OpenApiVersion", version)
		}
		if body := props.get("DefinitionBody"); body.isMap() {
			body.set("openapi", version)
			if body.get("swagger").truthy() {
				body.delete("swagger")
			}
		}
	}
}
