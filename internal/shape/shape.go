// Package shape answers: how does what a service says of a resource read as CloudFormation's properties?
package shape

import (
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/source"
)

// shaper turns the SDK's structures into properties of a resource type, as the type's published facts name and nest them.
// Names of the two differ in case alone for most; renames says where they differ in more, by the property's path
// ("BucketEncryption.ServerSideEncryptionConfiguration"); "-" leaves a property out.
type shaper struct {
	facts   *spec.Type
	renames map[string]string
}

// Properties shapes those of the named properties of a type, without names all but its tags, that v, a structure or a pointer to one, has.
// renames maps the paths of properties that the service calls otherwise to its names, "-" to leave one out; names of which only the case
// differs need none. What is nil or empty is absent; of a type that is not published, all is.
func Properties(typ string, v any, renames map[string]string, names ...string) *cfn.Node {
	out := cfn.Obj()
	facts, ok := spec.Lookup(typ)
	if !ok {
		return out
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(facts.Properties))
		names = slices.DeleteFunc(names, func(name string) bool { return name == facts.Tags })
	}
	s := shaper{facts, renames}
	for _, name := range names {
		p, ok := facts.Properties[name]
		if !ok {
			continue
		}
		if n := s.member(p.Type, reflect.Indirect(reflect.ValueOf(v)), name, name); n != nil {
			out.Set(name, n)
		}
	}
	return out
}

// Property shapes v itself as one property, with renames as Properties takes them; nil if there is nothing.
func Property(typ, name string, v any, renames map[string]string) *cfn.Node {
	facts, ok := spec.Lookup(typ)
	if !ok {
		return nil
	}
	return shaper{facts, renames}.value(facts.Properties[name].Type, reflect.ValueOf(v), name)
}

func (s shaper) member(shape *spec.Shape, v reflect.Value, name, path string) *cfn.Node {
	if r, ok := s.renames[path]; ok {
		name = r
	}
	if name == "-" || v.Kind() != reflect.Struct {
		return nil
	}
	f := v.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
	if !f.IsValid() {
		return nil
	}
	return s.value(shape, f, path)
}

func (s shaper) value(shape *spec.Shape, v reflect.Value, path string) *cfn.Node {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if !v.IsValid() || shape == nil {
		return nil
	}
	shape = variant(shape, v.Kind())
	switch v.Kind() {
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return cfn.Str(t.UTC().Format(time.RFC3339))
		}
		return s.structure(shape, v, path)
	case reflect.Slice:
		return s.list(shape, v, path)
	case reflect.Map:
		return s.mapping(shape, v, path)
	}
	return scalar(shape, v)
}

// variant picks out of a union what a value of that kind can be.
func variant(shape *spec.Shape, kind reflect.Kind) *spec.Shape {
	want, ok := map[reflect.Kind]spec.Kind{reflect.Struct: spec.Structure, reflect.Slice: spec.List, reflect.Map: spec.Map}[kind]
	for _, v := range shape.Variants {
		if ok && v.Kind == want {
			return v
		}
	}
	return shape
}

func (s shaper) structure(shape *spec.Shape, v reflect.Value, path string) *cfn.Node {
	if shape.Kind == spec.Tag {
		return cfn.Obj(cfn.P("Key", cfn.Str(fieldText(v, "Key"))), cfn.P("Value", cfn.Str(fieldText(v, "Value"))))
	}
	members := s.facts.Members(shape)
	if shape.Kind == spec.JSON {
		members = fields(v.Type())
	}
	out := cfn.Obj()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if n := s.member(members[name].Type, v, name, path+"."+name); n != nil {
			out.Set(name, n)
		}
	}
	if len(out.Pairs) == 0 {
		return nil
	}
	return out
}

// fields are the members of a structure whose form is not published: those that the SDK has.
func fields(t reflect.Type) map[string]spec.Property {
	members := map[string]spec.Property{}
	for f := range t.Fields() {
		if f.IsExported() {
			members[f.Name] = spec.Property{Type: &spec.Shape{Kind: spec.JSON}}
		}
	}
	return members
}

