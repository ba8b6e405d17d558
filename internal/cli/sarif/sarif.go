// Package sarif answers: how is what was found in files written as SARIF 2.1.0 (OASIS), which code hosts and editors read?
package sarif

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"evo/internal/source"
)

// Rule is a kind of finding.
type Rule struct {
	ID    string
	Short string // one sentence
	Help  string // what to do about it; may be empty
}

// Result is one finding. The level of one that is no failure is none.
type Result struct {
	Rule     string
	Kind     string // fail, open or pass
	Severity source.Severity
	Message  string
	File     string
	Span     source.Span // may be zero: the whole file
	Name     string      // of the resource, or the path of the property; may be empty
	NameKind string      // resource, or member
}

// The parts of SARIF that are written.
type (
	log struct {
		Schema  string `json:"$schema"`
		Version string `json:"version"`
		Runs    []run  `json:"runs"`
	}
	run struct {
		Tool    tool     `json:"tool"`
		Results []result `json:"results"`
	}
	tool struct {
		Driver driver `json:"driver"`
	}
	driver struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Rules   []rule `json:"rules"`
	}
	rule struct {
		ID    string `json:"id"`
		Short text   `json:"shortDescription"`
		Help  *text  `json:"help,omitempty"`
	}
	text struct {
		Text string `json:"text"`
	}
	result struct {
		RuleID    string     `json:"ruleId"`
		RuleIndex int        `json:"ruleIndex"`
		Level     string     `json:"level"`
		Kind      string     `json:"kind"`
		Message   text       `json:"message"`
		Locations []location `json:"locations,omitempty"`
	}
	location struct {
		Physical physical  `json:"physicalLocation"`
		Logical  []logical `json:"logicalLocations,omitempty"`
	}
	physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   *region  `json:"region,omitempty"`
	}
	artifact struct {
		URI string `json:"uri"`
	}
	region struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	logical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

// Write writes results as one run. version is evo's; rules holds the rule of every result, in any order.
func Write(w io.Writer, version string, rules []Rule, results []Result) error {
	rules = slices.Clone(rules)
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	out := run{Tool: tool{driver{Name: "evo", Version: version, Rules: []rule{}}}, Results: []result{}}
	for _, r := range rules {
		written := rule{ID: r.ID, Short: text{r.Short}}
		if r.Help != "" {
			written.Help = &text{r.Help}
		}
		out.Tool.Driver.Rules = append(out.Tool.Driver.Rules, written)
	}
	for i := range results {
		r := results[i].written()
		r.RuleIndex, _ = slices.BinarySearchFunc(rules, r.RuleID, func(known Rule, id string) int { return strings.Compare(known.ID, id) })
		out.Results = append(out.Results, r)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(log{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []run{out}})
}

func (r *Result) written() result {
	out := result{RuleID: r.Rule, Kind: r.Kind, Level: "none", Message: text{r.Message}}
	if r.Kind == "fail" {
		out.Level = r.Severity.String()
	}
	place := location{Physical: physical{Artifact: artifact{filepath.ToSlash(r.File)}}}
	if r.Span.IsValid() {
		place.Physical.Region = &region{int(r.Span.Start.Line), int(r.Span.Start.Col)}
	}
	if r.Name != "" {
		place.Logical = []logical{{r.Name, r.NameKind}}
	}
	out.Locations = []location{place}
	return out
}
