package demo

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"evo/internal/cli/app"
	"evo/internal/cli/ui"
	"evo/internal/engine"
	"evo/internal/gate"
	"evo/internal/view"
)

// show prints the story. Its lines come from the engine and from the customers' watch alike.
type show struct {
	mu    sync.Mutex
	w     io.Writer
	style *ui.Style
	began time.Time

	judged    *view.Fitness // by the release gate, in this release
	resources int           // made in this release
	last      map[string]string
}

func newShow(a *app.App) *show {
	return &show{w: a.Out, style: ui.NewStyle(a.Color() && a.OutTTY), began: a.Now(), last: map[string]string{}}
}

func (s *show) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.w, format, args...)
}

func (s *show) welcome(url string, speed float64) {
	s.printf("%s\nA shop, its customers, and seven releases. Five make it fitter; the last two are mistakes. It takes about a minute.\n"+
		"An embedded cloud runs at %s, its clock %g times as fast as yours.\n", s.style.Bold("evo demo"), url, speed)
}

func (s *show) release(c chapter) {
	s.resources, s.judged = 0, nil
	s.printf("\n%s: %s\n", s.style.Bold(fmt.Sprintf("v%d %s", c.number, c.Name)), c.About)
	if c.ends == refused {
		s.printf("  The static gate would refuse this before anything is touched. It is off (--no-static-gate), to show the release gate.\n")
	}
}

// event prints what matters of what the engine tells.
func (s *show) event(e engine.Event) {
	switch {
	case e.Stack != nil:
		s.stackEvent(e.Stack)
	case e.Rollout != nil:
		s.rollout(e.Rollout)
	case e.Fitness != nil:
		s.fitness(e.Fitness)
	}
}

func (s *show) stackEvent(e *view.StackEvent) {
	switch {
	case e.Status == "CREATE_COMPLETE" || e.Status == "UPDATE_COMPLETE":
		s.resources++
	case e.LogicalID == gate.GateID: // its verdict is told
	case strings.HasSuffix(e.Status, "_FAILED"):
		s.printf("  %s %s: %s\n", s.style.Red(e.Status), e.LogicalID, e.Reason)
	case e.Status == "UPDATE_ROLLBACK_IN_PROGRESS" || e.Status == "ROLLBACK_IN_PROGRESS":
		if e.Type == "AWS::CloudFormation::Stack" {
			s.printf("  the stack is being rolled back\n")
		}
	}
}

// rollout prints a deployment's step once: its weights and hooks, not the traffic, which the customers' watch shows.
func (s *show) rollout(r *view.Rollout) {
	name := function(r.Function)
	var hooks []string
	for _, h := range r.Hooks {
		if h.Function != "" && h.Status != "Pending" && h.Status != "Skipped" {
			hooks = append(hooks, fmt.Sprintf("%s hook %s", hookNames[h.Event], s.style.Status(h.Status)))
		}
	}
	alarm := ""
	for _, a := range r.Alarms {
		if a.State == "ALARM" {
			alarm = fmt.Sprintf("\n             %s %s: %s", s.style.Red("ALARM"), function(a.Name), a.Reason)
		}
	}
	line := fmt.Sprintf("  %-10s version %s %s version %s  %s %s  %s%s", name, r.Old.Version, s.bar(r.New.Weight), r.New.Version,
		fmt.Sprintf("%3.0f%%", r.New.Weight*100), s.style.Status(r.Status), strings.Join(hooks, ", "), alarm)
	if r.RollsBack != "" {
		line = fmt.Sprintf("  %-10s all traffic goes back to version %s  %s", name, r.New.Version, s.style.Status(r.Status))
	}
	if r.Function == "" || s.last[r.DeploymentID] == line {
		return
	}
	s.last[r.DeploymentID] = line
	s.printf("%s\n", line)
}

var hookNames = map[string]string{"BeforeAllowTraffic": "PreTraffic", "AfterAllowTraffic": "PostTraffic"}

// function shortens a physical name, shop-Search-1A2B3C, to what the template calls it.
func function(physical string) string {
	parts := strings.Split(physical, "-")
	if len(parts) >= 2 && parts[0] == stack {
		return parts[1]
	}
	return physical
}

const barWidth = 10

func (s *show) bar(weight float64) string {
	n := int(weight*barWidth + 0.5)
	return s.style.Dim(strings.Repeat("▒", barWidth-n)) + s.style.Green(strings.Repeat("█", n))
}

func (s *show) deployed() {
	s.printf("  %s\n", s.style.Green(fmt.Sprintf("deployed: %d resources", s.resources)))
}

func (s *show) opened(url string) {
	s.printf("  The shop is open: %s/search?q=mug\n  Customers come.\n", url)
}

