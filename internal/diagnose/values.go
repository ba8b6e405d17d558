package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/source"
)

// value checks a value against what its property holds; a nil shape stands for anything. Numbers and booleans pass for strings, and
// strings that read as such for numbers and booleans, as they do for CloudFormation.
func (c *checker) value(s scope, n *cfn.Node, shape *spec.Shape) {
	if n == nil {
		return
	}
	s = s.at(n.Span)
	if n.Kind == cfn.Null {
		if !(c.half && s.resource != nil && isSAM(s.resource.Type)) {
			c.fail(s, n, codeForm, "%s is null, which CloudFormation does not take", s.name()).WithHint("leave it out, or use !Ref AWS::NoValue")
		}
		return
	}
	if name, arg, ok := n.Intrinsic(); ok && name != "Condition" { // a property may well be called Condition
		c.function(s, name, arg, n, shape)
		return
	}
	if shape == nil || shape.Kind == spec.JSON {
		c.inside(s, n)
		return
	}
	switch shape.Kind {
	case spec.Structure:
		c.structure(s, n, shape)
	case spec.List:
		if !n.Is(cfn.List) {
			c.mismatch(s, n, "a list")
			return
		}
		for i, it := range n.Items {
			c.value(s.in("["+strconv.Itoa(i)+"]", it.Span), it, shape.Element)
		}
	case spec.Map:
		if !n.Is(cfn.Map) {
			c.mismatch(s, n, "a map")
			return
		}
		for _, p := range n.Pairs {
			c.value(s.in(p.Key, p.KeySpan), p.Value, shape.Element)
		}
	case spec.Tag:
		if !n.Is(cfn.Map) {
			c.mismatch(s, n, "a map with Key and Value")
			return
		}
		c.inside(s, n)
	case spec.Union:
		c.union(s, n, shape)
	default:
		c.scalar(s, n, shape)
	}
}

// inside looks for functions in a value of which nothing else is known.
func (c *checker) inside(s scope, n *cfn.Node) {
	for i, it := range n.List() {
		c.value(s.in("["+strconv.Itoa(i)+"]", it.Span), it, nil)
	}
	for _, p := range n.Entries() {
		c.value(s.in(p.Key, p.KeySpan), p.Value, nil)
	}
}

func (c *checker) mismatch(s scope, n *cfn.Node, want string) {
	c.fail(s, n, codeValue, "%s must be %s, and is a %s", s.name(), want, n.Kind)
}

// name is the property's name, without where it stands.
func (s scope) name() string {
	name := s.path[strings.LastIndexByte(s.path, '.')+1:]
	if i := strings.IndexByte(name, '['); i >= 0 {
		return "an item of " + name[:i]
	}
	return name
}

func (c *checker) structure(s scope, n *cfn.Node, shape *spec.Shape) {
	members := s.typ.Members(shape)
	switch {
	case !n.Is(cfn.Map):
		if len(members) > 0 || !n.Is(cfn.String) {
			c.mismatch(s, n, "a map")
		}
	case len(members) == 0:
		c.inside(s, n)
	default:
		c.members(s, members, s.name()+" of "+s.typ.Name, n)
	}
}

// members checks the properties of a resource, or of a structure in it, which is called what. Where a transform adds some, they are not
// known.
func (c *checker) members(s scope, known map[string]spec.Property, what string, n *cfn.Node) {
	names := slices.Sorted(maps.Keys(known))
	open := n.Has("Fn::Transform")
	for _, p := range n.Entries() {
		in := s.in(p.Key, p.KeySpan)
		prop, ok := known[p.Key]
		if ok {
			c.value(in, p.Value, prop.Type)
			continue
		}
		c.value(in, p.Value, nil)
		if p.Key == "Fn::Transform" || strings.HasPrefix(p.Key, "Fn::ForEach::") {
			continue
		}
		if _, given := s.attributes()[p.Key]; given {
			c.fail(in, nil, codeProperty, "%s has an attribute %s, which may be read but hardly set", what, p.Key).Severity = source.Warning
			continue
		}
		d := c.fail(in, nil, codeProperty, "%s has no property %s", what, p.Key)
		if suggest(d, p.Key, names); d.Hint == "" && len(names) <= 8 {
			d.WithHint("it has %s", strings.Join(names, ", "))
		}
	}
	for _, name := range names {
		if known[name].Required && !open && missing(n.Get(name)) {
			c.fail(s, nil, codeMissing, "%s needs the property %s", what, name)
		}
	}
}

