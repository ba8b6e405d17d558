package view

import (
	"encoding/json"
	"strings"
	"time"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/report"
)

// Releases is the history of a stack, in the order of its releases.
type Releases struct {
	Stack    string    `json:"stack"`
	Releases []Release `json:"releases"`
	Delivery Delivery  `json:"delivery"`
}

// The ways in which a release's deployment ends, and the one in which it has not.
const (
	Succeeded  = "succeeded"
	Refused    = "refused"     // by the static gate: nothing was touched
	RolledBack = "rolled back" // by a hook, an alarm, the release gate, or a resource that failed
	Failed     = "failed"      // and was not rolled back
	UnderWay   = "under way"
)

// Release is what is known of one release. Of one that was not judged, all from Judged on is empty.
type Release struct {
	Number   int       `json:"release"`
	Name     string    `json:"name,omitempty"`
	Status   string    `json:"status"`
	Reason   string    `json:"reason,omitempty"`  // why its deployment ended as it did
	Built    time.Time `json:"built,omitzero"`    // the newest code in it
	Started  time.Time `json:"started,omitzero"`  // its deployment
	Finished time.Time `json:"finished,omitzero"` // all traffic was on it, or all had been taken back
	Problem  string    `json:"problem,omitempty"` // what could not be read

	Predicted *Fitness `json:"predicted,omitempty"` // from the template, of a release that was stopped before the release gate

	Judged          time.Time        `json:"judged,omitzero"`
	Fitness         *Range           `json:"fitness,omitempty"`    // 0 to 100
	Coverage        json.Number      `json:"coverage,omitempty"`   // the part of the weight that is known, 0 to 1
	Complexity      json.Number      `json:"complexity,omitempty"` // points that its size takes away
	Verdict         string           `json:"verdict,omitempty"`    // accepted, rejected or inconclusive
	Proceed         bool             `json:"proceed"`
	Override        string           `json:"override,omitempty"` // the reason to go on whatever its fitness is
	Rebased         string           `json:"rebased,omitempty"`  // why differences are valued anew from here on
	Delta           *Delta           `json:"delta,omitempty"`    // nil for a first release
	Characteristics []Characteristic `json:"characteristics,omitempty"`
	Why             []string         `json:"why,omitempty"` // the number, the biggest gain, the biggest loss
	Report          string           `json:"report,omitempty"`
}

