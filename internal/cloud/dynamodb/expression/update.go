package expression

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// Kind is what an action does.
type Kind int

// The kinds of actions, in the order in which they are applied: a removal moves later elements of its list, so it comes last.
const (
	Set Kind = iota
	Add
	Delete
	Remove
)

// Action is one change to an item.
type Action struct {
	Kind   Kind
	Path   Path
	Value  item.Value // for Add and Delete, and for a Set that did not come from an expression
	Legacy bool       // out of AttributeUpdates: ADD may then append to a list, and errors have other words

	value computed // for Set
}

// Update is a set of changes whose paths do not overlap.
type Update struct {
	actions []Action // in the order of application
	paths   []Path
}

// NewUpdate returns an update of the actions, whose paths must not overlap.
func NewUpdate(actions []Action) *Update {
	u := &Update{actions: slices.Clone(actions), paths: paths(actions)}
	slices.SortStableFunc(u.actions, func(a, b Action) int {
		if c := cmp.Compare(a.Kind, b.Kind); c != 0 {
			return c
		}
		if a.Kind == Remove {
			return byIndex(b.Path, a.Path) // from the end of a list, so that indexes keep their meaning
		}
		return byIndex(a.Path, b.Path) // elements that are appended come in the order of their indexes
	})
	return u
}

// byIndex orders paths that lead into the same list by the index.
func byIndex(a, b Path) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		if a[i].isIndex() && b[i].isIndex() {
			return a[i].Index - b[i].Index
		}
		return 0
	}
	return 0
}

// Paths returns what the update changes.
func (u *Update) Paths() []Path { return u.paths }

// Apply returns the item as it is after the update. The item given is not changed; the two share what stays the same.
func (u *Update) Apply(it item.Item) (item.Item, error) {
	results := make([]item.Value, len(u.actions))
	for i, a := range u.actions {
		v, err := a.result(it)
		if err != nil {
			return nil, err
		}
		results[i] = v
	}
	out := maps.Clone(it)
	if out == nil {
		out = item.Item{}
	}
	for i, a := range u.actions {
		if err := put(out, a.Path, results[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// result works out the value that the action's path shall have, nil for none.
func (a *Action) result(it item.Item) (item.Value, error) {
	switch a.Kind {
	case Set:
		if a.value == nil {
			return a.Value, nil
		}
		return a.value.compute(it)
	case Add:
		return a.add(a.Path.Find(it))
	case Delete:
		return a.subtract(a.Path.Find(it))
	}
	return nil, nil
}

func (a *Action) mismatch() error {
	if a.Legacy {
		return errMismatch
	}
	return errOperand
}

// add adds the action's value to the one that is there.
func (a *Action) add(old item.Value) (item.Value, error) {
	if old == nil {
		return a.Value, nil
	}
	switch v := a.Value.(type) {
	case *types.AttributeValueMemberN:
		if old, ok := old.(*types.AttributeValueMemberN); ok {
			return plus(old, item.Number(v))
		}
	case *types.AttributeValueMemberSS:
		if old, ok := old.(*types.AttributeValueMemberSS); ok {
			return &types.AttributeValueMemberSS{Value: union(old.Value, v.Value, equal)}, nil
		}
	case *types.AttributeValueMemberNS:
		if old, ok := old.(*types.AttributeValueMemberNS); ok {
			return &types.AttributeValueMemberNS{Value: union(old.Value, v.Value, equal)}, nil
		}
	case *types.AttributeValueMemberBS:
		if old, ok := old.(*types.AttributeValueMemberBS); ok {
			return &types.AttributeValueMemberBS{Value: union(old.Value, v.Value, bytes.Equal)}, nil
		}
	case *types.AttributeValueMemberL:
		if old, ok := old.(*types.AttributeValueMemberL); ok && a.Legacy {
			return &types.AttributeValueMemberL{Value: slices.Concat(old.Value, v.Value)}, nil
		}
	}
	return nil, a.mismatch()
}

// subtract takes the members of the action's set out of the one that is there. An empty set is none.
func (a *Action) subtract(old item.Value) (item.Value, error) {
	if old == nil {
		return nil, nil
	}
	switch v := a.Value.(type) {
	case *types.AttributeValueMemberSS:
		if old, ok := old.(*types.AttributeValueMemberSS); ok {
			if left := difference(old.Value, v.Value, equal); len(left) > 0 {
				return &types.AttributeValueMemberSS{Value: left}, nil
			}
			return nil, nil
		}
	case *types.AttributeValueMemberNS:
		if old, ok := old.(*types.AttributeValueMemberNS); ok {
			if left := difference(old.Value, v.Value, equal); len(left) > 0 {
				return &types.AttributeValueMemberNS{Value: left}, nil
			}
			return nil, nil
		}
	case *types.AttributeValueMemberBS:
		if old, ok := old.(*types.AttributeValueMemberBS); ok {
			if left := difference(old.Value, v.Value, bytes.Equal); len(left) > 0 {
				return &types.AttributeValueMemberBS{Value: left}, nil
			}
			return nil, nil
		}
	}
	return nil, a.mismatch()
}

func equal(a, b string) bool { return a == b }

func union[T any](a, b []T, same func(a, b T) bool) []T {
	return slices.Concat(a, difference(b, a, same))
}

func difference[T any](a, b []T, same func(a, b T) bool) []T {
	var left []T
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y T) bool { return same(x, y) }) {
			left = append(left, x)
		}
	}
	return left
}

// put gives the value at the end of the path, or removes what is there if v is nil. The map given is changed; what hangs below
// it is copied as far as the path leads.
func put(m item.Item, path Path, v item.Value) error {
	name := path[0].Name
	if len(path) > 1 {
		old, ok := m[name]
		if !ok {
			return errPath
		}
		changed, err := putInto(old, path[1:], v)
		if err != nil {
			return err
		}
		v = changed
	}
	if v == nil {
		delete(m, name)
	} else {
		m[name] = v
	}
	return nil
}

func putInto(container item.Value, path Path, v item.Value) (item.Value, error) {
	switch c := container.(type) {
	case *types.AttributeValueMemberM:
		if path[0].isIndex() {
			return nil, errPath
		}
		m := maps.Clone(c.Value)
		if m == nil {
			m = item.Item{}
		}
		return &types.AttributeValueMemberM{Value: m}, put(m, path, v)
	case *types.AttributeValueMemberL:
		if !path[0].isIndex() {
			return nil, errPath
		}
		l, err := putElement(c.Value, path, v)
		return &types.AttributeValueMemberL{Value: l}, err
	}
	return nil, errPath
}

// putElement does put's work in a list. Beyond its end, values are appended.
func putElement(l []item.Value, path Path, v item.Value) ([]item.Value, error) {
	i := path[0].Index
	if len(path) > 1 {
		if i >= len(l) {
			return nil, errPath
		}
		changed, err := putInto(l[i], path[1:], v)
		if err != nil {
			return nil, err
		}
		v = changed
	}
	l = slices.Clone(l)
	switch {
	case v == nil && i < len(l):
		return slices.Delete(l, i, i+1), nil
	case v == nil:
		return l, nil
	case i < len(l):
		l[i] = v
		return l, nil
	}
	return append(l, v), nil
}

// OnlyRemoves says whether all that the update does is to take away: on an item that is not there, such an update makes none.
func (u *Update) OnlyRemoves() bool {
	for _, a := range u.actions {
		if a.Kind != Remove && a.Kind != Delete {
			return false
		}
	}
	return len(u.actions) > 0
}
