package sam

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"evo/internal/cfn"
)

// quotes says how text shows a string.
type quotes uint8

const (
	withMarks quotes = iota // as in the input of hashes: marked strings begin with u and are ASCII
	plainText               // as in messages
)

// text prints v as Python does: what hashes are made of, and how values show in AWS's messages.
func (v *value) textForm(q quotes) string {
	var b strings.Builder
	v.writeText(&b, q)
	return b.String()
}

// display is v within a message: a string as it is, anything else as Python prints it. AWS's messages show the marks of strings
// that hold more than letters and digits.
func (v *value) display() string {
	if v.isString() {
		return v.text
	}
	return markedWord().ReplaceAllString(v.textForm(withMarks), "'$1'")
}

var markedWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`u'([A-Za-z0-9]*)'`) })

func (v *value) writeText(b *strings.Builder, q quotes) {
	if v == nil {
		b.WriteString("None")
		return
	}
	switch v.kind {
	case cfn.Null:
		b.WriteString("None")
	case cfn.Bool:
		b.WriteString(map[string]string{"true": "True", "false": "False"}[v.text])
	case cfn.Int:
		b.WriteString(v.text)
	case cfn.Float:
		b.WriteString(floatText(v.text))
	case cfn.String:
		writeQuoted(b, v.text, v.marked && q == withMarks)
	case cfn.List:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			item.writeText(b, q)
		}
		b.WriteByte(']')
	case cfn.Map:
		b.WriteByte('{')
		for i, e := range v.entries() {
			if i > 0 {
				b.WriteString(", ")
			}
			writeQuoted(b, e.key, e.marked && q == withMarks)
			b.WriteString(": ")
			e.value.writeText(b, q)
		}
		b.WriteByte('}')
	}
}

// writeQuoted writes a string in single quotes, or in double ones if it holds single ones only.
func writeQuoted(b *strings.Builder, s string, marked bool) {
	quote := rune('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	if marked {
		b.WriteByte('u')
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(b, `\x%02x`, r)
		case r < 0x7f || !marked && unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			writeEscaped(b, r)
		}
	}
	b.WriteRune(quote)
}

// writeEscaped writes a character by its number, in the shortest of Python's forms.
func writeEscaped(b *strings.Builder, r rune) {
	switch {
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// floatText is a number with a fraction as Python prints it: the shortest digits that read back the same, with .0 kept, and an
// exponent only for very small and very large ones.
func floatText(literal string) string {
	f, err := strconv.ParseFloat(literal, 64)
	switch {
	case strings.EqualFold(literal, ".nan"):
		return "nan"
	case err != nil && !math.IsInf(f, 0):
		return literal
	case math.IsInf(f, 0):
		return strings.TrimPrefix(fmt.Sprintf("%v", f), "+")
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// jsonStyle says how dumpJSON lays a value out.
type jsonStyle struct {
	item, key string // what stands between two items, and after a key
	sorted    bool   // keys by code point, else as the map is visited
	indent    string // for each level, if not empty
}

var (
	compactJSON = jsonStyle{item: ",", key: ":", sorted: true}
	spacedJSON  = jsonStyle{item: ", ", key: ": "}
)

// dumpJSON writes JSON in ASCII, without escaping what only HTML would want escaped. Hashes are made of it, so its every byte
// counts.
func dumpJSON(v *value, style jsonStyle) string {
	var b strings.Builder
	writeJSON(&b, v, style, 0)
	return b.String()
}

func writeJSON(b *strings.Builder, v *value, style jsonStyle, depth int) {
	switch {
	case v.isNone():
		b.WriteString("null")
	case v.kind == cfn.Float:
		b.WriteString(floatText(v.text))
	case v.kind == cfn.String:
		writeASCII(b, v.text)
	case v.kind == cfn.List:
		writeBracketed(b, style, depth, '[', ']', len(v.items), func(i int) {
			writeJSON(b, v.items[i], style, depth+1)
		})
	case v.kind == cfn.Map:
		entries := v.entries()
		if style.sorted {
			entries = sortedEntries(v)
		}
		writeBracketed(b, style, depth, '{', '}', len(entries), func(i int) {
			writeASCII(b, entries[i].key)
			b.WriteString(style.key)
			writeJSON(b, entries[i].value, style, depth+1)
		})
	default:
		b.WriteString(v.text)
	}
}

func writeBracketed(b *strings.Builder, style jsonStyle, depth int, open, end byte, n int, write func(i int)) {
	b.WriteByte(open)
	for i := range n {
		if i > 0 {
			b.WriteString(style.item)
		}
		newLine(b, style, depth+1)
		write(i)
	}
	if n > 0 {
		newLine(b, style, depth)
	}
	b.WriteByte(end)
}

func newLine(b *strings.Builder, style jsonStyle, depth int) {
	if style.indent != "" {
		b.WriteByte('\n')
		b.WriteString(strings.Repeat(style.indent, depth))
	}
}

func writeASCII(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			b.WriteString(controlEscape(r))
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}

func controlEscape(r rune) string {
	if i := strings.IndexRune("\b\f\n\r\t", r); i >= 0 {
		return `\` + "bfnrt"[i:i+1]
	}
	return fmt.Sprintf(`\u%04x`, r)
}
