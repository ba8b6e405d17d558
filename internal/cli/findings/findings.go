// Package findings answers: how is what rules find in templates written, for people and for other programs? The forms are text with the
// lines that it is about, JSON, SARIF (code hosts and editors) and JUnit (build servers).
package findings

import (
	"encoding/json"
	"fmt"
	"io"

	"evo/internal/rules"
	"evo/internal/source"
)

// Finding is one rule's verdict of one resource, in a file.
type Finding struct {
	Rule       string      `json:"rule"`
	Resource   string      `json:"resource"`
	Type       string      `json:"type"`
	Compliance string      `json:"compliance"` // AWS Config's word
	Score      json.Number `json:"score,omitempty"`
	Reason     string      `json:"reason"`
	File       string      `json:"file"`
	Line       int         `json:"line"`

	Span source.Span `json:"-"`
	Path string      `json:"-"` // the property, from Properties on
}

// New makes a finding of a verdict.
func New(file string, v rules.Verdict) Finding {
	return Finding{Rule: v.Rule, Resource: v.Resource, Type: v.Type, Compliance: v.Compliance.String(), Score: json.Number(v.Score.String()),
		Reason: v.Reason, File: file, Line: v.Span.Start.Line, Span: v.Span, Path: v.Path}
}

// Failed reports whether the resource does not comply.
func (f *Finding) Failed() bool { return f.Compliance == rules.NonCompliant.String() }

// open reports whether nobody can tell yet whether it complies.
func (f *Finding) open() bool { return f.Compliance == rules.InsufficientData.String() }

// judged reports whether there was something to judge.
func (f *Finding) judged() bool { return f.Compliance != rules.NotApplicable.String() }

// JSON writes an array with an element for each rule and resource.
func JSON(w io.Writer, all []Finding) error {
	if all == nil {
		all = []Finding{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

// Text writes what fails and what is unknown, with the lines of the templates, and a count. texts are the templates by file.
func Text(w io.Writer, all []Finding, texts map[string][]byte) error {
	var failed, open, judged int
	for i := range all {
		f := &all[i]
		if f.judged() {
			judged++
		}
		if !f.Failed() && !f.open() {
			continue
		}
		d := &source.Diagnostic{Severity: source.Error, File: f.File, Span: f.Span, Message: fmt.Sprintf("%s: %s: %s", f.Resource, f.Rule, f.Reason)}
		if f.open() {
			open++
			d.Severity = source.Warning
		} else {
			failed++
			if rule := rules.Find(f.Rule); rule != nil && rule.Remedy != "" {
				d.Hint = rule.Remedy
			}
		}
		if _, err := io.WriteString(w, d.Text(texts[f.File])+"\n"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d of %d checks passed; %d failed, %d cannot be told before deployment\n", judged-failed-open, judged, failed, open)
	return err
}
