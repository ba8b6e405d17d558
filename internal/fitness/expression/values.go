package expression

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"evo/internal/cfn"
	"evo/internal/fitness/exact"
)

// Template nodes are handed to CEL as they are: a map or list is wrapped, and what is in it is only looked at when asked for.

// unknown stands for every value that cannot be told yet.
var unknown = types.NewUnknown(0, nil)

// value is a node as CEL sees it. One that still calls an intrinsic function is unknown.
func value(n *cfn.Node) ref.Val {
	if n == nil {
		return types.NullValue
	}
	switch n.Kind {
	case cfn.Bool:
		return types.Bool(n.Text == "true")
	case cfn.Int, cfn.Float:
		return number(n)
	case cfn.String:
		return types.String(n.Text)
	case cfn.List:
		return newList(n)
	case cfn.Map:
		if name, _, ok := n.Intrinsic(); ok && name != "Condition" {
			return unknown
		}
		return mapping{n}
	}
	return types.NullValue
}

func number(n *cfn.Node) ref.Val {
	if i, ok := n.Int(); ok && n.Kind == cfn.Int {
		return types.Int(i)
	}
	if f, ok := n.Float(); ok {
		return types.Double(f)
	}
	return unknown
}

// adapter lets values of this package pass into CEL as they are.
type adapter struct{}

func (adapter) NativeToValue(v any) ref.Val {
	if n, ok := v.(*cfn.Node); ok {
		return value(n)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// absent is {"Ref": "AWS::NoValue"}: as if the key were not there.
func absent(n *cfn.Node) bool {
	name, arg, ok := n.Intrinsic()
	return ok && name == "Ref" && arg.Str() == "AWS::NoValue"
}

// mapping is a map of a template.
type mapping struct{ n *cfn.Node }

func (m mapping) Type() ref.Type { return types.MapType }
func (m mapping) Value() any     { return m.n }

func (m mapping) ConvertToNative(t reflect.Type) (any, error) { return convert(m.n, t) }

func (m mapping) ConvertToType(t ref.Type) ref.Val { return convertType(m, types.MapType, t) }

func (m mapping) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	if found := m.n.Get(string(name)); found != nil && !absent(found) {
		return value(found), true
	}
	return nil, false
}

func (m mapping) Get(key ref.Val) ref.Val {
	if v, ok := m.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key)
}

func (m mapping) Contains(key ref.Val) ref.Val {
	if types.IsUnknownOrError(key) {
		return key
	}
	_, ok := m.Find(key)
	return types.Bool(ok)
}

func (m mapping) keys() []ref.Val {
	var keys []ref.Val
	for _, p := range m.n.Pairs {
		if !absent(p.Value) {
			keys = append(keys, types.String(p.Key))
		}
	}
	return keys
}

func (m mapping) Size() ref.Val { return types.Int(len(m.keys())) }

func (m mapping) Iterator() traits.Iterator { return &iterator{values: m.keys()} }

func (m mapping) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Mapper)
	if !ok {
		return types.False
	}
	keys := m.keys()
	if o.Size() != types.Int(len(keys)) {
		return types.False
	}
	open := false
	for _, k := range keys {
		mine, _ := m.Find(k)
		theirs, there := o.Find(k)
		if !there {
			return types.False
		}
		if settled(&open, mine, theirs) {
			return types.False
		}
	}
	return unless(open, types.True)
}

// settled reports whether two values certainly differ, and notes if that is open.
func settled(open *bool, a, b ref.Val) bool {
	if types.IsUnknown(a) || types.IsUnknown(b) {
		*open = true
		return false
	}
	equal := types.Equal(a, b)
	if types.IsUnknown(equal) {
		*open = true
		return false
	}
	return equal != types.True
}

func unless(open bool, v ref.Val) ref.Val {
	if open {
		return unknown
	}
	return v
}

// list is a list of a template, with its items as CEL sees them: maps among them are still only wrapped.
type list struct {
	n      *cfn.Node
	values []ref.Val
}

func newList(n *cfn.Node) list {
	l := list{n, make([]ref.Val, 0, len(n.Items))}
	for _, item := range n.Items {
		if !absent(item) {
			l.values = append(l.values, value(item))
		}
	}
	return l
}