func (s *show) rolledBack(failed *engine.FailedError) {
	for _, r := range failed.RolledBack {
		if r.RollsBack == "" {
			s.printf("  %s %s was rolled back: %s\n    version %s serves all of its customers again\n", s.style.Red("✗"), function(r.Function), r.Reason, r.Old.Version)
		}
	}
}

// fitness prints a verdict: what is predicted in one line, the release gate's with its reasons.
func (s *show) fitness(f *view.Fitness) {
	delta := ""
	if f.Delta != "" {
		delta = fmt.Sprintf(" (%s against %s)", f.Delta, f.Against)
	}
	verdict := s.style.Green(f.Verdict)
	if !f.Proceed {
		verdict = s.style.Red(f.Verdict)
	}
	if f.Stage == view.StagePredicted {
		s.printf("  %s %s%s: %s\n", s.style.Dim("predicted from the template:"), f.Fitness, delta, verdict)
		return
	}
	s.judged = f
	s.printf("  %s fitness %s%s, %s by the release gate\n", s.style.Bold(fmt.Sprintf("v%d", f.Release)), s.style.Bold(f.Fitness), delta, verdict)
	for _, line := range f.Because {
		s.printf("    %s\n", s.style.Red(line))
	}
	for _, line := range f.Why {
		s.printf("    %s\n", line)
	}
}

// refused says what the release gate's no came to.
func (s *show) refused() {
	s.printf("  %s the release gate said no: the stack is as it was before, encrypted\n", s.style.Red("✗"))
}

// releases prints all of them side by side.
func (s *show) releases(all []view.Release) error {
	var rows [][]string
	for i := range all {
		r := &all[i]
		row := []string{fmt.Sprintf("v%d", r.Number), r.Name, "-", "-", "-", r.Status}
		if r.Fitness != nil {
			row[2], row[4] = r.Fitness.String(), r.Verdict
		}
		if r.Predicted != nil {
			row[2], row[3] = r.Predicted.Fitness+" (predicted)", r.Predicted.Delta
		}
		if r.Delta != nil {
			row[3] = r.Delta.Decided.Signed()
		}
		rows = append(rows, row)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.w)
	return ui.Table(s.w, s.style, []string{"Release", "Name", "Fitness", "Difference", "Verdict", "Status"}, rows, nil)
}

// done says what can be looked at, and whether the cloud is still there for it.
func (s *show) done(once bool, url string, now time.Time) {
	if once {
		s.printf("\nDone in %.0f seconds. The cloud is gone; without --once it stays, and other terminals can look at it:\n", now.Sub(s.began).Seconds())
	} else {
		s.printf("\nThe shop goes on, and other terminals can look at it:\n")
	}
	from, to := window(s.began)
	s.printf("\n  evo fitness --stack-name %s --endpoint-url %s\n", stack, url)
	s.printf("  AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws cloudwatch get-metric-statistics --endpoint-url %s --region %s \\\n"+
		"    --namespace evo --metric-name Fitness --dimensions Name=Stack,Value=%s --statistics Minimum Maximum --period 60 \\\n"+
		"    --start-time %s --end-time %s\n", url, region, stack, from.Format(time.RFC3339), to.Format(time.RFC3339))
	if once {
		s.printf("\nNext: evo init --name my-app --runtime nodejs\n")
		return
	}
	s.printf("\nCtrl-C ends it.\n")
}

// window is the time in which to look for the metrics of a demonstration: a statistic by the minute may span no more than a day.
func window(began time.Time) (from, to time.Time) {
	from = began.UTC().Truncate(time.Hour)
	return from, from.Add(24 * time.Hour)
}

// watch prints, every two seconds, which version answered the customers' searches.
func (s *show) watch(ctx context.Context, c *customers) {
	for {
		pause(ctx, 2*time.Second)
		if ctx.Err() != nil {
			return
		}
		counts := c.take()
		total := 0
		for _, n := range counts {
			total += n.requests
		}
		var parts []string
		versions := slices.Sorted(maps.Keys(counts))
		if len(versions) > 0 && versions[0] == "" { // what failed comes last
			versions = append(versions[1:], "")
		}
		for _, v := range versions {
			n := counts[v]
			how := "by version " + v
			if v == "" {
				how = "failed"
			}
			part := fmt.Sprintf("%d %s (%.0f%%)", n.requests, how, 100*float64(n.requests)/float64(total))
			if n.errors > 0 {
				part = s.style.Red(part)
			}
			parts = append(parts, part)
		}
		s.printf("  %s\n", s.style.Dim("           searches: ")+strings.Join(parts, ", "))
	}
}
