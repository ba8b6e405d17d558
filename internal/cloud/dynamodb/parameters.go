package dynamodb

import (
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/dynamodb/item"
)

// parameter is the name of a request's parameter and whether the request has it.
type parameter struct {
	name string
	set  bool
}

func given(all []parameter) []string {
	var names []string
	for _, p := range all {
		if p.set {
			names = append(names, p.name)
		}
	}
	return names
}

// usage is a request's expressions and what belongs to them.
type usage struct {
	expressions []parameter // all of them
	valued      []string    // those that may hold values
	legacy      []parameter // the older parameters, which cannot be mixed with expressions
	names       map[string]string
	values      map[string]types.AttributeValue
}

// params checks which parameters stand together and returns those that stand for names and values.
func (u *usage) params() (*expression.Params, error) {
	used := given(u.expressions)
	if old := given(u.legacy); len(used) > 0 && len(old) > 0 {
		return nil, invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}",
			strings.Join(old, ", "), strings.Join(used, ", "))
	}
	if u.names != nil && len(used) == 0 {
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	}
	if u.values != nil && !slices.ContainsFunc(u.valued, func(name string) bool { return slices.Contains(used, name) }) {
		verb := " is null"
		if len(u.valued) > 1 {
			verb = " are null"
		}
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s%s", strings.Join(u.valued, " and "), verb)
	}
	p, err := expression.NewParams(u.names, u.values)
	if err != nil {
		return nil, validation(err)
	}
	return p, nil
}

// condition parses a condition, if there is one.
func condition(what string, text *string, p *expression.Params) (expression.Condition, error) {
	if text == nil {
		return nil, nil
	}
	c, err := expression.ParseCondition(what, *text, p)
	if err != nil {
		return nil, validation(err)
	}
	return c, nil
}

