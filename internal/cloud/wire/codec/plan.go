// Package codec answers: how do the values of an API's shapes, in the SDK's Go types, look in JSON, XML, Query and CBOR?
//
// A [Plan] joins a shape of package model with the Go type that the SDK made of it. It is compiled once, by reflection, and
// then decodes into and encodes from values of that type in every format, and validates them against the model. Members
// that the Go type lacks are read over; a union is one of the SDK's interfaces, whose implementations are registered in a
// generated table.
package codec

//go:generate go run ./gen

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"time"

	"evo/internal/cloud/model"
)

// Plan is how a shape's values lie in a Go type.
type Plan struct {
	Shape  *model.Shape
	Type   reflect.Type
	Fields []Field // of a structure or union
	key    *Plan   // of a map
	elem   *Field  // of a list or map
	byJSON map[string]int
	byName map[string]int
	enum   []string // the values that the Go type names
	limit  *limit   // the model's constraint, compiled
	checks bool     // whether Validate has anything to look for
}

// Field is a member and where it lies.
type Field struct {
	Member  *model.Member
	Plan    *Plan
	index   int          // of the struct's field
	pointer bool         // the field is a pointer to the plan's type
	wrapper reflect.Type // of a union's member: the struct that implements the interface
}

type planKey struct {
	shape *model.Shape
	typ   reflect.Type
}

var plans sync.Map // planKey → *Plan

// For returns the plan of shape over t, which is not a pointer. It panics if t cannot hold the shape: the types are the
// SDK's, so that is a defect, not input.
func For(shape *model.Shape, t reflect.Type) *Plan {
	if p, ok := plans.Load(planKey{shape, t}); ok {
		return p.(*Plan)
	}
	c := compiler{}
	p := c.plan(shape, t)
	c.markChecks()
	for k, p := range c {
		plans.LoadOrStore(k, p)
	}
	return p
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
	readerType = reflect.TypeFor[io.Reader]()
)

type compiler map[planKey]*Plan

// markChecks tells the plans that Validate must look into from those that it may pass over; plans may be recursive.
func (c compiler) markChecks() {
	for changed := true; changed; {
		changed = false
		for _, p := range c {
			if !p.checks && p.needsCheck() {
				p.checks, changed = true, true
			}
		}
	}
}

func (p *Plan) needsCheck() bool {
	if p.limit != nil || p.enum != nil || p.key != nil && p.key.checks || p.elem != nil && p.elem.Plan.checks {
		return true
	}
	for i := range p.Fields {
		if p.Fields[i].Member.Required && p.Shape.Kind == model.Structure || p.Fields[i].Plan.checks {
			return true
		}
	}
	return false
}

func (c compiler) plan(shape *model.Shape, t reflect.Type) *Plan {
	k := planKey{shape, t}
	if p, ok := c[k]; ok {
		return p
	}
	if p, ok := plans.Load(k); ok {
		return p.(*Plan)
	}
	p := &Plan{Shape: shape, Type: t}
	c[k] = p
	if err := c.fill(p); err != nil {
		panic(fmt.Sprintf("codec: shape %s in %s: %v", shape.Name, t, err))
	}
	return p
}

func (c compiler) fill(p *Plan) error {
	t := p.Type
	switch p.Shape.Kind {
	case model.Structure:
		return c.structure(p)
	case model.Union:
		return c.union(p)
	case model.List:
		if t.Kind() != reflect.Slice {
			return fmt.Errorf("a list needs a slice")
		}
		p.elem = c.field(p.Shape.Elem, t.Elem())
	case model.Map:
		if t.Kind() != reflect.Map || t.Key().Kind() != reflect.String {
			return fmt.Errorf("a map needs a map with string keys")
		}
		p.key = c.plan(p.Shape.Key.Target, t.Key())
		p.elem = c.field(p.Shape.Elem, t.Elem())
	case model.String:
		if t.Kind() != reflect.String {
			return fmt.Errorf("a string needs a string")
		}
		p.enum = enumValues(t)
	case model.Boolean:
		if t.Kind() != reflect.Bool {
			return fmt.Errorf("a boolean needs a bool")
		}
	case model.Timestamp:
		if t != timeType {
			return fmt.Errorf("a timestamp needs a time")
		}
	case model.Blob:
		if t != bytesType && !t.Implements(readerType) {
			return fmt.Errorf("a blob needs bytes or a reader")
		}
	case model.Number:
		if !reflect.Zero(t).CanInt() && !reflect.Zero(t).CanFloat() {
			return fmt.Errorf("a number needs an integer or a float")
		}
	}
	p.limit = compileLimit(p.Shape, t)
	return nil
}

// field makes the plan of a member over the type of its field, list element or map value.
func (c compiler) field(m *model.Member, t reflect.Type) *Field {
	f := &Field{Member: m}
	if t.Kind() == reflect.Pointer {
		f.pointer = true
		t = t.Elem()
	}
	f.Plan = c.plan(m.Target, t)
	return f
}

