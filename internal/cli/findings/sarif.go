package findings

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"evo/internal/rules"
)

// The parts of SARIF 2.1.0 (OASIS) that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string     `json:"id"`
		Short sarifText  `json:"shortDescription"`
		Help  *sarifText `json:"help,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Kind      string          `json:"kind"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

// SARIF writes the findings as one run, with what passed as well.
func SARIF(w io.Writer, version string, all []Finding) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "evo", Version: version, Rules: sarifRules(all)}}, Results: []sarifResult{}}
	for i := range all {
		if all[i].judged() {
			run.Results = append(run.Results, all[i].sarif(run.Tool.Driver.Rules))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifRules are the rules that found something, by name.
func sarifRules(all []Finding) []sarifRule {
	out, seen := []sarifRule{}, map[string]bool{}
	for i := range all {
		name := all[i].Rule
		if seen[name] {
			continue
		}
		seen[name] = true
		r := sarifRule{ID: name, Short: sarifText{name}}
		if rule := rules.Find(name); rule != nil {
			r.Short.Text = rule.Summary
			if rule.Remedy != "" {
				r.Help = &sarifText{rule.Remedy}
			}
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b sarifRule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (f *Finding) sarif(known []sarifRule) sarifResult {
	r := sarifResult{RuleID: f.Rule, Message: sarifText{f.Resource + ": " + f.Reason}}
	r.RuleIndex, _ = slices.BinarySearchFunc(known, f.Rule, func(r sarifRule, id string) int { return strings.Compare(r.ID, id) })
	switch {
	case f.Failed():
		r.Kind, r.Level = "fail", "error"
	case f.open():
		r.Kind, r.Level = "open", "none"
	default:
		r.Kind, r.Level = "pass", "none"
	}
	place := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{filepath.ToSlash(f.File)}},
		Logical: []sarifLogical{{f.Resource, "resource"}}}
	if f.Line > 0 {
		place.Physical.Region = &sarifRegion{f.Line, int(f.Span.Start.Col)}
	}
	r.Locations = []sarifLocation{place}
	return r
}
