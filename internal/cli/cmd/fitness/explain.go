package fitness

import (
	"context"
	"fmt"
	"strings"

	"evo/internal/appraisal/desired"
	"evo/internal/cli/app"
	"evo/internal/cli/findings"
	"evo/internal/cli/params"
	"evo/internal/view"
)

// explained is a release's fitness as a sum, as JSON has it.
type explained struct {
	Stack   string     `json:"stack"`
	Release int        `json:"release"`
	Name    string     `json:"name,omitempty"`
	Fitness view.Range `json:"fitness"`
	view.Explanation
}

// explain writes a release's fitness as a sum: the one that was asked for, else the newest.
func (s *stack) explain(ctx context.Context) error {
	r, err := s.newest(ctx)
	if s.release != "" {
		var n int
		if n, err = releaseNumber(s.release); err == nil {
			r, err = s.read(ctx, n)
		}
	}
	if err != nil {
		return err
	}
	v := s.store.ViewOf(r)
	e := explained{s.options.stack, r.Number, v.Name, *v.Fitness, view.Explain(r.Report.Verdict.Level, r.Report.Excepted)}
	if err := s.locate(&e.Explanation); err != nil {
		return err
	}
	if s.app.JSON() {
		return s.app.WriteJSON(e)
	}
	p := s.page()
	p.printf("%s\n", p.style.Bold(title(&v)+": fitness "+e.Fitness.String()))
	p.sum(&e.Explanation, 0)
	return p.err
}

// locate adds the lines of the template at hand. Without one there are none; one that was named must be readable.
func (o *options) locate(e *view.Explanation) error {
	path, err := o.app.Template(o.template, false)
	if err == nil {
		var t *desired.Template
		if t, err = o.read(path); err == nil {
			e.Locate(o.app.Short(path), lines(t))
		}
	}
	if o.template == "" {
		return nil
	}
	return err
}

// read reads and transforms a template.
func (o *options) read(path string) (*desired.Template, error) {
	given, err := params.Overrides(o.overrides)
	if err != nil {
		return nil, &app.UsageError{Err: err}
	}
	root, _, err := app.ReadTemplate(path)
	if err != nil {
		return nil, err
	}
	t, err := desired.Read(root, desired.Surroundings{Region: o.app.Region, Stack: o.stack, Parameters: given, Now: o.app.Now()})
	if err != nil {
		return nil, findings.Located(err, path)
	}
	return t, nil
}

// lines finds resources in a template. What configures a resource without standing in the template is found where the resource is.
func lines(t *desired.Template) func(resource string) int {
	return func(resource string) int {
		id, _, _ := strings.Cut(resource, "/")
		if item := t.Desired.Item(id); item != nil {
			return int(item.Span.Start.Line)
		}
		return 0
	}
}

// sum writes an explanation: all its lines, or the first most and how many more there are.
func (p *page) sum(e *view.Explanation, most int) {
	p.printf("%s = 100 - %s (pairs) - %s (complexity)\n", e.Total, e.Lost, e.Complexity)
	shown := e.Lines
	if most > 0 && len(shown) > most {
		shown = shown[:most]
	}
	p.losses(shown, "-")
	if left := len(e.Lines) - len(shown); left > 0 {
		p.printf("%9s  %d more: --explain shows all\n", "", left)
	}
	if len(e.Unknown) > 0 {
		p.printf("not known, and lost if it turns out bad:\n")
		p.losses(e.Unknown, "?")
	}
	p.leftOut(e)
}

func (p *page) losses(all []view.Loss, sign string) {
	for _, l := range all {
		what, why := l.Resource+" "+l.Function, l.Reason
		if l.Dimension != "" {
			what, why = l.Dimension, l.Reason
		}
		if why != "" {
			what += ": " + why
		}
		place := ""
		if l.Line > 0 {
			place = "  " + p.style.Dim(fmt.Sprintf("%s:%d", l.File, l.Line))
		}
		p.printf("%9s  %s%s\n", sign+l.Points.String(), what, place)
	}
}

// leftOut says what is in no sum: nothing of it is silent.
func (p *page) leftOut(e *view.Explanation) {
	if len(e.Excepted) > 0 {
		p.printf("%d excepted in the fitness file:\n", len(e.Excepted))
	}
	for _, x := range e.Excepted {
		p.printf("           %s %s, until %s: %s\n", x.Resource, x.Function, x.Until, x.Reason)
	}
	if len(e.Suppressed) > 0 {
		p.printf("%d suppressed in the template:\n", len(e.Suppressed))
	}
	for _, x := range e.Suppressed {
		p.printf("           %s %s, in the words of %s%s\n", x.Resource, x.Function, x.Tool, because(x.Reason))
	}
	for _, x := range e.Expired {
		p.printf("  expired  the exception of %s from %s ended on %s: it counts again\n", x.Resource, x.Function, x.Until)
	}
	for _, x := range e.Idle {
		p.printf("  idle     the exception of %s from %s names nothing that is judged\n", x.Resource, x.Function)
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
