package fitness

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"evo/internal/fitness/exact"
)

// ChangeKind says in which of two releases a pair is.
type ChangeKind string

// A kept pair is in both releases, an added one only in the new, a removed one only in the old.
const (
	Kept    ChangeKind = "kept"
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
)

// Change is what one pair contributes to a difference.
type Change struct {
	Kind     ChangeKind `json:"kind"`
	Function string     `json:"function"`
	Resource string     `json:"resource"`
	Before   *Interval  `json:"before,omitempty"` // nil for an added pair
	After    *Interval  `json:"after,omitempty"`  // nil for a removed pair
	Points   Range      `json:"points"`           // positive: the new release is fitter by it
	Reason   string     `json:"reason,omitempty"` // of the newer score
}

// PartChange is what one dimension of the size contributes.
type PartChange struct {
	Dimension Dimension `json:"dimension"`
	Before    exact.Rat `json:"before"`
	After     exact.Rat `json:"after"`
	Points    exact.Rat `json:"points"`
}

// Comparison is the difference between two releases, in points, valued with one basis under one suite.
//
//	Delta   = Kept + Added + Removed + Complexity     exactly
//	Decided = Delta + Allowance                       what the ratchet judges
//
// Delta is transitive: from v1 to v2 and from v2 to v3 it adds up to that from v1 to v3.
type Comparison struct {
	Reference  string       `json:"reference"`
	Kept       Range        `json:"kept"`
	Added      Range        `json:"added"`
	Removed    Range        `json:"removed"`
	Complexity exact.Rat    `json:"complexity"`
	Delta      Range        `json:"delta"`
	Allowance  Range        `json:"allowance"`
	Decided    Range        `json:"decided"`
	Changes    []Change     `json:"changes"` // those that are not zero, gains first
	Parts      []PartChange `json:"parts"`

	// Regressions are the kept pairs that scored 1 and now score less, or may.
	Regressions []Change `json:"regressions,omitempty"`

	// Requirements is how the level of the reference has changed because it is judged by newer requirements. It is in no sum.
	Requirements *Range `json:"requirements,omitempty"`
}

// Compare values the difference between two releases, both scored under s, with basis b.
func Compare(s *Suite, b *Basis, reference, candidate *Release) (*Comparison, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	for _, r := range []*Release{reference, candidate} {
		if err := s.check(r); err != nil {
			return nil, err
		}
	}
	reference = s.counterpart(reference, candidate)
	c := &Comparison{Reference: reference.Name, Changes: []Change{}}
	m := match{functions: s.index(), prices: s.Prices(b)}
	m.run(c, reference, candidate)
	c.Parts, c.Complexity = partChanges(&s.Complexity, reference.Size, candidate.Size)
	c.Delta = c.Kept.plus(c.Added).plus(c.Removed).plus(exactly(c.Complexity))
	if s.Ratchet.Additions == Average {
		c.Allowance = s.allowance(m.prices, reference, candidate)
	}
	c.Decided = c.Delta.plus(c.Allowance)
	slices.SortStableFunc(c.Changes, func(a, b Change) int { return b.Points.Lo.Cmp(a.Points.Lo) })
	return c, nil
}

// counterpart is the reference as the candidate's requirements see it. A kept pair has the candidate's criticality: that is a
// requirement, and lowering it is no improvement. And a functional check of the whole stack that the reference has no result of
// scores 0 there: what did not exist did not work. So a feature that comes with its test makes a release fitter.
func (s *Suite) counterpart(reference, candidate *Release) *Release {
	old := make(map[key]int, len(reference.Pairs))
	out := &Release{Name: reference.Name, Size: reference.Size, Pairs: slices.Clone(reference.Pairs)}
	for i := range out.Pairs {
		old[out.Pairs[i].key()] = i
	}
	functions := s.index()
	for _, p := range candidate.Pairs {
		f := functions[p.Function]
		if i, ok := old[p.key()]; ok {
			out.Pairs[i].Criticality = p.Criticality
		} else if f.Breadth == Holistic && f.Characteristic == Functionality {
			p.Score, p.Reason = Known(exact.Zero), "this did not exist in "+reference.Name
			out.Pairs = append(out.Pairs, p)
		}
	}
	return out
}

// match pairs up two releases.
type match struct {
	functions map[string]*Function
	prices    Prices
}

func (m *match) run(c *Comparison, reference, candidate *Release) {
	before := sorted(reference.Pairs)
	left := make(map[key]*Pair, len(before))
	for i := range before {
		left[before[i].key()] = &before[i]
	}
	for _, after := range sorted(candidate.Pairs) {
		old := left[after.key()]
		delete(left, after.key())
		if old == nil {
			c.Added = c.Added.plus(m.change(c, Added, nil, &after))
			continue
		}
		c.Kept = c.Kept.plus(m.change(c, Kept, old, &after))
	}
	for i := range before {
		if left[before[i].key()] != nil {
			c.Removed = c.Removed.plus(m.change(c, Removed, &before[i], nil))
		}
	}
}

