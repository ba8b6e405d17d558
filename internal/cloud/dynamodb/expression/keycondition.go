package expression

import (
	"errors"
	"fmt"

	"evo/internal/cloud/dynamodb/item"
)

// KeyCondition is what a query demands of one key attribute: Op is =, <, <=, >, >=, BETWEEN or begins_with, with two values for
// BETWEEN and one for the rest.
type KeyCondition struct {
	Name   string
	Op     string
	Values []item.Value
}

// ParseKeyConditions parses a KeyConditionExpression. Which attributes are keys, it does not know.
func ParseKeyConditions(text string, params *Params) ([]KeyCondition, error) {
	c, err := ParseCondition("KeyConditionExpression", text, params)
	if err != nil {
		return nil, err
	}
	conditions, err := appendKeyConditions(nil, c)
	if err != nil {
		return nil, err
	}
	for i, c := range conditions {
		for _, d := range conditions[:i] {
			if c.Name == d.Name {
				return nil, errors.New("KeyConditionExpressions must only contain one condition per key")
			}
		}
	}
	return conditions, nil
}

func appendKeyConditions(list []KeyCondition, c Condition) ([]KeyCondition, error) {
	switch c := c.(type) {
	case and:
		list, err := appendKeyConditions(list, c.a)
		if err != nil {
			return nil, err
		}
		return appendKeyConditions(list, c.b)
	case or:
		return nil, wrongOperator("OR")
	case not:
		return nil, wrongOperator("NOT")
	case in:
		return nil, wrongOperator("IN")
	case comparison:
		if c.op == "<>" {
			return nil, wrongOperator(c.op)
		}
		if path, ok := c.b.(Path); ok {
			if _, both := c.a.(Path); !both {
				return keyCondition(list, mirrored[c.op], path, c.a)
			}
		}
		return keyCondition(list, c.op, c.a, c.b)
	case between:
		return keyCondition(list, "BETWEEN", c.x, c.low, c.high)
	case call:
		if c.name != "begins_with" {
			return nil, wrongOperator(c.name)
		}
		return keyCondition(list, c.name, c.args[0], c.args[1])
	}
	return nil, wrongOperator(fmt.Sprintf("%T", c))
}

// mirrored is what an operator becomes when its operands change places.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func wrongOperator(op string) error {
	return fmt.Errorf("Invalid operator used in KeyConditionExpression: %s", op)
}

func keyCondition(list []KeyCondition, op string, key operand, values ...operand) ([]KeyCondition, error) {
	const invalid = "Invalid condition in KeyConditionExpression: "
	all := append([]operand{key}, values...)
	names := 0
	for _, o := range all {
		switch o := o.(type) {
		case size:
			return nil, errors.New("KeyConditionExpressions cannot contain nested operations")
		case Path:
			names++
			if len(o) > 1 {
				return nil, errors.New("KeyConditionExpressions cannot have conditions on nested attributes")
			}
		}
	}
	path, ok := key.(Path)
	switch {
	case names > 1:
		return nil, errors.New(invalid + "Multiple attribute names used in one condition")
	case names == 0:
		return nil, errors.New(invalid + "No key attribute specified")
	case !ok:
		return nil, errors.New(invalid + op + " operator must have the key attribute as its first operand")
	}
	c := KeyCondition{Name: path[0].Name, Op: op}
	for _, o := range values {
		c.Values = append(c.Values, o.(constant).v)
	}
	return append(list, c), nil
}
