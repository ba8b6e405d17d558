package sam

import "strings"

var layerKind = &samKind{
	phase: otherPhase,
	properties: properties(
		optional(strOrDict, "LayerName"), optional(isStr, "Description"), optional(isFlag, "PublishLambdaVersion"),
		required(strOrDict, "ContentUri"), optional(strsOrDict, "CompatibleArchitectures", "CompatibleRuntimes"),
		optional(isStr, "LicenseInfo", "RetentionPolicy"),
	),
	transform: func(t *transformer, m *model, _ *value) []*resource { return []*resource{t.layer(m)} },
}

// layer makes a layer version. Its id changes with its properties, as a version is immutable, and m takes the new id.
func (t *transformer) layer(m *model) *resource {
	for _, name := range []string{"LayerName", "LicenseInfo", "Description", "RetentionPolicy"} {
		if v := m.get(name); v != nil {
			m.set(name, m.owner().resolved(t, v, name))
		}
	}
	attributes := m.passthrough()
	attributes.setDefault("DeletionPolicy", str("Retain"))
	if policy := m.retentionPolicy(); policy != "" {
		attributes.set("DeletionPolicy", str(policy))
	}
	name := m.get("LayerName")
	if !name.truthy() {
		name = str(m.id)
	}
	m.id = hashedID(m.id, object(m.id, m.layerData()))
	layer := newResource(m.id, "AWS::Lambda::LayerVersion", attributes).with("LayerName", name, "Content", s3Location(m.id, m.get("ContentUri"), "ContentUri"))
	layer.dependsOn = m.dependsOn
	for _, p := range []string{"Description", "CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo"} {
		layer.set(p, m.get(p))
	}
	m.checkArchitectures()
	return layer
}

// layerData is the layer as it goes into the hash of its id.
func (m *model) layerData() *value {
	data := object("Type", m.kind)
	if m.dependsOn.truthy() {
		data.set("DependsOn", m.dependsOn)
	}
	for _, name := range []string{"UpdatePolicy", "Condition"} {
		if m.attributes.has(name) {
			data.set(name, m.attributes.get(name))
		}
	}
	given := object()
	for _, e := range m.properties.entries() {
		if !e.value.isNone() {
			given.setKey(e)
		}
	}
	data.set("Properties", given)
	return data
}

// resolved is a property with references to parameters resolved; what is left must be a string.
func (o owner) resolved(t *transformer, v *value, name string) *value {
	v = t.params.resolve(v)
	if !v.isString() && !v.isMap() {
		o.fail(v, name, "Could not resolve parameter for '"+name+"' or parameter is not a String.")
	}
	return v
}

func (m *model) retentionPolicy() string {
	policy := m.get("RetentionPolicy")
	options := quotedList("Retain", "Delete")
	switch {
	case policy == nil:
		return ""
	case isIntrinsic(policy):
		m.owner().fail(policy, "RetentionPolicy", "'RetentionPolicy' does not accept intrinsic functions, please use one of the following options: "+options)
	case !policy.isString():
		m.owner().fail(policy, "RetentionPolicy", "Invalid 'RetentionPolicy' type, please use one of the following options: "+options)
	}
	for _, option := range []string{"Retain", "Delete"} {
		if strings.EqualFold(policy.text, option) {
			return option
		}
	}
	m.owner().fail(policy, "RetentionPolicy", "'RetentionPolicy' must be one of the following options: "+options+".")
	return ""
}

func (m *model) checkArchitectures() {
	all := m.get("CompatibleArchitectures")
	if isIntrinsic(all) {
		return
	}
	each := all.itemsOrNone()
	if all.isMap() { // a misspelt intrinsic: the transform takes its keys
		each = all.keys()
	}
	for _, a := range each {
		if !isIntrinsic(a) && !oneOf(a.str(), "arm64", "x86_64") {
			m.owner().fail(a, "CompatibleArchitectures", "CompatibleArchitectures needs to be a list of 'x86_64' or 'arm64'")
		}
	}
}
