// Package findings answers: how is what rules find in templates written, for people and for other programs? The forms are text with the
// lines that it is about, JSON, SARIF (code hosts and editors) and JUnit (build servers).
package findings

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"evo/internal/rules"
	"evo/internal/source"
)

// Template is a template and what rules say of it.
type Template struct {
	File     string // the name to show
	Text     []byte // whose lines are shown; nil if there are none to show
	Verdicts []rules.Verdict
}

// Failed counts the verdicts of resources that do not comply.
func (t *Template) Failed() int {
	n := 0
	for i := range t.Verdicts {
		if t.Verdicts[i].Compliance == rules.NonCompliant {
			n++
		}
	}
	return n
}

// Writer writes the findings of template after template, in one form.
type Writer interface {
	// Template takes what was found in one template. A form that can be read from its beginning is written at once.
	Template(t Template) error
	// Close writes the rest.
	Close() error
}

// NewWriter returns the Writer of a form: json, sarif, junit, or text. version is evo's.
func NewWriter(form string, w io.Writer, version string) Writer {
	switch form {
	case "json":
		return &jsonWriter{w: w}
	case "sarif":
		return &collector{write: func(all []Template) error { return SARIF(w, version, all) }}
	case "junit":
		return &collector{write: func(all []Template) error { return JUnit(w, all) }}
	}
	return &textWriter{w: w}
}

// collector is the Writer of forms that begin with what is known last.
type collector struct {
	all   []Template
	write func([]Template) error
}

func (c *collector) Template(t Template) error {
	t.Text = nil
	c.all = append(c.all, t)
	return nil
}

func (c *collector) Close() error { return c.write(c.all) }

// jsonWriter writes an array with an element for each rule and resource.
type jsonWriter struct {
	w     io.Writer
	begun bool
	b     []byte // of the last template, whose room is used again
}

func (j *jsonWriter) Template(t Template) error {
	b := j.b[:0]
	for i := range t.Verdicts {
		separator := ",\n  "
		if !j.begun {
			separator = "[\n  "
		}
		j.begun = true
		b = appendJSON(append(b, separator...), t.File, &t.Verdicts[i])
	}
	j.b = b
	_, err := j.w.Write(b)
	return err
}

// appendJSON writes an element: what encoding/json would, indented as a part of an array, several times faster.
func appendJSON(b []byte, file string, v *rules.Verdict) []byte {
	b = appendMember(b, "{", "rule", v.Rule)
	b = appendMember(b, ",", "resource", v.Resource)
	b = appendMember(b, ",", "type", v.Type)
	b = appendMember(b, ",", "compliance", v.Compliance.String()) // AWS Config's word
	if v.Score.Known() {
		b = append(append(b, ",\n    \"score\": "...), v.Score.String()...)
	}
	b = appendMember(b, ",", "reason", v.Reason)
	b = appendMember(b, ",", "file", file)
	b = strconv.AppendInt(append(b, ",\n    \"line\": "...), int64(v.Span.Start.Line), 10)
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

	// Of the last template; their room is used again.
	shown []*rules.Verdict
	b     []byte
}

func (w *textWriter) Template(t Template) error {
	w.shown, w.b = w.shown[:0], w.b[:0]
	for i := range t.Verdicts {
		v := &t.Verdicts[i]
		if v.Compliance == rules.NotApplicable {
			continue
		}
		w.judged++
		if v.Compliance != rules.Compliant {
			w.shown = append(w.shown, v)
		}
	}
	slices.SortStableFunc(w.shown, byLine)
	for _, v := range w.shown {
		w.show(t, v)
	}
	_, err := w.w.Write(w.b)
	return err
}

func (w *textWriter) show(t Template, v *rules.Verdict) {
	d := source.Diagnostic{File: t.File, Span: v.Span, Message: v.Resource + ": " + v.Rule + ": " + v.Reason}
	if v.Compliance == rules.InsufficientData {
		w.open++
		d.Severity = source.Warning
	} else {
		w.failed++
		if rule := rules.Find(v.Rule); rule != nil {
			d.Hint = rule.Remedy
		}
	}
	w.b = append(d.AppendText(w.b, t.Text), '\n')
}

// byLine is the order of the file; what has no place in it comes last.
func byLine(a, b *rules.Verdict) int {
	lineA, lineB := a.Span.Start.Line, b.Span.Start.Line
	if (lineA == 0) != (lineB == 0) {
		return cmp.Compare(lineB, lineA)
	}
	return cmp.Compare(lineA, lineB)
}

func (w *textWriter) Close() error {
	_, err := fmt.Fprintf(w.w, "%d of %d checks passed; %d failed, %d cannot be told before deployment\n",
		w.judged-w.failed-w.open, w.judged, w.failed, w.open)
	return err
}
