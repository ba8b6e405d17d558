package rules

import (
	"slices"

	"evo/internal/cfn"
)

// registryReading is how the AWS Guard Rules Registry reads a rule, where that is not how AWS Config does.
type registryReading struct {
	types []string               // that it judges; nil: the rule's own
	judge func(*subject) Verdict // nil: the rule's own
	nag   []string               // rules of cfn-nag that it replaces: their suppression counts as well
	any   bool                   // one compliant resource is enough
	alias string                 // another spelling of the identifier
}

// HasRegistry reports whether the Guard registry has the rule.
func (r *Rule) HasRegistry() bool { return r.registry != nil }

// RegistryDiffers reports whether the Guard registry reads the rule otherwise than AWS Config, beside suppressions.
func (r *Rule) RegistryDiffers() bool {
	return r.registry != nil && (r.registry.judge != nil || r.registry.types != nil)
}

// Registry gives the Guard registry's verdict of the whole template: NonCompliant (FAIL) if a resource is; else Compliant (PASS)
// if one was judged; else NotApplicable (SKIP). Resources that suppress the rule in their Metadata are left out. What is not
// known is judged as it stands, as Guard does.
func (r *Rule) Registry(set *Set) (Compliance, []Verdict) {
	reading := r.registry
	if reading == nil {
		return NotApplicable, nil
	}
	types, judge := reading.types, reading.judge
	if types == nil {
		types = r.Types
	}
	if judge == nil {
		judge = r.judge
	}
	check := &Check{Rule: r, args: make([]argument, len(r.Parameters))}
	var verdicts []Verdict
	good := false
	for _, it := range set.Items {
		if !slices.Contains(types, it.Type) || reading.suppressed(r, it) {
			continue
		}
		v := judge(&subject{Item: it, set: set, check: check, guard: true})
		if v.Compliance == InsufficientData {
			v.Compliance, v.Score = NonCompliant, Zero
		}
		good = good || v.Compliance == Compliant
		verdicts = append(verdicts, check.complete(v, it))
	}
	if reading.any && good {
		return Compliant, verdicts
	}
	return Rollup(verdicts), verdicts
}

// suppressed reports whether the resource's metadata takes it out of the rule.
func (g *registryReading) suppressed(r *Rule, it *Item) bool {
	if it.Metadata == nil {
		return false
	}
	for _, n := range it.Metadata.At("guard", "SuppressedRules").List() {
		if g.names(r, n.Str()) || n.Is(cfn.Map) && slices.ContainsFunc(n.Pairs, func(p cfn.Pair) bool { return g.names(r, p.Key) }) {
			return true
		}
	}
	for _, n := range it.Metadata.At("cfn_nag", "rules_to_suppress").List() {
		if slices.Contains(g.nag, n.Get("id").Str()) {
			return true
		}
	}
	return false
}

func (g *registryReading) names(r *Rule, id string) bool {
	return id != "" && (id == r.Identifier || id == g.alias)
}
