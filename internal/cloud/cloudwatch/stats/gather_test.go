package stats

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestGathererIsMerge holds a Gatherer to what merging one after the other gives: the same, as long as no value is rounded.
func TestGathererIsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var g Gatherer
		var want Distribution
		for range rapid.IntRange(0, 1500).Draw(t, "n") {
			d := Of(float64(rapid.IntRange(-50, 150).Draw(t, "value")), float64(rapid.IntRange(0, 3).Draw(t, "count")))
			if rapid.IntRange(0, 400).Draw(t, "set") == 0 {
				d = Set(2, 5, 2, 3)
			}
			g.Add(d)
			want = want.Merge(d)
			if rapid.IntRange(0, 100).Draw(t, "look") == 0 {
				same(t, g.Distribution(), want)
			}
		}
		same(t, g.Distribution(), want)
	})
}

func same(t *rapid.T, got, want Distribution) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Distribution{}, weighted{})); diff != "" {
		t.Fatalf("not as merged (-merged +gathered):\n%s", diff)
	}
}

// TestGathererIsPrecise gathers more values than can be kept.
func TestGathererIsPrecise(t *testing.T) {
	var g Gatherer
	const n = 5000
	for i := range n {
		g.Add(Of(1+float64(i*7919%n)/10, 1))
	}
	d := g.Distribution()
	if d.Count != n || d.Min != 1 || d.Max != 1+(n-1)/10.0 || d.Len() > limit {
		t.Fatalf("count %v, least %v, most %v, values %d", d.Count, d.Min, d.Max, d.Len())
	}
	for _, p := range []float64{10, 50, 90, 99} {
		want := 1 + (p/100*n-1)/10
		if got, ok := d.Percentile(p); !ok || math.Abs(got-want) > 0.03*want {
			t.Errorf("p%v = %v, %v; want about %v", p, got, ok, want)
		}
	}
}

func BenchmarkGather(b *testing.B) {
	b.ReportAllocs()
	var g Gatherer
	for i := 0; b.Loop(); i++ {
		g.Add(Of(float64(i*7919%10_007)/10, 1))
	}
}