// change notes what a pair contributes, and returns the points.
func (m *match) change(c *Comparison, kind ChangeKind, before, after *Pair) Range {
	if kind == Kept && before.Score == after.Score && after.Score.IsKnown() {
		return Range{} // most pairs of most releases
	}
	pair := after
	if pair == nil {
		pair = before
	}
	ch := Change{Kind: kind, Function: pair.Function, Resource: pair.Resource, Reason: pair.Reason}
	f := m.functions[pair.Function]
	if before != nil {
		ch.Before = &before.Score
		ch.Points = ch.Points.plus(m.prices.Lost(f, before))
	}
	if after != nil {
		ch.After = &after.Score
		lost := m.prices.Lost(f, after)
		ch.Points = ch.Points.plus(Range{lost.Hi.Neg(), lost.Lo.Neg()})
	}
	if ch.Points.Lo.Sign() != 0 || ch.Points.Hi.Sign() != 0 {
		c.Changes = append(c.Changes, ch)
	}
	if kind == Kept && before.Score.Lo == exact.One && after.Score.Lo < exact.One {
		c.Regressions = append(c.Regressions, ch)
	}
	return ch.Points
}

func partChanges(c *Complexity, before, after Size) ([]PartChange, exact.Rat) {
	old, now := c.Parts(before), c.Parts(after)
	changes, sum := make([]PartChange, len(now)), exact.Rat{}
	for i := range now {
		points := old[i].Points.Sub(now[i].Points)
		changes[i] = PartChange{now[i].Dimension, old[i].Amount, now[i].Amount, points}
		sum = sum.Add(points)
	}
	return changes, sum
}

// allowance is what growth is forgiven: of the debt that additions bring, as much as they would have at the characteristic's
// present score. Only net growth is forgiven, so replacing or renaming a resource gains nothing.
func (s *Suite) allowance(p Prices, reference, candidate *Release) Range {
	functions := s.index()
	added, removed := difference(candidate.Pairs, reference.Pairs), difference(reference.Pairs, candidate.Pairs)
	a, r, all := tallies(functions, added), tallies(functions, removed), tallies(functions, reference.Pairs)
	whole := Range{}
	for name, share := range sharesOf(s, all) {
		t := all[name]
		whole.Lo = whole.Lo.Add(share.Mul(exact.Scaled(&t.least, debtDigits)).Div(exact.Scaled(&t.total, weightDigits)))
		whole.Hi = whole.Hi.Add(share.Mul(exact.Scaled(&t.most, debtDigits)).Div(exact.Scaled(&t.total, weightDigits)))
	}
	sum := Range{}
	for name, grown := range a {
		gone := r[name]
		if gone == nil {
			gone = &tally{}
		}
		present := whole // a characteristic without pairs so far has the release's loss as a whole
		if t := all[name]; t != nil {
			total := exact.Scaled(&t.total, weightDigits)
			present = Range{exact.Scaled(&t.least, debtDigits).Div(total), exact.Scaled(&t.most, debtDigits).Div(total)}
		}
		growth := exact.Scaled(new(big.Int).Sub(&grown.total, &gone.total), weightDigits)
		lo := forgiven(growth.Mul(present.Lo), new(big.Int).Sub(&grown.most, &gone.least))
		hi := forgiven(growth.Mul(present.Hi), new(big.Int).Sub(&grown.least, &gone.most))
		sum = sum.plus(Range{p[name].Mul(lo), p[name].Mul(hi)})
	}
	return sum
}

// forgiven is the lesser of a bound and a debt, and not negative.
func forgiven(bound exact.Rat, debt *big.Int) exact.Rat {
	return exact.Max(exact.Rat{}, exact.Min(bound, exact.Scaled(debt, debtDigits)))
}

func sharesOf(s *Suite, found map[string]*tally) map[string]exact.Rat {
	b := Basis{Totals: map[string]exact.Rat{}}
	for name, t := range found {
		b.Totals[name] = exact.Scaled(&t.total, weightDigits)
	}
	return s.shares(&b)
}

// difference are the pairs of a that b does not have.
func difference(a, b []Pair) []Pair {
	there := make(map[key]bool, len(b))
	for i := range b {
		there[b[i].key()] = true
	}
	var out []Pair
	for i := range a {
		if !there[a[i].key()] {
			out = append(out, a[i])
		}
	}
	return out
}

// Split shows the parts of Decided at its lower end: written with so many digits they add up to the total as written.
func (c *Comparison) Split(digits int) string {
	names := []string{"kept", "added", "removed", "complexity"}
	parts := []exact.Rat{c.Kept.Lo, c.Added.Lo, c.Removed.Lo, c.Complexity}
	if c.Allowance.Lo.Sign() != 0 {
		names, parts = append(names, "forgiven as growth"), append(parts, c.Allowance.Lo)
	}
	texts, _ := exact.Shares(parts, digits)
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %s", names[i], signed(texts[i]))
	}
	return strings.Join(texts, ", ")
}

// signed adds a + to a written positive number.
func signed(text string) string {
	if strings.HasPrefix(text, "-") || strings.Trim(text, "0.") == "" {
		return text
	}
	return "+" + text
}
