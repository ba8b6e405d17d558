package sam

import (
	"slices"
	"strings"
	"unicode"
)

var connectorKind = &samKind{
	phase: connectorPhase,
	properties: properties(
		required(dictOf(anything), "Source"), required(either(dictOf(anything), listOf(dictOf(anything))), "Destination"),
		required(listOf(isStr), "Permissions"),
	),
	transform: func(t *transformer, m *model, _ *value) []*resource { return t.connect(m) },
}

// endpoint is one end of a connector: what CloudFormation calls it, by the names that the permissions use. What is not known is
// nil.
type endpoint struct {
	id, kind                                         string
	arn, role, queueURL, resourceID, name, qualifier *value
}

// connect makes the permissions that a connector's source needs for its destinations.
func (t *transformer) connect(m *model) []*resource {
	source, destinations := m.get("Source"), m.get("Destination")
	several := destinations.isList()
	var made []*resource
	for i, d := range asList(destinations).items {
		to := t.endpoint(m, d, source)
		from := t.endpoint(m, source, d)
		c := &connection{t: t, m: m, from: from, to: to}
		if several {
			c.suffix = "Destination" + itoa(i)
		}
		made = append(made, c.resources()...)
	}
	if len(made) == 0 {
		failResource(m.id, "'Destination' is an empty list")
	}
	var ids []string
	for _, r := range made {
		ids = append(ids, r.id)
	}
	t.replaceDependency(m.id, ids)
	return made
}

// endpointTypes are the CloudFormation types of SAM's, for ends that are not in the template.
var endpointTypes = map[string]string{
	functionType: "AWS::Lambda::Function", stateMachineType: "AWS::StepFunctions::StateMachine", apiType: "AWS::ApiGateway::RestApi",
	httpAPIType: "AWS::ApiGatewayV2::Api", "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
}

// endpoint reads one end of a connector; other is the other end.
func (t *transformer) endpoint(m *model, v, other *value) *endpoint {
	details := slices.ContainsFunc(v.keys(), func(k *value) bool { return !oneOf(k.text, "Id", "Qualifier") })
	if v.has("Id") == details {
		failResource(m.id, "Must provide 'Id' (with optional 'Qualifier') or a supported combination of other properties.")
	}
	id := v.get("Id")
	if !id.truthy() {
		kind := v.get("Type")
		if kind.str() == "" {
			failResource(m.id, "'Type' is missing or not a string.")
		}
		e := &endpoint{kind: kind.text, arn: v.given("Arn"), role: v.given("RoleName"), queueURL: v.given("QueueUrl"),
			resourceID: v.given("ResourceId"), name: v.given("Name"), qualifier: v.given("Qualifier")}
		if cfnType := endpointTypes[kind.text]; cfnType != "" {
			e.kind = cfnType
		}
		return e
	}
	if !id.isString() {
		m.owner().fail(id, "Source", "'Id' is missing or not a string.")
	}
	return t.endpointInTemplate(m, v, other)
}

func (t *transformer) endpointInTemplate(m *model, v, other *value) *endpoint {
	id := v.get("Id")
	r := t.out.get("Resources").get(id.text)
	if !r.truthy() {
		m.owner().fail(id, "", "Unable to find resource with logical ID '"+id.text+"'.")
	}
	kind := r.get("Type").str()
	if kind == "" {
		failResource(m.id, "'Type' is missing or not a string.")
	}
	known := connectorData().get("resources").get(kind)
	outputs := replaced{{"logicalId", id}}.in(m, known.get("Outputs"))
	e := &endpoint{id: id.text, kind: kind, arn: outputs.get("Arn"), queueURL: outputs.get("Url"), resourceID: outputs.get("Id"),
		name: outputs.get("Name"), qualifier: outputs.get("Qualifier")}
	if v.has("Qualifier") {
		e.qualifier = v.given("Qualifier")
	}
	if role := referredID(roleOf(known.at("Inputs", "Role"), r.get("Properties"), other)); role != "" {
		e.role = ref(role)
	}
	return e
}

