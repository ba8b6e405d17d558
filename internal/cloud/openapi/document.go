// Package openapi answers: what stands in an OpenAPI or Swagger document?
//
// Such documents hold vendor extensions of many shapes, so that they are read into plain maps; the functions of this package
// look into them and take what is missing or of another kind for empty.
package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxDepth is how deeply a document may be nested.
const maxDepth = 200

// Parse reads a JSON or YAML document into maps, slices, strings, bools, float64s and nil. Keys become strings,
// aliases are refused: they could make a small document a huge one.
func Parse(body []byte) (map[string]any, error) {
	var v any
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' && json.Unmarshal(trimmed, &v) == nil {
		if m, ok := v.(map[string]any); ok {
			return m, nil
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("the document is neither JSON nor YAML: %w", err)
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("the document is empty")
	}
	v, err := value(doc.Content[0], 0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the document has no map at its top")
	}
	return m, nil
}

func value(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: nested more than %d deep", n.Line, maxDepth)
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := value(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			v, err := value(c, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case yaml.ScalarNode:
		return scalar(n), nil
	}
	return nil, fmt.Errorf("line %d: aliases are not allowed", n.Line)
}

func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true") || strings.EqualFold(n.Value, "yes") || strings.EqualFold(n.Value, "on")
	case "!!int", "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// Object returns a member that is a map; nil if it is none.
func Object(m map[string]any, key string) map[string]any {
	o, _ := m[key].(map[string]any)
	return o
}

// Keys returns a map's keys in order, so that the same document is always read in the same order.
func Keys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// Text returns a member as a string: numbers and bools as they are written.
func Text(m map[string]any, key string) string {
	switch v := m[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Flag returns a member that is true, or "true".
func Flag(m map[string]any, key string) bool {
	switch v := m[key].(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

// List returns a member that is a list.
func List(m map[string]any, key string) []any {
	l, _ := m[key].([]any)
	return l
}

// Texts returns the strings of a member that is a list.
func Texts(m map[string]any, key string) (all []string) {
	for _, v := range List(m, key) {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// TextMap returns a member that maps to strings. Values of other kinds become their JSON: templates are sometimes written so.
func TextMap(m map[string]any, key string) map[string]string {
	o := Object(m, key)
	if o == nil {
		return nil
	}
	out := make(map[string]string, len(o))
	for k, v := range o {
		switch v.(type) {
		case map[string]any, []any:
			b, _ := json.Marshal(v)
			out[k] = string(b)
		default:
			out[k] = Text(o, k)
		}
	}
	return out
}
