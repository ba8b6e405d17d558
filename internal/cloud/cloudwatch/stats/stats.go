// Package stats answers: what do many observations amount to, in a bounded amount of memory?
//
// A [Distribution] keeps the count, sum, minimum and maximum of what it was given, exactly, and the values themselves with
// their weights: exactly while there are few different ones, and rounded to a relative precision that gets coarser as they
// become more (1 % first, doubling as often as is needed). So percentiles of thousands of latencies from a millisecond to a
// second are right to two percent, and those of small sets are exact.
package stats

import (
	"math"
	"slices"
)

// limit is how many different values a Distribution keeps.
const limit = 256

// Distribution sums up observations. The zero value has none. A Distribution is a value: methods return a new one, and
// never change what they were called on.
type Distribution struct {
	Count, Sum, Min, Max float64

	values []weighted // by value
	level  uint8      // values are rounded to 2^(level-1) percent; 0: exact
	opaque bool       // part of the count came without values
}

type weighted struct{ value, weight float64 }

// Of returns the distribution of one value, observed count times.
func Of(value, count float64) Distribution {
	if count <= 0 {
		return Distribution{}
	}
	return Distribution{Count: count, Sum: value * count, Min: value, Max: value, values: []weighted{{value, count}}}
}

// Set returns the distribution of which only these sums are known. Percentiles can be told of it only where minimum and
// maximum are the same.
func Set(count, sum, minimum, maximum float64) Distribution {
	if count <= 0 {
		return Distribution{}
	}
	d := Distribution{Count: count, Sum: sum, Min: minimum, Max: maximum}
	if minimum == maximum {
		d.values = []weighted{{minimum, count}}
	} else {
		d.opaque = true
	}
	return d
}

// Merge returns the distribution of both sets of observations.
func (d Distribution) Merge(e Distribution) Distribution {
	switch {
	case d.Count == 0:
		return e
	case e.Count == 0:
		return d
	}
	m := Distribution{
		Count:  d.Count + e.Count,
		Sum:    d.Sum + e.Sum,
		Min:    math.Min(d.Min, e.Min),
		Max:    math.Max(d.Max, e.Max),
		level:  max(d.level, e.level),
		opaque: d.opaque || e.opaque,
	}
	m.values = mergeSorted(d.atLevel(m.level), e.atLevel(m.level))
	return m.Limit(limit)
}

// Len returns how many different values are kept.
func (d Distribution) Len() int { return len(d.values) }

// Limit returns the distribution with at most n different values kept.
func (d Distribution) Limit(n int) Distribution {
	for len(d.values) > n && d.level < 16 {
		d.level++
		d.values = round(d.values, d.level)
	}
	if len(d.values) > n { // only values of thousands of orders of magnitude get here
		d.values, d.opaque = nil, true
	}
	return d
}

func (d Distribution) atLevel(level uint8) []weighted {
	if d.level == level {
		return d.values
	}
	return round(d.values, level)
}

// mergeSorted joins two sorted lists and adds up what is equal.
func mergeSorted(a, b []weighted) []weighted {
	out := make([]weighted, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var w weighted
		if len(b) == 0 || len(a) > 0 && a[0].value <= b[0].value {
			w, a = a[0], a[1:]
		} else {
			w, b = b[0], b[1:]
		}
		if n := len(out); n > 0 && out[n-1].value == w.value {
			out[n-1].weight += w.weight
			continue
		}
		out = append(out, w)
	}
	return out
}

// round moves every value to the middle of its bucket, on a logarithmic scale whose steps the level gives.
func round(values []weighted, level uint8) []weighted {
	step := math.Log1p(0.02 * math.Exp2(float64(level-1)))
	out := make([]weighted, 0, len(values))
	for _, w := range values {
		w.value = middle(w.value, step)
		if n := len(out); n > 0 && out[n-1].value == w.value {
			out[n-1].weight += w.weight
			continue
		}
		out = append(out, w)
	}
	return out
}

func middle(v, step float64) float64 {
	if v == 0 {
		return 0
	}
	bucket := math.Floor(math.Log(math.Abs(v)) / step)
	m := math.Exp((bucket + 0.5) * step)
	if math.IsInf(m, 0) {
		m = math.Abs(v)
	}
	return math.Copysign(m, v)
}

// Average returns the mean.
func (d Distribution) Average() float64 {
	if d.Count == 0 {
		return 0
	}
	return d.Sum / d.Count
}

// Percentile returns the smallest value that at least p percent of the observations do not exceed. As in CloudWatch there
// is none where a value is negative, or where values are not known.
func (d Distribution) Percentile(p float64) (float64, bool) {
	if !d.ranked() {
		return 0, false
	}
	if p <= 0 {
		return d.Min, true
	}
	target := p / 100 * d.Count
	// What came before may have lost a little in floating point additions.
	target -= 1e-9 * d.Count
	seen := 0.0
	for _, w := range d.values {
		seen += w.weight
		if seen >= target {
			return d.clamp(w.value), true
		}
	}
	return d.Max, true
}

func (d Distribution) ranked() bool { return d.Count > 0 && !d.opaque && d.Min >= 0 }

func (d Distribution) clamp(v float64) float64 { return math.Min(math.Max(v, d.Min), d.Max) }

// within returns weight and sum of the observations between two ranks, given in percent of the count.
func (d Distribution) within(low, high float64) (weight, sum float64) {
	from, to := low/100*d.Count, high/100*d.Count
	seen := 0.0
	for _, w := range d.values {
		part := math.Min(seen+w.weight, to) - math.Max(seen, from)
		if part > 0 {
			weight += part
			sum += part * d.clamp(w.value)
		}
		seen += w.weight
	}
	return weight, sum
}

// between returns weight and sum of the observations with low < value ≤ high.
func (d Distribution) between(low, high float64) (weight, sum float64) {
	i, _ := slices.BinarySearchFunc(d.values, low, func(w weighted, v float64) int {
		if w.value <= v {
			return -1
		}
		return 1
	})
	for _, w := range d.values[i:] {
		if w.value > high {
			break
		}
		weight += w.weight
		sum += w.weight * d.clamp(w.value)
	}
	return weight, sum
}
