package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Severity says how bad a diagnostic is.
type Severity uint8

// The severities. An Error stops what is being done, a Warning does not.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is a problem in a file, as data. It is an error; Text shows it to a person.
type Diagnostic struct {
	Severity Severity
	Message  string // lower case, without a full stop
	Code     string // the kind of problem, for programs: words with hyphens; may be empty
	File     string // the name to show; may be empty
	Span     Span   // may be zero: a problem of the whole file
	Path     string // what the problem is about, as keys with dots between them: Resources.Orders.Properties.Runtime; may be empty
	Notes    []Note // other places that explain it
	Hint     string // what to do about it
}

// Note points at another place that explains a diagnostic.
type Note struct {
	Message string
	Span    Span // in the diagnostic's file
}

// Errorf makes an Error at a span.
func Errorf(span Span, format string, args ...any) *Diagnostic {
	return &Diagnostic{Message: fmt.Sprintf(format, args...), Span: span}
}

// WithHint adds what to do about d, and returns d.
func (d *Diagnostic) WithHint(format string, args ...any) *Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// WithNote adds another place that explains d, and returns d.
func (d *Diagnostic) WithNote(span Span, format string, args ...any) *Diagnostic {
	d.Notes = append(d.Notes, Note{Message: fmt.Sprintf(format, args...), Span: span})
	return d
}

// Error is the diagnostic in one line, for logs and for errors that wrap it.
func (d *Diagnostic) Error() string {
	text := d.Message
	if d.Hint != "" {
		text += " (" + d.Hint + ")"
	}
	return string(append(d.appendPlace(nil, d.Span), text...))
}

// Diagnostics are the problems of a file, in the order to show them.
type Diagnostics []*Diagnostic

// Err is nil if ds holds no Error, else ds.
func (ds Diagnostics) Err() error {
	for _, d := range ds {
		if d.Severity == Error {
			return ds
		}
	}
	return nil
}

func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single diagnostic.
func (ds Diagnostics) Unwrap() []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = d
	}
	return errs
}

// Sort puts ds in the order of the file. Those without a place come first.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b *Diagnostic) int { return int(a.Span.Start.Offset - b.Span.Start.Offset) })
}

// Text shows every diagnostic with its lines of src, one blank line between two.
func (ds Diagnostics) Text(src []byte) string {
	parts := make([]string, len(ds))
	for i, d := range ds {
		parts[i] = d.Text(src)
	}
	return strings.Join(parts, "\n")
}

// Text shows d to a person: where, what, the line of src with the place marked, the notes likewise, and the hint. It ends in a
// line feed. src is the text of d's file, nil if there is none to show.
func (d *Diagnostic) Text(src []byte) string { return string(d.AppendText(nil, src)) }

// AppendText appends what Text shows to b.
func (d *Diagnostic) AppendText(b, src []byte) []byte {
	b = d.appendPlace(b, d.Span)
	b = appendLine(b, d.Severity.String(), ": ", d.Message)
	b = appendExcerpt(b, src, d.Span)
	if d.Path != "" {
		b = appendLine(b, "  at: ", d.Path)
	}
	for _, n := range d.Notes {
		b = d.appendPlace(b, n.Span)
		b = appendLine(b, "note: ", n.Message)
		b = appendExcerpt(b, src, n.Span)
	}
	if d.Hint != "" {
		b = appendLine(b, "  hint: ", d.Hint)
	}
	return b
}

// appendPlace appends the place of span and what stands between it and the text about it.
func (d *Diagnostic) appendPlace(b []byte, span Span) []byte {
	if d.File == "" && !span.IsValid() {
		return b
	}
	b = append(b, d.File...)
	if span.IsValid() {
		if d.File != "" {
			b = append(b, ':')
		}
		b = strconv.AppendInt(b, int64(span.Start.Line), 10)
		b = strconv.AppendInt(append(b, ':'), int64(span.Start.Col), 10)
	}
	return append(b, ": "...)
}

func appendLine(b []byte, parts ...string) []byte {
	for _, p := range parts {
		b = append(b, p...)
	}
	return append(b, '\n')
}

// Excerpts show at most this many characters of a line, and so many before the marked place.
const (
	excerptWidth = 110
	excerptLead  = 60
)

// appendExcerpt appends the line at which span starts, and under it a caret with a tilde for each further character of the span.
func appendExcerpt(b, src []byte, span Span) []byte {
	if !span.IsValid() || src == nil {
		return b
	}
	text, start := lineOf(src, span.Start)
	from := clampToRune(text, int(span.Start.Offset)-start)
	to := max(from, clampToRune(text, int(span.End.Offset)-start))
	lead, marked := utf8.RuneCountInString(text[:from]), utf8.RuneCountInString(text[from:to])
	shown := printable(text)
	if lead > excerptLead {
		shown = "…" + shown[runeOffset(shown, lead-excerptLead+1):]
		lead = excerptLead
	}
	if last := runeOffset(shown, excerptWidth-1); utf8.RuneCountInString(shown[last:]) > 1 {
		shown = shown[:last] + "…"
	}
	margin := len(b)
	b = fmt.Appendf(b, "%5d | ", span.Start.Line)
	margin = len(b) - margin
	b = appendLine(b, strings.TrimRightFunc(shown, unicode.IsSpace))
	b = append(appendTimes(b, ' ', margin-2), "| "...)
	b = append(appendTimes(b, ' ', lead), '^')
	return append(appendTimes(b, '~', min(marked, utf8.RuneCountInString(shown)-lead)-1), '\n')
}

// appendTimes appends c n times; not at all if n is negative.
func appendTimes(b []byte, c byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, c)
	}
	return b
}

// runeOffset is where in text the character starts that n others stand before, or its end.
func runeOffset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// clampToRune brings a byte offset into text, back to the start of the character that it falls on.
func clampToRune(text string, offset int) int {
	offset = min(max(offset, 0), len(text))
	for offset > 0 && offset < len(text) && !utf8.RuneStart(text[offset]) {
		offset--
	}
	return offset
}

// printable makes each character of text take one column: tabs become a space, what cannot be shown a replacement mark.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
}
