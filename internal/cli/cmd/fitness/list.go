package fitness

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"evo/internal/cli/ui"
	"evo/internal/view"
)

// list shows the whole history.
func (s *stack) list(ctx context.Context) error {
	found, err := s.store.Releases(ctx)
	if err != nil {
		return err
	}
	all := s.store.View(s.options.stack, found, s.app.Now())
	if s.app.JSON() {
		return s.app.WriteJSON(all)
	}
	p := s.page()
	p.printf("%s\n\n", p.style.Bold(fmt.Sprintf("Stack %s: %d %s%s", all.Stack, len(all.Releases), plural(len(all.Releases), "release"), p.trend(all.Releases))))
	p.releases(all.Releases)
	if newest := newestJudged(all.Releases); newest != nil {
		p.printf("\n%s\n", p.style.Bold(title(newest)+" by characteristic"))
		p.characteristics(newest.Characteristics)
	}
	p.delivery(&all.Delivery)
	return p.err
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func newestJudged(releases []view.Release) *view.Release {
	for i := len(releases) - 1; i >= 0; i-- {
		if releases[i].Fitness != nil {
			return &releases[i]
		}
	}
	return nil
}

// page writes to a person's terminal, or in plain columns where there is none.
type page struct {
	*options
	style *ui.Style
	tty   bool
	err   error
}

func (o *options) page() *page { return &page{options: o, style: o.style(), tty: o.app.OutTTY} }

func (p *page) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(p.app.Out, format, args...); p.err == nil {
		p.err = err
	}
}

func (p *page) table(head []string, rows [][]string, paint func(col int, cell string) string) {
	if err := ui.Table(p.app.Out, p.style, head, rows, paint); p.err == nil {
		p.err = err
	}
}

var sparks = []rune("▁▂▃▄▅▆▇█")