// writeCondition returns the condition of a request that changes one item, whichever way it is written.
func writeCondition(text *string, expected map[string]types.ExpectedAttributeValue, op types.ConditionalOperator, p *expression.Params) (expression.Condition, error) {
	if text != nil {
		return condition("ConditionExpression", text, p)
	}
	if err := checkOperator(op, len(expected)); err != nil {
		return nil, err
	}
	var all []expression.Condition
	for _, name := range sortedNames(expected) {
		c, err := expectation(name, expected[name])
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return joined(op, all), nil
}

func joined(op types.ConditionalOperator, all []expression.Condition) expression.Condition {
	if op == types.ConditionalOperatorOr {
		return expression.Any(all)
	}
	return expression.All(all)
}

func checkOperator(op types.ConditionalOperator, conditions int) error {
	switch {
	case op == "" || conditions > 1:
		return nil
	case conditions == 0:
		return invalidParameter("ConditionalOperator cannot be used without Filter or Expected")
	}
	return invalidParameter("ConditionalOperator can only be used when Filter or Expected has two or more elements")
}

func expectation(name string, e types.ExpectedAttributeValue) (expression.Condition, error) {
	switch {
	case e.ComparisonOperator != "" && e.Exists != nil:
		return nil, invalidParameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
	case e.ComparisonOperator != "" && e.AttributeValueList != nil && e.Value != nil:
		return nil, invalidParameter("Value and AttributeValueList cannot be used together for Attribute: %s", name)
	case e.ComparisonOperator != "" && e.AttributeValueList == nil && e.Value == nil && takesValues(e.ComparisonOperator):
		return nil, invalidParameter("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", e.ComparisonOperator, name)
	case e.ComparisonOperator != "":
		list := e.AttributeValueList
		if e.Value != nil {
			list = []types.AttributeValue{e.Value}
		}
		return comparisonOf(name, e.ComparisonOperator, list)
	case e.AttributeValueList != nil:
		return nil, invalidParameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", name)
	case e.Exists != nil && !*e.Exists && e.Value != nil:
		return nil, invalidParameter("Value cannot be used when Exists is false for Attribute: %s", name)
	case e.Exists != nil && !*e.Exists:
		return comparisonOf(name, types.ComparisonOperatorNull, nil)
	case e.Value == nil && e.Exists != nil:
		return nil, invalidParameter("Value must be provided when Exists is true for Attribute: %s", name)
	case e.Value == nil:
		return nil, invalidParameter("Value must be provided when Exists is null for Attribute: %s", name)
	}
	return comparisonOf(name, types.ComparisonOperatorEq, []types.AttributeValue{e.Value})
}

func takesValues(op types.ComparisonOperator) bool {
	return op != types.ComparisonOperatorNull && op != types.ComparisonOperatorNotNull
}

func comparisonOf(name string, op types.ComparisonOperator, list []types.AttributeValue) (expression.Condition, error) {
	list, err := normalizeAll(list)
	if err != nil {
		return nil, err
	}
	c, err := expression.Legacy(name, op, list)
	if err != nil {
		return nil, validation(err)
	}
	return c, nil
}

func normalizeAll(list []types.AttributeValue) ([]types.AttributeValue, error) {
	out := make([]types.AttributeValue, len(list))
	for i, v := range list {
		n, err := item.NormalizeValue(v)
		if err != nil {
			return nil, validation(err)
		}
		out[i] = n
	}
	return out, nil
}

// legacyFilter returns the condition that a QueryFilter or ScanFilter makes.
func legacyFilter(filter map[string]types.Condition, op types.ConditionalOperator) (expression.Condition, error) {
	if err := checkOperator(op, len(filter)); err != nil {
		return nil, err
	}
	var all []expression.Condition
	for _, name := range sortedNames(filter) {
		c, err := comparisonOf(name, filter[name].ComparisonOperator, filter[name].AttributeValueList)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return joined(op, all), nil
}

// projection returns what a request chooses of items, nil for all.
func projection(text *string, attributes []string, p *expression.Params) (*expression.Projection, error) {
	switch {
	case text != nil:
		pr, err := expression.ParseProjection(*text, p)
		if err != nil {
			return nil, validation(err)
		}
		return pr, nil
	case attributes == nil:
		return nil, nil
	}
	for i, name := range attributes {
		if slices.Contains(attributes[:i], name) {
			return nil, invalidParameter("Duplicate value in attribute name: %s", name)
		}
	}
	return expression.ProjectNames(attributes), nil
}

// unusedParams is the last thing to be checked of a request's expressions.
func unusedParams(p *expression.Params) error {
	if err := p.Unused(); err != nil {
		return validation(err)
	}
	return nil
}

// legacyUpdate makes an update of AttributeUpdates.
func legacyUpdate(updates map[string]types.AttributeValueUpdate) (*expression.Update, error) {
	var actions []expression.Action
	for _, name := range sortedNames(updates) {
		u := updates[name]
		a := expression.Action{Path: expression.Top(name), Legacy: true}
		if u.Value != nil {
			v, err := item.NormalizeValue(u.Value)
			if err != nil {
				return nil, validation(err)
			}
			a.Value = v
		}
		t := item.Type(a.Value)
		set := t == "SS" || t == "NS" || t == "BS"
		switch {
		case u.Action == types.AttributeActionDelete && a.Value == nil:
			a.Kind = expression.Remove
		case u.Value == nil:
			return nil, invalidParameter("Only DELETE action is allowed when no attribute value is specified")
		case u.Action == types.AttributeActionDelete && !set:
			return nil, invalidParameter("DELETE action with value is not supported for the type %s", t)
		case u.Action == types.AttributeActionDelete:
			a.Kind = expression.Delete
		case u.Action == types.AttributeActionAdd && !set && t != "N" && t != "L":
			return nil, invalidParameter("ADD action is not supported for the type %s", t)
		case u.Action == types.AttributeActionAdd:
			a.Kind = expression.Add
		}
		actions = append(actions, a)
	}
	return expression.NewUpdate(actions), nil
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