func (c compiler) structure(p *Plan) error {
	if p.Type.Kind() != reflect.Struct {
		return fmt.Errorf("a structure needs a struct")
	}
	p.byJSON, p.byName = map[string]int{}, map[string]int{}
	for _, m := range p.Shape.Members {
		sf, ok := structField(p.Type, m.Name)
		if !ok || m.Target.Kind == model.Union && m.Target.Streaming {
			continue
		}
		f := c.field(m, sf.Type)
		f.index = sf.Index[0]
		p.byJSON[m.JSON()] = len(p.Fields)
		p.byName[m.Name] = len(p.Fields)
		p.Fields = append(p.Fields, *f)
	}
	return nil
}

// structField finds the field that the SDK made of a member: the name with a capital, perhaps with an underscore where that
// would clash with something of Go's.
func structField(t reflect.Type, member string) (reflect.StructField, bool) {
	title := strings.ToUpper(member[:1]) + member[1:]
	for _, n := range []string{title, title + "_"} {
		if f, ok := t.FieldByName(n); ok && len(f.Index) == 1 {
			return f, true
		}
	}
	return t.FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, member) })
}

func (c compiler) union(p *Plan) error {
	if p.Type.Kind() != reflect.Interface {
		return fmt.Errorf("a union needs an interface")
	}
	p.byJSON, p.byName = map[string]int{}, map[string]int{}
	for _, w := range unions[p.Type] {
		_, name, _ := strings.Cut(w.Name(), p.Type.Name()+"Member")
		i := memberIndex(p.Shape, name)
		if i < 0 {
			continue
		}
		m := p.Shape.Members[i]
		f := c.field(m, w.Field(0).Type)
		f.wrapper = w
		p.byJSON[m.JSON()] = len(p.Fields)
		p.byName[m.Name] = len(p.Fields)
		p.Fields = append(p.Fields, *f)
	}
	if len(p.Fields) == 0 {
		return fmt.Errorf("a union whose members are not registered")
	}
	return nil
}

func memberIndex(s *model.Shape, name string) int {
	for i, m := range s.Members {
		if strings.EqualFold(m.Name, name) {
			return i
		}
	}
	return -1
}

// enumValues asks an enumeration's type for its values, which the SDK gives by a method of this name.
func enumValues(t reflect.Type) []string {
	m, ok := t.MethodByName("Values")
	if !ok {
		return nil
	}
	list := m.Func.Call([]reflect.Value{reflect.Zero(t)})[0]
	out := make([]string, list.Len())
	for i := range out {
		out[i] = list.Index(i).String()
	}
	return out
}

// register adds a union's members; generated code calls it.
func register[U any](members ...U) {
	t := reflect.TypeFor[U]()
	for _, m := range members {
		unions[t] = append(unions[t], reflect.TypeOf(m).Elem())
	}
}

var unions = map[reflect.Type][]reflect.Type{}

// Field returns the field of a member, or nil.
func (p *Plan) Field(member string) *Field {
	if i, ok := p.byName[member]; ok {
		return &p.Fields[i]
	}
	return nil
}

// slot returns where to decode to: the field itself, or what a new pointer in it points to.
func (f *Field) slot(v reflect.Value) reflect.Value {
	if f.pointer {
		n := reflect.New(f.Plan.Type)
		v.Set(n)
		return n.Elem()
	}
	return v
}

// Slot returns where to decode the field of struct v to.
func (f *Field) Slot(v reflect.Value) reflect.Value { return f.slot(v.Field(f.index)) }

// Raw returns the field itself, pointer and all.
func (f *Field) Raw(v reflect.Value) reflect.Value { return v.Field(f.index) }

// Value returns the field of struct v, without its pointer, and whether it is set.
func (f *Field) Value(v reflect.Value) (reflect.Value, bool) { return f.set(v.Field(f.index)) }

func (f *Field) set(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		return v.Elem(), true
	case reflect.Slice, reflect.Map, reflect.Interface:
		return v, !v.IsNil()
	case reflect.String:
		return v, v.Len() > 0
	}
	return v, true
}

// member returns which member of a union v holds, and its value.
func (p *Plan) member(v reflect.Value) (*Field, reflect.Value) {
	if v.IsNil() {
		return nil, v
	}
	w := v.Elem()
	if w.Kind() == reflect.Pointer {
		w = w.Elem()
	}
	for i := range p.Fields {
		if f := &p.Fields[i]; f.wrapper == w.Type() {
			return f, w.Field(0)
		}
	}
	return nil, v
}

// choose makes v, a union, hold the field's member, and returns where to decode its value to.
func (f *Field) choose(v reflect.Value) reflect.Value {
	w := reflect.New(f.wrapper)
	v.Set(w)
	return f.slot(w.Elem().Field(0))
}

// Error is input that a format cannot be read as.
type Error struct {
	Path    string
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// maxDepth bounds how deep a document may nest; no API's shapes come near it.
const maxDepth = 512

// Elem returns the member of a list, or a map's value.
func (p *Plan) Elem() *Field { return p.elem }

// ElemSlot returns where to decode an element to, which is v or what v then points to.
func (f *Field) ElemSlot(v reflect.Value) reflect.Value { return f.slot(v) }

// Choose makes v, a union, hold this member, and returns where its value lies.
func (f *Field) Choose(v reflect.Value) reflect.Value { return f.choose(v) }
