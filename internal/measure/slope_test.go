package measure

import (
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

var day0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// decimals are numbers as metrics have them.
func decimals() *rapid.Generator[exact.Rat] {
	return rapid.Custom(func(t *rapid.T) exact.Rat { return exact.Ratio(rapid.Int64Range(-1e9, 1e9).Draw(t, "units"), 1000) })
}

// scatter are values at different times.
func scatter() *rapid.Generator[[]point] {
	return rapid.Custom(func(t *rapid.T) []point {
		hours := rapid.SliceOfNDistinct(rapid.IntRange(0, 720), 3, 40, rapid.ID[int]).Draw(t, "hours")
		points := make([]point, len(hours))
		for i, h := range hours {
			points[i] = point{day0.Add(time.Duration(h) * time.Hour), decimals().Draw(t, "value")}
		}
		return points
	})
}

func moved(points []point, by func(point) exact.Rat) []point {
	out := make([]point, len(points))
	for i, p := range points {
		out[i] = point{p.at, by(p)}
	}
	return out
}

func fit(t *rapid.T, points []point) (slope, margin exact.Rat) {
	slope, margin, ok := leastSquares(points)
	if !ok || margin.Sign() < 0 {
		t.Fatalf("no slope of %v: %v ± %v", points, slope, margin)
	}
	return slope, margin
}

// TestLine: points on a line have its slope, and leave no doubt.
func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		line := moved(scatter().Draw(t, "points"), func(p point) exact.Rat { return a.Add(b.Mul(days(p.at.Sub(day0)))) })
		if slope, margin := fit(t, line); !slope.Equal(b) || margin.Sign() != 0 {
			t.Fatalf("the line %s + %s·x has the slope %s ± %s", a, b, slope, margin)
		}
	})
}

// TestSlopeLaws: adding a line adds its slope, mirroring mirrors it, and neither moves the margin; no other line is nearer.
func TestSlopeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := scatter().Draw(t, "points")
		slope, margin := fit(t, points)
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		tilted, same := fit(t, moved(points, func(p point) exact.Rat { return p.value.Add(a).Add(b.Mul(days(p.at.Sub(day0)))) }))
		if !tilted.Equal(slope.Add(b)) || !same.Equal(margin) {
			t.Fatalf("%s ± %s tilted by %s is %s ± %s", slope, margin, b, tilted, same)
		}
		mirrored, same := fit(t, moved(points, func(p point) exact.Rat { return p.value.Neg() }))
		if !mirrored.Equal(slope.Neg()) || !same.Equal(margin) {
			t.Fatalf("%s ± %s mirrored is %s ± %s", slope, margin, mirrored, same)
		}
		if other := slope.Add(b); off(points, other).Less(off(points, slope)) {
			t.Fatalf("the slope %s is nearer than %s", other, slope)
		}
	})
}

// off is the sum of squares by which points miss the best line of a slope.
func off(points []point, slope exact.Rat) exact.Rat {
	var sum, squares exact.Rat
	for _, p := range points {
		d := p.value.Sub(slope.Mul(days(p.at.Sub(day0))))
		sum, squares = sum.Add(d), squares.Add(d.Mul(d))
	}
	return squares.Sub(sum.Mul(sum).Div(exact.Whole(int64(len(points)))))
}

// TestKnownSlope holds a fit against one made by hand.
func TestKnownSlope(t *testing.T) {
	var points []point
	for i, v := range []int64{1, 3, 2, 5} {
		points = append(points, point{day0.AddDate(0, 0, i), exact.Whole(v)})
	}
	slope, margin, ok := leastSquares(points)
	// The residual sum of squares is 2.7: the standard error √(2.7/2/5) = 0.519615, times 4.303.
	if !ok || slope.Text(6) != "1.100000" || margin.Text(3) != "2.236" {
		t.Errorf("got %s ± %s", slope.Text(6), margin.Text(6))
	}
	if _, _, ok := leastSquares(points[:2]); ok {
		t.Error("two points have a slope")
	}
	same := []point{points[0], points[0], points[0]}
	if _, _, ok := leastSquares(same); ok {
		t.Error("points at one time have a slope")
	}
}