// attributes are what CloudFormation gives the resource whose properties are checked: those of structures have none.
func (s scope) attributes() map[string]spec.Property {
	if s.path == "Properties" {
		return s.typ.Attributes
	}
	return nil
}

// missing reports whether nothing is given: also AWS::NoValue is nothing.
func missing(n *cfn.Node) bool { return n.IsNull() || n.Get("Ref").Str() == "AWS::NoValue" }

// union checks a value that may be one of several things: it must be one of them in kind.
func (c *checker) union(s scope, n *cfn.Node, shape *spec.Shape) {
	for _, v := range shape.Variants {
		if fits(n, v) {
			c.value(s, n, v)
			return
		}
	}
	words := make([]string, len(shape.Variants))
	for i, v := range shape.Variants {
		words[i] = kindWord(v.Kind)
	}
	c.mismatch(s, n, strings.Join(words, " or "))
}

// fits reports whether a value is of a shape's kind, whatever is in it.
func fits(n *cfn.Node, shape *spec.Shape) bool {
	switch shape.Kind {
	case spec.Structure, spec.Map, spec.Tag:
		return n.Is(cfn.Map)
	case spec.List:
		return n.Is(cfn.List)
	case spec.JSON:
		return true
	}
	return !n.Is(cfn.Map) && !n.Is(cfn.List)
}

func kindWord(k spec.Kind) string {
	switch k {
	case spec.String:
		return "a string"
	case spec.Integer:
		return "a whole number"
	case spec.Number:
		return "a number"
	case spec.Boolean:
		return "true or false"
	case spec.List:
		return "a list"
	case spec.JSON, spec.Tag, spec.Map, spec.Structure, spec.Union:
	}
	return "a map"
}

func (c *checker) scalar(s scope, n *cfn.Node, shape *spec.Shape) {
	text, ok := n.Scalar()
	if !ok {
		c.mismatch(s, n, kindWord(shape.Kind))
		return
	}
	if strings.Contains(text, "{{resolve:") {
		return
	}
	switch shape.Kind {
	case spec.Integer:
		if f, isNumber := n.Float(); !isNumber || f != float64(int64(f)) {
			c.fail(s, n, codeValue, "%s must be a whole number, and is %s", s.name(), quoted(text))
		}
	case spec.Number:
		if _, isNumber := n.Float(); !isNumber {
			c.fail(s, n, codeValue, "%s must be a number, and is %s", s.name(), quoted(text))
		}
	case spec.Boolean:
		if n.Is(cfn.String) && !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			c.fail(s, n, codeValue, "%s must be true or false, and is %s", s.name(), quoted(text))
		}
	default:
		c.enum(s, n, text, shape.Values)
	}
}

// enum checks that a string is one of those that a property may be.
func (c *checker) enum(s scope, n *cfn.Node, text string, values []string) {
	if len(values) == 0 || slices.Contains(values, text) {
		return
	}
	d := c.fail(s, n, CodeEnum, "%s cannot be %s", s.name(), quoted(text))
	if near, ok := source.Nearest(text, values); ok {
		d.WithHint("did you mean %s?", near)
	} else if len(values) <= 12 {
		d.WithHint("it is one of %s", strings.Join(values, ", "))
	} else {
		d.WithHint("AWS had published %d values for it on %s, and this is none of them", len(values), spec.Published())
	}
}

// quoted is a text as messages show it: short enough to be read.
func quoted(text string) string {
	if len(text) > 60 {
		text = text[:57] + "…"
	}
	return fmt.Sprintf("%q", text)
}
