// Package appraisal answers: what do a suite's fitness functions say of an architecture, and how large is it? It joins rules,
// which judge configurations, with fitness, which computes with scores. The same appraisal is made of a template before anything is
// touched, of a stack by the fitness hook, and by a person who asks: what differs is only how much is known.
package appraisal

import (
	"fmt"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/gate"
	"evo/internal/rules"
)

// Architecture is what is known of a release.
type Architecture struct {
	Authored *cfn.Node  // the template as its authors wrote it, before transforms: its size counts
	Desired  *rules.Set // what the transformed template asks for
	Live     *rules.Set // what is there; nil if nobody has looked
}

// Suite is a suite whose rules are ready to judge.
type Suite struct {
	*fitness.Suite
	rules *rules.Suite
}

// Prepare makes the suite's rules ready. Parameters are those of the rules, by the rules' names. The error names the function that
// cannot be evaluated.
func Prepare(s *fitness.Suite, parameters map[string]map[string]string) (*Suite, error) {
	var checks []*rules.Check
	for _, f := range s.Functions {
		rule := rules.Find(f.ID)
		if rule == nil {
			continue // measured in another way
		}
		check, err := rule.Bind(parameters[f.ID])
		if err != nil {
			return nil, fmt.Errorf("fitness function %s: %w", f.ID, err)
		}
		checks = append(checks, check)
	}
	return &Suite{s, rules.NewSuite(checks...)}, nil
}

// Appraise returns the release that the architecture makes, with what has been measured of it in other ways.
func (s *Suite) Appraise(name string, a Architecture, measured []fitness.Pair) *fitness.Release {
	pairs := append(s.pairs(a), measured...)
	return &fitness.Release{Name: name, Pairs: pairs, Size: Size(a)}
}

// pairs judges what is asked for and what is there. A release is as fit as the worse of both: a setting that no template states can be
// lost with the next deployment, and one that is stated but not there does not protect.
func (s *Suite) pairs(a Architecture) []fitness.Pair {
	pairs, index := []fitness.Pair{}, map[[2]string]int{}
	for _, v := range s.rules.Judge(a.Desired) {
		if p, ok := s.pair(v, ""); ok {
			index[[2]string{p.Function, p.Resource}] = len(pairs)
			pairs = append(pairs, p)
		}
	}
	if a.Live == nil {
		return pairs
	}
	for _, v := range s.rules.Judge(a.Live) {
		p, ok := s.pair(v, "live: ")
		if !ok || a.Desired.Item(v.Resource) == nil && v.Resource != rules.AccountID {
			continue
		}
		if i, both := index[[2]string{p.Function, p.Resource}]; both {
			pairs[i] = worse(pairs[i], p)
		} else {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// worse is what can be said of a pair of which two scores are known. Where the template leaves open what the live resource tells, the
// latter counts.
func worse(desired, live fitness.Pair) fitness.Pair {
	if desired.Score == fitness.Unknown {
		live.Place = desired.Place
		return live
	}
	out := desired
	if live.Score.Lo < desired.Score.Lo {
		out.Score.Lo, out.Reason = live.Score.Lo, live.Reason
	}
	out.Score.Hi = min(desired.Score.Hi, live.Score.Hi)
	return out
}

// pair is a verdict as a score; ok is false if the rule does not apply, or the resource is evo's own.
func (s *Suite) pair(v rules.Verdict, source string) (p fitness.Pair, ok bool) {
	if v.Compliance == rules.NotApplicable || Own(v.Resource) {
		return p, false
	}
	p = fitness.Pair{Function: v.Rule, Resource: v.Resource, Type: v.Type, Criticality: s.CriticalityOf(v.Resource, v.Type),
		Reason: source + v.Reason, Place: v.Span, Score: fitness.Unknown}
	if v.Resource == rules.AccountID {
		p.Resource, p.Type = fitness.Stack, ""
	}
	if v.Compliance != rules.InsufficientData && v.Score.Known() {
		score := exact.Decimal(v.Score.Num * exact.Scale / v.Score.Den)
		p.Score = fitness.Known(score.Clamp())
	}
	return p, true
}

// Own reports whether a logical id is that of a resource that evo adds to judge releases: no part of the architecture.
func Own(id string) bool {
	for _, own := range gate.IDs {
		if id == own {
			return true
		}
	}
	return false
}
