// Package appraisal answers: what do a suite's fitness functions say of an architecture, and how large is it? It joins rules and
// expressions, which judge configurations, with fitness, which computes with scores. The same appraisal is made of a template before
// anything is touched, of a stack by the fitness hook, and for a person who asks: what differs is only how much is known.
package appraisal

import (
	"errors"
	"time"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
	"evo/internal/gate"
	"evo/internal/rules"
	"evo/internal/source"
)

// Architecture is what is known of a release.
type Architecture struct {
	Authored *cfn.Node  // the template as its authors wrote it, before transforms: its size counts
	Full     *cfn.Node  // the transformed template
	Desired  *rules.Set // what the transformed template asks for
	Live     *rules.Set // what is there; nil if nobody has looked
	// Code is how many bytes of packaged code functions and layers have, by logical id, as their deployer knows it. What is not there is
	// unknown.
	Code map[string]int64

	// Metrics are values of the suite's own metrics, by name, for expressions over the stack. What is not there is unknown.
	Metrics map[string]exact.Decimal
}

// Suite is a suite whose rules and expressions are ready to judge.
type Suite struct {
	*suitefile.File
	rules  []ruleFunction
	checks []checkFunction
}

// ruleFunction is a fitness function that scores by an AWS Config rule.
type ruleFunction struct {
	id    string
	check *rules.Check
}

// checkFunction is a fitness function that scores by an expression of the user's own.
type checkFunction struct {
	id    string
	check suitefile.Check
}

// Prepare makes a suite ready. The error is a source.Diagnostics: the rules that there are not, and parameters that they do not take.
func Prepare(file *suitefile.File) (*Suite, error) {
	s := &Suite{File: file}
	var problems source.Diagnostics
	for _, f := range file.Suite.Functions {
		switch m := file.Measures[f.ID].(type) {
		case suitefile.Rule:
			check, problem := bind(f.ID, m)
			if problem != nil {
				problem.File = file.Name()
				problems = append(problems, problem)
			}
			s.rules = append(s.rules, ruleFunction{f.ID, check})
		case suitefile.Check:
			s.checks = append(s.checks, checkFunction{f.ID, m})
		}
	}
	if problems.Sort(); len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// bind finds the rule of the function id.
func bind(id string, m suitefile.Rule) (*rules.Check, *source.Diagnostic) {
	rule := rules.Find(m.Name)
	if rule == nil {
		d := source.Errorf(m.Span, "functions.%s: there is no rule %s", id, m.Name)
		if near, ok := source.Nearest(m.Name, names()); ok {
			d.WithHint("did you mean %s?", near)
		}
		return nil, d
	}
	check, err := rule.BindNode(m.Parameters)
	if err == nil {
		return check, nil
	}
	at := m.Span
	if wrong, ok := errors.AsType[*rules.ParameterError](err); ok && wrong.Span.IsValid() {
		at = wrong.Span
	}
	return nil, source.Errorf(at, "functions.%s: %v", id, err)
}

func names() []string {
	var all []string
	for _, r := range rules.All() {
		all = append(all, r.Name)
	}
	return all
}

// Appraisal is a release as it was appraised.
type Appraisal struct {
	Release  *fitness.Release
	Excepted fitness.Excepted
	Problems []string // checks that could not be evaluated: their scores are unknown
}

// Appraise scores an architecture at a moment. measured are the pairs that were scored in other ways.
func (s *Suite) Appraise(name string, a Architecture, measured []fitness.Pair, now time.Time) *Appraisal {
	out := &Appraisal{}
	pairs := s.byRules(a)
	pairs = append(pairs, s.byChecks(a, out)...)
	pairs = append(pairs, s.byTime(now)...)
	pairs = append(pairs, measured...)
	pairs, suppressed := suppress(pairs, a.Desired)
	pairs, out.Excepted = s.Suite.Except(pairs, now)
	out.Excepted.Suppressed = suppressed
	out.Release = &fitness.Release{Name: name, Pairs: pairs, Size: Size(a)}
	return out
}

// Unmeasured are the pairs of the functions that only a running release tells of, as long as there is none: nothing is known of them.
func (s *Suite) Unmeasured() []fitness.Pair {
	var pairs []fitness.Pair
	for _, f := range s.Suite.Functions {
		if suitefile.Live(s.Measures[f.ID]) {
			pairs = append(pairs, fitness.Pair{Function: f.ID, Resource: fitness.Stack, Score: fitness.Unknown, Criticality: exact.One, Reason: "measured when it is deployed"})
		}
	}
	return pairs
}

// byRules judges what is asked for and what is there. A release is as fit as the worse of both: a setting that no template states can be
// lost with the next deployment, and one that is stated but not there does not protect.
func (s *Suite) byRules(a Architecture) []fitness.Pair {
	var pairs []fitness.Pair
	for _, f := range s.rules {
		index := map[string]int{}
		for _, v := range f.check.JudgeAll(a.Desired) {
			if p, ok := s.pair(f.id, v, ""); ok {
				index[p.Resource] = len(pairs)
				pairs = append(pairs, p)
			}
		}
		if a.Live == nil {
			continue
		}
		for _, v := range f.check.JudgeAll(a.Live) {
			p, ok := s.pair(f.id, v, "live: ")
			if !ok || a.Desired.Item(v.Resource) == nil && v.Resource != rules.AccountID {
				continue
			}
			if i, both := index[p.Resource]; both {
				pairs[i] = worse(pairs[i], p)
			} else {
				pairs = append(pairs, p)
			}
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
func (s *Suite) pair(function string, v rules.Verdict, source string) (p fitness.Pair, ok bool) {
	if v.Compliance == rules.NotApplicable || Own(v.Resource) {
		return p, false
	}
	p = fitness.Pair{Function: function, Resource: v.Resource, Type: v.Type, Criticality: s.Suite.CriticalityOf(v.Resource, v.Type),
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

// byTime scores what only time decides: due dates, and what people have said.
func (s *Suite) byTime(now time.Time) []fitness.Pair {
	var pairs []fitness.Pair
	for _, f := range s.Suite.Functions {
		var score exact.Decimal
		var reason string
		switch m := s.Measures[f.ID].(type) {
		case suitefile.Due:
			score, reason = fitness.Temporal(now, m.Day.End(), m.Notice), "due on "+string(m.Day)
		case suitefile.Attested:
			score, reason = fitness.Attested(&m.Attestation, now, m.Notice), "attested by "+m.By+" on "+m.At.UTC().Format(time.DateOnly)
		default:
			continue
		}
		pairs = append(pairs, fitness.Pair{Function: f.ID, Resource: fitness.Stack, Score: fitness.Known(score), Criticality: exact.One, Reason: reason})
	}
	return pairs
}

// suppress leaves out what the template's metadata asks to be left out, and counts it.
func suppress(pairs []fitness.Pair, set *rules.Set) (kept []fitness.Pair, out []fitness.Suppressed) {
	kept = pairs[:0]
	for _, p := range pairs {
		if by, ok := rules.SuppressedIn(set.Item(p.Resource), p.Function); ok {
			out = append(out, fitness.Suppressed{Function: p.Function, Resource: p.Resource, Tool: by.Tool, Reason: by.Reason})
			continue
		}
		kept = append(kept, p)
	}
	return kept, out
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
