package cloudformation

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"evo/internal/cfn"
)

// fill sets the members of an SDK structure (given by pointer) that properties name. CloudFormation's names and the APIs'
// differ in case alone for most; renames says where they differ in more, by the property's path ("SSESpecification.SSEEnabled").
// Strings that hold numbers and booleans are taken as those, as CloudFormation takes them, and an object or list where the API
// wants a text becomes JSON. What the structure does not have is left to the handler, and so are the resource's tags.
func fill(into any, properties *cfn.Node, renames map[string]string) error {
	return mapper{renames}.structure(reflect.ValueOf(into).Elem(), properties, "")
}

type mapper struct{ renames map[string]string }

func (m mapper) structure(v reflect.Value, n *cfn.Node, path string) error {
	if !n.Is(cfn.Map) {
		return fmt.Errorf("Value of property %s must be an object", path)
	}
	for _, p := range n.Pairs {
		where := p.Key
		if path != "" {
			where = path + "." + p.Key
		}
		if where == "Tags" {
			continue // every API has a form of its own
		}
		name := p.Key
		if r, ok := m.renames[where]; ok {
			name = r
		}
		f := member(v, name)
		if !f.IsValid() || !f.CanSet() {
			continue
		}
		if err := m.set(f, p.Value, where); err != nil {
			return err
		}
	}
	return nil
}

// member finds a field by its name, whatever the case.
func member(v reflect.Value, name string) reflect.Value {
	if name == "" || name == "-" {
		return reflect.Value{}
	}
	return v.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
}

var timeType = reflect.TypeFor[time.Time]()

func (m mapper) set(v reflect.Value, n *cfn.Node, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		el := reflect.New(v.Type().Elem())
		if err := m.set(el.Elem(), n, path); err != nil {
			return err
		}
		v.Set(el)
		return nil
	case reflect.Slice:
		return m.slice(v, n, path)
	case reflect.Map:
		return m.mapping(v, n, path)
	case reflect.Struct:
		if v.Type() == timeType {
			return m.scalar(v, n, path)
		}
		return m.structure(v, n, path)
	case reflect.Interface:
		return nil // unions: the handler's
	}
	return m.scalar(v, n, path)
}

func (m mapper) slice(v reflect.Value, n *cfn.Node, path string) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		text, _ := n.Scalar()
		v.SetBytes([]byte(text))
		return nil
	}
	items := n.List()
	if !n.Is(cfn.List) {
		items = []*cfn.Node{n} // one value stands for a list of it
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, it := range items {
		if err := m.set(out.Index(i), it, path); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (m mapper) mapping(v reflect.Value, n *cfn.Node, path string) error {
	if n.Is(cfn.List) {
		n = keyed(n)
	}
	if !n.Is(cfn.Map) {
		return fmt.Errorf("Value of property %s must be an object", path)
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Pairs))
	for _, p := range n.Pairs {
		el := reflect.New(v.Type().Elem()).Elem()
		if err := m.set(el, p.Value, path); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(p.Key).Convert(v.Type().Key()), el)
	}
	v.Set(out)
	return nil
}

// keyed turns a list of keys and values, as templates write what APIs have as a map, into that map.
func keyed(list *cfn.Node) *cfn.Node {
	out := cfn.Obj()
	for _, it := range list.Items {
		if value := it.Get("Value"); value != nil {
			out.Set(it.Get("Key").Str(), value)
		}
	}
	return out
}

func (m mapper) scalar(v reflect.Value, n *cfn.Node, path string) error {
	text, ok := n.Scalar()
	wrong := func(kind string) error { return fmt.Errorf("Value of property %s must be of type %s", path, kind) }
	switch {
	case v.Kind() == reflect.String && ok:
		v.SetString(text)
	case v.Kind() == reflect.String:
		j, err := n.MarshalJSON()
		if err != nil {
			return wrong("String")
		}
		v.SetString(string(j))
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			f, ferr := strconv.ParseFloat(text, 64)
			if i = int64(f); ferr != nil || float64(i) != f {
				return wrong("Integer")
			}
		}
		v.SetInt(i)
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return wrong("Number")
		}
		v.SetFloat(f)
	case v.Kind() == reflect.Bool:
		b, isBool := n.Bool()
		if !isBool {
			return wrong("Boolean")
		}
		v.SetBool(b)
	case v.Type() == timeType:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return wrong("Timestamp")
		}
		v.Set(reflect.ValueOf(t))
	}
	return nil
}

// document is a property that the API wants as JSON text.
func document(n *cfn.Node) *string {
	if n == nil {
		return nil
	}
	if text, ok := n.Scalar(); ok {
		return &text
	}
	j, err := json.Marshal(n)
	if err != nil {
		return nil
	}
	text := string(j)
	return &text
}
