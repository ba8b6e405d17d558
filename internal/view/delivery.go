package view

import (
	"encoding/json"
	"slices"
	"time"

	"evo/internal/fitness/exact"
)

// Delivery are the four figures that DORA's research found to tell how well software is delivered, from a stack's history. What the history
// does not tell is nil: not known, which is something else than 0.
type Delivery struct {
	Deployments int `json:"deployments"` // that touched the stack and have ended
	Successes   int `json:"successes"`

	LeadTime    *Lead        `json:"leadTime"`          // from code to all traffic: the median of the successful releases
	PerDay      *json.Number `json:"deploymentsPerDay"` // successful ones, from the first to now
	FailureRate *json.Number `json:"changeFailureRate"` // 0 to 1: rolled back or failed, of all that touched the stack
	Restore     *Duration    `json:"timeToRestore"`     // from the end of a failed release to that of the next successful one: the median
	Broken      bool         `json:"broken"`            // the last release failed, and none has succeeded since
}

// Lead is a lead time. A release whose code was built at an unknown time counts from the beginning of its deployment.
type Lead struct {
	Duration
	SinceBuild int `json:"sinceBuild"` // how many of the releases count from when they were built
}

// Duration is a median of durations.
type Duration struct {
	Seconds int64 `json:"seconds"`
	Of      int   `json:"of"` // how many there were
}

// Time is the duration as Go has it.
func (d Duration) Time() time.Duration { return time.Duration(d.Seconds) * time.Second }

// DeliveryOf computes the figures of a history, in the order of its releases, at a moment.
func DeliveryOf(releases []Release, now time.Time) Delivery {
	var d Delivery
	for i := range releases {
		switch releases[i].Status {
		case Succeeded:
			d.Deployments++
			d.Successes++
			d.Broken = false
		case RolledBack, Failed:
			d.Deployments++
			d.Broken = true
		}
	}
	if d.Deployments > 0 {
		rate := number(exact.Ratio(int64(d.Deployments-d.Successes), int64(d.Deployments)))
		d.FailureRate = &rate
	}
	d.LeadTime = leadTime(releases)
	d.PerDay = perDay(releases, now)
	d.Restore = restore(releases)
	return d
}

func leadTime(releases []Release) *Lead {
	var all []time.Duration
	sinceBuild := 0
	for i := range releases {
		r := &releases[i]
		begin := r.Built
		if begin.IsZero() {
			begin = r.Started
		}
		if r.Status != Succeeded || r.Finished.IsZero() || begin.IsZero() || r.Finished.Before(begin) {
			continue
		}
		if !r.Built.IsZero() {
			sinceBuild++
		}
		all = append(all, r.Finished.Sub(begin))
	}
	if m := median(all); m != nil {
		return &Lead{*m, sinceBuild}
	}
	return nil
}

// perDay counts the successful releases after the first, over the time since then: one release alone has no frequency.
func perDay(releases []Release, now time.Time) *json.Number {
	var first time.Time
	n := int64(0)
	for i := range releases {
		at := releases[i].Time()
		switch {
		case releases[i].Status != Succeeded || at.IsZero():
		case first.IsZero():
			first = at
		default:
			n++
		}
	}
	over := now.Sub(first)
	if n == 0 || first.IsZero() || over <= 0 {
		return nil
	}
	rate := json.Number(exact.Whole(n).Mul(exact.Ratio(int64(24*time.Hour), int64(over))).Text(4))
	return &rate
}

// restore takes failures one after another as one: what they broke was restored once.
func restore(releases []Release) *Duration {
	var all []time.Duration
	var broken time.Time
	for i := range releases {
		r := &releases[i]
		at := r.Time()
		switch {
		case at.IsZero():
		case r.Status == Succeeded:
			if !broken.IsZero() && !at.Before(broken) {
				all = append(all, at.Sub(broken))
			}
			broken = time.Time{}
		case (r.Status == RolledBack || r.Status == Failed) && broken.IsZero():
			broken = at
		}
	}
	return median(all)
}

// median is that of durations, in whole seconds; nil of none.
func median(all []time.Duration) *Duration {
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	mid := all[len(all)/2]
	if len(all)%2 == 0 {
		mid = (mid + all[len(all)/2-1]) / 2
	}
	return &Duration{int64(mid.Round(time.Second) / time.Second), len(all)}
}
