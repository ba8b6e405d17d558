package fitness

import (
	"context"
	"fmt"
	"strings"

	"evo/internal/cli/app"
	"evo/internal/fitness"
	"evo/internal/history"
	"evo/internal/view"
)

// shownChanges is how many gains and losses are shown of one release.
const shownChanges = 5

// one shows one release.
func (s *stack) one(ctx context.Context) error {
	n, err := releaseNumber(s.release)
	if err != nil {
		return err
	}
	r, err := s.read(ctx, n)
	if err != nil {
		return err
	}
	j := view.JudgementOf(s.store.ViewOf(r), r.Report)
	if s.app.JSON() {
		return s.app.WriteJSON(j)
	}
	p := s.page()
	p.judgement(&j)
	return p.err
}

func (p *page) judgement(j *view.Judgement) {
	p.printf("%s\n", p.style.Bold(title(&j.Release)))
	p.printf("  %s\n", p.word(j.Verdict))
	if j.Proceed && j.Reason != "" {
		p.printf("  %s: %s\n", p.word(j.Status), j.Reason)
	}
	for _, line := range j.Why {
		p.printf("  %s\n", line)
	}
	for _, f := range j.Findings {
		mark := "✗"
		if !f.Certain {
			mark = "?"
		}
		p.printf("  %s %s: %s\n", mark, f.Check, f.Text)
	}
	for _, w := range j.Warnings {
		p.printf("  warning: %s\n", w)
	}
	if j.Override != "" {
		p.printf("  went on whatever its fitness was: %s\n", j.Override)
	}
	if j.Rebased != "" {
		p.printf("  differences are valued anew from here on: %s\n", j.Rebased)
	}
	if j.Delta != nil {
		p.split(j.Delta)
		p.moved("Biggest gains", view.Biggest(j.Changes, 1, shownChanges))
		p.moved("Biggest losses", view.Biggest(j.Changes, -1, shownChanges))
	}
	p.printf("\n%s\n", p.style.Bold("By characteristic"))
	p.characteristics(j.Characteristics)
	p.printf("\n%s\n", p.style.Dim(j.Report))
}

// split shows how a difference comes about, as a sum.
func (p *page) split(d *view.Delta) {
	p.printf("\n%s\n", p.style.Bold("Against "+d.Against))
	parts := []struct{ name, points string }{{"kept", d.Kept.Signed()}, {"added", d.Added.Signed()}, {"removed", d.Removed.Signed()},
		{"complexity", view.Signed(d.Complexity)}, {"forgiven as growth", d.Forgiven.Signed()}, {"difference", d.Decided.Signed()}}
	for _, part := range parts {
		p.printf("  %-20s %s\n", part.name, part.points)
	}
	if d.Requirements != nil && d.Requirements.Signed() != "0.00" {
		p.printf("  (newer requirements move the level of %s by %s: that is in no sum)\n", d.Against, d.Requirements.Signed())
	}
}

func (p *page) moved(title string, all []view.PairChange) {
	if len(all) == 0 {
		return
	}
	p.printf("\n%s\n", p.style.Bold(title))
	for _, c := range all {
		p.printf("  %8s  %s %s, %s%s\n", c.Points.Signed(), c.Resource, c.Function, scores(c), because(c.Reason))
	}
}

// scores says how a pair's score moved.
func scores(c view.PairChange) string {
	switch {
	case c.Before == nil:
		return "new, scores " + c.After.String()
	case c.After == nil:
		return "gone, scored " + c.Before.String()
	}
	return c.Before.String() + " → " + c.After.String()
}

// compare shows what moved between two releases.
func (s *stack) compare(ctx context.Context) error {
	from, to, err := s.pair(ctx)
	if err != nil {
		return err
	}
	c, err := s.difference(from, to)
	if err != nil {
		return err
	}
	v := view.Compared(s.options.stack, to.Report.Release.Name, c)
	if s.app.JSON() {
		return s.app.WriteJSON(v)
	}
	p := s.page()
	p.printf("%s\n", p.style.Bold(fmt.Sprintf("Stack %s, from %s to %s", v.Stack, v.From, v.To)))
	p.split(&v.Delta)
	p.moved("Pairs", v.Changes)
	if len(v.Size) > 0 {
		p.printf("\n%s\n", p.style.Bold("Complexity"))
	}
	for _, d := range v.Size {
		p.printf("  %8s  %s %s → %s\n", view.Signed(d.Points), d.Dimension, d.Before, d.After)
	}
	return p.err
}

// pair reads the two releases that --compare names.
func (s *stack) pair(ctx context.Context) (from, to *history.Release, err error) {
	first, second, two := strings.Cut(s.options.compare, ",")
	n, err := releaseNumber(first)
	if err != nil {
		return nil, nil, err
	}
	if from, err = s.read(ctx, n); err != nil {
		return nil, nil, err
	}
	if !two {
		to, err = s.newest(ctx)
		return from, to, err
	}
	if n, err = releaseNumber(second); err != nil {
		return nil, nil, err
	}
	to, err = s.read(ctx, n)
	return from, to, err
}

// difference compares two releases by the requirements of the second. Where these are others than the first was judged by, only a release
// that was compared with the first when it was judged can be: its report has the first as the new requirements saw it.
func (s *stack) difference(from, to *history.Release) (*fitness.Comparison, error) {
	suite := &to.Report.Suite
	reference := &from.Report.Release
	if from.Report.Suite.Requirements() != suite.Requirements() {
		if reference = to.Report.Reference; reference == nil || reference.Name != from.Report.Release.Name {
			return nil, &app.HintedError{Err: fmt.Errorf("v%d and v%d were judged by different requirements", from.Number, to.Number),
				HintText: "compare each of them with the release before it: the differences add up"}
		}
	}
	return fitness.Compare(suite, &to.Report.Verdict.Basis, reference, &to.Report.Release)
}
