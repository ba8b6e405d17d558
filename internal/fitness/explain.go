package fitness

import (
	"fmt"
	"strings"

	"evo/internal/fitness/exact"
)

// shownDigits is how many digits of points are shown, where a comparison does not need more.
const shownDigits = 2

// Line is one line of an explanation.
type Line struct {
	Points string // as shown: the lines of an explanation add up to its total
	Label  string
	Why    string
}

// Explanation is a release's fitness as a sum: 100 less the points of the lines.
type Explanation struct {
	Lines      []Line // pairs by points, largest first, then the dimensions of the size
	Lost       string // by the pairs, as shown
	Complexity string // by the size, as shown
	Total      string // 100 − Lost − Complexity, as shown; may be negative, while fitness is not
	Unknown    []Line // points that are lost only if what is unknown turns out bad; in no sum
}

// Explain writes the sum. Of unknown scores the better end counts.
func (a *Assessment) Explain() Explanation {
	var parts []exact.Rat
	var lines, unknown []Line
	for _, l := range a.Lost {
		label := l.Resource + " " + l.Function
		if l.Points.Lo.Sign() > 0 {
			parts = append(parts, l.Points.Lo)
			lines = append(lines, Line{Label: label, Why: l.Reason})
		}
		if open := l.Points.Hi.Sub(l.Points.Lo); open.Sign() > 0 {
			unknown = append(unknown, Line{open.Text(shownDigits), label, l.Reason})
		}
	}
	pairs := len(parts)
	for _, p := range a.Parts {
		if p.Points.Sign() == 0 {
			continue
		}
		parts = append(parts, p.Points)
		lines = append(lines, Line{Label: string(p.Dimension), Why: p.Amount.Text(amountDigits(p.Dimension))})
	}
	// The parts are written so that all of them add up; the two subtotals are the sums of what is written.
	texts, total := exact.Shares(parts, shownDigits)
	for i := range lines {
		lines[i].Points = texts[i]
	}
	e := Explanation{Lines: lines, Unknown: unknown, Lost: sumOf(texts[:pairs]), Complexity: sumOf(texts[pairs:])}
	e.Total = hundred.Sub(mustRat(total)).Text(shownDigits)
	return e
}

func amountDigits(d Dimension) int {
	if d == Cost || d == Code {
		return 2
	}
	return 0
}

func sumOf(texts []string) string {
	sum := exact.Rat{}
	for _, t := range texts {
		sum = sum.Add(mustRat(t))
	}
	return sum.Text(shownDigits)
}

// mustRat reads a number that this package has written.
func mustRat(text string) exact.Rat {
	r, err := exact.ParseRat(text)
	if err != nil {
		panic(err)
	}
	return r
}

// String is the explanation as lines of text.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s = 100 - %s (pairs) - %s (complexity)\n", e.Total, e.Lost, e.Complexity)
	for _, l := range e.Lines {
		fmt.Fprintf(&b, "%8s  %s%s\n", "-"+l.Points, l.Label, because(l.Why))
	}
	for _, l := range e.Unknown {
		fmt.Fprintf(&b, "%8s  %s%s\n", "?"+l.Points, l.Label, because(l.Why))
	}
	return b.String()
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
