// Package pattern answers: does an event match a rule's event pattern?
//
// A pattern has the form of the events that it matches: an object's members must all match, of a list of values one. Beside values
// there are {"prefix": …}, suffix, anything-but, numeric, exists, cidr, wildcard, equals-ignore-case, and $or of objects.
package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Pattern is a parsed pattern. Use [Parse].
type Pattern struct{ root object }

// object is what an object must have: every member, and of each $or one alternative.
type object struct {
	members map[string]node
	or      [][]object
}

// node is a nested object, or else the tests of which a value must pass one.
type node struct {
	object *object
	tests  []test
}

// test is passed by a leaf of an event: a string, a json.Number, a bool, or nil. Absent asks for no leaf.
type test struct {
	pass   func(leaf any) bool
	absent bool
}

// Parse reads a pattern; its error says what is wrong with it.
func Parse(text string) (*Pattern, error) {
	v, err := decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is not an object")
	}
	root, err := parseObject(members, 0)
	if err != nil {
		return nil, err
	}
	return &Pattern{root}, nil
}

func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more follows after its end")
	}
	return v, nil
}

const maxDepth = 100

func parseObject(members map[string]any, depth int) (o object, err error) {
	if len(members) == 0 {
		return o, errors.New("an object is empty")
	}
	if depth > maxDepth {
		return o, errors.New("it is nested too deeply")
	}
	o.members = map[string]node{}
	for name, v := range members {
		if alternatives := orOf(name, v); alternatives != nil {
			var parsed []object
			for _, a := range alternatives {
				alternative, err := parseObject(a, depth+1)
				if err != nil {
					return o, err
				}
				parsed = append(parsed, alternative)
			}
			o.or = append(o.or, parsed)
			continue
		}
		if o.members[name], err = parseNode(name, v, depth); err != nil {
			return o, err
		}
	}
	return o, nil
}

// orOf returns the alternatives of $or; a member of that name which does not have them is one like any other.
func orOf(name string, v any) (all []map[string]any) {
	list, ok := v.([]any)
	if name != "$or" || !ok || len(list) < 2 {
		return nil
	}
	for _, it := range list {
		m, ok := it.(map[string]any)
		if !ok || len(m) == 0 {
			return nil
		}
		for key := range m {
			if testNamed(key) != nil {
				return nil
			}
		}
		all = append(all, m)
	}
	return all
}

func parseNode(name string, v any, depth int) (n node, err error) {
	switch v := v.(type) {
	case map[string]any:
		o, err := parseObject(v, depth+1)
		return node{object: &o}, err
	case []any:
		if len(v) == 0 {
			return n, fmt.Errorf("%q has an empty list", name)
		}
		for _, it := range v {
			t, err := parseTest(it)
			if err != nil {
				return n, fmt.Errorf("%q: %w", name, err)
			}
			n.tests = append(n.tests, t)
		}
		return n, nil
	}
	return n, fmt.Errorf("%q must be an object or a list", name)
}

// Match reports whether an event, a JSON object, matches. What is not JSON does not.
func (p *Pattern) Match(event []byte) bool {
	v, err := decode(event)
	return err == nil && p.root.match(v)
}

// match tells whether an event's value has what is asked for; of a list of objects one must have all of it.
func (o *object) match(v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, o.match)
	}
	m, _ := v.(map[string]any) // of what is no object nothing is there
	for name, n := range o.members {
		if !n.match(m[name], has(m, name)) {
			return false
		}
	}
	for _, alternatives := range o.or {
		if !slices.ContainsFunc(alternatives, func(a object) bool { return a.match(v) }) {
			return false
		}
	}
	return true
}

func has(m map[string]any, name string) bool {
	_, ok := m[name]
	return ok
}

func (n node) match(v any, there bool) bool {
	if n.object != nil {
		return n.object.match(v)
	}
	var found []any
	if there {
		found = leaves(v, nil)
	}
	for _, t := range n.tests {
		if t.absent && len(found) == 0 || !t.absent && slices.ContainsFunc(found, t.pass) {
			return true
		}
	}
	return false
}

// leaves are the values in a list, however nested, or a single one. In objects there are none.
func leaves(v any, all []any) []any {
	switch v := v.(type) {
	case map[string]any:
	case []any:
		for _, it := range v {
			all = leaves(it, all)
		}
	default:
		all = append(all, v)
	}
	return all
}
