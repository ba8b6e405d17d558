package expression

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// legacyOperators are the comparisons of Expected and its kin by their names in expressions.
var legacyOperators = map[types.ComparisonOperator]string{
	types.ComparisonOperatorEq: "=", types.ComparisonOperatorNe: "<>",
	types.ComparisonOperatorLt: "<", types.ComparisonOperatorLe: "<=",
	types.ComparisonOperatorGt: ">", types.ComparisonOperatorGe: ">=",
	types.ComparisonOperatorBeginsWith: "begins_with", types.ComparisonOperatorBetween: "BETWEEN",
}

// Legacy returns the condition that a ComparisonOperator with an AttributeValueList makes about an attribute.
func Legacy(name string, op types.ComparisonOperator, values []item.Value) (Condition, error) {
	if err := checkLegacy(op, values); err != nil {
		return nil, err
	}
	path := Top(name)
	list := make([]operand, len(values))
	for i, v := range values {
		list[i] = constant{v}
	}
	switch op {
	case types.ComparisonOperatorNull:
		return call{"attribute_not_exists", []operand{path}}, nil
	case types.ComparisonOperatorNotNull:
		return call{"attribute_exists", []operand{path}}, nil
	case types.ComparisonOperatorIn:
		return in{path, list}, nil
	case types.ComparisonOperatorBetween:
		return between{path, list[0], list[1]}, nil
	case types.ComparisonOperatorBeginsWith:
		return call{"begins_with", []operand{path, list[0]}}, nil
	case types.ComparisonOperatorContains:
		return call{"contains", []operand{path, list[0]}}, nil
	case types.ComparisonOperatorNotContains:
		return and{call{"attribute_exists", []operand{path}}, not{call{"contains", []operand{path, list[0]}}}}, nil
	}
	return comparison{legacyOperators[op], path, list[0]}, nil
}

// LegacyKey returns the condition that KeyConditions make about one attribute.
func LegacyKey(name string, op types.ComparisonOperator, values []item.Value) (KeyCondition, error) {
	if err := checkLegacy(op, values); err != nil {
		return KeyCondition{}, err
	}
	symbol, ok := legacyOperators[op]
	if !ok || symbol == "<>" {
		return KeyCondition{}, errors.New("Attempted conditional constraint is not an indexable operation")
	}
	return KeyCondition{Name: name, Op: symbol, Values: values}, nil
}

// All returns the condition that all of the conditions hold, or nil for none.
func All(conditions []Condition) Condition {
	return join(conditions, func(a, b Condition) Condition { return and{a, b} })
}

// Any returns the condition that one of the conditions holds, or nil for none.
func Any(conditions []Condition) Condition {
	return join(conditions, func(a, b Condition) Condition { return or{a, b} })
}

func join(conditions []Condition, pair func(a, b Condition) Condition) Condition {
	var all Condition
	for _, c := range conditions {
		if all == nil {
			all = c
		} else {
			all = pair(all, c)
		}
	}
	return all
}

func checkLegacy(op types.ComparisonOperator, values []item.Value) error {
	low, high := 1, 1
	switch op {
	case types.ComparisonOperatorNull, types.ComparisonOperatorNotNull:
		low, high = 0, 0
	case types.ComparisonOperatorBetween:
		low, high = 2, 2
	case types.ComparisonOperatorIn:
		high = 100
	}
	if len(values) < low || len(values) > high {
		return fmt.Errorf("One or more parameter values were invalid: Invalid number of argument(s) for the %s ComparisonOperator", op)
	}
	for _, v := range values {
		if t := item.Type(v); !legacyTakes(op, t) {
			return fmt.Errorf("One or more parameter values were invalid: ComparisonOperator %s is not valid for %s AttributeValue type", op, t)
		}
	}
	for _, v := range values {
		if item.Type(v) != item.Type(values[0]) {
			return errors.New("One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type")
		}
	}
	if op == types.ComparisonOperatorBetween {
		if order, _ := item.Compare(values[0], values[1]); order > 0 {
			return errors.New("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return nil
}

func legacyTakes(op types.ComparisonOperator, t string) bool {
	scalar := t == "S" || t == "N" || t == "B"
	switch op {
	case types.ComparisonOperatorBeginsWith:
		return t == "S" || t == "B"
	case types.ComparisonOperatorLt, types.ComparisonOperatorLe, types.ComparisonOperatorGt, types.ComparisonOperatorGe,
		types.ComparisonOperatorBetween, types.ComparisonOperatorIn:
		return scalar
	case types.ComparisonOperatorContains, types.ComparisonOperatorNotContains:
		return scalar || t == "BOOL" || t == "NULL"
	}
	return true
}
