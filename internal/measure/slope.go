package measure

import (
	"fmt"
	"math/big"
	"time"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

// scoreSlope scores the slope of the line through a metric's values, with the interval in which it lies.
func scoreSlope(f suitefile.Slope, s *series) outcome {
	if len(s.points) == 0 {
		return unknown(s.silence())
	}
	slope, margin, ok := leastSquares(s.points)
	if !ok {
		return unknown(fmt.Sprintf("%s has %d values over %s, too few for a slope", s, len(s.points), span(s.window)))
	}
	lo, hi := slope.Sub(margin), slope.Add(margin)
	score, err := fitness.Trend(capped(lo), capped(hi), f.Target, f.Limit)
	if err != nil {
		return unknown(err.Error())
	}
	return outcome{score, fmt.Sprintf("%s changes by %s a day (%s to %s) over %s; target %s, limit %s", s, trimmed(slope), trimmed(lo), trimmed(hi),
		span(s.window), f.Target, f.Limit)}
}

// leastSquares fits a line through points. slope is in units a day; it lies within margin of it, 95 times in 100 where the points
// scatter independently. ok is false for fewer than three points, or all at one time: two have a line, and nothing tells how good it is.
//
// All is exact but the square root in the margin, which is rounded up to a multiple of 10⁻⁹.
func leastSquares(points []point) (slope, margin exact.Rat, ok bool) {
	n := int64(len(points))
	if n < 3 {
		return slope, margin, false
	}
	var x, y, xx, xy, yy exact.Rat
	for _, p := range points {
		px, py := days(p.at.Sub(points[0].at)), p.value.Sub(points[0].value)
		x, y = x.Add(px), y.Add(py)
		xx, xy, yy = xx.Add(px.Mul(px)), xy.Add(px.Mul(py)), yy.Add(py.Mul(py))
	}
	about := func(squares, a, b exact.Rat) exact.Rat { return squares.Sub(a.Mul(b).Div(exact.Whole(n))) } // the means
	xx, xy, yy = about(xx, x, x), about(xy, x, y), about(yy, y, y)
	if xx.Sign() == 0 {
		return slope, margin, false
	}
	slope = xy.Div(xx)
	residuals := yy.Sub(slope.Mul(xy))
	variance := residuals.Div(exact.Whole(n - 2)).Div(xx)
	q := quantile(n - 2)
	return slope, rootUp(q.Mul(q).Mul(variance)), true
}

func days(d time.Duration) exact.Rat { return exact.Ratio(int64(d/time.Second), 24*60*60) }

// quantiles are Student's t for 95 in 100, two-sided, by degrees of freedom from 1, in thousandths.
var quantiles = [...]int64{12706, 4303, 3182, 2776, 2571, 2447, 2365, 2306, 2262, 2228, 2201, 2179, 2160, 2145, 2131, 2120, 2110, 2101, 2093, 2086,
	2080, 2074, 2069, 2064, 2060, 2056, 2052, 2048, 2045, 2042}

// quantile is on the safe side beyond the table: it falls towards 1.96.
func quantile(freedom int64) exact.Rat {
	return exact.Ratio(quantiles[min(freedom, int64(len(quantiles)))-1], 1000)
}

// rootUp is the least multiple of 10⁻⁹ whose square is r or more. r is not negative.
func rootUp(r exact.Rat) exact.Rat {
	b := r.Big()
	scaled := new(big.Int).Mul(b.Num(), big.NewInt(exact.Scale))
	scaled.Mul(scaled, big.NewInt(exact.Scale))
	up, rest := new(big.Int).QuoRem(scaled, b.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		up.Add(up, big.NewInt(1))
	}
	root := new(big.Int).Sqrt(up)
	if new(big.Int).Mul(root, root).Cmp(up) < 0 {
		root.Add(root, big.NewInt(1))
	}
	return exact.Scaled(root, exact.Digits)
}
