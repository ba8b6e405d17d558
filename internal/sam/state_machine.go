package sam

import "strings"

var stateMachineKind = &samKind{
	phase: stateMachinePhase,
	properties: properties(
		optional(isDict, "Definition"), optional(strOrDict, "DefinitionUri"), optional(isDict, "Logging"), optional(isStr, "Role"),
		literal(anything, "RolePath"), optional(isDict, "DefinitionSubstitutions"), optional(dictOfDict, "Events"),
		optional(isStr, "Name", "Type"), optional(isDict, "Tags"), optional(isFlag, "PropagateTags"),
		optional(either(isStr, strsOrDict), "Policies"), optional(isDict, "Tracing"), optional(isStr, "PermissionsBoundary"),
		literal(anything, "AutoPublishAlias", "DeploymentPreference"), literal(isFlag, "UseAliasAsEventTarget"),
	),
	prepare: (*transformer).expandPolicyTemplates,
	transform: func(t *transformer, m *model, _ *value) []*resource {
		s := &stateMachine{model: m, t: t}
		inResource(m.id, func() { s.events = t.linkEvents(m, stateMachineEvents) })
		return s.resources()
	},
}

// stateMachine makes the resources of an AWS::Serverless::StateMachine.
type stateMachine struct {
	*model
	t      *transformer
	events []*event
}

func (s *stateMachine) resources() []*resource {
	machine := newResource(s.id, "AWS::StepFunctions::StateMachine", s.attributes)
	machine.dependsOn = s.dependsOn
	if substitutions := s.get("DefinitionSubstitutions"); substitutions.truthy() {
		machine.set("DefinitionSubstitutions", substitutions)
	}
	s.define(machine)
	made := []*resource{machine}
	role, policies := s.get("Role"), s.get("Policies")
	switch {
	case role.truthy() && policies.truthy():
		failResource(s.id, "Specify either 'Role' or 'Policies' (but not both at the same time) or neither of them")
	case role.truthy():
		machine.set("RoleArn", role)
	default:
		r := s.role(policies)
		machine.set("RoleArn", r.arn())
		made = append(made, r)
	}
	machine.with("StateMachineName", s.get("Name"), "StateMachineType", s.get("Type"), "LoggingConfiguration", s.get("Logging"),
		"TracingConfiguration", s.get("Tracing"), "Tags", s.machineTags())
	published, alias := s.publish(machine)
	made = append(made, comeFrom(s.originOf("AutoPublishAlias"), published)...)
	target := &target{model: s.model}
	if s.get("UseAliasAsEventTarget").truthy() {
		target.alias = alias
	}
	for _, e := range s.events {
		e.t, e.target, e.permissionBoundary = s.t, target, s.get("PermissionsBoundary")
		made = append(made, e.make()...)
	}
	propagateTags(made, s.get("Tags"), s.get("PropagateTags").truthy())
	return made
}

// define sets the definition, from the template or from S3.
func (s *stateMachine) define(machine *resource) {
	definition, uri := s.get("Definition"), s.get("DefinitionUri")
	switch {
	case definition.truthy() && uri.truthy():
		failResource(s.id, "Specify either 'Definition' or 'DefinitionUri' property and not both.")
	case definition.truthy():
		definition = definition.clone()
		substitutions := object()
		substituteDynamic(definition, substitutions)
		if substitutions.len() > 0 {
			if machine.get("DefinitionSubstitutions") == nil {
				machine.set("DefinitionSubstitutions", object())
			}
			machine.get("DefinitionSubstitutions").update(substitutions)
		}
		text := dumpJSON(definition, jsonStyle{item: ",", key: ": ", sorted: true, indent: "    "})
		machine.set("DefinitionString", object("Fn::Join", list(str("\n"), strList(strings.Split(text, "\n")...))))
	case uri.truthy():
		bucket, key, version := definitionURI(s.id, uri)
		location := object("Bucket", bucket, "Key", key)
		if version != nil {
			location.set("Version", version)
		}
		machine.set("DefinitionS3Location", location)
	default:
		failResource(s.id, "Either 'Definition' or 'DefinitionUri' property must be specified.")
	}
}

// substituteDynamic takes what CloudFormation must resolve out of a definition, which becomes text, and puts placeholders there.
func substituteDynamic(v, substitutions *value) {
	replace := func(x *value) *value {
		if !isIntrinsic(x) && !isDynamicReference(x) {
			substituteDynamic(x, substitutions)
			return x
		}
		name := "definition_substitution_" + itoa(substitutions.len()+1)
		substitutions.set(name, x)
		return str("${" + name + "}")
	}
	for i, item := range v.itemsOrNone() {
		v.items[i] = replace(item)
	}
	for _, e := range sortedEntries(v) {
		v.set(e.key, replace(e.value))
	}
}

func (s *stateMachine) role(policies *value) *resource {
	if policies.truthy() {
		policies = concat(asList(policies), nil)
	} else {
		policies = list()
	}
	if s.get("Tracing").get("Enabled").isTrue() {
		policies.append(str(s.t.xrayPolicy()))
	}
	return s.t.makeRole(roleConfig{
		owner: s.model, trust: assumableBy("states.amazonaws.com"), policies: policies, path: s.get("RolePath"),
		boundary: s.get("PermissionsBoundary"), tags: s.machineTags(),
	})
}

func (s *stateMachine) machineTags() *value {
	return concat(tagList(object("stateMachine:createdBy", "SAM")), tagList(s.get("Tags")))
}

// publish makes a version of the state machine, and the alias that goes to it gradually.
func (s *stateMachine) publish(machine *resource) (made []*resource, alias *resource) {
	name, preference := s.get("AutoPublishAlias"), s.get("DeploymentPreference")
	if !name.truthy() {
		for _, p := range []string{"UseAliasAsEventTarget", "DeploymentPreference"} {
			if s.get(p).truthy() {
				panic(resourceCause(s.id, "'%s' requires 'AutoPublishAlias' property to be specified.", p).withHint(needsAlias))
			}
		}
		return nil, nil
	}
	attributes := s.passthrough()
	attributes.setDefault("DeletionPolicy", str("Retain"))
	attributes.setDefault("UpdateReplacePolicy", str("Retain"))
	version := newResource(s.id+"Version", "AWS::StepFunctions::StateMachineVersion", attributes).with(
		"StateMachineArn", machine.ref(), "StateMachineRevisionId", getAtt(machine.id, "StateMachineRevisionId"))
	alias = newResource(s.id+"Alias"+name.display(), "AWS::StepFunctions::StateMachineAlias", s.passthrough())
	if !preference.truthy() {
		preference = object("Type", "ALL_AT_ONCE")
	}
	if !preference.isMap() {
		s.owner().fail(preference, "DeploymentPreference", "Property 'DeploymentPreference' should be a map.")
	}
	preference.set("StateMachineVersionArn", version.ref())
	alias.with("Name", name, "DeploymentPreference", preference)
	return []*resource{version, alias}, alias
}
