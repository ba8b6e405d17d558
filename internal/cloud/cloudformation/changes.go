package cloudformation

import (
	"slices"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cloud/store"
)

// changes tells what an operation with target would do to a stack's resources, and whether anything else of it changes
// (tags, outputs). after is what the resources will be, as far as that is known.
func (s *Service) changes(st stack, target definition, t *cfn.Template) (changes []cfn.Change, others bool, after map[string]cfn.Resolved, err error) {
	recs := map[string]resource{}
	s.cfg.Store.View(func(tx *store.Tx) { recs = s.resourcesOf(tx, st.ID) })
	f := &forecast{s: s, recs: recs, changed: map[string]spec.Replacement{}}
	e := cfn.NewEvaluator(t, f.env(st, target))
	graph, err := e.Graph()
	if err != nil {
		return nil, false, nil, err
	}
	after = map[string]cfn.Resolved{}
	for _, id := range graph.Order {
		now, err := f.resolve(e, t.Resource(id))
		if err != nil {
			return nil, false, nil, err
		}
		after[id] = now
		f.note(id, now)
	}
	var before, ordered []cfn.Resolved
	for _, id := range resourceOrder(recs).order {
		if rec := recs[id]; !isDeleted(rec) && rec.Physical != "" {
			before = append(before, resolved(rec))
		}
	}
	for _, res := range t.Resources { // as in the template
		if now, ok := after[res.ID]; ok {
			ordered = append(ordered, now)
		}
	}
	changes = cfn.Diff(before, ordered)
	for i := range changes {
		f.settle(&changes[i], after)
	}
	others = !slices.Equal(st.Definition.Tags, target.Tags) || f.outputsDiffer(e, t, st)
	return changes, others, after, nil
}

// forecast works out what a stack's values will be, as far as that can be said before it is done.
type forecast struct {
	s       *Service
	recs    map[string]resource
	changed map[string]spec.Replacement // resources that change in place, or are replaced
}

func resolved(rec resource) cfn.Resolved {
	return cfn.Resolved{ID: rec.Logical, Type: rec.Type, Properties: node(rec.Properties), Metadata: node(rec.Metadata), Policies: node(rec.Policies)}
}

func (f *forecast) env(st stack, target definition) cfn.Env {
	env := f.s.env(st.ID, st.Name, target)
	env.Ref = func(id string) *cfn.Node {
		rec, ok := f.recs[id]
		if replaced := f.changed[id]; !ok || rec.Physical == "" || replaced == spec.Always {
			return nil
		}
		return cfn.Str(rec.ref())
	}
	env.GetAtt = func(id, attr string) (*cfn.Node, error) {
		rec, ok := f.recs[id]
		verdict, changes := f.changed[id]
		if !ok || rec.Physical == "" || changes && (verdict == spec.Always || !lasting(rec.Type, attr)) {
			return nil, nil
		}
		v, err := rec.attribute(attr)
		if err != nil {
			return nil, nil // it may be there later
		}
		return v, nil
	}
	env.Import = func(name string) (*cfn.Node, error) { return f.s.imported(name) }
	return env
}

// lasting reports whether an attribute stays what it is while its resource changes in place.
func lasting(kind, attr string) bool {
	facts, ok := spec.Lookup(kind)
	return attr == "Arn" || ok && slices.Contains(facts.Ref, attr)
}

func (f *forecast) resolve(e *cfn.Evaluator, res *cfn.Resource) (cfn.Resolved, error) {
	now := cfn.Resolved{ID: res.ID, Type: res.Type}
	var err error
	if now.Properties, err = e.Eval(res.Properties); err != nil {
		return now, err
	}
	if now.Properties == nil {
		now.Properties = cfn.Obj()
	}
	if now.Metadata, err = e.Eval(res.Metadata); err != nil {
		return now, err
	}
	now.Policies, err = policies(e, res)
	return now, err
}

// note remembers how a resource changes, for those that refer to it.
func (f *forecast) note(id string, now cfn.Resolved) {
	rec, ok := f.recs[id]
	if !ok {
		return
	}
	for _, c := range cfn.Diff([]cfn.Resolved{resolved(rec)}, []cfn.Resolved{now}) {
		if len(c.Properties) > 0 || rec.Type != now.Type {
			f.changed[id] = c.Replacement
		}
	}
}

// settle decides what the published facts leave open.
func (f *forecast) settle(c *cfn.Change, after map[string]cfn.Resolved) {
	h := f.s.handler(c.Type)
	if c.Action == cfn.Modify && c.Replacement != spec.Always && h.Replaces != nil && len(c.Properties) > 0 &&
		h.Replaces(node(f.recs[c.ID].Properties), after[c.ID].Properties) {
		c.Replacement = spec.Always
	}
}

// outputsDiffer reports whether outputs change, as far as that is known.
func (f *forecast) outputsDiffer(e *cfn.Evaluator, t *cfn.Template, st stack) bool {
	var now []output
	for _, o := range t.Outputs {
		on, _, err := e.Active(o.Condition)
		if err != nil || !on {
			continue
		}
		v, err := e.Eval(o.Value)
		if err != nil {
			return true
		}
		out := output{Key: o.Name}
		out.Value, _ = v.Scalar()
		if d, err := e.Eval(o.Description); err == nil {
			out.Description, _ = d.Scalar()
		}
		if name, err := e.Eval(o.Export); err == nil {
			out.Export, _ = name.Scalar()
		}
		now = append(now, out)
	}
	return !slices.Equal(now, st.Outputs)
}