// roleOf is the role with which a resource works: a property of it or, for a rule, that of the target which is the other end.
func roleOf(property, resource, other *value) *value {
	if property.isString() {
		return resource.get(property.text)
	}
	if !property.get("Function").isText("GetEventsRuleRole") {
		return nil
	}
	for _, t := range resource.get("Targets").itemsOrNone() {
		arn := t.get("Arn")
		id := referredID(arn)
		if id != "" && other.get("Id").isText(id) || other.get("Arn").truthy() && arn.equal(other.get("Arn")) {
			return t.get("RoleArn")
		}
	}
	return nil
}

// connection makes the permissions for one destination.
type connection struct {
	t        *transformer
	m        *model
	from, to *endpoint
	suffix   string // of ids, where a connector has several destinations
	profile  *value
}

func (c *connection) resources() []*resource {
	profile := connectorData().get("permissions").get(c.from.kind + " " + c.to.kind)
	if profile == nil {
		failResource(c.m.id, "Unable to create connector from %s to %s; it's not supported or the template is invalid.", c.from.kind, c.to.kind)
	}
	c.profile = profile.get("Properties")
	c.checkPermissions()
	c.profile = replaced{
		{"Source.Arn", c.from.arn}, {"Destination.Arn", c.to.arn}, {"Source.ResourceId", c.from.resourceID},
		{"Destination.ResourceId", c.to.resourceID}, {"Source.Name", c.from.name}, {"Destination.Name", c.to.name},
		{"Source.Qualifier", c.from.qualifier}, {"Destination.Qualifier", c.to.qualifier},
	}.in(c.m, c.profile)
	var made []*resource
	switch profile.get("Type").str() {
	case "AWS_IAM_ROLE_MANAGED_POLICY":
		made = []*resource{c.rolePolicy()}
	case "AWS_SQS_QUEUE_POLICY":
		made = []*resource{c.new("QueuePolicy", "AWS::SQS::QueuePolicy").with("PolicyDocument", c.document(),
			"Queues", list(c.need("SQS queue URL", func(e *endpoint) *value { return e.queueURL })))}
	case "AWS_SNS_TOPIC_POLICY":
		made = []*resource{c.new("TopicPolicy", "AWS::SNS::TopicPolicy").with("PolicyDocument", c.document(),
			"Topics", list(c.need("SNS topic ARN", func(e *endpoint) *value { return e.arn })))}
	case "AWS_LAMBDA_PERMISSION":
		made = c.lambdaPermissions()
	}
	for _, r := range made {
		c.addMetadata(r)
	}
	return made
}

func (c *connection) permitted(name string) bool { return c.m.get("Permissions").contains(str(name)) }

