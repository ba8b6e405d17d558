package expression

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// operand is something that has a value in an item, or nil if it has none there.
type operand interface {
	value(it item.Item) item.Value
}

// constant is a value of the request's.
type constant struct{ v item.Value }

func (c constant) value(item.Item) item.Value { return c.v }

func (p Path) value(it item.Item) item.Value { return p.Find(it) }

// size is the function of that name.
type size struct{ of operand }

func (s size) value(it item.Item) item.Value {
	n, ok := item.Extent(s.of.value(it))
	if !ok {
		return nil
	}
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

// knownType returns the type that an operand has in every item, or "".
func knownType(o operand) string {
	switch o := o.(type) {
	case constant:
		return item.Type(o.v)
	case size:
		return "N"
	}
	return ""
}
