package fitness

import (
	"slices"
	"strings"
	"testing"
	"time"

	"evo/internal/cfn/spec"
	"evo/internal/fitness/exact"
)

func dec(text string) exact.Decimal { return exact.MustParse(text) }

func TestDesirability(t *testing.T) {
	latency, throughput := Desirability{Target: dec("0.25"), Limit: dec("1")}, Desirability{Target: dec("1000"), Limit: dec("10")}
	for _, c := range []struct {
		d        Desirability
		measured string
		want     string
	}{
		{latency, "0.1", "1"}, {latency, "0.25", "1"}, {latency, "1", "0"}, {latency, "5", "0"}, {latency, "0", "1"}, {latency, "0.5", "0.5"},
		{throughput, "5", "0"}, {throughput, "10", "0"}, {throughput, "100", "0.5"}, {throughput, "1000", "1"}, {throughput, "0", "0"}, {throughput, "-3", "0"},
	} {
		if got := c.d.Score(dec(c.measured)); got != dec(c.want) {
			t.Errorf("%+v scores %s with %s, want %s", c.d, c.measured, got, c.want)
		}
	}
	if got := latency.ScoreBetween(dec("0.1"), dec("3")); got != Unknown {
		t.Errorf("between both ends: %s", got)
	}
	for _, d := range []Desirability{{}, {Target: 1, Limit: 1}, {Target: -1, Limit: 1}} {
		if d.Validate() == nil {
			t.Errorf("%+v can score", d)
		}
	}
}

