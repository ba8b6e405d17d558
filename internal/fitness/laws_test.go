package fitness

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"evo/internal/fitness/exact"
)

// small is a suite of a few functions in three characteristics.
func small() *Suite {
	s := Default()
	s.Functions = nil
	for i, severity := range []exact.Decimal{Critical, High, Medium, Low, High, Medium} {
		name := []string{Security, Security, Reliability, Reliability, Operability, Operability}[i]
		s.Functions = append(s.Functions, Function{ID: fmt.Sprintf("f%d", i), Characteristic: name, Severity: severity, Breadth: Atomic})
	}
	return s
}

// anyRelease draws an architecture: some resources, each with some functions' pairs.
func anyRelease(name string, unknown bool) *rapid.Generator[*Release] {
	return rapid.Custom(func(t *rapid.T) *Release {
		r := &Release{Name: name, Size: Size{Resources: rapid.IntRange(0, 30).Draw(t, "resources"), Edges: rapid.IntRange(0, 9).Draw(t, "edges"),
			Code: exact.Decimal(rapid.Int64Range(0, 5e9).Draw(t, "code")), Cost: rapid.Int64Range(0, 1e8).Draw(t, "cost")}}
		for f := range 6 {
			for res := range 6 {
				if rapid.IntRange(0, 2).Draw(t, "applies") == 0 {
					continue
				}
				criticality := exact.Decimal(1+res) * exact.One / 3 // a requirement: the same in every release
				r.Pairs = append(r.Pairs, Pair{Function: fmt.Sprintf("f%d", f), Resource: fmt.Sprintf("R%d", res), Score: anyScore(unknown).Draw(t, "score"), Criticality: criticality})
			}
		}
		return r
	})
}

func anyScore(unknown bool) *rapid.Generator[Interval] {
	return rapid.Custom(func(t *rapid.T) Interval {
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		if kind == 3 && unknown {
			return Unknown
		}
		return Known([]exact.Decimal{0, exact.One, exact.Decimal(rapid.Int64Range(0, exact.Scale).Draw(t, "s")), exact.One}[kind])
	})
}

func must[T any](t interface{ Fatal(...any) }, v T, err error) T {
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func assess(t *rapid.T, s *Suite, r *Release) *Assessment {
	a, err := Assess(s, r)
	return must(t, a, err)
}

func compare(t *rapid.T, s *Suite, b Basis, from, to *Release) *Comparison {
	c, err := Compare(s, &b, from, to)
	return must(t, c, err)
}

// everything is a basis with a total for every characteristic, as a history has that has seen all of them.
func everything(s *Suite) Basis {
	r := &Release{Name: "v1"}
	for _, f := range s.Functions {
		r.Pairs = append(r.Pairs, Pair{Function: f.ID, Resource: "R0", Criticality: 3 * exact.One})
	}
	return NextBasis(s, nil, nil, r, false)
}

func TestLossIsTheSumOfItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, r := small(), anyRelease("v1", true).Draw(t, "release")
		a := assess(t, s, r)
		sum := Range{}
		for _, l := range a.Lost {
			sum = sum.plus(l.Points)
		}
		if !sum.Lo.Equal(hundred.Mul(a.Loss.Lo)) || !sum.Hi.Equal(hundred.Mul(a.Loss.Hi)) {
			t.Fatalf("the pairs lose %s to %s points, the release %s to %s", sum.Lo, sum.Hi, a.Loss.Lo, a.Loss.Hi)
		}
		parts := exact.Rat{}
		for _, p := range a.Parts {
			parts = parts.Add(p.Points)
		}
		if want := hundred.Mul(s.Complexity.Lambda.Rat()).Mul(a.Regularization); !parts.Equal(want) {
			t.Fatalf("the dimensions lose %s, the size %s", parts, want)
		}
		if open := a.Loss.Hi.Sub(a.Loss.Lo); exact.Whole(1).Sub(a.Coverage).Less(open) {
			t.Fatalf("loss is open by %s, but only %s is not covered", open, exact.Whole(1).Sub(a.Coverage))
		}
	})
}

func TestExplanationAddsUpAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := assess(t, small(), anyRelease("v1", true).Draw(t, "release")).Explain()
		sum := hundred
		for _, l := range e.Lines {
			sum = sum.Sub(mustRat(l.Points))
		}
		if sum.Text(2) != e.Total || hundred.Sub(mustRat(e.Lost)).Sub(mustRat(e.Complexity)).Text(2) != e.Total {
			t.Fatalf("the lines add up to %s\n%s", sum.Text(2), e)
		}
	})
}

func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, r := small(), anyRelease("v1", false).Draw(t, "release")
		before := assess(t, s, r)
		if len(r.Pairs) > 0 {
			i := rapid.IntRange(0, len(r.Pairs)-1).Draw(t, "pair")
			better := &Release{Name: "v2", Pairs: slices.Clone(r.Pairs), Size: r.Size}
			better.Pairs[i].Score = Known(exact.Decimal(rapid.Int64Range(int64(r.Pairs[i].Score.Lo), exact.Scale).Draw(t, "raised")))
			if after := assess(t, s, better); before.Objective.Lo.Less(after.Objective.Lo) {
				t.Fatalf("a raised score raised the objective from %s to %s", before.Objective.Lo, after.Objective.Lo)
			}
			if d := compare(t, s, everything(s), r, better); d.Delta.Lo.Sign() < 0 {
				t.Fatalf("a raised score gave %s", d.Delta.Lo)
			}
		}
		larger := &Release{Name: "v2", Pairs: r.Pairs, Size: r.Size}
		larger.Size.Grants++
		larger.Size.Cost++
		if after := assess(t, s, larger); !before.Objective.Lo.Less(after.Objective.Lo) {
			t.Fatal("more grants and dollars did not raise the objective")
		}
	})
}

func TestDifferencesArePathIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := small()
		b := everything(s)
		v1, v2, v3 := anyRelease("v1", false).Draw(t, "v1"), anyRelease("v2", false).Draw(t, "v2"), anyRelease("v3", false).Draw(t, "v3")
		steps := compare(t, s, b, v1, v2).Delta.plus(compare(t, s, b, v2, v3).Delta)
		whole := compare(t, s, b, v1, v3)
		if !steps.Lo.Equal(whole.Delta.Lo) {
			t.Fatalf("by way of v2 %s, straight %s", steps.Lo, whole.Delta.Lo)
		}
		sum := whole.Complexity
		for _, c := range whole.Changes {
			sum = sum.Add(c.Points.Lo)
		}
		if !sum.Equal(whole.Delta.Lo) {
			t.Fatalf("the changes add up to %s, not to %s", sum, whole.Delta.Lo)
		}
	})
}

func TestPerfectAdditionsGainNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v1 := small(), anyRelease("v1", false).Draw(t, "v1")
		s.Ratchet.Additions = rapid.SampledFrom([]Additions{Clean, Average}).Draw(t, "additions")
		v2 := &Release{Name: "v2", Pairs: slices.Clone(v1.Pairs), Size: v1.Size}
		for i := range rapid.IntRange(1, 5).Draw(t, "more") {
			v2.Size.Resources++
			for _, f := range s.Functions {
				v2.Pairs = append(v2.Pairs, Pair{Function: f.ID, Resource: fmt.Sprintf("Empty%d", i), Score: Known(exact.One), Criticality: exact.One})
			}
		}
		v := must2(t, v1, v2, s)
		if v.Delta.Decided.Lo.Sign() >= 0 {
			t.Fatalf("perfect, empty resources gained %s", v.Delta.Decided.Lo)
		}
	})
}

func must2(t *rapid.T, v1, v2 *Release, s *Suite) *Verdict {
	v, err := Decide(v1, v2, s, Options{})
	return must(t, v, err)
}

func TestRenamingGainsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v1 := small(), anyRelease("v1", false).Draw(t, "v1")
		v2 := &Release{Name: "v2", Pairs: slices.Clone(v1.Pairs), Size: v1.Size}
		for i := range v2.Pairs {
			v2.Pairs[i].Resource = "New" + v2.Pairs[i].Resource
		}
		if d := must2(t, v1, v2, s).Delta; d.Decided.Lo.Sign() != 0 || d.Decided.Hi.Sign() != 0 {
			t.Fatalf("renaming every resource gained %s (forgiven %s)", d.Decided.Lo, d.Allowance.Lo)
		}
		a, b := assess(t, s, v1), assess(t, s, v2)
		if !a.Objective.Lo.Equal(b.Objective.Lo) {
			t.Fatal("names count in the level")
		}
	})
}

func TestOrderDoesNotCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := small()
		v1, v2 := anyRelease("v1", true).Draw(t, "v1"), anyRelease("v2", true).Draw(t, "v2")
		first, err := json.Marshal(must2(t, v1, v2, s))
		must(t, first, err)
		v1.Pairs, v2.Pairs = rapid.Permutation(v1.Pairs).Draw(t, "p1"), rapid.Permutation(v2.Pairs).Draw(t, "p2")
		second, err := json.Marshal(must2(t, v1, v2, s))
		if must(t, second, err); string(first) != string(second) {
			t.Fatalf("in another order:\n%s\n%s", first, second)
		}
	})
}

// TestTheDifferenceIsBoundByWhatTheUnknownMayBe fills in the unknown scores: the difference that comes must lie in the interval.
func TestTheDifferenceIsBoundByWhatTheUnknownMayBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := small()
		v1, v2 := anyRelease("v1", true).Draw(t, "v1"), anyRelease("v2", true).Draw(t, "v2")
		open := must2(t, v1, v2, s)
		for _, r := range []*Release{v1, v2} {
			for i := range r.Pairs {
				if !r.Pairs[i].Score.IsKnown() {
					r.Pairs[i].Score = anyScore(false).Draw(t, "known")
				}
			}
		}
		closed := must2(t, v1, v2, s)
		if d := closed.Delta.Decided; !d.IsKnown() || d.Lo.Less(open.Delta.Decided.Lo) || open.Delta.Decided.Hi.Less(d.Lo) {
			t.Fatalf("%s does not lie between %s and %s", d.Lo, open.Delta.Decided.Lo, open.Delta.Decided.Hi)
		}
		if open.Decision != Inconclusive && hasNoCoverageFinding(open) && open.Decision != closed.Decision {
			t.Fatalf("%s whatever the unknown is, and then %s", open.Decision, closed.Decision)
		}
	})
}

func hasNoCoverageFinding(v *Verdict) bool {
	return !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Check == Coverage })
}

// TestWhatIsPrintedDecidesAlike reads the numbers of a ratchet's finding back.
func TestWhatIsPrintedDecidesAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := small()
		s.Ratchet.Regressions = Allow
		v := must2(t, anyRelease("v1", false).Draw(t, "v1"), anyRelease("v2", false).Draw(t, "v2"), s)
		var number, rest string
		if _, err := fmt.Sscanf(v.Why[0], "fitness %s %s against", &number, &rest); err != nil {
			t.Fatalf("%q: %v", v.Why[0], err)
		}
		shown, err := exact.ParseRat(rest)
		if must(t, shown, err); shown.Less(s.Ratchet.Tolerance.Rat().Neg()) != (v.Decision == Rejected) {
			t.Fatalf("%s: %q", v.Decision, v.Why[0])
		}
	})
}
