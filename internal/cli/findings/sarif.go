package findings

import (
	"io"

	"evo/internal/cli/sarif"
	"evo/internal/rules"
	"evo/internal/source"
)

// SARIF writes the findings as one run, with what passed as well.
func SARIF(w io.Writer, version string, all []Finding) error {
	results := []sarif.Result{}
	for i := range all {
		if all[i].judged() {
			results = append(results, all[i].sarif())
		}
	}
	return sarif.Write(w, version, sarifRules(all), results)
}

// sarifRules are the rules that found something.
func sarifRules(all []Finding) []sarif.Rule {
	out, seen := []sarif.Rule{}, map[string]bool{}
	for i := range all {
		name := all[i].Rule
		if seen[name] {
			continue
		}
		seen[name] = true
		r := sarif.Rule{ID: name, Short: name}
		if rule := rules.Find(name); rule != nil {
			r.Short, r.Help = rule.Summary, rule.Remedy
		}
		out = append(out, r)
	}
	return out
}

func (f *Finding) sarif() sarif.Result {
	r := sarif.Result{Rule: f.Rule, Kind: "pass", Severity: source.Error, Message: f.Resource + ": " + f.Reason, File: f.File, Span: f.Span,
		Name: f.Resource, NameKind: "resource"}
	switch {
	case f.Failed():
		r.Kind = "fail"
	case f.open():
		r.Kind = "open"
	}
	return r
}
