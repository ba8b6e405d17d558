package sam

import (
	"fmt"

	"evo/internal/cfn"
	"evo/internal/source"
)

// resource is a CloudFormation resource that the transform makes.
type resource struct {
	id         string
	kind       string
	dependsOn  *value
	attributes *value // Condition, DeletionPolicy and so on
	properties *value
	origin     origin
}

// origin is the place in the template that a made resource comes from: the SAM resource, or what in it brought the resource about, such as
// an event. The zero origin stands for the SAM resource.
type origin struct{ key, body source.Span }

func originOf(e field) origin { return origin{e.span, e.value.where()} }

func (o origin) isValid() bool { return o.key.IsValid() }

// comeFrom sets the origin of resources that have none of their own.
func comeFrom(o origin, made []*resource) []*resource {
	for _, r := range made {
		if !r.origin.isValid() {
			r.origin = o
		}
	}
	return made
}

// entry is the resource as an entry of the section Resources.
func (r *resource) entry() field { return field{key: r.id, span: r.origin.key, value: r.value()} }

func newResource(id, kind string, attributes *value) *resource {
	if !isLogicalID(id) {
		failResource(id, "Logical ids must be alphanumeric.")
	}
	r := &resource{id: id, kind: kind, attributes: object(), properties: object()}
	for _, e := range attributes.entries() {
		r.attributes.setKey(e)
	}
	return r
}

// with sets properties, given as names and values in turn. What is null or not there is left out.
func (r *resource) with(namesAndValues ...any) *resource {
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		r.set(namesAndValues[i].(string), valueOf(namesAndValues[i+1]))
	}
	return r
}

func (r *resource) set(name string, v *value) {
	if v.isNone() {
		r.properties.delete(name)
		return
	}
	r.properties.set(name, v)
}

func (r *resource) get(name string) *value { return r.properties.get(name) }

func (r *resource) ref() *value { return ref(r.id) }
func (r *resource) arn() *value { return getAtt(r.id, "Arn") }

// dependingOn adds what must exist before r.
func (r *resource) dependingOn(ids ...string) *resource {
	r.dependsOn = strList(ids...)
	return r
}

// value is the resource as it stands in a template.
func (r *resource) value() *value {
	v := object("Type", r.kind)
	if r.dependsOn.truthy() {
		v.set("DependsOn", r.dependsOn)
	}
	for _, e := range r.attributes.entries() {
		v.setKey(e)
	}
	v.set("Properties", r.properties)
	v.span = r.origin.body
	return v
}

// model is a resource or an event of a template, checked against what SAM says that it may hold.
type model struct {
	id         string // of the resource; for an event, of its function or state machine and itself
	relativeID string // of an event
	kind       string
	properties *value
	dependsOn  *value
	attributes *value
	body       source.Span // of the resource or event in the template
}

// originOf is where a property stands, if the resource itself has it, and not Globals.
func (m *model) originOf(name string) origin {
	key := m.properties.keySpan(name)
	if !key.IsValid() || key.Start.Offset < m.body.Start.Offset || key.Start.Offset >= m.body.End.Offset {
		return origin{}
	}
	return origin{key, m.get(name).where()}
}

// get is a property; nil if it is null.
func (m *model) get(name string) *value { return m.properties.given(name) }

// set changes a property here, but not in the template.
func (m *model) set(name string, v *value) { m.properties.set(name, v) }

func (m *model) owner() owner { return resourceOwner(m.id) }

// passthrough are the attributes that everything made of a resource inherits.
func (m *model) passthrough() *value { return passthrough(m.attributes) }

func passthrough(attributes *value) *value {
	out := object()
	for _, name := range []string{"Condition", "DeletionPolicy", "UpdateReplacePolicy"} {
		if attributes.has(name) {
			out.set(name, attributes.get(name))
		}
	}
	return out
}

// supportedAttributes are the attributes that a SAM resource hands on to its main CloudFormation resource.
var supportedAttributes = []string{"DeletionPolicy", "UpdatePolicy", "Condition", "UpdateReplacePolicy", "Metadata"}

// property says what a property of a model may hold.
type property struct {
	name     string
	check    check
	required bool
	literal  bool // an intrinsic function must pass the check too
}

// check is a test of a property's value, with the words for what it should be (none: the message only says that the type is wrong).
type check struct {
	words string
	holds func(*value) bool
}