// Time is the best time to put to a release: when it was done, judged, or begun. Zero if none is known.
func (r *Release) Time() time.Time {
	for _, t := range []time.Time{r.Finished, r.Judged, r.Started} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// Delta is what moved between two releases, in points. Kept, Added, Removed, Complexity and Forgiven add up to Decided as they are written.
type Delta struct {
	Against      string      `json:"against"`
	Kept         Range       `json:"kept"`
	Added        Range       `json:"added"`
	Removed      Range       `json:"removed"`
	Complexity   json.Number `json:"complexity"`
	Forgiven     Range       `json:"forgiven"` // of what growth owes, as much as the rest owes already
	Decided      Range       `json:"decided"`  // what the ratchet judges
	Requirements *Range      `json:"requirements,omitempty"`
}

// Characteristic is how a release stands in one characteristic.
type Characteristic struct {
	Name    string      `json:"name"`
	Score   Range       `json:"score"` // 0 to 100
	Floor   json.Number `json:"floor,omitempty"`
	Share   json.Number `json:"share"` // of the loss, 0 to 1
	Pairs   int         `json:"pairs"`
	Unknown int         `json:"unknown,omitempty"`
	Before  *Range      `json:"before,omitempty"` // the score of the release that it was compared with
	Change  *Range      `json:"change,omitempty"`
}

// Range is a number with two digits, or what it lies between.
type Range struct {
	Low  json.Number `json:"low"`
	High json.Number `json:"high"`
}

const digits = 2

func rangeOf(r fitness.Range) Range { return Range{number(r.Lo), number(r.Hi)} }

func number(r exact.Rat) json.Number { return json.Number(r.Text(digits)) }

// String is the range as a person reads it.
func (r Range) String() string {
	if r.Low == r.High {
		return r.Low.String()
	}
	return r.Low.String() + " to " + r.High.String()
}

// Signed is String with a + before what is positive.
func (r Range) Signed() string {
	low, high := signed(r.Low.String()), signed(r.High.String())
	if low == high {
		return low
	}
	return low + " to " + high
}

func signed(text string) string {
	if strings.HasPrefix(text, "-") || strings.Trim(text, "0.") == "" {
		return text
	}
	return "+" + text
}

// Signed writes a number with its sign.
func Signed(n json.Number) string { return signed(n.String()) }

// Judge fills in what a report says of the release.
func (r *Release) Judge(rep *report.Report) {
	v := &rep.Verdict
	r.Judged = rep.Time
	if r.Name == "" {
		r.Name = rep.Title
	}
	r.Verdict, r.Proceed, r.Override, r.Why = string(v.Decision), v.Proceed, v.Override, v.Why[:]
	if v.Delta != nil {
		d := deltaOf(v.Delta)
		r.Delta = &d
	}
	if rep.Basis == nil || rep.Basis.Release != v.Basis.Release || rep.Basis.Links != v.Basis.Links {
		r.Rebased = string(v.Basis.Reason)
	}
	r.level(v.Level, &rep.Suite)
}

// level fills in how fit a release is by itself.
func (r *Release) level(a *fitness.Assessment, s *fitness.Suite) {
	fit := rangeOf(a.Fitness)
	r.Fitness, r.Coverage, r.Complexity = &fit, number(a.Coverage), number(complexity(a))
	r.Characteristics = Standings(a, s)
}

func complexity(a *fitness.Assessment) exact.Rat {
	sum := exact.Rat{}
	for _, p := range a.Parts {
		sum = sum.Add(p.Points)
	}
	return sum
}

// Standings are the characteristics of a level.
func Standings(a *fitness.Assessment, s *fitness.Suite) []Characteristic {
	out := make([]Characteristic, len(a.Characteristics))
	for i, st := range a.Characteristics {
		c := Characteristic{Name: st.Name, Score: rangeOf(percent(st.Score)), Share: number(st.Share), Pairs: st.Pairs, Unknown: st.Unknown}
		if asked := s.Characteristic(st.Name); asked != nil && asked.Floor > 0 {
			c.Floor = number(asked.Floor.Rat().Mul(exact.Whole(100)))
		}
		out[i] = c
	}
	return out
}

func percent(r fitness.Range) fitness.Range {
	hundred := exact.Whole(100)
	return fitness.Range{Lo: r.Lo.Mul(hundred), Hi: r.Hi.Mul(hundred)}
}

func deltaOf(c *fitness.Comparison) Delta {
	low, _ := exact.Shares([]exact.Rat{c.Kept.Lo, c.Added.Lo, c.Removed.Lo, c.Complexity, c.Allowance.Lo}, digits)
	high, _ := exact.Shares([]exact.Rat{c.Kept.Hi, c.Added.Hi, c.Removed.Hi, c.Complexity, c.Allowance.Hi}, digits)
	at := func(i int) Range { return Range{json.Number(low[i]), json.Number(high[i])} }
	d := Delta{Against: c.Reference, Kept: at(0), Added: at(1), Removed: at(2), Complexity: json.Number(low[3]), Forgiven: at(4), Decided: rangeOf(c.Decided)}
	if c.Requirements != nil {
		r := rangeOf(*c.Requirements)
		d.Requirements = &r
	}
	return d
}

// Relate fills in how each release's characteristics differ from those of the release that it was compared with, as both were shown.
func Relate(releases []Release) {
	for i := range releases {
		r := &releases[i]
		if r.Delta == nil {
			continue
		}
		for k := range releases[:i] {
			if old := &releases[k]; label(old.Number) == r.Delta.Against {
				relate(r.Characteristics, old.Characteristics)
			}
		}
	}
}

func relate(now, before []Characteristic) {
	for i := range now {
		for _, old := range before {
			if old.Name != now[i].Name {
				continue
			}
			score := old.Score
			now[i].Before = &score
			change := Range{minus(now[i].Score.Low, old.Score.Low), minus(now[i].Score.High, old.Score.High)}
			now[i].Change = &change
		}
	}
}

// minus is the difference of two numbers that this package has written.
func minus(a, b json.Number) json.Number {
	x, errX := exact.ParseRat(a.String())
	y, errY := exact.ParseRat(b.String())
	if errX != nil || errY != nil {
		return "0"
	}
	return number(x.Sub(y))
}
