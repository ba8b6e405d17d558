package sam

import "evo/internal/cfn"

const (
	functionType     = "AWS::Serverless::Function"
	stateMachineType = "AWS::Serverless::StateMachine"
	apiType          = "AWS::Serverless::Api"
	httpAPIType      = "AWS::Serverless::HttpApi"
	applicationType  = "AWS::Serverless::Application"
	graphQLType      = "AWS::Serverless::GraphQLApi"
	connectorType    = "AWS::Serverless::Connector"
)

// managedFlag marks, in an API's properties, that SAM and not the user wrote the definition.
const managedFlag = "__MANAGE_SWAGGER"

// checkDatatypes checks what everything else relies on.
func checkDatatypes(template *value) {
	resources := template.get("Resources")
	if !resources.isMap() || resources.len() == 0 {
		failDocument(templateCause("'Resources' section is required"))
	}
	checkCount(resources)
	for _, e := range resources.entries() {
		if !e.value.isMap() {
			c := templateCause("All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.")
			c.Span = e.span
			failDocument(c)
		}
	}
	for _, e := range samResources(template) {
		if e.value.has("Properties") {
			if c := catch(func() { expectAttribute(e.value.get("Properties"), e.key, "Properties") }); c != nil {
				if !c.Span.IsValid() {
					c.Span = e.span
				}
				failDocument(c)
			}
		}
	}
}

// maxResources bounds the resources and events of a template. CloudFormation allows 500 resources, and an event makes one or more;
// the definition of an API is copied for each of its events.
const maxResources = 600

func checkCount(resources *value) {
	n := resources.len()
	for _, e := range resources.entries() {
		n += e.value.at("Properties", "Events").len()
	}
	if n > maxResources {
		failDocument(templateCause("The template has %d resources and events, and more than %d cannot be transformed: CloudFormation allows 500 resources in a stack.",
			n, maxResources))
	}
}

// samResources are the resources of the types (all SAM types, if none are given), in the order in which they are visited.
func samResources(template *value, types ...string) []field {
	var found []field
	for _, e := range template.get("Resources").entries() {
		if c := e.value.get("Condition"); c.truthy() && !c.isString() {
			failDocument(templateCause("Every Condition member must be a string.").at(c))
		}
		name := e.value.get("Type").str()
		if hasProperties(name) && (len(types) == 0 || oneOf(name, types...)) {
			found = append(found, e)
		}
	}
	return found
}

// markForHashes marks the strings, and makes tables of the maps, whose text form goes into the ids of API deployments, if the
// template has such an API; and tells whether it has.
func markForHashes(template *value) bool {
	if !hasRestAPI(template) && !hasAuthorizedHTTPAPI(template) {
		return false
	}
	if globals := template.get("Globals"); globals.has("Api") {
		globals.set("Api", toTable(globals.get("Api")))
	}
	if params := template.get("Parameters"); params.isMap() {
		for _, e := range params.entries() {
			if e.value.has("Default") {
				e.value.set("Default", toTable(e.value.get("Default")))
			}
		}
		template.set("Parameters", shallowTable(params))
	}
	for _, e := range template.get("Resources").entries() {
		markResource(e.value)
	}
	template.set("Resources", shallowTable(template.get("Resources")))
	return true
}

func markResource(resource *value) {
	props := resource.get("Properties")
	if props == nil {
		return
	}
	switch resource.get("Type").str() {
	case apiType, httpAPIType:
		resource.set("Properties", toTable(props))
	case functionType, stateMachineType:
		if resource.has("Condition") {
			resource.set("Condition", toTable(resource.get("Condition")))
		}
		for _, name := range []string{"FunctionName", "Events"} {
			if props.has(name) {
				props.set(name, toTable(props.get(name)))
			}
		}
	}
}

// toTable copies v with marked strings, and with tables for maps.
func toTable(v *value) *value {
	switch v.kind {
	case cfn.Map:
		t := newTable()
		t.span = v.span
		for _, e := range v.entries() {
			e.value, e.marked = toTable(e.value), true
			t.setKey(e)
		}
		return t
	case cfn.List:
		return v.cloneWith(toTable)
	case cfn.String:
		c := *v
		c.marked = true
		return &c
	}
	return v
}

// shallowTable is a table of marked keys with v's values as they are.
func shallowTable(v *value) *value {
	out := newTable()
	out.span = v.span
	for _, e := range v.entries() {
		e.marked = true
		out.setKey(e)
	}
	return out
}

func hasRestAPI(template *value) bool {
	for _, e := range template.get("Resources").entries() {
		switch e.value.get("Type").str() {
		case apiType:
			return true
		case functionType, stateMachineType:
			if hasEvent(e.value, "Api") {
				return true
			}
		}
	}
	return false
}

// hasAuthorizedHTTPAPI reports whether an HTTP API has a default authorizer, its own or from Globals.
func hasAuthorizedHTTPAPI(template *value) bool {
	global := template.at("Globals", "HttpApi", "Auth", "DefaultAuthorizer").truthy()
	for _, e := range template.get("Resources").entries() {
		switch e.value.get("Type").str() {
		case httpAPIType:
			if global || e.value.at("Properties", "Auth", "DefaultAuthorizer").truthy() {
				return true
			}
		case functionType:
			if global && hasEvent(e.value, "HttpApi") {
				return true
			}
		}
	}
	return false
}

func hasEvent(resource *value, kind string) bool {
	for _, e := range resource.at("Properties", "Events").entries() {
		if e.value.get("Type").isText(kind) {
			return true
		}
	}
	return false
}

// prepare does what comes before the resources are looked at one by one.
func (t *transformer) prepare() {
	t.lookUpApplications()
	addDefaultDefinitions(t.source)
	t.addImplicitAPI(restAPIPlan)
	t.addImplicitAPI(httpAPIPlan)
	t.applyGlobals()
}

// addDefaultDefinitions gives APIs without a definition an empty one, which their events fill.
func addDefaultDefinitions(template *value) {
	for _, kind := range []string{apiType, httpAPIType} {
		for _, e := range samResources(template, kind) {
			if kind == apiType && !e.value.has("Properties") {
				continue // it lacks a stage's name, and fails for that later
			}
			props := propertiesOf(e.value)
			if props.get("DefinitionBody").truthy() || props.get("DefinitionUri").truthy() {
				continue
			}
			if kind == httpAPIType {
				props.set("DefinitionBody", openAPISkeleton())
			} else {
				props.set("DefinitionBody", swaggerSkeleton())
			}
			props.set(managedFlag, boolean(true))
		}
	}
}

// propertiesOf are a resource's properties, made if they are missing.
func propertiesOf(resource *value) *value {
	return resource.setDefault("Properties", object())
}
