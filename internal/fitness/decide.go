package fitness

import (
	"fmt"
	"slices"
	"strings"

	"evo/internal/fitness/exact"
)

// Decision is what the numbers say.
type Decision string

// A release is accepted if it would be even with the worst that is possible, rejected if it would be with the best; else
// nobody can tell, and it is inconclusive.
const (
	Accepted     Decision = "accepted"
	Rejected     Decision = "rejected"
	Inconclusive Decision = "inconclusive"
)

// Check is what a finding is about.
type Check string

// The checks, in the order in which they are made.
const (
	Gate       Check = "gate"
	Floor      Check = "floor"
	Coverage   Check = "coverage"
	Regression Check = "regression"
	Descent    Check = "ratchet"
)

// Finding is one reason why a release is not accepted.
type Finding struct {
	Check          Check  `json:"check"`
	Function       string `json:"function,omitempty"`
	Resource       string `json:"resource,omitempty"`
	Characteristic string `json:"characteristic,omitempty"`
	Certain        bool   `json:"certain"` // false: it depends on what is unknown
	Text           string `json:"text"`
}

// Verdict is what becomes of a release, and why.
type Verdict struct {
	Release   string      `json:"release"`
	Reference string      `json:"reference,omitempty"`
	Decision  Decision    `json:"decision"`
	Proceed   bool        `json:"proceed"`  // the decision, with the policy for the unknown, an override and a rollback applied
	Why       [3]string   `json:"why"`      // the number, the biggest gain, the biggest loss
	Findings  []Finding   `json:"findings"` // empty if accepted
	Warnings  []string    `json:"warnings"` // what a person should know, though it decides nothing
	Override  string      `json:"override"` // the reason given for going on all the same
	Rollback  bool        `json:"rollback"` // this brings an earlier release back: nothing stands in its way
	Basis     Basis       `json:"basis"`    // to be handed to the next Decide
	Level     *Assessment `json:"level"`
	Delta     *Comparison `json:"delta,omitempty"` // nil for the first release
}

// Options are what else Decide needs to know.
type Options struct {
	Basis    *Basis // of the verdict before; nil if there was none
	Rebase   bool   // begin a new basis
	Override string // the reason to go on whatever the decision is
	Rollback bool

	// Judged is the reference's level as it was judged when it was released, to tell what newer requirements cost it.
	Judged *Assessment
}

// Decide judges a release against the reference, which is nil for the first one. Both must have been scored under s. The error
// says that the input is no input, never that the release is bad.
func Decide(reference, candidate *Release, s *Suite, o Options) (*Verdict, error) {
	level, err := Assess(s, candidate)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Release: candidate.Name, Override: o.Override, Rollback: o.Rollback, Level: level, Findings: []Finding{}, Warnings: []string{}}
	if reference != nil {
		v.Reference = reference.Name
		if err := s.check(reference); err != nil {
			return nil, err
		}
		reference = s.counterpart(reference, candidate)
	}
	v.Basis = NextBasis(s, o.Basis, reference, candidate, o.Rebase)
	if reference != nil {
		if v.Delta, err = Compare(s, &v.Basis, reference, candidate); err != nil {
			return nil, err
		}
		if v.Delta.Requirements, err = requirements(s, reference, o.Judged); err != nil {
			return nil, err
		}
	}
	v.gates(s, candidate)
	v.floors(s)
	v.coverage(s)
	v.regressions(s)
	v.ratchet(s)
	v.conclude(s)
	v.Why = v.why(s)
	return v, nil
}

// requirements is how far newer requirements moved the reference's level.
func requirements(s *Suite, reference *Release, judged *Assessment) (*Range, error) {
	if judged == nil {
		return nil, nil
	}
	now, err := Assess(s, reference)
	if err != nil {
		return nil, err
	}
	moved := Range{now.Fitness.Lo.Sub(judged.Fitness.Lo), now.Fitness.Hi.Sub(judged.Fitness.Hi)}
	if moved.Hi.Less(moved.Lo) {
		moved.Lo, moved.Hi = moved.Hi, moved.Lo
	}
	return &moved, nil
}

func (v *Verdict) find(f Finding) { v.Findings = append(v.Findings, f) }

