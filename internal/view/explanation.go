package view

import (
	"encoding/json"
	"fmt"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/report"
)

// label is a release's name in reports.
func label(number int) string { return fmt.Sprintf("v%d", number) }

// Explanation is a level as a sum: 100 less the points of Lines is Total, as they are written.
type Explanation struct {
	Total      json.Number          `json:"total"`
	Lost       json.Number          `json:"lost"`       // by pairs
	Complexity json.Number          `json:"complexity"` // by the size
	Lines      []Loss               `json:"lines"`      // pairs by points, largest first, then the dimensions of the size
	Unknown    []Loss               `json:"unknown"`    // lost only if what is unknown turns out bad; in no sum
	Excepted   []fitness.Exception  `json:"excepted,omitempty"`
	Expired    []fitness.Exception  `json:"expired,omitempty"` // exceptions whose pairs count again
	Idle       []fitness.Exception  `json:"idle,omitempty"`    // exceptions that name no pair
	Suppressed []fitness.Suppressed `json:"suppressed,omitempty"`
}

// Loss is what a pair, or a dimension of the size, takes away.
type Loss struct {
	Points         json.Number `json:"points"`
	Resource       string      `json:"resource,omitempty"`
	Type           string      `json:"type,omitempty"`
	Function       string      `json:"function,omitempty"`
	Characteristic string      `json:"characteristic,omitempty"`
	Dimension      string      `json:"dimension,omitempty"` // of the size: then Reason is the amount
	Reason         string      `json:"reason,omitempty"`
	File           string      `json:"file,omitempty"`
	Line           int         `json:"line,omitempty"`
}

// Explain writes a level as a sum.
func Explain(a *fitness.Assessment, excepted fitness.Excepted) Explanation {
	sum := a.Explain()
	e := Explanation{Total: json.Number(sum.Total), Lost: json.Number(sum.Lost), Complexity: json.Number(sum.Complexity), Lines: []Loss{}, Unknown: []Loss{},
		Excepted: excepted.Held, Expired: excepted.Expired, Idle: excepted.Idle, Suppressed: excepted.Suppressed}
	for _, l := range a.Lost { // in the order of the explanation's lines
		loss := Loss{Resource: l.Resource, Type: l.Type, Function: l.Function, Characteristic: l.Characteristic, Reason: l.Reason, Line: int(l.Place.Start.Line)}
		if l.Points.Lo.Sign() > 0 {
			loss.Points = json.Number(sum.Lines[len(e.Lines)].Points)
			e.Lines = append(e.Lines, loss)
		}
		if l.Points.Hi.Sub(l.Points.Lo).Sign() > 0 {
			loss.Points = json.Number(sum.Unknown[len(e.Unknown)].Points)
			e.Unknown = append(e.Unknown, loss)
		}
	}
	for _, l := range sum.Lines[len(e.Lines):] {
		e.Lines = append(e.Lines, Loss{Points: json.Number(l.Points), Dimension: l.Label, Reason: l.Why})
	}
	return e
}

// Locate gives each pair the place that its resource has in a template at hand. A pair that knows a nearer one keeps it.
func (e *Explanation) Locate(file string, line func(resource string) int) {
	for _, losses := range [][]Loss{e.Lines, e.Unknown} {
		for i := range losses {
			l := &losses[i]
			if l.Line == 0 && l.Resource != "" {
				l.Line = line(l.Resource)
			}
			if l.Line > 0 {
				l.File = file
			}
		}
	}
}

// PairChange is what one pair contributed to a difference.
type PairChange struct {
	Kind     string `json:"kind"` // kept, added or removed
	Function string `json:"function"`
	Resource string `json:"resource"`
	Before   *Range `json:"before,omitempty"` // the score, 0 to 1
	After    *Range `json:"after,omitempty"`
	Points   Range  `json:"points"`
	Reason   string `json:"reason,omitempty"`
}

// Resized is what one dimension of the size contributed to a difference.
type Resized struct {
	Dimension string      `json:"dimension"`
	Before    json.Number `json:"before"`
	After     json.Number `json:"after"`
	Points    json.Number `json:"points"`
}