// trend is a sparkline of the judged releases' fitness, from 0 to 100.
func (p *page) trend(releases []view.Release) string {
	if !p.tty {
		return ""
	}
	var b strings.Builder
	for i := range releases {
		if f := releases[i].Fitness; f != nil {
			b.WriteRune(sparks[min(len(sparks)-1, int(part(f.Low.String())*float64(len(sparks))))])
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "  " + b.String()
}

// part is a number from 0 to 100 as a part of 1.
func part(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return max(0, min(1, f/100))
}

// bar draws a number from 0 to 100, and where its floor is. What may be or not be is drawn lighter.
func bar(low, high, floor string, width int) string {
	at := func(text string) int { return int(math.Round(part(text) * float64(width))) }
	cells := []rune(strings.Repeat("█", at(low)) + strings.Repeat("▒", max(0, at(high)-at(low))) + strings.Repeat("░", width-max(at(low), at(high))))
	if floor != "" {
		cells[min(width-1, at(floor))] = '|'
	}
	return string(cells)
}

func (p *page) releases(releases []view.Release) {
	head := []string{"Release", "Name", "When", "Fitness", "Difference", "Kept", "Added", "Removed", "Complexity", "Forgiven", "Verdict", "Status"}
	if p.tty {
		head = append(head[:4:4], append([]string{""}, head[4:]...)...)
	}
	var rows [][]string
	for i := range releases {
		rows = append(rows, p.row(&releases[i]))
	}
	head, rows = told(head, rows)
	p.table(head, rows, func(col int, cell string) string {
		if head[col] == "Status" || head[col] == "Verdict" {
			return p.word(cell)
		}
		return cell
	})
	for i := range releases {
		r := &releases[i]
		if why := reason(r); why != "" && r.Status != view.Succeeded {
			p.printf("  v%d was %s: %s\n", r.Number, r.Status, why)
		}
		if r.Problem != "" {
			p.printf("  v%d could not be read: %s\n", r.Number, r.Problem)
		}
		if r.Override != "" {
			p.printf("  v%d went on whatever its fitness was: %s\n", r.Number, r.Override)
		}
	}
}

// reason is why a release ended as it did. Where the release gate said no, that is what its report says, and no more what others say of it.
func reason(r *view.Release) string {
	if len(r.Why) > 0 && !r.Proceed {
		return r.Why[0]
	}
	return r.Reason
}

// title names a release, and says what has become of it if it is not there.
func title(r *view.Release) string {
	name := strings.TrimSpace(fmt.Sprintf("v%d %s", r.Number, r.Name))
	if r.Status != view.Succeeded {
		name += " (" + r.Status + ")"
	}
	return name
}

const none = "-"

func (p *page) row(r *view.Release) []string {
	fit, meter, verdict := none, "", none
	delta := []string{none, none, none, none, none, none}
	if r.Fitness != nil {
		fit, meter, verdict = r.Fitness.String(), bar(r.Fitness.Low.String(), r.Fitness.High.String(), "", 10), r.Verdict
	}
	if f := r.Predicted; f != nil {
		fit, delta[0] = f.Fitness+" (predicted)", orNone(f.Delta)
	}
	if d := r.Delta; d != nil {
		delta = []string{d.Decided.Signed(), d.Kept.Signed(), d.Added.Signed(), d.Removed.Signed(), view.Signed(d.Complexity), none}
		if forgiven := d.Forgiven.Signed(); forgiven != "0.00" { // most releases do not grow
			delta[len(delta)-1] = forgiven
		}
	}
	row := []string{fmt.Sprintf("v%d", r.Number), orNone(r.Name), when(r.Time()), fit}
	if p.tty {
		row = append(row, meter)
	}
	return append(append(row, delta...), verdict, r.Status)
}

func orNone(text string) string {
	if text == "" {
		return none
	}
	return text
}

func when(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.Local().Format("2006-01-02 15:04")
}

// word colours what became of a release.
func (p *page) word(text string) string {
	switch text {
	case view.Succeeded, "accepted":
		return p.style.Green(text)
	case view.Refused, view.RolledBack, view.Failed, "rejected":
		return p.style.Red(text)
	case view.UnderWay, "inconclusive":
		return p.style.Yellow(text)
	}
	return text
}

func (p *page) characteristics(all []view.Characteristic) {
	head := []string{"Characteristic", "Score", "Change", "Floor", "Unknown"}
	if p.tty {
		head = append(head[:1:1], append([]string{""}, head[1:]...)...)
	}
	var rows [][]string
	for _, c := range all {
		row := []string{c.Name}
		if p.tty {
			row = append(row, bar(c.Score.Low.String(), c.Score.High.String(), c.Floor.String(), 20))
		}
		change, unknown := none, none
		if c.Change != nil {
			change = c.Change.Signed()
		}
		if c.Unknown > 0 {
			unknown = fmt.Sprintf("%d of %d", c.Unknown, c.Pairs)
		}
		rows = append(rows, append(row, c.Score.String(), change, orNone(c.Floor.String()), unknown))
	}
	head, rows = told(head, rows)
	p.table(head, rows, nil)
}

// told leaves out the columns that say nothing in any row.
func told(head []string, rows [][]string) ([]string, [][]string) {
	silent := func(col int) bool {
		return !slices.ContainsFunc(rows, func(row []string) bool { return row[col] != none })
	}
	keep := func(cells []string) []string {
		var out []string
		for col, cell := range cells {
			if len(rows) == 0 || !silent(col) {
				out = append(out, cell)
			}
		}
		return out
	}
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = keep(row)
	}
	return keep(head), out
}

const unknown = "not known"

// delivery shows the four DORA figures.
func (p *page) delivery(d *view.Delivery) {
	lead, often, rate, restored := unknown, unknown, unknown, unknown
	if d.LeadTime != nil {
		lead = fmt.Sprintf("%s (median of %d, %d of them from when the code was built)", span(d.LeadTime.Time()), d.LeadTime.Of, d.LeadTime.SinceBuild)
	}
	if d.PerDay != nil {
		often = every(d.PerDay.String())
	}
	if d.FailureRate != nil {
		failed := d.Deployments - d.Successes
		rate = fmt.Sprintf("%.0f %% (%d of %d)", 100*float64(failed)/float64(d.Deployments), failed, d.Deployments)
	}
	if d.Restore != nil {
		restored = fmt.Sprintf("%s (median of %d)", span(d.Restore.Time()), d.Restore.Of)
	}
	if d.Broken {
		restored += "; the last release failed, and none has succeeded since"
	}
	p.printf("\n%s\n", p.style.Bold("Delivery"))
	p.printf("  lead time             %s\n  deployment frequency  %s\n  rolled back           %s\n  time to restore       %s\n", lead, often, rate, restored)
}

// every is how long it is from one deployment to the next, which tells more than so many a day where that is a small or a large number.
func every(perDay string) string {
	rate, err := strconv.ParseFloat(perDay, 64)
	if err != nil || rate <= 0 {
		return "less than one in 20000 days"
	}
	return "one every " + span(time.Duration(float64(24*time.Hour)/rate))
}

// span writes a duration with its two largest units.
func span(d time.Duration) string {
	days, d := d/(24*time.Hour), d%(24*time.Hour)
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, d/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
