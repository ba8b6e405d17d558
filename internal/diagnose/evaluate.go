package diagnose

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"evo/internal/cfn"
	"evo/internal/source"
)

// evaluate works the template out as far as its parameters' values are known: conditions, then which resources there are and in which
// order, then their properties. Where something else is wrong, it looks for circles only: much of the rest would follow from that.
func (c *checker) evaluate() {
	values := maps.Clone(c.o.Parameters)
	if values == nil {
		values = map[string]string{}
	}
	for _, p := range c.t.Parameters {
		if _, given := values[p.Name]; !given && !c.o.Kept && p.Default != nil {
			values[p.Name] = *p.Default
		}
	}
	sound := c.found.Err() == nil
	unknown := func(string) (*cfn.Node, error) { return nil, nil }
	e := cfn.NewEvaluator(c.t, cfn.Env{Parameters: values, Dynamic: unknown, Stored: unknown})
	for _, cond := range c.t.Conditions {
		if _, _, err := e.Active(cond.Name); err != nil {
			if sound {
				c.wrong(scope{where: cond.Span}, err)
			}
			return
		}
	}
	if _, err := e.Graph(); err != nil {
		c.order(err, sound)
	}
	if !sound {
		return
	}
	for _, r := range c.t.Resources {
		if on, known, _ := e.Active(r.Condition); known && !on || hasTransform(r.Properties) {
			continue
		}
		if _, err := e.Eval(r.Properties); err != nil {
			c.wrong(scope{resource: r, path: "Properties", where: r.Span}, err)
		}
	}
	for _, o := range c.t.Outputs {
		if on, known, _ := e.Active(o.Condition); known && !on {
			continue
		}
		if _, err := e.Eval(o.Value); err != nil {
			c.wrong(scope{where: o.Span}, err)
		}
	}
}

func hasTransform(n *cfn.Node) bool {
	found := false
	n.Walk(func(_ []string, n *cfn.Node) bool {
		found = found || n.Has("Fn::Transform")
		return !found
	})
	return found
}

// wrong adds what could not be worked out.
func (c *checker) wrong(s scope, err error) {
	var d *source.Diagnostic
	if !errors.As(err, &d) {
		return
	}
	at := &cfn.Node{Span: d.Span}
	c.fail(s, at, codeEvaluation, "%s", strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(d.Message, "Template format error: "), "Template error: "), "."))
}

// order adds why the resources cannot be put in an order: they go round in a circle, or, in a template that is sound else, need what a
// condition leaves out.
func (c *checker) order(err error, sound bool) {
	var why *cfn.OrderError
	if !errors.As(err, &why) {
		return
	}
	s := scope{where: why.Span}
	if id := why.Missing; id != "" {
		if !sound {
			return
		}
		f := c.fail(s, nil, codeReference, "there is no %s with these parameters", id)
		if r := c.t.Resource(id); r != nil {
			f.WithNote(r.Span, "it is there only if the condition %s holds", r.Condition)
		}
		return
	}
	path := why.Circle
	f := c.fail(s, nil, codeCycle, "circular dependency between resources: %s", strings.Join(append(slices.Clone(path), path[0]), " → "))
	for i, id := range path {
		next := path[(i+1)%len(path)]
		f.WithNote(c.mention(c.t.Resource(id), next), "%s needs %s", id, next)
	}
}

// mention is where a resource refers to another.
func (c *checker) mention(r *cfn.Resource, id string) source.Span {
	at := r.Span
	place := func(n *cfn.Node) bool {
		found := false
		cfn.References(n, func(name, _ string) { found = found || name == id })
		return found
	}
	n := r.Body
	for {
		var next *cfn.Node
		for _, it := range n.List() {
			if place(it) {
				next = it
			}
		}
		for _, p := range n.Entries() {
			if place(p.Value) {
				next = p.Value
			}
		}
		if next == nil {
			break
		}
		if n = next; n.Span.IsValid() {
			at = n.Span
		}
		if _, _, function := n.Intrinsic(); function {
			break
		}
	}
	if slices.Contains(r.DependsOn, id) && at == r.Span {
		return cmp.Or(r.Body.Get("DependsOn").Where(), at)
	}
	return at
}