func TestErrorBudget(t *testing.T) {
	for _, c := range []struct {
		bad, total int64
		objective  string
		want       Interval
	}{
		{0, 1000, "0.99", Known(exact.One)}, {5, 1000, "0.99", Known(dec("0.5"))}, {10, 1000, "0.99", Known(0)}, {500, 1000, "0.99", Known(0)},
		{0, 0, "0.99", Unknown}, {0, 9, "1", Known(exact.One)}, {1, 9, "1", Known(0)}, {3, 2, "0.9", Unknown}, {1, 3, "0", Known(dec("0.666666667"))},
	} {
		if got := ErrorBudget(c.bad, c.total, dec(c.objective)); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestTrend(t *testing.T) {
	for _, c := range []struct{ lo, hi, target, limit, wantLo, wantHi string }{
		{"0", "0", "0", "2", "1", "1"}, {"1", "1", "0", "2", "0.5", "0.5"}, {"0.5", "3", "0", "2", "0", "0.75"}, {"-1", "4", "2", "0", "0", "1"},
	} {
		got, err := Trend(dec(c.lo), dec(c.hi), dec(c.target), dec(c.limit))
		if want := (Interval{dec(c.wantLo), dec(c.wantHi)}); err != nil || got != want {
			t.Errorf("%+v: got %s (%v)", c, got, err)
		}
	}
	if _, err := Trend(0, 0, 1, 1); err == nil {
		t.Error("a trend without room between target and limit scores")
	}
	if _, err := Trend(1, 0, 0, 1); err == nil {
		t.Error("an interval that ends before it begins scores")
	}
}

func TestTime(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for after, want := range map[time.Duration]string{100 * day: "1", 30 * day: "1", 15 * day: "0.5", 10 * day: "0.333333333", 0: "0", -day: "0"} {
		if got := Temporal(now, now.Add(after), 30*day); got != dec(want) {
			t.Errorf("due in %s: got %s, want %s", after, got, want)
		}
	}
	if got := Temporal(now, now.Add(1), 0); got != exact.One {
		t.Errorf("without notice, before it is due: %s", got)
	}
	a := &Attestation{Score: dec("0.8"), At: now, ValidFor: 90 * day}
	for age, want := range map[time.Duration]string{-1: "0", 0: "0.8", 60 * day: "0.8", 75 * day: "0.5", 90 * day: "0"} {
		if got := Attested(a, now.Add(age), 30*day); got != dec(want) {
			t.Errorf("after %s: got %s, want %s", age, got, want)
		}
	}
	if Attested(nil, now, day) != exact.Zero {
		t.Error("what nobody attests scores")
	}
	last := Known(dec("0.7"))
	if StandIn(Unknown, last, now, now.Add(day), 2*day) != last || StandIn(Unknown, last, now, now.Add(2*day), 2*day) != Unknown || StandIn(Known(0), last, now, now, day) != Known(0) {
		t.Error("a last known score stands in for an unknown one, for its time")
	}
}

func TestSteady(t *testing.T) {
	good, bad := Known(exact.One), Known(exact.Zero)
	for _, c := range []struct {
		samples []Interval
		want    Interval
	}{
		{nil, Unknown}, {[]Interval{bad}, bad}, {[]Interval{bad, good}, good}, {[]Interval{good, bad, bad}, bad}, {[]Interval{bad, good, good}, good},
		{[]Interval{bad, bad, bad, good, good}, good}, {[]Interval{bad, Unknown, good}, Unknown}, {[]Interval{bad, Unknown, bad}, bad},
	} {
		if got := Steady(c.samples...); got != c.want {
			t.Errorf("%v: got %s, want %s", c.samples, got, c.want)
		}
	}
}

func TestGrades(t *testing.T) {
	g := Grades{"none": 0, "AES256": dec("0.8"), "aws:kms": exact.One}
	if g.Score("AES256") != Known(dec("0.8")) || g.Score("later") != Unknown {
		t.Error("grades score by their table, and nothing else")
	}
	if PerOffence(0) != exact.One || PerOffence(2) != dec("0.333333333") || PerOffence(-1) != exact.One {
		t.Error("1/(1+n)")
	}
}

// TestCatalogue holds the table to itself and to what CloudFormation knows.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Catalogue {
		if seen[e.Rule] {
			t.Errorf("%s is there twice", e.Rule)
		}
		seen[e.Rule] = true
		if !strings.Contains(e.Type, "::::") && !spec.Known(e.Type) {
			t.Errorf("%s judges %s, which CloudFormation does not know", e.Rule, e.Type)
		}
		if !slices.Contains([]exact.Decimal{Critical, High, Medium, Low}, e.Severity) || e.Title == "" {
			t.Errorf("%s has no named severity, or no title", e.Rule)
		}
	}
	for name := range helpers {
		if !strings.HasPrefix(name, "AWS::Serverless::") && !spec.Known(name) {
			t.Errorf("there is no type %s", name)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	for _, pair := range [][2]string{{"s3-bucket-server-side-encryption-enabled", "s3-default-encryption-kms"}, {"dynamodb-table-encryption-enabled", "dynamodb-table-encrypted-kms"}, {"s3-bucket-public-read-prohibited", "s3-bucket-level-public-access-prohibited"}} {
		if Default().Function(pair[0]) == nil || Default().Function(pair[1]) != nil {
			t.Errorf("of %v the first is in the default suite, and not the second", pair)
		}
	}
}

func TestCriticality(t *testing.T) {
	s := Default()
	s.Criticality["Orders"] = exact.D(2)
	if s.CriticalityOf("Orders", "AWS::DynamoDB::Table") != exact.D(2) || s.CriticalityOf("Logs", "AWS::Logs::LogGroup") != dec("0.3") || s.CriticalityOf("X", "Y") != exact.One {
		t.Error("what the suite says, else the helper's, else 1")
	}
	for name, c := range helpers {
		if c < dec("0.1") || c > dec("0.5") {
			t.Errorf("%s: %s", name, c)
		}
	}
}

// TestAFeatureWithItsTestIsFitter adds a function, a smoke test, and what they cost.
func TestAFeatureWithItsTestIsFitter(t *testing.T) {
	s := Default()
	s.Functions = append(s.Functions, Function{ID: "shop-opens", Characteristic: Functionality, Severity: Critical, Breadth: Holistic, Required: true})
	before := *s
	v1 := &Release{Name: "v1", Size: Size{Resources: 8}, Pairs: []Pair{{Function: "shop-opens", Resource: Stack, Score: Known(exact.One), Criticality: exact.One}}}
	judged, err := Assess(&before, v1)
	if err != nil {
		t.Fatal(err)
	}
	s.Functions = append(slices.Clone(s.Functions), Function{ID: "reviews-work", Characteristic: Functionality, Severity: Critical, Breadth: Holistic, Required: true})
	v2 := &Release{Name: "v2", Size: Size{Resources: 10}, Pairs: append(slices.Clone(v1.Pairs), Pair{Function: "reviews-work", Resource: Stack, Score: Known(exact.One), Criticality: exact.One})}
	v, err := Decide(v1, v2, s, Options{Judged: judged})
	if err != nil {
		t.Fatal(err)
	}
	if v.Decision != Accepted || v.Delta.Kept.Lo.Sign() <= 0 || v.Delta.Requirements.Hi.Sign() >= 0 {
		t.Errorf("%s\nkept %s, requirements %v", v, v.Delta.Kept.Lo, v.Delta.Requirements)
	}
	v2.Pairs = v1.Pairs
	if v, err = Decide(v1, v2, s, Options{}); err != nil || v.Decision != Inconclusive {
		t.Errorf("a required check without a result: %v (%v)", v, err)
	}
}

func TestReferenceIn(t *testing.T) {
	history := []Past{{"v1", true, exact.Whole(0)}, {"v2", true, exact.Whole(9)}, {"v3", false, exact.Whole(20)}, {"v4", true, exact.Whole(7)}, {"v5", false, exact.Whole(1)}}
	for policy, want := range map[ReferencePolicy]int{LastSucceeded: 3, Best: 1} {
		if got, ok := ReferenceIn(history, policy); !ok || got != want {
			t.Errorf("%s: got %d", policy, got)
		}
	}
	if _, ok := ReferenceIn(history[4:], Best); ok {
		t.Error("a release that failed is a reference")
	}
}

func TestCalibrate(t *testing.T) {
	size := Size{Resources: 12, Edges: 3, Code: dec("2.5"), Cost: 7_000_000}
	c, err := Default().Complexity.Calibrate(size)
	if err != nil {
		t.Fatal(err)
	}
	size.Grants = 60 // of which there is nothing, so that the budget stays
	if got := c.regularization(size); !got.Equal(exact.Whole(1)) {
		t.Errorf("an architecture of its own budget has Ω = %s", got)
	}
}

func TestValidate(t *testing.T) {
	for name, spoil := range map[string]func(*Suite){
		"a characteristic twice":  func(s *Suite) { s.Characteristics = append(s.Characteristics, s.Characteristics[0]) },
		"a function twice":        func(s *Suite) { s.Functions = append(s.Functions, s.Functions[0]) },
		"no such characteristic":  func(s *Suite) { s.Functions[0].Characteristic = "beauty" },
		"no severity":             func(s *Suite) { s.Functions[0].Severity = 0 },
		"a negative weight":       func(s *Suite) { s.Characteristics[0].Weight = -1 },
		"a budget of nothing":     func(s *Suite) { s.Complexity.Budgets[0].Amount = 0 },
		"two budgets":             func(s *Suite) { s.Complexity.Budgets[0].Dimension = Edges },
		"a policy that is none":   func(s *Suite) { s.Ratchet.Policy = "hope" },
		"a negative tolerance":    func(s *Suite) { s.Ratchet.Tolerance = -1 },
		"a floor above the roof":  func(s *Suite) { s.Characteristics[0].Floor = exact.D(2) },
		"a negative lambda":       func(s *Suite) { s.Complexity.Lambda = -1 },
		"a minimum above the top": func(s *Suite) { s.Functions[0].Minimum = exact.D(2) },
	} {
		s := Default()
		if spoil(s); s.Validate() == nil {
			t.Errorf("%s is valid", name)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	s := Default()
	r := &Release{Name: "v1"}
	for i := range 500 {
		for _, f := range s.Functions[:20] {
			r.Pairs = append(r.Pairs, Pair{Function: f.ID, Resource: "R" + string(rune('A'+i)), Score: Known(exact.Decimal(i) * 2e6 / 3), Criticality: exact.One})
		}
	}
	for b.Loop() {
		if _, err := Decide(r, r, s, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
