// Package findings answers: how is what rules find in templates written, for people and for other programs? The forms are text with the
// lines that it is about, JSON, SARIF (code hosts and editors) and JUnit (build servers).
package findings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

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
		Reason: v.Reason, File: file, Line: int(v.Span.Start.Line), Span: v.Span, Path: v.Path}
}

// Failed reports whether the resource does not comply.
func (f *Finding) Failed() bool { return f.Compliance == rules.NonCompliant.String() }

// open reports whether nobody can tell yet whether it complies.
func (f *Finding) open() bool { return f.Compliance == rules.InsufficientData.String() }

// judged reports whether there was something to judge.
func (f *Finding) judged() bool { return f.Compliance != rules.NotApplicable.String() }

// Writer writes the findings of template after template, in one form.
type Writer interface {
	// Template takes what was found in one template, whose text is given. A form that can be read from its beginning is written
	// at once.
	Template(text []byte, found []Finding) error
	// Close writes the rest.
	Close() error
}

// NewWriter returns the Writer of a form: json, sarif, junit, or text. version is evo's.
func NewWriter(form string, w io.Writer, version string) Writer {
	switch form {
	case "json":
		return &jsonWriter{w: w}
	case "sarif":
		return &collector{write: func(all []Finding) error { return SARIF(w, version, all) }}
	case "junit":
		return &collector{write: func(all []Finding) error { return JUnit(w, all) }}
	}
	return &textWriter{w: w}
}

// collector is the Writer of forms that begin with what is known last.
type collector struct {
	all   []Finding
	write func([]Finding) error
}

func (c *collector) Template(_ []byte, found []Finding) error {
	c.all = append(c.all, found...)
	return nil
}

func (c *collector) Close() error { return c.write(c.all) }

// jsonWriter writes an array with an element for each rule and resource.
type jsonWriter struct {
	w     io.Writer
	begun bool
	b     []byte // of the last template, whose room is used again
}

func (j *jsonWriter) Template(_ []byte, found []Finding) error {
	b := j.b[:0]
	for i := range found {
		separator := ",\n  "
		if !j.begun {
			separator = "[\n  "
		}
		j.begun = true
		b = found[i].appendJSON(append(b, separator...))
	}
	j.b = b
	_, err := j.w.Write(b)
	return err
}

// appendJSON writes what encoding/json would, indented as a part of an array, several times faster.
func (f *Finding) appendJSON(b []byte) []byte {
	b = appendMember(b, "{", "rule", f.Rule)
	b = appendMember(b, ",", "resource", f.Resource)
	b = appendMember(b, ",", "type", f.Type)
	b = appendMember(b, ",", "compliance", f.Compliance)
	if f.Score != "" {
		b = append(append(b, ",\n    \"score\": "...), f.Score...)
	}
	b = appendMember(b, ",", "reason", f.Reason)
	b = appendMember(b, ",", "file", f.File)
	b = strconv.AppendInt(append(b, ",\n    \"line\": "...), int64(f.Line), 10)
	return append(b, "\n  }"...)
}

func appendMember(b []byte, before, key, text string) []byte {
	b = append(append(append(append(b, before...), "\n    \""...), key...), "\": "...)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return append(b, quoted(text)...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// quoted is text as a JSON string.
func quoted(text string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always encodes
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (j *jsonWriter) Close() error {
	end := "\n]\n"
	if !j.begun {
		end = "[]\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}

// textWriter writes what fails and what is unknown, with the lines of the templates, and at the end a count.
type textWriter struct {
	w                    io.Writer
	failed, open, judged int
	b                    []byte // of the last template, whose room is used again
}

func (t *textWriter) Template(text []byte, found []Finding) error {
	b := t.b[:0]
	for _, f := range byLine(found) {
		if f.judged() {
			t.judged++
		}
		if !f.Failed() && !f.open() {
			continue
		}
		d := &source.Diagnostic{Severity: source.Error, File: f.File, Span: f.Span, Message: f.Resource + ": " + f.Rule + ": " + f.Reason}
		if f.open() {
			t.open++
			d.Severity = source.Warning
		} else {
			t.failed++
			if rule := rules.Find(f.Rule); rule != nil && rule.Remedy != "" {
				d.Hint = rule.Remedy
			}
		}
		b = append(d.AppendText(b, text), '\n')
	}
	t.b = b
	_, err := t.w.Write(b)
	return err
}

// byLine are findings in the order of the file; those without a place in it come last.
func byLine(found []Finding) []*Finding {
	sorted := make([]*Finding, len(found))
	for i := range found {
		sorted[i] = &found[i]
	}
	slices.SortStableFunc(sorted, func(a, b *Finding) int {
		if (a.Line == 0) != (b.Line == 0) {
			return b.Line - a.Line
		}
		return a.Line - b.Line
	})
	return sorted
}

func (t *textWriter) Close() error {
	_, err := fmt.Fprintf(t.w, "%d of %d checks passed; %d failed, %d cannot be told before deployment\n",
		t.judged-t.failed-t.open, t.judged, t.failed, t.open)
	return err
}
