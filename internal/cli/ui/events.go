package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"evo/internal/engine"
	"evo/internal/view"
)

// Events shows what an engine tells, on a person's terminal or as lines of a log.
type Events struct {
	W     io.Writer
	Style *Style
	Dir   string // paths are shown from here
}

// NDJSON writes each event as one line of JSON, the first of them naming the format.
func NDJSON(w io.Writer) func(engine.Event) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]any{"type": "version", "format": 1, "tool": "evo"}) // whoever reads has gone: nobody is left to tell
	return func(e engine.Event) { _ = enc.Encode(e) }
}

func (v *Events) printf(format string, args ...any) { fmt.Fprintf(v.W, format, args...) }

// Show writes one event.
func (v *Events) Show(e engine.Event) {
	switch {
	case e.Upload != nil:
		v.upload(e.Upload)
	case e.ChangeSet != nil:
		v.changeSet(e.ChangeSet)
	case e.Stack != nil:
		v.stackEvent(e.Stack)
	case e.Rollout != nil:
		v.Rollout(e.Rollout)
	case e.Fitness != nil:
		v.Fitness(e.Fitness)
	case e.Outputs != nil:
		v.Outputs(e.Outputs)
	case e.Inert != nil:
		v.inert(e.Inert)
	case e.Type == engine.TypeWarning:
		v.printf("%s %s\n", v.Style.Yellow("warning:"), e.Info)
	case e.Type == engine.TypeInfo:
		v.printf("%s\n", e.Info)
	}
}

func (v *Events) upload(u *engine.Upload) {
	what := u.Resource
	if what == "" {
		what = "the template"
	}
	path := u.Path
	if rel, err := filepath.Rel(v.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		path = rel
	}
	if u.Skipped {
		v.printf("%s %s (%s): already there\n", v.Style.Dim("upload"), what, path)
		return
	}
	v.printf("%s %s (%s): %s to %s\n", v.Style.Dim("upload"), what, path, Bytes(u.Size), u.URI)
}

var signs = map[string]string{"Add": "+", "Modify": "~", "Remove": "-"}

func (v *Events) changeSet(cs *engine.ChangeSet) {
	verb := "update"
	if cs.Create {
		verb = "create"
	}
	v.printf("\n%s\n", v.Style.Bold(fmt.Sprintf("Change set %s: %s stack %s", cs.Name, verb, cs.Stack)))
	var rows [][]string
	for _, c := range cs.Changes {
		replace := ""
		if c.Replacement == "True" {
			replace = "replaced"
		} else if c.Replacement == "Conditional" {
			replace = "replaced perhaps"
		}
		note := strings.Join(c.Properties, ", ")
		if replace != "" {
			note = strings.TrimSuffix(replace+": "+note, ": ")
		}
		rows = append(rows, []string{signs[c.Action] + " " + c.Action, c.LogicalID, c.Type, note})
	}
	_ = Table(v.W, v.Style, []string{"Operation", "LogicalResourceId", "ResourceType", "Changes"}, rows, func(col int, cell string) string {
		if col > 0 {
			return cell
		}
		switch cell[0] {
		case '+':
			return v.Style.Green(cell)
		case '-':
			return v.Style.Red(cell)
		}
		return v.Style.Yellow(cell)
	})
	v.printf("\n")
}

func (v *Events) stackEvent(e *view.StackEvent) {
	v.printf("%s  %s  %s %s", v.Style.Dim(e.Time.Local().Format("15:04:05")), pad(v.Style.Status(e.Status), e.Status, 28), e.LogicalID, v.Style.Dim(e.Type))
	if e.Line > 0 && strings.HasSuffix(e.Status, "_FAILED") {
		v.printf("\n          %s:%d", e.File, e.Line)
	}
	if e.Reason != "" {
		v.printf("\n          %s", e.Reason)
	}
	v.printf("\n")
}

func pad(painted, plain string, width int) string {
	return painted + strings.Repeat(" ", max(0, width-len(plain)))
}

// Rollout shows how a deployment stands.
func (v *Events) Rollout(r *view.Rollout) {
	name := r.Function + ":" + r.Alias
	if r.Function == "" {
		name = r.Group
	}
	head := fmt.Sprintf("rollout %s  %s", v.Style.Bold(name), v.Style.Status(r.Status))
	if r.RollsBack != "" {
		head += "  rolls back " + r.RollsBack
	}
	v.printf("%s  %s\n", head, v.Style.Dim(r.DeploymentID+" "+strings.TrimPrefix(r.Config, "CodeDeployDefault.Lambda")))
	if r.New.Version != "" {
		v.version(r.Old, "old", v.Style.Dim)
		v.version(r.New, "new", v.Style.Green)
	}
	v.hooks(r)
	for _, a := range r.Alarms {
		v.printf("    alarm  %s %s", v.Style.Status(a.State), a.Name)
		if a.State == "ALARM" && a.Reason != "" {
			v.printf(": %s", a.Reason)
		}
		v.printf("\n")
	}
	if r.Reason != "" {
		v.printf("    %s %s: %s\n", v.Style.Red("why"), r.ErrorCode, r.Reason)
	}
	if r.RolledBack != "" {
		v.printf("    rolled back by deployment %s\n", r.RolledBack)
	}
}

const barWidth = 20

func (v *Events) version(n view.Version, which string, paint func(string) string) {
	full := int(n.Weight*barWidth + 0.5)
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	v.printf("    %s  version %-4s %s %3.0f%%  %d requests, %d errors", which, n.Version, paint(bar), n.Weight*100, n.Requests, n.Errors)
	if n.Requests > 0 {
		v.printf(", %.1f ms", n.Latency)
	}
	v.printf("\n")
}

// hookNames are SAM's words for CodeDeploy's lifecycle events.
var hookNames = map[string]string{"BeforeAllowTraffic": "PreTraffic", "AllowTraffic": "traffic", "AfterAllowTraffic": "PostTraffic"}

func (v *Events) hooks(r *view.Rollout) {
	var parts []string
	for _, h := range r.Hooks {
		name := hookNames[h.Event]
		if h.Function != "" {
			name += " " + h.Function
		} else if h.Event != "AllowTraffic" {
			continue // no hook: nothing happens there
		}
		parts = append(parts, name+" "+v.Style.Status(h.Status))
	}
	if len(parts) > 0 {
		v.printf("    %s\n", strings.Join(parts, v.Style.Dim(" · ")))
	}
	for _, h := range r.Hooks {
		if h.Message != "" && h.Status == "Failed" {
			v.printf("    %s: %s\n", hookNames[h.Event], h.Message)
		}
		for _, line := range h.Log {
			v.printf("    %s %s\n", v.Style.Dim("|"), line)
		}
	}
}

// inert shows what does nothing where it is.
func (v *Events) inert(all []view.Resource) {
	v.printf("\n%s\n", v.Style.Bold("Recorded only: this does nothing here"))
	for _, r := range all {
		v.printf("%s  %s\n  %s\n", r.LogicalID, v.Style.Dim(r.Type), r.Note)
	}
}

// Outputs shows a stack's outputs.
func (v *Events) Outputs(outputs []view.Output) {
	if len(outputs) == 0 {
		return
	}
	v.printf("\n%s\n", v.Style.Bold("Outputs"))
	for _, o := range outputs {
		v.printf("%s\n", o.Key)
		if o.Description != "" {
			v.printf("  %s\n", v.Style.Dim(o.Description))
		}
		v.printf("  %s\n", o.Value)
		if o.LocalURL != "" {
			v.printf("  %s\n", v.Style.Green(o.LocalURL))
		}
	}
}
