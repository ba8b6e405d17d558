package source

import (
	"fmt"
	"slices"
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
	if place := d.place(d.Span); place != "" {
		return place + ": " + text
	}
	return text
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
func (d *Diagnostic) Text(src []byte) string {
	var b strings.Builder
	if place := d.place(d.Span); place != "" {
		b.WriteString(place + ": ")
	}
	fmt.Fprintf(&b, "%s: %s\n", d.Severity, d.Message)
	excerpt(&b, src, d.Span)
	if d.Path != "" {
		fmt.Fprintf(&b, "  at: %s\n", d.Path)
	}
	for _, n := range d.Notes {
		if place := d.place(n.Span); place != "" {
			b.WriteString(place + ": ")
		}
		fmt.Fprintf(&b, "note: %s\n", n.Message)
		excerpt(&b, src, n.Span)
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "  hint: %s\n", d.Hint)
	}
	return b.String()
}

func (d *Diagnostic) place(span Span) string {
	switch {
	case !span.IsValid():
		return d.File
	case d.File == "":
		return fmt.Sprintf("%d:%d", span.Start.Line, span.Start.Col)
	default:
		return fmt.Sprintf("%s:%d:%d", d.File, span.Start.Line, span.Start.Col)
	}
}

// Excerpts show at most this many characters of a line, and so many before the marked place.
const (
	excerptWidth = 110
	excerptLead  = 60
)

// excerpt writes the line at which span starts, and under it a caret with a tilde for each further character of the span.
func excerpt(b *strings.Builder, src []byte, span Span) {
	if !span.IsValid() || src == nil {
		return
	}
	text, start := lineOf(src, span.Start)
	from := clampToRune(text, int(span.Start.Offset)-start)
	to := clampToRune(text, int(span.End.Offset)-start)
	before, marked, after := printable(text[:from]), printable(text[from:max(from, to)]), printable(text[max(from, to):])
	if n := utf8.RuneCountInString(before); n > excerptLead {
		before = "…" + string([]rune(before)[n-excerptLead+1:])
	}
	shown := []rune(before + marked + after)
	if len(shown) > excerptWidth {
		shown = append(shown[:excerptWidth-1], '…')
	}
	lead := utf8.RuneCountInString(before)
	tail := max(0, min(utf8.RuneCountInString(marked), len(shown)-lead)-1)
	number := fmt.Sprintf("%5d | ", span.Start.Line)
	fmt.Fprintf(b, "%s%s\n", number, strings.TrimRightFunc(string(shown), unicode.IsSpace))
	fmt.Fprintf(b, "%s%s^%s\n", strings.Repeat(" ", len(number)-2)+"| ", strings.Repeat(" ", lead), strings.Repeat("~", tail))
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
