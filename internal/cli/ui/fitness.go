package ui

import (
	"fmt"

	"evo/internal/view"
)

// Fitness shows what a release's fitness was judged to be, and why.
func (v *Events) Fitness(f *view.Fitness) {
	name := fmt.Sprintf("v%d", f.Release)
	if f.Name != "" {
		name += " " + f.Name
	}
	mark := v.Style.Green("✓")
	switch {
	case !f.Proceed:
		mark = v.Style.Red("✗")
	case f.Verdict != "accepted":
		mark = v.Style.Yellow("!")
	}
	v.printf("\n%s %s: %s (%s)\n", mark, v.Style.Bold(name), f.Verdict, f.Stage)
	for _, line := range f.Because {
		v.printf("  %s\n", v.Style.Red(line))
	}
	for _, line := range f.Why {
		v.printf("  %s\n", line)
	}
	for _, line := range f.Warning {
		v.printf("  %s %s\n", v.Style.Yellow("warning:"), line)
	}
	if f.Report != "" {
		v.printf("  %s\n", v.Style.Dim(f.Report))
	}
	v.printf("\n")
}
