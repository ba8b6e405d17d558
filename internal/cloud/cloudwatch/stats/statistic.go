package stats

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// Statistic is a way to make one number of a distribution: Average, Sum, p99, TM(10%:90%), and so on.
type Statistic struct {
	name      string
	kind      string // the name without its bounds: "Average", "p", "TM"
	low, high float64
	absolute  bool // the bounds are values, not percentages
}

var (
	percentile = regexp.MustCompile(`^(p|tm|wm|tc|ts)(\d{1,2}(?:\.\d{1,10})?|100)$`)
	bounded    = regexp.MustCompile(`^(TM|WM|TC|TS|PR)\(([^:()]*):([^:()]*)\)$`)
	basic      = map[string]bool{"SampleCount": true, "Average": true, "Sum": true, "Minimum": true, "Maximum": true, "IQM": true}
)

// Parse reads a statistic as CloudWatch writes them.
func Parse(name string) (Statistic, error) {
	s := Statistic{name: name, kind: name, high: 100}
	if basic[name] {
		return s, nil
	}
	if m := percentile.FindStringSubmatch(name); m != nil {
		s.kind = m[1]
		s.high, _ = strconv.ParseFloat(m[2], 64)
		return s, nil
	}
	if m := bounded.FindStringSubmatch(name); m != nil {
		return s.bound(m[1], m[2], m[3])
	}
	return s, fmt.Errorf("%q is not a statistic", name)
}

// bound reads the two bounds, both percentages or both values, of which one may be left out.
func (s Statistic) bound(kind, low, high string) (Statistic, error) {
	s.kind = kind
	percent := endsWithPercent(low) || endsWithPercent(high)
	s.absolute = !percent
	if s.absolute {
		s.low, s.high = math.Inf(-1), math.Inf(1)
	}
	if low == "" && high == "" || kind == "PR" && percent {
		return s, fmt.Errorf("%q is not a statistic", s.name)
	}
	for _, b := range []struct {
		text string
		to   *float64
	}{{low, &s.low}, {high, &s.high}} {
		if b.text == "" {
			continue
		}
		if endsWithPercent(b.text) != percent {
			return s, fmt.Errorf("%q mixes percentages with values", s.name)
		}
		if percent {
			b.text = b.text[:len(b.text)-1]
		}
		v, err := strconv.ParseFloat(b.text, 64)
		if err != nil || percent && (v < 0 || v > 100) {
			return s, fmt.Errorf("%q has a bound that is not a number in range", s.name)
		}
		*b.to = v
	}
	if s.low >= s.high {
		return s, fmt.Errorf("%q has its bounds the wrong way round", s.name)
	}
	return s, nil
}

func endsWithPercent(s string) bool { return len(s) > 0 && s[len(s)-1] == '%' }

// String returns the statistic's name.
func (s Statistic) String() string { return s.name }

// Percentile returns the percentile that the statistic is, if it is one.
func (s Statistic) Percentile() (float64, bool) { return s.high, s.kind == "p" }

// Value returns the statistic of a distribution, if it can be told.
func (s Statistic) Value(d Distribution) (float64, bool) {
	if d.Count == 0 {
		return 0, false
	}
	switch s.kind {
	case "SampleCount":
		return d.Count, true
	case "Average":
		return d.Average(), true
	case "Sum":
		return d.Sum, true
	case "Minimum":
		return d.Min, true
	case "Maximum":
		return d.Max, true
	case "p":
		return d.Percentile(s.high)
	}
	if !d.ranked() {
		return 0, false
	}
	return s.trimmed(d)
}

func (s Statistic) trimmed(d Distribution) (float64, bool) {
	low, high := s.low, s.high
	if s.kind == "IQM" {
		low, high = 25, 75
	}
	weigh := d.within
	if s.absolute {
		weigh = d.between
	}
	weight, sum := weigh(low, high)
	switch s.kind {
	case "TM", "tm", "IQM":
		return sum / weight, weight > 0
	case "TC", "tc":
		return weight, true
	case "TS", "ts":
		return sum, true
	case "PR":
		return 100 * weight / d.Count, true
	}
	return s.winsorized(d, weight, sum)
}

// winsorized is the mean with what lies outside of the bounds moved onto them.
func (s Statistic) winsorized(d Distribution, weight, sum float64) (float64, bool) {
	below, above := s.low/100*d.Count, (100-s.high)/100*d.Count
	low, _ := d.Percentile(s.low)
	high, _ := d.Percentile(s.high)
	if s.absolute {
		below, _ = d.between(math.Inf(-1), s.low)
		above, _ = d.between(s.high, math.Inf(1))
		low, high = s.low, s.high
	}
	if below > 0 {
		sum += below * low
	}
	if above > 0 {
		sum += above * high
	}
	return sum / (weight + below + above), d.Count > 0
}