func (c *connection) checkPermissions() {
	var valid []string
	for _, k := range c.profile.get("AccessCategories").keys() {
		valid = append(valid, k.text)
	}
	given := c.m.get("Permissions").itemsOrNone()
	if p := c.m.get("Permissions"); p.isMap() {
		given = p.keys()
	}
	if len(given) == 0 {
		failResource(c.m.id, "'Permissions' cannot be empty; valid values are: %s.", strings.Join(valid, ", "))
	}
	var names []string
	for _, p := range given {
		if !oneOf(p.str(), valid...) {
			c.m.owner().fail(p, "Permissions", "Unsupported 'Permissions' provided for connector from "+c.from.kind+" to "+c.to.kind+
				"; valid values are: "+strings.Join(valid, ", ")+".")
		}
		names = append(names, p.text)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	combinations := c.profile.get("ValidAccessCategories").itemsOrNone()
	var texts []string
	for _, combination := range combinations {
		var parts []string
		for _, p := range combination.items {
			parts = append(parts, p.text)
		}
		slices.Sort(parts)
		if slices.Equal(parts, names) {
			return
		}
		texts = append(texts, strings.Join(parts, " + "))
	}
	if len(combinations) > 0 {
		failResource(c.m.id, "Unsupported 'Permissions' provided for connector from %s to %s; valid combinations are: %s.",
			c.from.kind, c.to.kind, strings.Join(texts, ", "))
	}
}

// subject is the end that gets the permission, and the property that names it.
func (c *connection) subject() (*endpoint, string) {
	if c.profile.get("SourcePolicy").isTrue() {
		return c.from, "Source"
	}
	return c.to, "Destination"
}

func (c *connection) need(what string, part func(*endpoint) *value) *value {
	e, property := c.subject()
	v := part(e)
	if !v.truthy() {
		failResource(c.m.id, "Unable to get %s from '%s' resource.", what, property)
	}
	return v
}

func (c *connection) new(what, kind string) *resource {
	r := newResource(c.m.id+what+c.suffix, kind, c.m.attributes)
	r.dependsOn = c.m.dependsOn
	return r
}

func (c *connection) document() *value {
	all := list()
	for _, e := range c.profile.get("AccessCategories").entries() {
		if c.permitted(e.key) {
			all.append(e.value.get("Statement").itemsOrNone()...)
		}
	}
	return object("Version", "2012-10-17", "Statement", all)
}

func (c *connection) rolePolicy() *resource {
	role := c.need("IAM role name", func(e *endpoint) *value { return e.role })
	policy := c.new("Policy", "AWS::IAM::ManagedPolicy").with("PolicyDocument", c.document(), "Roles", list(role))
	switch c.profile.get("DependedBy").str() {
	case "DESTINATION_EVENT_SOURCE_MAPPING":
		if mappings := c.t.eventSourceMappings(c.from.id, c.to.id); len(mappings) == 1 {
			addDependency(mappings[0], policy.id)
		}
	case "SOURCE":
		if r := c.t.out.get("Resources").get(c.from.id); r.truthy() {
			addDependency(r, policy.id)
		}
	}
	return policy
}

func (c *connection) lambdaPermissions() []*resource {
	function := c.need("Lambda function ARN", func(e *endpoint) *value { return e.arn })
	var made []*resource
	for _, e := range c.profile.get("AccessCategories").entries() {
		if c.permitted(e.key) {
			made = append(made, c.new(e.key+"LambdaPermission", "AWS::Lambda::Permission").with("Action", e.value.get("Action"),
				"FunctionName", function, "Principal", e.value.get("Principal"), "SourceArn", e.value.get("SourceArn"),
				"SourceAccount", e.value.get("SourceAccount")))
		}
	}
	return made
}

// addMetadata says which connector a resource comes from.
func (c *connection) addMetadata(r *resource) {
	kind := func(e *endpoint) *value {
		v := e.kind
		if original := c.t.source.get("Resources").get(e.id).get("Type").str(); e.id != "" && original != "" {
			v = original
		}
		return object("Type", v)
	}
	metadata := object()
	for _, e := range r.attributes.get("Metadata").entries() {
		metadata.setKey(e)
	}
	metadata.set("aws:sam:connectors", object(c.m.id, object("Source", kind(c.from), "Destination", kind(c.to))))
	r.attributes.set("Metadata", metadata)
}

// eventSourceMappings are the mappings between an event source and a function.
func (t *transformer) eventSourceMappings(source, function string) []*value {
	var found []*value
	for _, e := range t.out.get("Resources").entries() {
		props := e.value.get("Properties")
		if source != "" && function != "" && e.value.get("Type").isText("AWS::Lambda::EventSourceMapping") &&
			referredID(props.get("FunctionName")) == function && referredID(props.get("EventSourceArn")) == source {
			found = append(found, e.value)
		}
	}
	return found
}

func addDependency(resource *value, ids ...string) {
	all := list()
	if before := resource.get("DependsOn"); !before.isNone() {
		all = concat(asList(before), nil)
	}
	for _, id := range ids {
		if !all.contains(str(id)) {
			all.append(str(id))
		}
	}
	resource.set("DependsOn", all)
}

// replaceDependency makes what depends on a connector depend on what the connector became.
func (t *transformer) replaceDependency(connector string, ids []string) {
	for _, e := range t.out.get("Resources").entries() {
		on := e.value.get("DependsOn")
		if on.isNone() || !asList(on).contains(str(connector)) {
			continue
		}
		rest := list()
		for _, item := range asList(on).items {
			if !item.isText(connector) {
				rest.append(item)
			}
		}
		e.value.set("DependsOn", rest)
		addDependency(e.value, ids...)
	}
}

// replaced are values for the placeholders %{Name} in connector data.
type replaced []struct {
	name string
	v    *value
}

// in copies v with the placeholders replaced: a string that is one placeholder becomes the value, one that holds some becomes
// Fn::Sub.
func (r replaced) in(m *model, v *value) *value {
	switch {
	case v.isMap():
		out := object()
		for _, e := range v.entries() {
			out.set(e.key, r.in(m, e.value))
		}
		return out
	case v.isList():
		return mapList(v.items, func(item *value) *value { return r.in(m, item) })
	case v.isString():
		return r.inText(m, v.text)
	}
	return v
}

func (r replaced) inText(m *model, text string) *value {
	variables := object()
	for _, p := range r {
		pattern := "%{" + p.name + "}"
		if !strings.Contains(text, pattern) {
			continue
		}
		if p.v == nil {
			failResource(m.id, "%s is missing.", p.name)
		}
		if text == pattern {
			return p.v
		}
		name := strings.Map(func(c rune) rune {
			if unicode.IsLetter(c) || unicode.IsDigit(c) {
				return c
			}
			return -1
		}, p.name)
		text = strings.ReplaceAll(text, pattern, "${"+name+"}")
		variables.set(name, p.v)
	}
	if variables.len() > 0 {
		return object("Fn::Sub", list(str(text), variables))
	}
	if start := strings.Index(text, "${"); start >= 0 && strings.Contains(text[start:], "}") {
		return sub(text)
	}
	return str(text)
}

// addEmbeddedConnectors makes resources of the connectors that stand in the attribute Connectors of their source.
func (t *transformer) addEmbeddedConnectors() {
	resources := t.source.get("Resources")
	made := object()
	for _, e := range resources.entries() {
		if !e.value.has("Connectors") {
			continue
		}
		if c := catch(func() { expectAttribute(e.value.get("Connectors"), e.key, e.key+".Connectors") }); c != nil {
			t.blame(c, e)
			continue
		}
		for _, c := range e.value.get("Connectors").entries() {
			if cause := catch(func() { t.embeddedConnector(e.key, c, resources, made) }); cause != nil {
				t.blame(cause, c)
			}
		}
	}
	resources.update(made)
	for _, e := range resources.entries() {
		e.value.delete("Connectors")
	}
}

func (t *transformer) embeddedConnector(source string, e field, resources, made *value) {
	id := source + e.key
	if !e.value.isMap() {
		failResource(id, "%s.%s should be a map.", source, id)
	}
	connector := e.value.clone()
	connector.set("Type", str(connectorType))
	props := expectAttribute(connector.get("Properties"), source, "Connectors."+e.key+".Properties")
	from := object("Id", source)
	if props.has("SourceReference") {
		reference := resourceOwner(source).expect(props.get("SourceReference"), "Connectors."+e.key+".Properties.SourceReference", aMap)
		if reference.has("Id") {
			failResource(e.key, "'Id' shouldn't be defined in 'SourceReference'.")
		}
		from.update(reference)
		props.delete("SourceReference")
	}
	props.set("Source", from)
	newModel(id, "", connectorType, connector, connectorKind.properties, nil)
	if resources.has(id) {
		panic(duplicateCause(source, id, connectorType))
	}
	made.setKey(field{key: id, span: e.span, value: connector})
}