func TestRootUp(t *testing.T) {
	step := exact.Ratio(1, exact.Scale)
	rapid.Check(t, func(t *rapid.T) {
		r := exact.Ratio(rapid.Int64Range(0, math.MaxInt64).Draw(t, "num"), rapid.Int64Range(1, math.MaxInt64).Draw(t, "den"))
		root := rootUp(r)
		if root.Mul(root).Less(r) {
			t.Fatalf("%s is too small a root of %s", root, r)
		}
		if below := root.Sub(step); root.Sign() > 0 && !below.Mul(below).Less(r) {
			t.Fatalf("%s is too large a root of %s", root, r)
		}
	})
}

// counted events are split over periods in any way.
func events(t *rapid.T, name string, n int64) *series {
	s := &series{}
	for left := n; left > 0; {
		part := rapid.Int64Range(1, left).Draw(t, name)
		v, err := number(float64(part))
		if err != nil {
			t.Fatal(err)
		}
		s.points, left = append(s.points, point{day0, v}), left-part
	}
	return s
}

// TestBudgetLaws: the score is what is left of the budget, however events are spread over time, and no bad event raises it.
func TestBudgetLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 1e9).Draw(t, "total")
		bad := rapid.Int64Range(0, total).Draw(t, "bad")
		f := suitefile.ServiceLevel{Objective: exact.Decimal(rapid.Int64Range(0, exact.Scale-1).Draw(t, "objective")), Window: time.Hour}
		all := events(t, "all", total)
		got := scoreBudget(f, events(t, "of bad", bad), all).score
		left := exact.Whole(1).Sub(exact.Ratio(bad, total).Div((exact.One - f.Objective).Rat()))
		if want := capped(exact.Max(left, exact.Rat{})); !got.IsKnown() || got.Lo != want {
			t.Fatalf("%d of %d at %s scores %s, want %s", bad, total, f.Objective, got, want)
		}
		more := rapid.Int64Range(bad, total).Draw(t, "more")
		if worse := scoreBudget(f, events(t, "of more", more), all).score; worse.Lo > got.Lo {
			t.Fatalf("%d bad events score %s, %d score %s", bad, got, more, worse)
		}
		if over := scoreBudget(f, events(t, "of too many", total+1), all); over.score != fitness.Unknown {
			t.Fatalf("more bad events than events score %s", over.score)
		}
	})
}

// TestSeconds: CloudWatch takes the period, for data of that age, and it is no finer than what is asked for.
func TestSeconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := time.Duration(rapid.Int64Range(1, int64(100*24*time.Hour)).Draw(t, "period"))
		age := time.Duration(rapid.Int64Range(1, int64(400*24*time.Hour)).Draw(t, "age"))
		got := seconds(period, age)
		short := got == 1 || got == 5 || got == 10 || got == 20 || got == 30
		switch {
		case time.Duration(got)*time.Second < period:
			t.Fatalf("%s becomes %d s", period, got)
		case age > 63*24*time.Hour && got%3600 != 0, age > 15*24*time.Hour && got%300 != 0, age > 3*time.Hour && got%60 != 0, !short && got%60 != 0:
			t.Fatalf("CloudWatch has no period of %d s for data of %s ago", got, age)
		}
	})
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.1: "1/10", 241: "241", 1e21: "1000000000000000000000", -2.5e-7: "-1/4000000"} {
		if got, err := number(v); err != nil || got.String() != want {
			t.Errorf("%v is %s, %v", v, got, err)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300} {
		if got, err := number(v); err == nil {
			t.Errorf("%v is %s", v, got)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ number, unit, want string }{{"241", "ms", "241 ms"}, {"1000", "ms", "1 s"}, {"1536", "B", "1.5 KB"}, {"0", "B", "0 B"}, {"99.9", "%", "99.9%"},
		{"-3", "ms", "-3 ms"}, {"0.00004", "", "0.00004"}, {"100", "", "100"}, {"0", "", "0"}} {
		r, err := exact.ParseRat(c.number)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(r, c.unit); got != c.want {
			t.Errorf("%s %s is shown as %s, want %s", c.number, c.unit, got, c.want)
		}
	}
	for d, want := range map[time.Duration]string{10 * time.Minute: "10 minutes", time.Hour: "1 hour", 7 * 24 * time.Hour: "7 days", 90 * time.Minute: "90 minutes", 61 * time.Second: "1m1s"} {
		if got := span(d); got != want {
			t.Errorf("%s is %s, want %s", strconv.FormatFloat(d.Seconds(), 'f', 0, 64), got, want)
		}
	}
}
