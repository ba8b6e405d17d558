package measure

import (
	"context"
	"fmt"
	"slices"
	"time"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
)

// reading is a function that is scored from metrics: what it reads, and how that is scored.
type reading struct {
	at     int // its place among the outcomes
	series []*series
	score  func() outcome
}

// live scores what is read from metrics.
func (m *Measurer) live(ctx context.Context, file *suitefile.File, ids []string, s Subject, outcomes []outcome) {
	var all []*series
	var readings []reading
	declared := map[string]*series{}
	for i, id := range ids {
		if _, isCall := file.Measures[id].(suitefile.Call); isCall {
			continue
		}
		if s.BeforeTraffic {
			outcomes[i] = unknown("no traffic yet")
			continue
		}
		r := read(file, file.Measures[id], declared, s.Now)
		r.at = i
		readings = append(readings, r)
		all = append(all, r.series...)
	}
	if len(readings) == 0 {
		return
	}
	for _, d := range declared {
		all = append(all, d)
	}
	m.read(ctx, all, namesOf(s.Stack.Items), s.Now)
	for _, r := range readings {
		outcomes[r.at] = r.outcome()
	}
}

// outcome is unknown if a metric could not be read: what is missing could be what decides.
func (r *reading) outcome() outcome {
	for _, s := range r.series {
		if s.err != nil {
			return unknown(fmt.Sprintf("%s: %v", s, s.err))
		}
	}
	return r.score()
}

// read says what a function reads. declared gathers the suite's metrics that moving targets name.
func read(file *suitefile.File, measure suitefile.Measure, declared map[string]*series, now time.Time) reading {
	switch f := measure.(type) {
	case suitefile.Metric:
		s := recent(f.MetricRef, f.Limit.Unit)
		if f.MovingTarget != nil {
			for _, name := range f.MovingTarget.Metrics() {
				if ref, ok := file.Metrics[name]; ok && declared[name] == nil {
					declared[name] = recent(ref, "")
				}
			}
		}
		return reading{series: []*series{s}, score: func() outcome { return scoreMetric(f, s, declared, now) }}
	case suitefile.ServiceLevel:
		bad, total := counted(f.Bad, f.Window), counted(f.Total, f.Window)
		return reading{series: []*series{bad, total}, score: func() outcome { return scoreBudget(f, bad, total) }}
	case suitefile.Slope:
		s := &series{ref: f.MetricRef, window: f.Window}
		return reading{series: []*series{s}, score: func() outcome { return scoreSlope(f, s) }}
	}
	return reading{score: func() outcome { return unknown("nobody measures this") }} // Measured lists what read knows
}

// recent is a metric as it is now: over five of its periods, and no less than ten minutes.
func recent(ref suitefile.MetricRef, unit string) *series {
	return &series{ref: ref, window: max(10*time.Minute, 5*ref.Period), unit: unit}
}

// counted is a metric that counts events: over time they add up. Average, which a suite means if it says nothing, is no count.
func counted(ref suitefile.MetricRef, window time.Duration) *series {
	if ref.Stat == "Average" {
		ref.Stat = "Sum"
	}
	return &series{ref: ref, window: window}
}

// latest are the last three values, on which a score rests. A sum or a count of a period that has not ended yet says little, and is
// left out if there are others.
func (s *series) latest(now time.Time) []point {
	points := s.points
	if n := len(points); n > 1 && (s.ref.Stat == "Sum" || s.ref.Stat == "SampleCount") && points[n-1].at.Add(s.ref.Period).After(now) {
		points = points[:n-1]
	}
	return points[max(0, len(points)-3):]
}

// scoreMetric scores each of the latest values, and takes the steady one.
func scoreMetric(f suitefile.Metric, s *series, declared map[string]*series, now time.Time) outcome {
	if len(s.points) == 0 {
		return unknown(s.silence())
	}
	target, problem := targetOf(f, declared, now)
	if problem != "" {
		return unknown(problem)
	}
	d := fitness.Desirability{Target: target, Limit: f.Limit.Amount}
	if err := d.Validate(); err != nil {
		return unknown(err.Error())
	}
	latest := s.latest(now)
	scores := make([]fitness.Interval, len(latest))
	for i, p := range latest {
		scores[i] = fitness.Known(d.Score(capped(p.value)))
	}
	score := fitness.Steady(scores...)
	of := latest[slices.Index(scores, score)]
	unit := f.Limit.Unit
	return outcome{score, fmt.Sprintf("%s is %s%s over %s; target %s, limit %s", s, shown(of.value, unit), which(len(latest)), span(s.window),
		shown(target.Rat(), unit), shown(f.Limit.Amount.Rat(), unit))}
}

