package cfn

import (
	"slices"
	"strings"

	"evo/internal/source"
)

// Graph says which resources need which others to be there first.
type Graph struct {
	Order []string            // all active resources, each after those it needs; else as in the template
	Needs map[string][]string // sorted; every active resource has an entry
}

// Graph orders the resources whose conditions hold (or are not known), by Ref, Fn::GetAtt, Fn::Sub and DependsOn. It fails
// if an active resource or output refers to one whose condition does not hold, and on circles.
func (e *Evaluator) Graph() (*Graph, error) {
	active := map[string]*Resource{}
	var ids []string
	for _, r := range e.t.Resources {
		on, known, err := e.Active(r.Condition)
		if err != nil {
			return nil, err
		}
		if on || !known {
			active[r.ID] = r
			ids = append(ids, r.ID)
		}
	}
	g := &Graph{Needs: make(map[string][]string, len(ids))}
	for _, id := range ids {
		needs, err := e.needs(active[id], active)
		if err != nil {
			return nil, err
		}
		g.Needs[id] = needs
	}
	if err := e.checkOutputs(active); err != nil {
		return nil, err
	}
	if err := g.sort(ids, active); err != nil {
		return nil, err
	}
	return g, nil
}

// needs lists the resources that r refers to.
func (e *Evaluator) needs(r *Resource, active map[string]*Resource) ([]string, error) {
	var needs []string
	var err error
	add := func(id string) {
		if !slices.Contains(needs, id) {
			needs = append(needs, id)
		}
	}
	for _, id := range r.DependsOn {
		if active[id] != nil {
			add(id) // DependsOn a resource that its condition leaves out is no error
		}
	}
	for _, n := range []*Node{r.Properties, r.Metadata, r.UpdatePolicy, r.CreationPolicy} {
		e.resourceReferences(n, func(ref reference) {
			if active[ref.name] == nil && err == nil {
				err = &OrderError{Diagnostic: source.Errorf(ref.node.Span, "Template format error: %s [%s] in the Resources block of the template", unresolvedMark, ref.name), Missing: ref.name}
			}
			if err == nil && ref.name == r.ID {
				err = circular([]string{r.ID}, active)
			}
			add(ref.name)
		})
	}
	slices.Sort(needs)
	return needs, err
}

func (e *Evaluator) checkOutputs(active map[string]*Resource) error {
	for _, o := range e.t.Outputs {
		on, known, err := e.Active(o.Condition)
		if err != nil {
			return err
		}
		if known && !on {
			continue
		}
		for _, n := range []*Node{o.Value, o.Export} {
			e.resourceReferences(n, func(ref reference) {
				if active[ref.name] == nil && err == nil {
					err = &OrderError{Diagnostic: source.Errorf(ref.node.Span, "%s [%s] in the Outputs block of the template", unresolvedMark, ref.name), Missing: ref.name}
				}
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resourceReferences calls f for the references to resources in n, leaving out the branches that conditions do not take.
func (e *Evaluator) resourceReferences(n *Node, f func(reference)) {
	taken := func(arg *Node) *Node {
		if len(arg.List()) != 3 {
			return nil
		}
		t, err := e.condition(arg.Items[0].Str(), arg)
		switch {
		case err != nil || !t.known:
			return nil
		case t.value:
			return arg.Items[1]
		}
		return arg.Items[2]
	}
	walkTaken(n, taken, func(ref reference) {
		if (ref.kind == refName || ref.kind == refAttribute) && e.t.Resource(ref.name) != nil {
			f(ref)
		}
	})
}

// sort fills Order, depth first, so that it stays near the template's own.
func (g *Graph) sort(ids []string, active map[string]*Resource) error {
	done := map[string]bool{}
	var path []string
	var visit func(id string) error
	visit = func(id string) error {
		if done[id] {
			return nil
		}
		if i := slices.Index(path, id); i >= 0 {
			return circular(path[i:], active)
		}
		path = append(path, id)
		for _, need := range g.Needs[id] {
			if err := visit(need); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		done[id] = true
		g.Order = append(g.Order, id)
		return nil
	}
	for _, id := range ids {
		if err := visit(id); err != nil {
			return err
		}
	}
	return nil
}

// OrderError says why a template's resources have no order. It is CloudFormation's sentence, as a diagnostic, and what the sentence is about.
type OrderError struct {
	*source.Diagnostic
	Circle  []string // of resources, each of which needs the next, and the last the first; empty if there is none
	Missing string   // the resource that something refers to, and that is not made; empty if there is none
}

// Unwrap gives the diagnostic.
func (e *OrderError) Unwrap() error { return e.Diagnostic }

// circular words a circle of resources, each of which needs the next.
func circular(path []string, active map[string]*Resource) error {
	d := source.Errorf(active[path[0]].Span, "Circular dependency between resources: [%s]", strings.Join(path, ", "))
	for i, id := range path {
		d.WithNote(active[id].Span, "%s needs %s", id, path[(i+1)%len(path)])
	}
	return &OrderError{Diagnostic: d, Circle: path}
}

// Reverse returns, for every resource, which others need it.
func (g *Graph) Reverse() map[string][]string {
	users := make(map[string][]string, len(g.Needs))
	for _, id := range g.Order {
		for _, need := range g.Needs[id] {
			users[need] = append(users[need], id)
		}
	}
	return users
}
