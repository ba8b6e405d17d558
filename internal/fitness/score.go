package fitness

import (
	"fmt"
	"slices"
	"time"

	"evo/internal/fitness/exact"
)

// Boolean is the score of what holds or does not.
func Boolean(holds bool) exact.Decimal {
	if holds {
		return exact.One
	}
	return exact.Zero
}

// Grades score what comes in kinds: {"none": 0, "AES256": 0.8, "aws:kms": 1}.
type Grades map[string]exact.Decimal

// Score is the grade of a kind; one without a grade is unknown.
func (g Grades) Score(kind string) Interval {
	if grade, ok := g[kind]; ok {
		return Known(grade.Clamp())
	}
	return Unknown
}

// PerOffence is 1/(1+n): 1 without offences, a half with one, and so on.
func PerOffence(n int) exact.Decimal {
	d, _ := exact.Ratio(1, 1+int64(max(n, 0))).Decimal() // a number in (0, 1] is a Decimal
	return d
}

// Desirability scores a measurement: 1 from Target on, 0 from Limit on, and linear in the logarithm between them. With Target
// below Limit smaller is better, else larger. Both are positive, and in the unit of what is measured.
type Desirability struct {
	Target exact.Decimal `json:"target"`
	Limit  exact.Decimal `json:"limit"`
}

// Validate reports why d cannot score.
func (d Desirability) Validate() error {
	switch {
	case d.Target <= 0 || d.Limit <= 0:
		return fmt.Errorf("target %s and limit %s must be positive", d.Target, d.Limit)
	case d.Target == d.Limit:
		return fmt.Errorf("target and limit are both %s: the score needs room between them", d.Target)
	}
	return nil
}

// Score is the score of a measurement, rounded to a Decimal in the same way on every machine.
func (d Desirability) Score(measured exact.Decimal) exact.Decimal {
	if measured <= 0 { // zero and less have no logarithm; both ends are positive, so they lie beyond one of them
		return Boolean(d.Target < d.Limit)
	}
	return exact.LogPosition(measured, d.Limit, d.Target)
}

// ScoreBetween scores a measurement of which only an interval is known.
func (d Desirability) ScoreBetween(lo, hi exact.Decimal) Interval {
	a, b := d.Score(lo), d.Score(hi)
	return Interval{min(a, b), max(a, b)}
}

// ErrorBudget is the part of an SLO's error budget that is left: 1 − (bad/total)/(1 − objective). Without any event nothing is
// known. An objective of 1 has no budget: one bad event uses it up.
func ErrorBudget(bad, total int64, objective exact.Decimal) Interval {
	if total <= 0 || bad < 0 || bad > total {
		return Unknown
	}
	budget := exact.One - objective.Clamp()
	if budget == 0 {
		return Known(Boolean(bad == 0))
	}
	left := exact.Whole(1).Sub(exact.Ratio(bad, total).Div(budget.Rat()))
	return Known(clamp(left))
}

// Trend scores a slope of which an interval is known: 1 at target and beyond, 0 at limit and beyond, linear between them.
func Trend(lo, hi, target, limit exact.Decimal) (Interval, error) {
	if target == limit {
		return Interval{}, fmt.Errorf("target and limit of the trend are both %s: the score needs room between them", target)
	}
	if hi < lo {
		return Interval{}, fmt.Errorf("the trend's interval ends (%s) before it begins (%s)", hi, lo)
	}
	at := func(slope exact.Decimal) exact.Decimal {
		return clamp(slope.Rat().Sub(limit.Rat()).Div(target.Rat().Sub(limit.Rat())))
	}
	a, b := at(lo), at(hi)
	return Interval{min(a, b), max(a, b)}, nil
}

// Temporal scores what becomes due: 1 until notice before it, falling to 0 when it is due.
func Temporal(now, due time.Time, notice time.Duration) exact.Decimal {
	left := due.Sub(now)
	switch {
	case left <= 0:
		return exact.Zero
	case left >= notice:
		return exact.One
	}
	return clamp(exact.Ratio(int64(left), int64(notice)))
}

// Attestation is what a person has said of a release or a resource.
type Attestation struct {
	Score    exact.Decimal `json:"score"`
	By       string        `json:"by"`
	At       time.Time     `json:"at"`
	ValidFor time.Duration `json:"validFor"`
}

// Attested scores an attestation: as it says, and no more than is left of its time, of which the last part is notice. Without
// one the score is 0, not unknown: nobody has vouched for it, and nothing will arrive by itself.
func Attested(a *Attestation, now time.Time, notice time.Duration) exact.Decimal {
	if a == nil || now.Before(a.At) {
		return exact.Zero
	}
	return min(a.Score.Clamp(), Temporal(now, a.At.Add(a.ValidFor), min(notice, a.ValidFor)))
}

// Steady is the score of a dynamic function from its latest samples: of three the middle one, so that one outlier among three
// neither fails a release nor hides that two have failed. Of fewer the better one counts; without any nothing is known.
func Steady(samples ...Interval) Interval {
	if len(samples) == 0 {
		return Unknown
	}
	latest := samples[max(0, len(samples)-3):]
	lo, hi := make([]exact.Decimal, len(latest)), make([]exact.Decimal, len(latest))
	for i, s := range latest {
		lo[i], hi[i] = s.Lo, s.Hi
	}
	slices.Sort(lo)
	slices.Sort(hi)
	at := len(latest) / 2
	return Interval{lo[at], hi[at]}
}

// StandIn lets the last known score stand in for an unknown one, for a stated time after it was measured.
func StandIn(score, last Interval, measured, now time.Time, validFor time.Duration) Interval {
	if score == Unknown && !now.Before(measured) && now.Before(measured.Add(validFor)) {
		return last
	}
	return score
}

// clamp brings a number into [0, 1] and rounds it.
func clamp(r exact.Rat) exact.Decimal {
	r = exact.Min(exact.Max(r, exact.Rat{}), exact.Whole(1))
	d, _ := r.Decimal() // a number in [0, 1] is a Decimal
	return d
}