// which says which of the latest values a score rests on; fitness.Steady has the reasons.
func which(n int) string {
	return [...]string{"", "", " (the better of the last 2)", " (in the middle of the last 3)"}[n]
}

// targetOf is the target in the limit's unit, and what is missing if it cannot be told.
func targetOf(f suitefile.Metric, declared map[string]*series, now time.Time) (target exact.Decimal, problem string) {
	if f.MovingTarget == nil {
		return f.Target.Amount, ""
	}
	measured := map[string]exact.Decimal{}
	for _, name := range f.MovingTarget.Metrics() {
		s := declared[name]
		switch {
		case s == nil:
			return 0, fmt.Sprintf("the target %s depends on the metric %s, which the suite does not declare", f.MovingTarget, name)
		case s.err != nil:
			return 0, fmt.Sprintf("the target %s depends on %s (%s): %v", f.MovingTarget, name, s, s.err)
		case len(s.points) > 0:
			measured[name] = capped(middle(s.latest(now)))
		}
	}
	target, known, err := f.MovingTarget.Number(measured)
	switch {
	case err != nil:
		return 0, "the target cannot be computed: " + err.Error()
	case !known:
		return 0, fmt.Sprintf("the target %s depends on metrics of which there is no data yet", f.MovingTarget)
	}
	return target, ""
}

// middle is the middle one of three values, the later of two.
func middle(latest []point) exact.Rat {
	if len(latest) < 3 {
		return latest[len(latest)-1].value
	}
	sorted := slices.SortedFunc(slices.Values(latest), func(a, b point) int { return a.value.Cmp(b.value) })
	return sorted[1].value
}

// capped is a value as a Decimal. What is too large for one lies beyond all targets and limits, which are Decimals, whatever it is.
func capped(v exact.Rat) exact.Decimal {
	d, err := v.Decimal()
	switch {
	case err == nil:
		return d
	case v.Sign() < 0:
		return -1<<63 + 1
	}
	return 1<<63 - 1
}

// scoreBudget scores what is left of an error budget. Where events are counted and none was bad, the metric of bad ones may be silent.
func scoreBudget(f suitefile.ServiceLevel, bad, total *series) outcome {
	if len(total.points) == 0 {
		return unknown(total.silence())
	}
	b, t, ok := counts(bad, total)
	if !ok {
		return unknown(fmt.Sprintf("%s of %s events are bad over %s: that is no part of them", shown(bad.sum(), ""), shown(total.sum(), ""), span(f.Window)))
	}
	score := fitness.ErrorBudget(b, t, f.Objective)
	if score == fitness.Unknown {
		return unknown(fmt.Sprintf("there were no events over %s", span(f.Window)))
	}
	return outcome{score, fmt.Sprintf("%d of %d events are bad over %s; %s%% of the error budget is left at an objective of %s", b, t, span(f.Window),
		score.Lo.Rat().Mul(exact.Whole(100)).Text(1), f.Objective)}
}

func (s *series) sum() exact.Rat {
	var sum exact.Rat
	for _, p := range s.points {
		sum = sum.Add(p.value)
	}
	return sum
}

// counts are whole numbers of events; ok is false if they cannot be.
func counts(bad, total *series) (b, t int64, ok bool) {
	b, okBad := whole(bad.sum())
	t, okTotal := whole(total.sum())
	return b, t, okBad && okTotal && 0 <= b && b <= t
}

// whole rounds half to even. Counts are whole but for the floating-point numbers that brought them.
func whole(r exact.Rat) (int64, bool) {
	units, err := exact.ParseRat(r.Text(0))
	if err != nil {
		return 0, false
	}
	n := units.Big().Num()
	return n.Int64(), n.IsInt64()
}