// Comparison is the difference between two releases.
type Comparison struct {
	Stack   string       `json:"stack"`
	From    string       `json:"from"`
	To      string       `json:"to"`
	Delta   Delta        `json:"delta"`
	Changes []PairChange `json:"changes"` // gains first
	Size    []Resized    `json:"size"`
}

// Compared is a comparison as it is shown.
func Compared(stack, to string, c *fitness.Comparison) Comparison {
	return Comparison{Stack: stack, From: c.Reference, To: to, Delta: deltaOf(c), Changes: changes(c), Size: resized(c)}
}

func changes(c *fitness.Comparison) []PairChange {
	out := make([]PairChange, len(c.Changes))
	for i, ch := range c.Changes {
		out[i] = PairChange{Kind: string(ch.Kind), Function: ch.Function, Resource: ch.Resource, Before: score(ch.Before), After: score(ch.After),
			Points: rangeOf(ch.Points), Reason: ch.Reason}
	}
	return out
}

func score(i *fitness.Interval) *Range {
	if i == nil {
		return nil
	}
	return &Range{number(i.Lo.Rat()), number(i.Hi.Rat())}
}

func resized(c *fitness.Comparison) []Resized {
	out := []Resized{}
	for _, p := range c.Parts {
		if p.Points.Sign() != 0 {
			out = append(out, Resized{string(p.Dimension), number(p.Before), number(p.After), number(p.Points)})
		}
	}
	return out
}

// Judgement is a release with all that its report says of the verdict.
type Judgement struct {
	Stack string `json:"stack"`
	Release
	Findings []fitness.Finding `json:"findings"`
	Warnings []string          `json:"warnings"`
	Changes  []PairChange      `json:"changes"` // gains first
	Size     []Resized         `json:"size"`
}

// JudgementOf adds a report to what is known of its release.
func JudgementOf(r Release, rep *report.Report) Judgement {
	j := Judgement{Stack: rep.Stack, Release: r, Findings: rep.Verdict.Findings, Warnings: rep.Verdict.Warnings, Changes: []PairChange{}, Size: []Resized{}}
	if d := rep.Verdict.Delta; d != nil {
		j.Changes, j.Size = changes(d), resized(d)
	}
	if rep.Reference != nil {
		if before, err := fitness.Assess(&rep.Suite, rep.Reference); err == nil { // a report that was read has been judged already
			relate(j.Characteristics, Standings(before, &rep.Suite))
		}
	}
	return j
}

// Biggest are the n changes that moved a difference most in one direction, 1 for gains and -1 for losses, the biggest first.
func Biggest(all []PairChange, direction, n int) []PairChange {
	var out []PairChange
	for i := range all {
		c := all[i]
		if direction < 0 {
			c = all[len(all)-1-i]
		}
		if p, err := exact.ParseRat(c.Points.Low.String()); err == nil && p.Sign() == direction && len(out) < n {
			out = append(out, c)
		}
	}
	return out
}

// Level is how fit a template is by itself, before there is a release of it.
type Level struct {
	Template        string           `json:"template"`
	Suite           string           `json:"suite,omitempty"` // the fitness.yaml; empty for evo's own suite
	Fitness         Range            `json:"fitness"`
	Coverage        json.Number      `json:"coverage"`
	Characteristics []Characteristic `json:"characteristics"`
	Explanation     Explanation      `json:"explanation"`
	Problems        []string         `json:"problems,omitempty"` // checks that could not be evaluated
	Unsized         []string         `json:"unsized,omitempty"`  // functions and layers whose code is not packaged yet: it counts 0
}

// LevelOf is a level as it is shown.
func LevelOf(template, suite string, a *fitness.Assessment, s *fitness.Suite, excepted fitness.Excepted) Level {
	return Level{Template: template, Suite: suite, Fitness: rangeOf(a.Fitness), Coverage: number(a.Coverage), Characteristics: Standings(a, s),
		Explanation: Explain(a, excepted)}
}