func (l list) Type() ref.Type { return types.ListType }
func (l list) Value() any     { return l.n }

func (l list) ConvertToNative(t reflect.Type) (any, error) { return convert(l.n, t) }

func (l list) ConvertToType(t ref.Type) ref.Val { return convertType(l, types.ListType, t) }

func (l list) Get(index ref.Val) ref.Val {
	i, err := types.GetOrError(index)
	if err != nil {
		return types.WrapErr(err)
	}
	if i < 0 || i >= len(l.values) {
		return types.NewErr("index out of bounds: %d", i)
	}
	return l.values[i]
}

func (l list) Contains(wanted ref.Val) ref.Val {
	if types.IsUnknownOrError(wanted) {
		return wanted
	}
	open := false
	for _, v := range l.values {
		if differ, before := settled(&open, v, wanted), types.IsUnknown(v); !differ && !before {
			return types.True
		}
	}
	return unless(open, types.False)
}

func (l list) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.NewDynamicList(adapter{}, append(slices.Clone(l.values), elements(o)...))
}

func elements(l traits.Lister) []ref.Val {
	var out []ref.Val
	for it := l.Iterator(); it.HasNext() == types.True; {
		out = append(out, it.Next())
	}
	return out
}

func (l list) Size() ref.Val { return types.Int(len(l.values)) }

func (l list) Iterator() traits.Iterator { return &iterator{values: l.values} }

func (l list) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.False
	}
	mine, theirs := l.values, elements(o)
	if len(mine) != len(theirs) {
		return types.False
	}
	open := false
	for i := range mine {
		if settled(&open, mine[i], theirs[i]) {
			return types.False
		}
	}
	return unless(open, types.True)
}

// iterator goes through values. CEL wants it to be a value itself.
type iterator struct {
	values []ref.Val
	at     int
}

func (it *iterator) HasNext() ref.Val { return types.Bool(it.at < len(it.values)) }

func (it *iterator) Next() ref.Val {
	if it.at >= len(it.values) {
		return nil
	}
	it.at++
	return it.values[it.at-1]
}

func (it *iterator) Type() ref.Type        { return types.IteratorType }
func (it *iterator) Value() any            { return nil }
func (it *iterator) Equal(ref.Val) ref.Val { return types.NewErr("iterators cannot be compared") }
func (it *iterator) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("an iterator is nothing else")
}
func (it *iterator) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator cannot become a %s", t)
}

// convert serves CEL where it asks for a Go value: only the node itself can be had.
func convert(n *cfn.Node, t reflect.Type) (any, error) {
	if t == reflect.TypeFor[*cfn.Node]() || t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		return n, nil
	}
	return nil, fmt.Errorf("a template's %s cannot become a %s", n.Kind, t)
}

func convertType(v ref.Val, own *types.Type, t ref.Type) ref.Val {
	switch t {
	case own:
		return v
	case types.TypeType:
		return own
	}
	return types.NewErr("a %s cannot become a %s", own.TypeName(), t.TypeName())
}

// metrics is a map of measurements. One that is not there has not been measured: it is unknown, not missing.
type metrics map[string]exact.Decimal

func (m metrics) Type() ref.Type { return types.MapType }
func (m metrics) Value() any     { return map[string]exact.Decimal(m) }

func (m metrics) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("metrics cannot become a %s", t)
}

func (m metrics) ConvertToType(t ref.Type) ref.Val { return convertType(m, types.MapType, t) }
func (m metrics) Equal(ref.Val) ref.Val            { return types.NewErr("metrics cannot be compared as a whole") }

func (m metrics) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	measured, ok := m[string(name)]
	if !ok {
		return unknown, true
	}
	f, err := strconv.ParseFloat(measured.String(), 64)
	if err != nil {
		return unknown, true
	}
	return types.Double(f), true
}

func (m metrics) Get(key ref.Val) ref.Val {
	if v, ok := m.Find(key); ok {
		return v
	}
	return types.NewErr("metrics have names")
}

func (m metrics) Contains(key ref.Val) ref.Val {
	if v := m.Get(key); types.IsUnknownOrError(v) {
		return v
	}
	return types.True
}

func (m metrics) Size() ref.Val             { return unknown }
func (m metrics) Iterator() traits.Iterator { return &iterator{} }