func (v *Verdict) gates(s *Suite, r *Release) {
	seen := map[string]bool{}
	functions := s.index()
	for _, p := range sorted(r.Pairs) {
		seen[p.Function] = true
		f := functions[p.Function]
		if minimum := f.minimum(); f.Required && p.Score.Lo < minimum {
			v.find(Finding{Check: Gate, Function: f.ID, Resource: p.Resource, Characteristic: f.Characteristic, Certain: p.Score.Hi < minimum,
				Text: fmt.Sprintf("%s is required to score %s or more, and scores %s with %s%s", f.ID, minimum, p.Resource, p.Score, because(p.Reason))})
		}
	}
	for _, f := range s.Functions {
		if f.Required && f.Breadth == Holistic && !seen[f.ID] {
			v.find(Finding{Check: Gate, Function: f.ID, Resource: Stack, Characteristic: f.Characteristic,
				Text: f.ID + " is required, and has no result"})
		}
	}
}

// minimum is the score that a required function must have.
func (f *Function) minimum() exact.Decimal {
	if f.Minimum == 0 {
		return exact.One
	}
	return f.Minimum
}

func (v *Verdict) floors(s *Suite) {
	for _, st := range v.Level.Characteristics {
		floor := s.Characteristic(st.Name).Floor.Rat()
		if st.Score.Lo.Less(floor) {
			v.find(Finding{Check: Floor, Characteristic: st.Name, Certain: st.Score.Hi.Less(floor),
				Text: fmt.Sprintf("%s scores %s, and its floor is %s", st.Name, besides(st.Score, floor), floor.Text(digitsFor(st.Score, floor)))})
		}
	}
}

func (v *Verdict) coverage(s *Suite) {
	least := s.Ratchet.Coverage.Rat()
	if c := v.Level.Coverage; c.Less(least) {
		digits := exact.DigitsFor(c, least, shownDigits)
		v.find(Finding{Check: Coverage, Certain: true, Text: fmt.Sprintf("only %s of what counts is known, and %s must be", c.Text(digits), least.Text(digits))})
	}
	if len(v.Level.Characteristics) == 0 {
		v.Warnings = append(v.Warnings, "no fitness function applies to this release: its fitness says only how large it is")
	}
}

func (v *Verdict) regressions(s *Suite) {
	if v.Delta == nil {
		return
	}
	for _, c := range v.Delta.Regressions {
		text := fmt.Sprintf("%s scored 1 with %s, and now %s%s", c.Function, c.Resource, c.After, because(c.Reason))
		if s.Ratchet.Regressions == Deny {
			v.find(Finding{Check: Regression, Function: c.Function, Resource: c.Resource, Certain: c.After.Hi < exact.One, Text: text})
			continue
		}
		v.Warnings = append(v.Warnings, text)
	}
}

// threshold is what the difference must be: at least so much at its worst end and at its best, or (strictly) more. The two
// ends differ where a pair may or may not have regressed. ok is false if any difference will do.
func (v *Verdict) threshold(s *Suite) (least Range, strictly, ok bool) {
	if v.Delta == nil || s.Ratchet.Policy == Off {
		return Range{}, false, false
	}
	if s.Ratchet.Policy == Improve {
		return Range{}, true, true
	}
	least = exactly(s.Ratchet.Tolerance.Rat().Neg())
	if s.Ratchet.Regressions == Compensate && len(v.Delta.Regressions) > 0 {
		least.Lo = exact.Rat{}
		if slices.ContainsFunc(v.Delta.Regressions, func(c Change) bool { return c.After.Hi < exact.One }) {
			least.Hi = exact.Rat{}
		}
	}
	return least, false, true
}

func (v *Verdict) ratchet(s *Suite) {
	least, strictly, ok := v.threshold(s)
	if !ok {
		return
	}
	short := func(d, least exact.Rat) bool { return d.Less(least) || strictly && d.Equal(least) }
	d := v.Delta.Decided
	if !short(d.Lo, least.Lo) {
		return
	}
	what := "must be " + least.Lo.Signed(digitsFor(d, least.Lo)) + " or more"
	switch {
	case strictly:
		what = "must be more than 0"
	case least.Lo.Sign() == 0 && s.Ratchet.Tolerance > 0:
		what = "must make up for what regressed: 0 or more"
	}
	v.find(Finding{Check: Descent, Certain: short(d.Hi, least.Hi), Text: fmt.Sprintf("the difference to %s is %s, and %s", v.Reference, besides(d, least.Lo), what)})
}

func (v *Verdict) conclude(s *Suite) {
	v.Decision = Accepted
	for _, f := range v.Findings {
		if f.Certain {
			v.Decision = Rejected
			break
		}
		v.Decision = Inconclusive
	}
	v.Proceed = v.Decision == Accepted || v.Decision == Inconclusive && s.Ratchet.Unknown == AcceptWithWarning || v.Override != "" || v.Rollback
}

