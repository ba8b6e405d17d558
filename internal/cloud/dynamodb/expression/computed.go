package expression

import (
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/dynamodb/number"
)

// What can be wrong with an update once it meets an item, in AWS's words.
var (
	errMissing  = errors.New("The provided expression refers to an attribute that does not exist in the item")
	errOperand  = errors.New("An operand in the update expression has an incorrect data type")
	errPath     = errors.New("The document path provided in the update expression is invalid for update")
	errMismatch = errors.New("Type mismatch for attribute to update")
)

// computed is what SET sets: it is worked out from the item as it was before the update.
type computed interface {
	compute(it item.Item) (item.Value, error)
}

type literal struct{ v item.Value }

func (c literal) compute(item.Item) (item.Value, error) { return c.v, nil }

type attribute struct{ path Path }

func (c attribute) compute(it item.Item) (item.Value, error) {
	if v := c.path.Find(it); v != nil {
		return v, nil
	}
	return nil, errMissing
}

// unlessExists is if_not_exists.
type unlessExists struct {
	path      Path
	otherwise computed
}

func (c unlessExists) compute(it item.Item) (item.Value, error) {
	if v := c.path.Find(it); v != nil {
		return v, nil
	}
	return c.otherwise.compute(it)
}

// appended is list_append.
type appended struct{ a, b computed }

func (c appended) compute(it item.Item) (item.Value, error) {
	a, b, err := both(it, c.a, c.b)
	if err != nil {
		return nil, err
	}
	x, ok := a.(*types.AttributeValueMemberL)
	y, ok2 := b.(*types.AttributeValueMemberL)
	if !ok || !ok2 {
		return nil, errOperand
	}
	return &types.AttributeValueMemberL{Value: slices.Concat(x.Value, y.Value)}, nil
}

type arithmetic struct {
	op   string
	a, b computed
}

func (c arithmetic) compute(it item.Item) (item.Value, error) {
	a, b, err := both(it, c.a, c.b)
	if err != nil {
		return nil, err
	}
	x, ok := a.(*types.AttributeValueMemberN)
	y, ok2 := b.(*types.AttributeValueMemberN)
	if !ok || !ok2 {
		return nil, errOperand
	}
	d := item.Number(y)
	if c.op == "-" {
		d = d.Negate()
	}
	return plus(x, d)
}

func plus(a *types.AttributeValueMemberN, d number.Decimal) (item.Value, error) {
	sum, err := number.Add(item.Number(a), d)
	if err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberN{Value: sum.String()}, nil
}

func both(it item.Item, a, b computed) (x, y item.Value, err error) {
	if x, err = a.compute(it); err != nil {
		return nil, nil, err
	}
	y, err = b.compute(it)
	return x, y, err
}
