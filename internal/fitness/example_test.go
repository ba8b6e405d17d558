package fitness

import (
	"fmt"
	"testing"

	"evo/internal/fitness/exact"
)

// The worked example is a small application: two buckets, two tables, two functions behind an API, and a hook.

// TestWhatComplexityCosts holds the prices of size at the default budgets.
func TestWhatComplexityCosts(t *testing.T) {
	c := Default().Complexity
	for _, x := range []struct {
		size Size
		want string
	}{{Size{Resources: 1}, "0.075"}, {Size{Edges: 1}, "0.033"}, {Size{Code: exact.D(10)}, "0.150"}, {Size{Grants: 1}, "0.025"}, {Size{Cost: 10_000_000}, "0.400"}} {
		sum := exact.Rat{}
		for _, p := range c.Parts(x.size) {
			sum = sum.Add(p.Points)
		}
		if got := sum.Text(3); got != x.want {
			t.Errorf("%+v costs %s points, want %s", x.size, got, x.want)
		}
	}
}

// TestLambda holds the gains of four mutations at different λ: without λ two tie, with too much of it nothing pays.
func TestLambda(t *testing.T) {
	mutations := []struct {
		name   string
		gain   string // of the pairs
		cost   Size   // what it adds
		saving int64  // micro-dollars a month that it saves
	}{
		{"on-demand", "4.5", Size{}, 2_280_000},
		{"autoscaling", "4.5", Size{Resources: 4, Edges: 4, Grants: 4}, 810_000},
		{"replication", "1", Size{Resources: 2, Edges: 1, Grants: 6, Cost: 1_060_000}, 0},
		{"log retention", "0.57", Size{Resources: 1}, 0},
	}
	for lambda, want := range map[string][4]string{
		"0":   {"+4.50", "+4.50", "+1.00", "+0.57"},
		"0.1": {"+4.59", "+4.00", "+0.62", "+0.50"},
		"0.5": {"+4.96", "+2.00", "-0.88", "+0.20"},
		"1":   {"+5.41", "-0.51", "-2.76", "-0.18"},
	} {
		c := Default().Complexity
		c.Lambda = exact.MustParse(lambda)
		for i, m := range mutations {
			before, after := Size{Cost: 22_500_000}, m.cost
			after.Cost += before.Cost - m.saving
			_, points := partChanges(&c, before, after)
			if got := exact.MustParse(m.gain).Rat().Add(points).Signed(2); got != want[i] {
				t.Errorf("λ = %s, %s: got %s, want %s", lambda, m.name, got, want[i])
			}
		}
	}
}

// TestLevels computes the releases' levels from the characteristics' scores, which are given to two digits.
func TestLevels(t *testing.T) {
	names := []string{Security, Reliability, Scalability, Operability, Deployability, CostOf, Functionality}
	for _, r := range []struct {
		name   string
		scores []string
		loss   string
	}{
		{"v1", []string{"0.46", "0", "0.08", "0", "0.56", "0", "1"}, "0.633"},
		{"v2", []string{"0.54", "0", "0.08", "0", "0.56", "0.17", "1"}, "0.604"},
		{"v3", []string{"0.54", "0.89", "0.08", "0", "0.56", "0.35", "1"}, "0.434"},
		{"v4", []string{"0.68", "0.89", "0.08", "0", "0.56", "0.35", "1"}, "0.404"},
		{"v5", []string{"0.68", "0.89", "1", "0", "0.56", "0.52", "1"}, "0.284"},
	} {
		s := Default()
		s.Functions = nil
		release := &Release{Name: r.name}
		for i, name := range names {
			s.Functions = append(s.Functions, Function{ID: name, Characteristic: name, Severity: High, Breadth: Holistic})
			release.Pairs = append(release.Pairs, Pair{Function: name, Resource: Stack, Score: Known(exact.MustParse(r.scores[i])), Criticality: exact.One})
		}
		a, err := Assess(s, release)
		if err != nil {
			t.Fatal(err)
		}
		off := a.Loss.Lo.Sub(exact.MustParse(r.loss).Rat())
		if limit := exact.MustParse("0.003").Rat(); limit.Less(off) || off.Less(limit.Neg()) {
			t.Errorf("%s: loss %s, want %s", r.name, a.Loss.Lo.Text(4), r.loss)
		}
	}
}

// TestDilution is why releases are not compared by level: ten empty, compliant buckets lift it.
func TestDilution(t *testing.T) {
	s := Default()
	v1 := &Release{Name: "v1", Pairs: []Pair{
		{Function: "s3-bucket-ssl-requests-only", Resource: "Orders", Criticality: exact.One},
		{Function: "s3-bucket-versioning-enabled", Resource: "Orders", Criticality: exact.One},
	}, Size: Size{Resources: 8}}
	v2 := &Release{Name: "v2", Pairs: append([]Pair{}, v1.Pairs...), Size: Size{Resources: 18}}
	for i := range 10 {
		for _, f := range []string{"s3-bucket-ssl-requests-only", "s3-bucket-versioning-enabled"} {
			v2.Pairs = append(v2.Pairs, Pair{Function: f, Resource: fmt.Sprint("Empty", i), Score: Known(exact.One), Criticality: exact.One})
		}
	}
	v, err := Decide(v1, v2, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := Assess(s, v1)
	if err != nil {
		t.Fatal(err)
	}
	if !before.Fitness.Lo.Less(v.Level.Fitness.Lo) {
		t.Error("the level was expected to rise: then why not compare it?")
	}
	if got := v.Delta.Decided.Lo.Signed(2); got != "-0.75" || v.Decision != Rejected {
		t.Errorf("ten empty buckets: %s, %s; want only their complexity, -0.75, and a refusal", got, v.Decision)
	}
}