func fieldText(v reflect.Value, name string) string {
	f := reflect.Indirect(v.FieldByName(name))
	if !f.IsValid() || f.Kind() != reflect.String {
		return ""
	}
	return f.String()
}

func (s shaper) list(shape *spec.Shape, v reflect.Value, path string) *cfn.Node {
	if v.Len() == 0 {
		return nil
	}
	element := shape.Element
	if element == nil {
		element = &spec.Shape{Kind: spec.String}
	}
	out := cfn.Arr()
	for i := range v.Len() {
		n := s.value(element, v.Index(i), path)
		if n == nil && element.Kind == spec.Structure {
			n = cfn.Obj() // so that the others keep their places
		}
		if n != nil {
			out.Items = append(out.Items, n)
		}
	}
	return out
}

// mapping shapes a map; tags, which some APIs have as a map, become a list where the property is one.
func (s shaper) mapping(shape *spec.Shape, v reflect.Value, path string) *cfn.Node {
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	pairs, tags := cfn.Obj(), cfn.Arr()
	element := shape.Element
	if element == nil || shape.Kind == spec.List {
		element = &spec.Shape{Kind: spec.JSON}
	}
	for _, k := range keys {
		n := s.value(element, v.MapIndex(reflect.ValueOf(k).Convert(v.Type().Key())), path+".*")
		if n == nil {
			continue
		}
		pairs.Set(k, n)
		tags.Items = append(tags.Items, cfn.Obj(cfn.P("Key", cfn.Str(k)), cfn.P("Value", n)))
	}
	switch {
	case len(pairs.Pairs) == 0:
		return nil
	case shape.Kind == spec.List:
		return tags
	}
	return pairs
}

func scalar(shape *spec.Shape, v reflect.Value) *cfn.Node {
	switch {
	case v.Kind() == reflect.String && v.String() == "":
		return nil
	case v.Kind() == reflect.String && (shape.Kind == spec.JSON || shape.Kind == spec.Union):
		return Document(v.String())
	case v.Kind() == reflect.String:
		return cfn.Str(v.String())
	case v.Kind() == reflect.Bool:
		return cfn.Boolean(v.Bool())
	case v.CanInt():
		return cfn.Integer(v.Int())
	case v.CanFloat():
		if f := v.Float(); f == float64(int64(f)) {
			return cfn.Integer(int64(f))
		}
		return &cfn.Node{Kind: cfn.Float, Text: strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())}
	}
	return nil
}

// Document reads a policy, or another text that may be JSON; IAM writes its own percent-encoded.
func Document(text string) *cfn.Node {
	if strings.HasPrefix(text, "%7B") {
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") && json.Valid([]byte(text)) {
		if n, err := cfn.Parse("", []byte(text)); err == nil {
			return unplaced(n)
		}
	}
	return cfn.Str(text)
}

// unplaced takes the places out of a parsed text, which is no file of the user's.
func unplaced(n *cfn.Node) *cfn.Node {
	n = n.Clone()
	n.Walk(func(_ []string, n *cfn.Node) bool {
		n.Span = source.Span{}
		for i := range n.Pairs {
			n.Pairs[i].KeySpan = source.Span{}
		}
		return true
	})
	return n
}

// Tags shapes a resource's tags without those that AWS sets itself.
func Tags(typ, name string, v any) *cfn.Node {
	n := Property(typ, name, v, nil)
	own := func(key string) bool { return !strings.HasPrefix(key, "aws:") }
	switch {
	case n.Is(cfn.List):
		n.Items = slices.DeleteFunc(n.Items, func(t *cfn.Node) bool { return !own(t.Get("Key").Str()) })
		if len(n.Items) == 0 {
			return nil
		}
	case n.Is(cfn.Map):
		n.Pairs = slices.DeleteFunc(n.Pairs, func(p cfn.Pair) bool { return !own(p.Key) })
		if len(n.Pairs) == 0 {
			return nil
		}
	}
	return n
}
