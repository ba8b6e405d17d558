package findings

import (
	"io"

	"evo/internal/cli/sarif"
	"evo/internal/rules"
	"evo/internal/source"
)

// SARIF writes the findings as one run, with what passed as well.
func SARIF(w io.Writer, version string, all []Template) error {
	found, results := []sarif.Rule{}, []sarif.Result{}
	seen := map[string]bool{}
	for _, t := range all {
		for i := range t.Verdicts {
			v := &t.Verdicts[i]
			if !seen[v.Rule] {
				seen[v.Rule] = true
				found = append(found, sarifRule(v.Rule))
			}
			if v.Compliance != rules.NotApplicable {
				results = append(results, sarifResult(t.File, v))
			}
		}
	}
	return sarif.Write(w, version, found, results)
}

func sarifRule(name string) sarif.Rule {
	r := sarif.Rule{ID: name, Short: name}
	if rule := rules.Find(name); rule != nil {
		r.Short, r.Help = rule.Summary, rule.Remedy
	}
	return r
}

func sarifResult(file string, v *rules.Verdict) sarif.Result {
	r := sarif.Result{Rule: v.Rule, Kind: "pass", Severity: source.Error, Message: v.Resource + ": " + v.Reason, File: file, Span: v.Span,
		Name: v.Resource, NameKind: "resource"}
	switch v.Compliance {
	case rules.NonCompliant:
		r.Kind = "fail"
	case rules.InsufficientData:
		r.Kind = "open"
	}
	return r
}
