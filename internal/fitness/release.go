package fitness

import (
	"fmt"
	"slices"
	"strings"

	"evo/internal/fitness/exact"
	"evo/internal/source"
)

// Stack is the resource of a holistic function's pair.
const Stack = "(stack)"

// Interval is a score in [0, 1], or what it lies between. Known scores have Lo == Hi; of an unknown one nothing is known.
type Interval struct {
	Lo exact.Decimal `json:"lo"`
	Hi exact.Decimal `json:"hi"`
}

// Unknown is the score of which nothing is known. It is not the score of what does not apply: that has no pair.
var Unknown = Interval{exact.Zero, exact.One}

// Known is the interval of a known score.
func Known(score exact.Decimal) Interval { return Interval{score, score} }

// IsKnown reports whether i is a single score.
func (i Interval) IsKnown() bool { return i.Lo == i.Hi }

func (i Interval) valid() bool { return exact.Zero <= i.Lo && i.Lo <= i.Hi && i.Hi <= exact.One }

func (i Interval) String() string {
	if i.IsKnown() {
		return i.Lo.String()
	}
	return fmt.Sprintf("%s to %s", i.Lo, i.Hi)
}

// Pair is one function's score for one resource. What does not apply has no pair.
type Pair struct {
	Function    string        `json:"function"`
	Resource    string        `json:"resource"`       // logical id, or Stack
	Type        string        `json:"type,omitempty"` // the resource's
	Score       Interval      `json:"score"`
	Criticality exact.Decimal `json:"criticality"`
	Reason      string        `json:"reason,omitempty"` // why this score: the evidence
	Place       source.Span   `json:"-"`                // in the template
}

// key tells pairs of a release apart, and finds the same pair in another.
type key struct{ function, resource string }

func (p *Pair) key() key { return key{p.Function, p.Resource} }

// Release is what is known of a release. The order of its pairs does not matter.
type Release struct {
	Name  string `json:"name"`
	Pairs []Pair `json:"pairs"`
	Size  Size   `json:"size"`
}

// sorted returns the pairs by function and resource.
func sorted(pairs []Pair) []Pair {
	out := slices.Clone(pairs)
	slices.SortStableFunc(out, func(a, b Pair) int {
		if c := strings.Compare(a.Function, b.Function); c != 0 {
			return c
		}
		return strings.Compare(a.Resource, b.Resource)
	})
	return out
}

// Validate reports the first thing in s that cannot be computed with.
func (s *Suite) Validate() error {
	seen := map[string]bool{}
	for _, c := range s.Characteristics {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("the characteristic %q has no name, or is there twice", c.Name)
		}
		seen[c.Name] = true
		if c.Weight < 0 || c.Floor < 0 || c.Floor > exact.One {
			return fmt.Errorf("characteristic %s: weight %s and floor %s must not be negative, nor the floor above 1", c.Name, c.Weight, c.Floor)
		}
	}
	functions := map[string]bool{}
	for _, f := range s.Functions {
		switch {
		case f.ID == "" || functions[f.ID]:
			return fmt.Errorf("the function %q has no name, or is there twice", f.ID)
		case !seen[f.Characteristic]:
			return fmt.Errorf("function %s: the suite has no characteristic %q", f.ID, f.Characteristic)
		case f.Severity <= 0:
			return fmt.Errorf("function %s: severity %s is not positive", f.ID, f.Severity)
		case f.Minimum < 0 || f.Minimum > exact.One:
			return fmt.Errorf("function %s: minimum %s is not in [0, 1]", f.ID, f.Minimum)
		}
		functions[f.ID] = true
	}
	if err := s.Ratchet.validate(); err != nil {
		return err
	}
	return s.Complexity.validate()
}

func (r *Ratchet) validate() error {
	known := slices.Contains([]Policy{Improve, Hold, Off}, r.Policy) && slices.Contains([]Additions{Average, Clean}, r.Additions) &&
		slices.Contains([]Regressions{Deny, Compensate, Allow}, r.Regressions) && slices.Contains([]ReferencePolicy{LastSucceeded, Best}, r.Reference) &&
		slices.Contains([]UnknownPolicy{AcceptWithWarning, Fail}, r.Unknown)
	if !known {
		return fmt.Errorf("ratchet: %+v has a policy that is none", *r)
	}
	if r.Tolerance < 0 || r.Coverage < 0 || r.Coverage > exact.One {
		return fmt.Errorf("ratchet: tolerance %s must not be negative, coverage %s in [0, 1]", r.Tolerance, r.Coverage)
	}
	return nil
}

// check reports the first thing in r that the suite cannot judge.
func (s *Suite) check(r *Release) error {
	functions := s.index()
	seen := make(map[key]bool, len(r.Pairs))
	for i := range r.Pairs {
		p := &r.Pairs[i]
		switch {
		case functions[p.Function] == nil:
			return fmt.Errorf("release %s: the suite has no function %q", r.Name, p.Function)
		case seen[p.key()]:
			return fmt.Errorf("release %s: function %s scores %s twice", r.Name, p.Function, p.Resource)
		case !p.Score.valid():
			return fmt.Errorf("release %s: %s scores %s with %s, which is not in [0, 1]", r.Name, p.Function, p.Resource, p.Score)
		case p.Criticality <= 0:
			return fmt.Errorf("release %s: %s: criticality %s is not positive", r.Name, p.Resource, p.Criticality)
		}
		seen[p.key()] = true
	}
	return r.Size.validate()
}

func (s *Suite) index() map[string]*Function {
	functions := make(map[string]*Function, len(s.Functions))
	for i := range s.Functions {
		functions[s.Functions[i].ID] = &s.Functions[i]
	}
	return functions
}
