package cloud

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
)

// propertiesOf writes what a service describes as CloudFormation's properties of a resource type: members that the type has,
// whatever their case, under the type's names. What is not set, and text that holds JSON where the type wants an object, is as a
// template would have it. Where the two differ in more than names, the caller sets the property.
func propertiesOf(kind string, described ...any) *cfn.Node {
	out := cfn.Obj()
	facts, ok := spec.Lookup(kind)
	if !ok {
		return out
	}
	for _, d := range described {
		shaper{facts}.structure(out, reflect.Indirect(reflect.ValueOf(d)), facts.Properties)
	}
	out.Delete(facts.Tags)
	return out
}

type shaper struct{ facts *spec.Type }

func (s shaper) structure(out *cfn.Node, v reflect.Value, members map[string]spec.Property) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		for name, p := range members {
			if strings.EqualFold(name, f.Name) {
				if n := s.shape(v.Field(i), p.Type); n != nil {
					out.Set(name, n)
				}
				break
			}
		}
	}
}

// shape writes a value as a shape wants it; nil if nothing is set.
func (s shaper) shape(v reflect.Value, as *spec.Shape) *cfn.Node {
	if v.IsZero() {
		return nil
	}
	v = reflect.Indirect(v)
	if as != nil && as.Kind == spec.Union {
		i := slices.IndexFunc(as.Variants, func(v *spec.Shape) bool { return v.Kind == spec.Structure })
		if i >= 0 {
			as = as.Variants[i]
		}
	}
	switch {
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		members := s.facts.Members(as)
		if members == nil {
			return generic(v, func(name string) string { return name })
		}
		out := cfn.Obj()
		s.structure(out, v, members)
		return out
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		out := cfn.Arr()
		for i := range v.Len() {
			if n := s.shape(v.Index(i), element(as)); n != nil {
				out.Items = append(out.Items, n)
			}
		}
		return out
	case v.Kind() == reflect.String && as != nil && as.Kind == spec.JSON:
		return jsonNode(v.String())
	case v.Kind() == reflect.Map:
		return mapping(v, func(v reflect.Value) *cfn.Node { return s.shape(v, element(as)) })
	}
	return scalar(v)
}

func element(as *spec.Shape) *spec.Shape {
	if as == nil {
		return nil
	}
	return as.Element
}

var timeType = reflect.TypeFor[time.Time]()

func scalar(v reflect.Value) *cfn.Node {
	switch {
	case v.Kind() == reflect.String:
		return cfn.Str(v.String())
	case v.Kind() == reflect.Bool:
		return cfn.Boolean(v.Bool())
	case v.CanInt():
		return cfn.Integer(v.Int())
	case v.CanFloat():
		return &cfn.Node{Kind: cfn.Float, Text: strconv.FormatFloat(v.Float(), 'g', -1, 64)}
	case v.Type() == timeType:
		return cfn.Str(v.Interface().(time.Time).UTC().Format("2006-01-02T15:04:05.000Z"))
	case v.Kind() == reflect.Slice:
		return cfn.Str(string(v.Bytes()))
	}
	return nil
}

func mapping(v reflect.Value, value func(reflect.Value) *cfn.Node) *cfn.Node {
	out := cfn.Obj()
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		if n := value(v.MapIndex(k)); n != nil {
			out.Set(k.String(), n)
		} else {
			out.Set(k.String(), cfn.Str(""))
		}
	}
	return out
}

// generic writes a structure with names that rename makes of its members'.
func generic(v reflect.Value, rename func(string) string) *cfn.Node {
	v = reflect.Indirect(v)
	switch {
	case !v.IsValid() || v.Kind() == reflect.Interface && v.IsNil():
		return nil
	case v.Kind() == reflect.Interface:
		return generic(v.Elem(), rename)
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		out := cfn.Obj()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			unset := v.Field(i).IsZero() && v.Field(i).Kind() != reflect.Bool && !v.Field(i).CanInt()
			if !f.IsExported() || f.Name == "ResultMetadata" || unset {
				continue
			}
			if n := generic(v.Field(i), rename); n != nil {
				out.Set(rename(f.Name), n)
			}
		}
		return out
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		out := cfn.Arr()
		for i := range v.Len() {
			if n := generic(v.Index(i), rename); n != nil {
				out.Items = append(out.Items, n)
			}
		}
		return out
	case v.Kind() == reflect.Map:
		return mapping(v, func(v reflect.Value) *cfn.Node { return generic(v, rename) })
	}
	return scalar(v)
}

// described writes what a service describes as configuration items hold it.
func described(v any) *cfn.Node { return generic(reflect.ValueOf(v), camel) }

// camel turns SSEAlgorithm into sseAlgorithm, BucketName into bucketName and ID into id.
func camel(name string) string {
	runes := []rune(name)
	for i := range runes {
		if !unicode.IsUpper(runes[i]) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}

// jsonNode reads JSON text; what is none stays text.
func jsonNode(text string) *cfn.Node {
	n, err := cfn.ParseValue("", []byte(text))
	if err != nil || !n.Is(cfn.Map) && !n.Is(cfn.List) {
		return cfn.Str(text)
	}
	return n
}