var (
	anything = check{"", func(*value) bool { return true }}
	isStr    = check{"string", (*value).isString}
	isDict   = check{"map", (*value).isMap}
	isFlag   = check{"", (*value).isBool}
	isArray  = check{"", (*value).isList}
	isInt    = check{"", func(v *value) bool { return v.is(cfn.Int) || v.isBool() }}

	strOrDict  = either(isStr, isDict)
	dictOfDict = dictOf(isDict)
	strsOrDict = listOf(strOrDict)
)

func either(checks ...check) check {
	return check{holds: func(v *value) bool {
		for _, c := range checks {
			if c.holds(v) {
				return true
			}
		}
		return false
	}}
}

func listOf(item check) check {
	return check{holds: func(v *value) bool {
		if !v.isList() {
			return false
		}
		for _, i := range v.items {
			if !item.holds(i) {
				return false
			}
		}
		return true
	}}
}

func dictOf(item check) check {
	return check{holds: func(v *value) bool {
		if !v.isMap() {
			return false
		}
		for _, e := range v.fields.list {
			if !item.holds(e.value) {
				return false
			}
		}
		return true
	}}
}

// strEnum is one of two strings.
func strEnum(a, b string) check {
	return check{fmt.Sprintf("one of the strings: '%s' or '%s'", a, b), func(v *value) bool {
		return v.isText(a) || v.isText(b)
	}}
}

// optional, required and literal make lists of properties that are checked alike.
func optional(c check, names ...string) []property { return each(property{check: c}, names) }
func required(c check, names ...string) []property {
	return each(property{check: c, required: true}, names)
}
func literal(c check, names ...string) []property {
	return each(property{check: c, literal: true}, names)
}

func each(p property, names []string) []property {
	out := make([]property, len(names))
	for i, name := range names {
		p.name = name
		out[i] = p
	}
	return out
}

func properties(lists ...[]property) []property {
	var out []property
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// newModel reads a resource or event. prepare, if given, may change the properties first.
func newModel(id, relativeID, kind string, dict *value, spec []property, prepare func(properties *value)) *model {
	if !isLogicalID(id) {
		failResource(id, "Logical ids must be alphanumeric.")
	}
	if dict.has("Properties") && !dict.get("Properties").isMap() {
		failResource(id, "Properties of a resource must be an object.")
	}
	given := dict.get("Properties")
	if given == nil {
		given = object()
	}
	if prepare != nil {
		prepare(given)
	}
	m := &model{id: id, relativeID: relativeID, kind: kind, properties: object(), attributes: object(), body: dict.span}
	for _, e := range given.entries() {
		if !inSpec(spec, e.key) {
			if kind == graphQLType {
				continue // AWS's transform lets these pass, and leaves them out
			}
			panic(unknownProperty(id, kind, e, spec))
		}
		m.properties.setKey(e)
	}
	m.dependsOn = dict.get("DependsOn")
	for _, name := range supportedAttributes {
		if dict.has(name) {
			m.attributes.set(name, dict.get(name))
		}
	}
	m.check(spec)
	return m
}

func inSpec(spec []property, name string) bool {
	for i := range spec {
		if spec[i].name == name {
			return true
		}
	}
	return false
}

func unknownProperty(id, kind string, e field, spec []property) *Cause {
	c := resourceCause(id, "property %s not defined for resource of type %s", e.key, kind)
	c.Span, c.code = e.span, codeUnknownProperty
	return c.withHint(didYouMean(e.key, names(spec)))
}

// check tests all properties, in the order of the table.
func (m *model) check(spec []property) {
	for i := range spec {
		p := &spec[i]
		v := m.properties.get(p.name)
		switch {
		case !p.literal && v.isMap() && v.len() == 1:
		case v.isNone() && p.required:
			c := resourceCause(m.id, "Missing required property '%s'.", p.name)
			c.code = codeMissingProperty
			panic(c)
		case v.isNone() || p.check.holds(v):
		default:
			m.failCheck(p, v)
		}
	}
}

func (m *model) failCheck(p *property, v *value) {
	message := fmt.Sprintf("Type of property '%s' is invalid.", p.name)
	if p.check.words != "" {
		message = fmt.Sprintf("Property '%s' should be a %s.", p.name, p.check.words)
	}
	c := resourceCause(m.id, "%s", message)
	c.path, c.Span, c.code = p.name, v.where(), codeWrongType
	panic(c)
}
