package rules

import (
	"fmt"

	"evo/internal/cfn"
)

// FromTemplate makes a Set of a template, evaluated in env as far as it is known. Resources whose condition does not hold are
// left out; one whose condition is not known stays, and says so.
func FromTemplate(t *cfn.Template, env cfn.Env) (*Set, error) {
	unknown := func(string) (*cfn.Node, error) { return nil, nil }
	if env.Dynamic == nil {
		env.Dynamic = unknown
	}
	if env.Stored == nil {
		env.Stored = unknown
	}
	e := cfn.NewEvaluator(t, env)
	items := make([]*Item, 0, len(t.Resources))
	for _, r := range t.Resources {
		active, known, err := e.Active(r.Condition)
		if err != nil {
			return nil, fmt.Errorf("read the condition of %s: %w", r.ID, err)
		}
		if known && !active {
			continue
		}
		properties, err := e.Eval(r.Properties)
		if err != nil {
			return nil, fmt.Errorf("evaluate the properties of %s: %w", r.ID, err)
		}
		it := &Item{ID: r.ID, Type: r.Type, Properties: properties, Metadata: r.Metadata, Span: r.Span}
		if !known {
			it.Condition = r.Condition
		}
		items = append(items, it)
	}
	s := NewSet(items, nil, env.Region)
	s.Parameters = t.Root.Get("Parameters")
	return s, nil
}

// FromSource makes a Set of a template as it stands, without evaluating or checking it: what is not a resource is left out.
// This is how Guard reads templates.
func FromSource(root *cfn.Node) *Set {
	resources := root.Get("Resources").Entries()
	items := make([]*Item, 0, len(resources))
	for _, p := range resources {
		typ := p.Value.Get("Type").Str()
		if typ == "" {
			continue
		}
		items = append(items, &Item{ID: p.Key, Type: typ, Properties: p.Value.Get("Properties"), Metadata: p.Value.Get("Metadata"), Span: p.KeySpan})
	}
	s := NewSet(items, nil, "")
	s.Parameters = root.Get("Parameters")
	return s
}
