package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func of(values ...float64) Distribution {
	var d Distribution
	for _, v := range values {
		d = d.Merge(Of(v, 1))
	}
	return d
}

func TestStatistics(t *testing.T) {
	d := of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	for name, want := range map[string]float64{
		"SampleCount": 10, "Sum": 55, "Average": 5.5, "Minimum": 1, "Maximum": 10,
		"p50": 5, "p90": 9, "p99": 10, "p100": 10, "p0": 1, "p10": 1, "p99.9": 10,
		"tm90": 5, "tc90": 9, "ts90": 45, "IQM": 5.5, "TM(10%:90%)": 5.5, "TC(2:5)": 3, "TS(:5)": 15, "PR(0:5)": 50,
		"TM(2:4)": 3.5, "wm90": 5.4, "WM(:5)": 4,
	} {
		s, err := Parse(name)
		if err != nil {
			t.Errorf("Parse(%q): %v", name, err)
			continue
		}
		if got, ok := s.Value(d); !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s of 1..10 = %v, %v; want %v", name, got, ok, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, name := range []string{"", "avg", "average", "p", "p101", "p-1", "TM()", "TM(:)", "TM(10%:90)", "TM(90%:10%)", "PR(1%:2%)", "tm(10%:90%)"} {
		if s, err := Parse(name); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", name, s)
		}
	}
}

func TestPercentileIsUnknown(t *testing.T) {
	p := must(Parse("p50"))
	for name, d := range map[string]Distribution{
		"no observation": {}, "negative value": of(-1, 2), "statistic set": Set(3, 6, 1, 3), "merged with a set": of(1).Merge(Set(3, 6, 1, 3)),
	} {
		if v, ok := p.Value(d); ok {
			t.Errorf("%s: p50 = %v, want none", name, v)
		}
	}
	if v, ok := p.Value(Set(3, 6, 2, 2)); !ok || v != 2 {
		t.Errorf("a set whose minimum is its maximum: p50 = %v, %v, want 2", v, ok)
	}
}

func must(s Statistic, err error) Statistic {
	if err != nil {
		panic(err)
	}
	return s
}

// Whatever the values and however they are merged: sums are exact, the memory bounded, and a percentile as near to the exact
// one as the precision says, which is 2 % where the values are latencies of three orders of magnitude.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		values := make([]float64, rapid.IntRange(1, 3000).Draw(t, "n"))
		spread := rapid.Float64Range(0, 3).Draw(t, "spread")
		for i := range values {
			values[i] = math.Min(math.Max(math.Exp(spread*random.NormFloat64()), 0.001), 1000)
		}
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		d := of(values[:cut]...).Merge(of(values[cut:]...))
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		if d.Count != float64(len(values)) || math.Abs(d.Sum-sum) > 1e-6*sum || d.Min != slices.Min(values) || d.Max != slices.Max(values) {
			t.Fatalf("count %v sum %v min %v max %v of %d values with sum %v", d.Count, d.Sum, d.Min, d.Max, len(values), sum)
		}
		if len(d.values) > limit {
			t.Fatalf("%d different values are kept", len(d.values))
		}
		if d.level > 3 {
			t.Fatalf("the precision has come down to level %d", d.level)
		}
		p := rapid.Float64Range(0, 100).Draw(t, "p")
		got, ok := d.Percentile(p)
		slices.Sort(values)
		rank := max(0, int(math.Ceil(p/100*float64(len(values))-1e-6))-1)
		low, high := values[max(0, rank-1)], values[min(len(values)-1, rank+1)]
		tolerance := 0.01 * math.Exp2(float64(d.level)) * 1.05
		if !ok || got < low*(1-tolerance) || got > high*(1+tolerance) {
			t.Fatalf("p%v of %d values = %v, %v; want about %v (level %d)", p, len(values), got, ok, values[rank], d.level)
		}
	})
}

func TestCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := of(rapid.SliceOf(rapid.Float64Range(0, 1e6)).Draw(t, "values")...)
		d = d.Merge(Of(3, rapid.Float64Range(0.5, 9).Draw(t, "weight")))
		if rapid.Bool().Draw(t, "opaque") {
			d = d.Merge(Set(2, 3, 1, 2))
		}
		got, rest, err := Decode(append(d.Append(nil), 'x'))
		if err != nil || string(rest) != "x" || got.Count != d.Count || got.Sum != d.Sum || got.level != d.level || got.opaque != d.opaque || !slices.Equal(got.values, d.values) {
			t.Fatalf("Decode = %+v, %q, %v; want %+v", got, rest, err, d)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(of(1, 2, 3).Append(nil))
	f.Add(Of(1, 0.5).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, _, err := Decode(b); err == nil {
			d.Percentile(50)
		}
	})
}
