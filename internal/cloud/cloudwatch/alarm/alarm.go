// Package alarm answers: given its rule and the newest datapoints, in which state is an alarm, and why?
//
// It is pure: [Rule.Evaluate] is the evaluation of a metric alarm, M out of N and missing data included, with the words in
// which CloudWatch gives the reason; [Composite] is the rule expression of a composite alarm.
package alarm

import (
	"slices"
	"time"
)

// State of an alarm. The zero value, Retained, stands for the one that it has already.
type State string

const (
	Retained         State = ""
	OK               State = "OK"
	Alarm            State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// Treatment says how datapoints that are missing count.
type Treatment string

const (
	Missing      Treatment = "missing"
	Ignore       Treatment = "ignore"
	Breaching    Treatment = "breaching"
	NotBreaching Treatment = "notBreaching"
)

// Rule is what a metric alarm compares.
type Rule struct {
	Comparison        string // GreaterThanThreshold and so on
	Threshold         float64
	Periods           int // N: evaluation periods
	DatapointsToAlarm int // M; 0: all N
	Missing           Treatment
}

// Datapoint is a period's value; a missing one has its time only.
type Datapoint struct {
	At          time.Time // the start of its period
	Value       float64
	SampleCount float64 // 0 where it is not known
	Present     bool
}

// Verdict is the outcome of an evaluation.
type Verdict struct {
	State     State
	Evaluated []Datapoint // newest first, the missing ones that were filled in last
	Filled    int         // how many of them were missing
}

// Range is how many of the newest periods an evaluation looks at. CloudWatch looks at more than it needs, so that a
// datapoint that comes late or not at all does not count as missing at once; how many more is not published, and two is
// what its documentation's example shows.
func (r Rule) Range() int { return r.Periods + 2 }

func (r Rule) toAlarm() int {
	if r.DatapointsToAlarm == 0 {
		return r.Periods
	}
	return r.DatapointsToAlarm
}

// Breaches tells whether a value crosses the threshold.
func (r Rule) Breaches(v float64) bool {
	switch r.Comparison {
	case "GreaterThanThreshold":
		return v > r.Threshold
	case "GreaterThanOrEqualToThreshold":
		return v >= r.Threshold
	case "LessThanThreshold":
		return v < r.Threshold
	case "LessThanOrEqualToThreshold":
		return v <= r.Threshold
	}
	return false
}

// Evaluate judges the datapoints of the evaluation range, given newest first, missing ones included.
func (r Rule) Evaluate(points []Datapoint) Verdict {
	var present, missing []Datapoint
	for _, p := range points {
		if p.Present {
			present = append(present, p)
		} else {
			missing = append(missing, p)
		}
	}
	if len(present) >= r.Periods {
		present = present[:r.Periods]
		return Verdict{State: r.judge(r.breaching(present)), Evaluated: present}
	}
	filled := r.Periods - len(present)
	v := Verdict{Filled: filled, Evaluated: slices.Concat(present, missing[:min(filled, len(missing))])}
	breaching := r.breaching(present)
	switch r.Missing {
	case Breaching:
		v.State = r.judge(breaching + filled)
	case NotBreaching:
		v.State = r.judge(breaching)
	default:
		v.State = r.judgeSparse(points, len(present), breaching)
	}
	return v
}

func (r Rule) breaching(points []Datapoint) int {
	n := 0
	for _, p := range points {
		if r.Breaches(p.Value) {
			n++
		}
	}
	return n
}

func (r Rule) judge(breaching int) State {
	if breaching >= r.toAlarm() {
		return Alarm
	}
	return OK
}

// judgeSparse decides where too few datapoints are there and missing ones are not counted either way. A datapoint that does
// not breach means OK. If all that are there breach, it is an alarm once the oldest of them lies M periods back, since
// nothing better has come since; before that it would be premature.
func (r Rule) judgeSparse(points []Datapoint, present, breaching int) State {
	switch {
	case breaching >= r.toAlarm():
		return Alarm
	case breaching < present:
		return OK
	case r.Missing == Ignore:
		return Retained
	case present > 0 && oldest(points) >= r.toAlarm():
		return Alarm
	}
	return InsufficientData
}

// oldest returns how many periods back the oldest datapoint lies, 1 being the newest period.
func oldest(points []Datapoint) int {
	for i, p := range slices.Backward(points) {
		if p.Present {
			return i + 1
		}
	}
	return 0
}

// LowSamples tells whether there are too few samples for a percentile to mean something, as CloudWatch defines it.
func LowSamples(percentile, samples float64) bool {
	p := percentile / 100
	if p >= 0.5 {
		return samples*(1-p) < 10
	}
	return samples*p < 10
}
