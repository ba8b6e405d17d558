package main

import (
	"slices"
	"strings"
)

// schemasOf writes an older model as the schemas that the newest clients' packages hold, for a service whose package has none:
// its API has not changed since.
func schemasOf(a *api2) map[string]any {
	schemas := map[string]any{}
	for name, s := range a.Shapes {
		schemas["shape "+name] = a.schema(name, s)
	}
	for name, op := range a.Operations {
		traits := map[string]any{"http": []any{op.HTTP.Method, a.uri(op.HTTP.RequestURI, op.Input), float64(max(op.HTTP.ResponseCode, 200))}}
		schemas["operation "+name] = []any{9.0, "", name, traits, reference(op.Input), reference(op.Output)}
	}
	return schemas
}

func reference(r *ref) any {
	if r == nil {
		return []any{3.0, "", "Unit", 0.0, []any{}, []any{}}
	}
	return map[string]any{"$ref": "shape " + r.Shape}
}

// uri names the labels as the input's members, and not as what stands for them on the wire.
func (a *api2) uri(uri string, input *ref) string {
	for member, r := range a.shape(input.name()).Members {
		uri = strings.ReplaceAll(uri, "{"+r.LocationName+"}", "{"+member+"}")
	}
	return uri
}

// simple are the numbers that stand for base types.
var simple = map[string]float64{"string": 0, "integer": 1, "long": 1, "double": 1, "float": 1, "boolean": 2, "timestamp": 4, "blob": 21}

func (a *api2) schema(name string, s *shape) any {
	switch s.Type {
	case "list":
		return []any{1.0, "", name, 0.0, reference(s.Member)}
	case "map":
		return []any{2.0, "", name, 0.0, reference(s.Key), reference(s.Value)}
	case "structure":
		return a.structureSchema(name, s)
	}
	return simple[s.Type]
}

// structureSchema has the required members first, as their number tells which they are.
func (a *api2) structureSchema(name string, s *shape) any {
	names := slices.Clone(s.Required)
	slices.Sort(names)
	var others []string
	for m := range s.Members {
		if !slices.Contains(names, m) {
			others = append(others, m)
		}
	}
	slices.Sort(others)
	var members, targets []any
	for _, m := range append(names, others...) {
		members, targets = append(members, m), append(targets, []any{reference(s.Members[m]), binding(s.Members[m])})
	}
	kind, traits := 3.0, map[string]any{}
	if s.Exception {
		kind, traits = -3.0, map[string]any{"error": "client", "httpError": float64(s.Error.HTTPStatusCode)}
		if s.Error.HTTPStatusCode >= 500 {
			traits["error"] = "server"
		}
	}
	return []any{kind, "", name, traits, members, targets, float64(len(names))}
}

// binding are a member's traits: where it is in a request, or its name in JSON.
func binding(r *ref) map[string]any {
	switch r.Location {
	case "uri":
		return map[string]any{"httpLabel": 1.0}
	case "querystring":
		return map[string]any{"httpQuery": r.LocationName}
	}
	if r.LocationName == "" {
		return map[string]any{}
	}
	return map[string]any{"jsonName": r.LocationName}
}
