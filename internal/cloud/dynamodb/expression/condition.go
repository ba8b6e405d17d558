package expression

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// Condition is something that holds for an item or does not. An item that is not there is a nil one.
type Condition interface {
	Holds(it item.Item) bool
	// operands calls f for what the condition looks at, down to the leaves.
	operands(f func(operand))
}

type and struct{ a, b Condition }
type or struct{ a, b Condition }
type not struct{ c Condition }

func (c and) Holds(it item.Item) bool { return c.a.Holds(it) && c.b.Holds(it) }
func (c or) Holds(it item.Item) bool  { return c.a.Holds(it) || c.b.Holds(it) }
func (c not) Holds(it item.Item) bool { return !c.c.Holds(it) }

func (c and) operands(f func(operand)) { c.a.operands(f); c.b.operands(f) }
func (c or) operands(f func(operand))  { c.a.operands(f); c.b.operands(f) }
func (c not) operands(f func(operand)) { c.c.operands(f) }

// comparison is a op b. What is missing is only unequal to something.
type comparison struct {
	op   string
	a, b operand
}

func (c comparison) operands(f func(operand)) { f(c.a); f(c.b) }

func (c comparison) Holds(it item.Item) bool {
	a, b := c.a.value(it), c.b.value(it)
	switch c.op {
	case "=":
		return a != nil && b != nil && item.Equal(a, b)
	case "<>":
		return a == nil || b == nil || !item.Equal(a, b)
	}
	return inOrder(c.op, a, b)
}

func inOrder(op string, a, b item.Value) bool {
	order, ok := item.Compare(a, b)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

type between struct{ x, low, high operand }

func (c between) operands(f func(operand)) { f(c.x); f(c.low); f(c.high) }

func (c between) Holds(it item.Item) bool {
	x := c.x.value(it)
	return inOrder(">=", x, c.low.value(it)) && inOrder("<=", x, c.high.value(it))
}

type in struct {
	x    operand
	list []operand
}

func (c in) operands(f func(operand)) {
	f(c.x)
	for _, o := range c.list {
		f(o)
	}
}

func (c in) Holds(it item.Item) bool {
	x := c.x.value(it)
	return x != nil && slices.ContainsFunc(c.list, func(o operand) bool {
		v := o.value(it)
		return v != nil && item.Equal(x, v)
	})
}

// call is a function that holds or does not.
type call struct {
	name string
	args []operand
}

func (c call) operands(f func(operand)) {
	for _, o := range c.args {
		f(o)
	}
}

func (c call) Holds(it item.Item) bool {
	v := c.args[0].value(it)
	switch c.name {
	case "attribute_exists":
		return v != nil
	case "attribute_not_exists":
		return v == nil
	}
	w := c.args[1].value(it)
	if v == nil || w == nil {
		return false
	}
	switch c.name {
	case "attribute_type":
		name, ok := w.(*types.AttributeValueMemberS)
		return ok && item.Type(v) == name.Value
	case "begins_with":
		return beginsWith(v, w)
	}
	return contains(v, w)
}

func beginsWith(v, start item.Value) bool {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		s, ok := start.(*types.AttributeValueMemberS)
		return ok && strings.HasPrefix(v.Value, s.Value)
	case *types.AttributeValueMemberB:
		s, ok := start.(*types.AttributeValueMemberB)
		return ok && bytes.HasPrefix(v.Value, s.Value)
	}
	return false
}

func contains(v, part item.Value) bool {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		s, ok := part.(*types.AttributeValueMemberS)
		return ok && strings.Contains(v.Value, s.Value)
	case *types.AttributeValueMemberB:
		s, ok := part.(*types.AttributeValueMemberB)
		return ok && bytes.Contains(v.Value, s.Value)
	case *types.AttributeValueMemberSS:
		s, ok := part.(*types.AttributeValueMemberS)
		return ok && slices.Contains(v.Value, s.Value)
	case *types.AttributeValueMemberNS:
		s, ok := part.(*types.AttributeValueMemberN)
		return ok && slices.Contains(v.Value, s.Value)
	case *types.AttributeValueMemberBS:
		s, ok := part.(*types.AttributeValueMemberB)
		return ok && slices.ContainsFunc(v.Value, func(b []byte) bool { return bytes.Equal(b, s.Value) })
	case *types.AttributeValueMemberL:
		return slices.ContainsFunc(v.Value, func(e item.Value) bool { return item.Equal(e, part) })
	}
	return false
}

// Attributes returns the names of the attributes that the condition looks at or into.
func Attributes(c Condition) []string { return heads(c, 1) }

// Nested returns the names of the attributes that the condition looks into.
func Nested(c Condition) []string { return heads(c, 2) }

// heads returns the first names of the condition's paths that have so many steps at least.
func heads(c Condition, steps int) []string {
	var names []string
	var add func(o operand)
	add = func(o operand) {
		switch o := o.(type) {
		case Path:
			if len(o) >= steps && !slices.Contains(names, o[0].Name) {
				names = append(names, o[0].Name)
			}
		case size:
			add(o.of)
		}
	}
	c.operands(add)
	return names
}
