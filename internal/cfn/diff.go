package cfn

import (
	"fmt"
	"slices"

	"evo/internal/cfn/spec"
)

// Resolved is a resource with its values worked out, as far as they are known.
type Resolved struct {
	ID, Type   string
	Properties *Node // nil or a map
	Metadata   *Node
	Policies   *Node // nil, or a map with CreationPolicy, UpdatePolicy, DeletionPolicy and UpdateReplacePolicy
}

// Action is what a change does to a resource.
type Action uint8

// The actions of a change.
const (
	Add Action = iota
	Modify
	Remove
)

// String returns CloudFormation's word.
func (a Action) String() string { return [...]string{"Add", "Modify", "Remove"}[a] }

// Change is how one resource differs between two templates.
type Change struct {
	Action      Action
	ID, Type    string
	Properties  []PropertyChange
	Attributes  []string         // others that differ: Metadata, UpdatePolicy, …
	Replacement spec.Replacement // whether the resource is made anew
}

// PropertyChange is one value that differs inside a resource's properties.
type PropertyChange struct {
	Path        string // as /Properties/Tags/0/Value
	Name        string // the property of the resource in which it lies
	Action      Action
	Before      *Node // nil: was not there
	After       *Node // nil: is not there any more
	Unknown     bool  // After is not known yet, and may turn out to be the same
	Replacement spec.Replacement
}

// Diff tells how the resources of a stack change, in the order of after, then those that go.
func Diff(before, after []Resolved) []Change {
	var changes []Change
	for _, a := range after {
		i := slices.IndexFunc(before, func(b Resolved) bool { return b.ID == a.ID })
		switch {
		case i < 0:
			changes = append(changes, Change{Action: Add, ID: a.ID, Type: a.Type})
		default:
			if c, differs := diffResource(before[i], a); differs {
				changes = append(changes, c)
			}
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a Resolved) bool { return a.ID == b.ID }) {
			changes = append(changes, Change{Action: Remove, ID: b.ID, Type: b.Type})
		}
	}
	return changes
}

func diffResource(before, after Resolved) (Change, bool) {
	c := Change{Action: Modify, ID: after.ID, Type: after.Type}
	c.Properties = DiffProperties(after.Type, before.Properties, after.Properties)
	for _, p := range c.Properties {
		r := p.Replacement
		if p.Unknown && r == spec.Always {
			r = spec.Conditionally
		}
		c.Replacement = max(c.Replacement, r)
	}
	if before.Type != after.Type {
		c.Replacement = spec.Always
		c.Attributes = append(c.Attributes, "Type")
	}
	if !Same(before.Metadata, after.Metadata) {
		c.Attributes = append(c.Attributes, "Metadata")
	}
	for _, name := range []string{"CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy"} {
		if !Same(before.Policies.Get(name), after.Policies.Get(name)) {
			c.Attributes = append(c.Attributes, name)
		}
	}
	return c, len(c.Properties) > 0 || len(c.Attributes) > 0
}

// DiffProperties tells how the properties of a resource of that type differ, value by value.
func DiffProperties(typeName string, before, after *Node) []PropertyChange {
	t, ok := spec.Lookup(typeName)
	if !ok {
		t = &spec.Type{Properties: map[string]spec.Property{}}
	}
	d := differ{t: t}
	for _, key := range allKeys(before, after) {
		p := t.Properties[key]
		d.name = key
		d.diff("/Properties/"+key, p.Type, p.Replacement, before.Get(key), after.Get(key))
	}
	return d.changes
}

type differ struct {
	t       *spec.Type
	name    string
	changes []PropertyChange
}

// diff compares two values of one place. The verdict is the strongest of the places on the way down to it.
func (d *differ) diff(path string, shape *spec.Shape, verdict spec.Replacement, before, after *Node) {
	if Same(before, after) {
		return
	}
	_, _, unknown := after.Intrinsic()
	switch {
	case unknown, before == nil, after == nil:
	case before.Is(Map) && after.Is(Map):
		members := d.t.Members(shape)
		for _, key := range allKeys(before, after) {
			inner := members[key]
			if shape != nil && shape.Kind == spec.Map {
				inner.Type = shape.Element
			}
			d.diff(path+"/"+key, inner.Type, stronger(verdict, inner.Replacement), before.Get(key), after.Get(key))
		}
		return
	case before.Is(List) && after.Is(List) && len(before.Items) == len(after.Items):
		var element *spec.Shape
		if shape != nil {
			element = shape.Element
		}
		for i := range before.Items {
			d.diff(fmt.Sprintf("%s/%d", path, i), element, verdict, before.Items[i], after.Items[i])
		}
		return
	}
	c := PropertyChange{Path: path, Name: d.name, Action: Modify, Before: before, After: after, Replacement: verdict, Unknown: after != nil && !Known(after)}
	switch {
	case before == nil:
		c.Action = Add
	case after == nil:
		c.Action = Remove
	}
	d.changes = append(d.changes, c)
}

// stronger joins the verdict on a property with that on a member of it: a property that replaces depending on what changes
// in it is decided by its members.
func stronger(outer, inner spec.Replacement) spec.Replacement {
	if outer == spec.Conditionally && inner == spec.Always {
		return spec.Always
	}
	return max(outer, inner)
}

// Same reports whether CloudFormation takes two values as equal: numbers and booleans are the strings that they are written as.
func Same(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, xok := a.Scalar()
	y, yok := b.Scalar()
	if xok || yok {
		return xok && yok && (x == y || a.Equal(b))
	}
	if a.Kind != b.Kind || len(a.Items) != len(b.Items) || len(a.Pairs) != len(b.Pairs) {
		return false
	}
	for i := range a.Items {
		if !Same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, p := range a.Pairs {
		if !b.Has(p.Key) || !Same(p.Value, b.Get(p.Key)) {
			return false
		}
	}
	return true
}

// allKeys are a's keys, then those that only b has.
func allKeys(a, b *Node) []string {
	keys := a.Keys()
	for _, k := range b.Keys() {
		if !a.Has(k) {
			keys = append(keys, k)
		}
	}
	return keys
}
