package appraisal

import (
	"fmt"
	"slices"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/expression"
	"evo/internal/rules"
)

// byChecks scores by the suite's expressions. One that fails leaves its score unknown, and says why.
func (s *Suite) byChecks(a Architecture, out *Appraisal) []fitness.Pair {
	if len(s.checks) == 0 {
		return nil
	}
	set := a.Live
	if set == nil {
		set = a.Desired
	}
	resources := resourcesOf(a, set)
	var pairs []fitness.Pair
	for _, f := range s.checks {
		if f.check.Type == "" {
			score, reason, err := f.check.Expression.Stack(expression.Stack{Resources: resources, Edges: Edges(a), Metrics: a.Metrics}, f.check.Parameters)
			pairs = append(pairs, out.scored(f.id, fitness.Pair{Resource: fitness.Stack, Criticality: exact.One}, score, reason, err))
			continue
		}
		for _, r := range resources {
			if r.Type != f.check.Type {
				continue
			}
			score, reason, err := f.check.Expression.Resource(r, f.check.Parameters)
			p := fitness.Pair{Resource: r.ID, Type: r.Type, Criticality: s.Suite.CriticalityOf(r.ID, r.Type), Place: set.Item(r.ID).Span}
			pairs = append(pairs, out.scored(f.id, p, score, reason, err))
		}
	}
	return pairs
}

func (a *Appraisal) scored(function string, p fitness.Pair, score fitness.Interval, reason string, err error) fitness.Pair {
	p.Function, p.Score, p.Reason = function, score, reason
	if err != nil {
		p.Score, p.Reason = fitness.Unknown, err.Error()
		a.Problems = append(a.Problems, fmt.Sprintf("%s of %s: %v", function, p.Resource, err))
	}
	return p
}

// resourcesOf are the resources as expressions see them: the template's entries, with the properties that are known.
func resourcesOf(a Architecture, set *rules.Set) []expression.Resource {
	var out []expression.Resource
	for _, item := range set.Items {
		if Own(item.ID) || a.Desired.Item(item.ID) == nil {
			continue
		}
		body := cfn.Obj(slices.Clone(a.Full.At("Resources", item.ID).Entries())...)
		if item.Properties != nil {
			body.Set("Properties", item.Properties)
		}
		out = append(out, expression.Resource{ID: item.ID, Type: item.Type, Body: body})
	}
	return out
}

// The kinds of edges in a stack's graph.
const (
	Reference = "reference" // by Ref, Fn::GetAtt or Fn::Sub
	Order     = "order"     // by DependsOn
)

// Edges are which resource of the transformed template leads to which.
func Edges(a Architecture) []expression.Edge {
	resources := a.Full.Get("Resources")
	var out []expression.Edge
	for _, r := range resources.Entries() {
		if Own(r.Key) {
			continue
		}
		seen := map[string]bool{r.Key: true}
		add := func(to, kind string) {
			if resources.Has(to) && !Own(to) && !seen[to] {
				seen[to] = true
				out = append(out, expression.Edge{From: r.Key, To: to, Kind: kind})
			}
		}
		cfn.References(r.Value, func(name, _ string) { add(name, Reference) })
		for _, n := range oneOrMore(r.Value.Get("DependsOn")) {
			add(n.Str(), Order)
		}
	}
	return out
}