// digitsFor is how many digits r is shown with beside a number that it is compared with.
func digitsFor(r Range, other exact.Rat) int {
	return max(exact.DigitsFor(r.Lo, other, shownDigits), exact.DigitsFor(r.Hi, other, shownDigits))
}

// besides writes r so that it compares with the other number, written likewise, as it does itself.
func besides(r Range, other exact.Rat) string {
	return r.signed(digitsFor(r, other), other.Sign() < 0 || r.Lo.Sign() < 0)
}

func (r Range) signed(digits int, plus bool) string {
	write := exact.Rat.Text
	if plus {
		write = exact.Rat.Signed
	}
	if r.IsKnown() {
		return write(r.Lo, digits)
	}
	return write(r.Lo, digits) + " to " + write(r.Hi, digits)
}

// why are the three lines: the number, the biggest gain, the biggest loss.
func (v *Verdict) why(s *Suite) [3]string {
	number := "fitness " + v.Level.Fitness.signed(shownDigits, false)
	if v.Delta == nil {
		loss := "nothing is lost to a pair"
		if len(v.Level.Lost) > 0 {
			l := v.Level.Lost[0]
			loss = fmt.Sprintf("most is lost to %s %s, -%s%s", l.Resource, l.Function, l.Points.signed(shownDigits, false), because(l.Reason))
		}
		return [3]string{number + ": the first release", "there is no release to gain on", loss}
	}
	digits := digitsFor(v.Delta.Decided, exact.Rat{})
	if least, _, ok := v.threshold(s); ok {
		digits = max(digits, digitsFor(v.Delta.Decided, least.Lo))
	}
	number += fmt.Sprintf(", %s against %s (%s)", v.Delta.Decided.signed(digits, true), v.Reference, v.Delta.Split(digits))
	return [3]string{number, v.Delta.biggest("gain", exact.Rat.Sign), v.Delta.biggest("loss", func(r exact.Rat) int { return r.Neg().Sign() })}
}

// biggest names the pair or dimension that moved the difference most in one direction: sign is 1 for points that do.
func (c *Comparison) biggest(word string, sign func(exact.Rat) int) string {
	text, most := "no "+word, exact.Rat{}
	consider := func(points exact.Rat, what, why string) {
		if size := exact.Max(points, points.Neg()); sign(points) > 0 && most.Less(size) {
			text, most = fmt.Sprintf("biggest %s: %s %s (%s)", word, what, points.Signed(exact.DigitsFor(points, exact.Rat{}, shownDigits)), why), size
		}
	}
	for _, ch := range c.Changes {
		consider(ch.Points.Lo, ch.Resource+" "+ch.Function, string(ch.Kind)+because(ch.Reason))
	}
	for _, p := range c.Parts {
		digits := amountDigits(p.Dimension)
		consider(p.Points, "complexity", fmt.Sprintf("%s %s, before %s", p.Dimension, p.After.Text(digits), p.Before.Text(digits)))
	}
	return text
}

// Past is a release in the history, for choosing a reference.
type Past struct {
	Release   string
	Succeeded bool
	Index     exact.Rat // the sum of the differences up to it
}

// ReferenceIn chooses the release to compare the next one with; history is in the order of time. Only releases that succeeded
// are references; of equally fit ones the last is the best.
func ReferenceIn(history []Past, policy ReferencePolicy) (index int, ok bool) {
	index = -1
	for i, p := range history {
		if p.Succeeded && (index < 0 || policy != Best || !p.Index.Less(history[index].Index)) {
			index = i
		}
	}
	return index, index >= 0
}

// String is the verdict as lines of text.
func (v *Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s%s\n", v.Release, v.Decision, v.anyway())
	for _, line := range v.Why {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	for _, f := range v.Findings {
		mark := "-"
		if !f.Certain {
			mark = "?"
		}
		fmt.Fprintf(&b, "  %s %s: %s\n", mark, f.Check, f.Text)
	}
	for _, w := range v.Warnings {
		fmt.Fprintf(&b, "  warning: %s\n", w)
	}
	return b.String()
}

// anyway says why a release that is not accepted goes on.
func (v *Verdict) anyway() string {
	switch {
	case v.Decision == Accepted:
		return ""
	case !v.Proceed:
		return ", and stopped"
	case v.Rollback:
		return ", but nothing stands in the way of a rollback"
	case v.Override != "":
		return ", but goes on: " + v.Override
	}
	return ", but goes on with a warning"
}
