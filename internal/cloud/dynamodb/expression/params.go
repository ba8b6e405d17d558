package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"evo/internal/cloud/dynamodb/item"
)

// Params are what stands for names and values in a request's expressions. They remember which of them were used.
type Params struct {
	names      map[string]string
	values     map[string]item.Value
	usedNames  []string
	usedValues []string
}

// NewParams checks a request's ExpressionAttributeNames and ExpressionAttributeValues, nil where it has none, and
// normalizes the values.
func NewParams(names map[string]string, values map[string]item.Value) (*Params, error) {
	p := &Params{names: names, values: values}
	if names != nil {
		if err := checkKeys("ExpressionAttributeNames", '#', names); err != nil {
			return nil, err
		}
		for key, name := range names {
			if name == "" || len(name) > 65535 {
				return nil, fmt.Errorf("ExpressionAttributeNames contains invalid value: Attribute name must have length from 1 to 65535 for key %s", key)
			}
		}
	}
	if values == nil {
		return p, nil
	}
	if err := checkKeys("ExpressionAttributeValues", ':', values); err != nil {
		return nil, err
	}
	for _, key := range sortedKeys(values) {
		if _, err := item.NormalizeValue(values[key]); err != nil {
			return nil, fmt.Errorf("ExpressionAttributeValues contains invalid value: %w for key %s", err, key)
		}
	}
	normal, err := item.Normalize(values)
	p.values = normal
	return p, err
}

func checkKeys[V any](what string, first byte, m map[string]V) error {
	if len(m) == 0 {
		return errors.New(what + " must not be empty")
	}
	for key := range m {
		if len(key) < 2 || key[0] != first || run(key, 1, wordPart) != len(key) {
			return fmt.Errorf("%s contains invalid key: Syntax error; key: %q", what, key)
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (p *Params) name(key string) (string, bool) {
	name, ok := p.names[key]
	if ok && !slices.Contains(p.usedNames, key) {
		p.usedNames = append(p.usedNames, key)
	}
	return name, ok
}

func (p *Params) value(key string) (item.Value, bool) {
	v, ok := p.values[key]
	if ok && !slices.Contains(p.usedValues, key) {
		p.usedValues = append(p.usedValues, key)
	}
	return v, ok
}

// Unused returns an error if a name or value was given that no expression used. Call it when all have been parsed.
func (p *Params) Unused() error {
	if len(p.usedNames) < len(p.names) {
		return unused("ExpressionAttributeNames", p.names, p.usedNames)
	}
	if len(p.usedValues) < len(p.values) {
		return unused("ExpressionAttributeValues", p.values, p.usedValues)
	}
	return nil
}

func unused[V any](what string, given map[string]V, used []string) error {
	keys := slices.DeleteFunc(sortedKeys(given), func(key string) bool { return slices.Contains(used, key) })
	return fmt.Errorf("Value provided in %s unused in expressions: keys: {%s}", what, strings.Join(keys, ", "))
}
