package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"evo/internal/source"
)

// jsonParser reads JSON and keeps where each value stands. It panics with a *source.Diagnostic, which parseJSON returns.
type jsonParser struct {
	text   []byte
	shared string // text, which the values share
	at     int
	depth  int
	lines  *source.Lines
	pairs  []Pair // entries of the maps that are being read, the inner ones last
}

func parseJSON(text []byte) (root *Node, failure *source.Diagnostic) {
	p := &jsonParser{text: text}
	if isBOM(text) {
		p.at = len(bom)
	}
	p.space()
	if p.at == len(text) || !strings.ContainsRune(`{["`, rune(text[p.at])) {
		return nil, source.Errorf(source.Span{}, "not JSON")
	}
	p.lines, p.shared = source.NewLines(text), string(text)
	defer func() {
		if r := recover(); r != nil {
			d, ok := r.(*source.Diagnostic)
			if !ok {
				panic(r)
			}
			root, failure = nil, d
		}
	}()
	root = p.value()
	p.space()
	if p.at < len(text) {
		p.fail(p.at, p.at+1, "there is text after the end of the template")
	}
	return root, nil
}

func (p *jsonParser) fail(start, end int, format string, args ...any) {
	panic(source.Errorf(p.lines.Span(start, end), format, args...))
}

// expected stops at what stands here instead of what should.
func (p *jsonParser) expected(what string) {
	if p.at >= len(p.text) {
		p.fail(p.at, p.at, "expected %s, but the template ends", what)
	}
	r, size := utf8.DecodeRune(p.text[p.at:])
	p.fail(p.at, p.at+size, "expected %s, but found %q", what, r)
}

func (p *jsonParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next skips space and reports whether the byte c follows, which it takes.
func (p *jsonParser) next(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) value() *Node {
	p.space()
	start := p.at
	if p.at >= len(p.text) {
		p.expected("a value")
	}
	var n *Node
	switch c := p.text[p.at]; {
	case c == '{':
		n = p.nested(p.object)
	case c == '[':
		n = p.nested(p.array)
	case c == '"':
		n = Str(p.str())
	case c == '-' || '0' <= c && c <= '9':
		n = p.number()
	default:
		n = p.word()
	}
	n.Span = p.lines.Span(start, p.at)
	return n
}

func (p *jsonParser) nested(read func() *Node) *Node {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.at, p.at+1, "values are nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	p.at++
	return read()
}

func (p *jsonParser) object() *Node {
	begin := len(p.pairs)
	var seen map[string]source.Span // once there are many keys
	for first := true; !p.next('}'); first = false {
		if !first && !p.next(',') {
			p.expected("',' or '}'")
		}
		p.space()
		start := p.at
		if p.at >= len(p.text) || p.text[p.at] != '"' {
			p.expected("a key in double quotes")
		}
		key := p.str()
		span := p.lines.Span(start, p.at)
		seen = p.unique(begin, seen, key, span)
		if !p.next(':') {
			p.expected("':'")
		}
		value := p.value()
		p.pairs = append(p.pairs, Pair{Key: key, KeySpan: span, Value: value})
	}
	n := Obj()
	n.Pairs = append(n.Pairs, p.pairs[begin:]...)
	p.pairs = p.pairs[:begin]
	return n
}

// unique stops at a key that the map, whose entries begin there, has already. It returns the keys seen if they are many.
func (p *jsonParser) unique(begin int, seen map[string]source.Span, key string, span source.Span) map[string]source.Span {
	const many = 16
	before := p.pairs[begin:]
	if len(before) == many {
		seen = make(map[string]source.Span, 2*many)
		for i := range before {
			seen[before[i].Key] = before[i].KeySpan
		}
	}
	if seen != nil {
		if at, ok := seen[key]; ok {
			panic(duplicateKey(key, span, at))
		}
		seen[key] = span
		return seen
	}
	for i := range before {
		if before[i].Key == key {
			panic(duplicateKey(key, span, before[i].KeySpan))
		}
	}
	return nil
}

func (p *jsonParser) array() *Node {
	n := Arr()
	for first := true; !p.next(']'); first = false {
		if !first && !p.next(',') {
			p.expected("',' or ']'")
		}
		n.Items = append(n.Items, p.value())
	}
	return n
}

func duplicateKey(key string, span, before source.Span) *source.Diagnostic {
	d := source.Errorf(span, "the key %q is given twice", key)
	return d.WithNote(before, "it is given here first").WithHint("a map holds each key once: rename one, or remove it")
}

var jsonWords = []struct {
	text string
	node Node
}{{"true", Node{Kind: Bool, Text: "true"}}, {"false", Node{Kind: Bool, Text: "false"}}, {"null", Node{}}}

func (p *jsonParser) word() *Node {
	for _, word := range jsonWords {
		if strings.HasPrefix(p.shared[p.at:], word.text) {
			p.at += len(word.text)
			n := word.node
			return &n
		}
	}
	p.expected("a value")
	return nil
}

func (p *jsonParser) number() *Node {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.at]) >= 0 {
		p.at++
	}
	text := p.shared[start:p.at]
	if !json.Valid(p.text[start:p.at]) {
		p.fail(start, p.at, "%s is not a number", text)
	}
	kind := Int
	if strings.ContainsAny(text, ".eE") {
		kind = Float
	}
	return &Node{Kind: kind, Text: text}
}

func (p *jsonParser) str() string {
	start := p.at
	p.at++
	end := p.at
	for end < len(p.text) && p.text[end] != '"' && p.text[end] != '\\' && p.text[end] >= ' ' {
		end++
	}
	if end < len(p.text) && p.text[end] == '"' { // as nearly all are: without escapes
		text := p.shared[p.at:end]
		p.at = end + 1
		return text
	}
	var b strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return b.String()
		case c == '\\':
			b.WriteRune(p.escape())
		case c < ' ':
			p.fail(p.at, p.at+1, "a string cannot hold the control character 0x%02x; write it as \\u%04x", c, c)
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	p.fail(start, start+1, "this string has no closing quote")
	return ""
}

// escape reads \n, \u0041 and the like.
func (p *jsonParser) escape() rune {
	start := p.at
	p.at += 2
	if p.at > len(p.text) {
		p.at = len(p.text)
		p.expected("the rest of an escape")
	}
	c := p.text[start+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	if c != 'u' {
		p.fail(start, p.at, "\\%c is not an escape in JSON", c)
	}
	r := p.hex(start)
	if utf16.IsSurrogate(r) && bytes.HasPrefix(p.text[p.at:], []byte(`\u`)) {
		p.at += 2
		r = utf16.DecodeRune(r, p.hex(start))
	}
	return r
}

func (p *jsonParser) hex(start int) rune {
	if p.at+4 <= len(p.text) {
		if v, err := strconv.ParseUint(string(p.text[p.at:p.at+4]), 16, 16); err == nil {
			p.at += 4
			return rune(v)
		}
	}
	p.fail(start, min(p.at+4, len(p.text)), `\u needs four hexadecimal digits`)
	return 0
}

// MarshalJSON writes n with its keys in order and its numbers as they were written.
func (n *Node) MarshalJSON() ([]byte, error) {
	var w jsonWriter
	err := w.value(n)
	return w.out, err
}

// JSON is n as indented JSON with a line feed at the end.
func (n *Node) JSON() ([]byte, error) {
	w := jsonWriter{indent: "  ", out: make([]byte, 0, 8<<10)}
	err := w.value(n)
	return append(w.out, '\n'), err
}

// jsonWriter writes nodes the way that encoding/json does, without reflection and in one go.
type jsonWriter struct {
	out    []byte
	indent string // spaces for each level; empty: all on one line
	depth  int
}

func (w *jsonWriter) value(n *Node) error {
	if n == nil {
		n = &Node{}
	}
	switch n.Kind {
	case Null:
		w.out = append(w.out, "null"...)
	case Bool:
		w.out = append(w.out, n.Text...)
	case Int, Float:
		return w.number(n.Text)
	case String:
		w.text(n.Text)
	case List:
		return w.bracketed('[', ']', len(n.Items), func(i int) error { return w.value(n.Items[i]) })
	case Map:
		return w.bracketed('{', '}', len(n.Pairs), func(i int) error {
			w.text(n.Pairs[i].Key)
			w.out = append(w.out, ':')
			if w.indent != "" {
				w.out = append(w.out, ' ')
			}
			return w.value(n.Pairs[i].Value)
		})
	default:
		return fmt.Errorf("write JSON: a node of unknown kind %d", n.Kind)
	}
	return nil
}

func (w *jsonWriter) bracketed(open, end byte, n int, entry func(i int) error) error {
	w.out = append(w.out, open)
	w.depth++
	for i := range n {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.newLine()
		if err := entry(i); err != nil {
			return err
		}
	}
	w.depth--
	if n > 0 {
		w.newLine()
	}
	w.out = append(w.out, end)
	return nil
}

func (w *jsonWriter) newLine() {
	if w.indent == "" {
		return
	}
	w.out = append(w.out, '\n')
	margin := w.depth * len(w.indent)
	for ; margin > len(spaces); margin -= len(spaces) {
		w.out = append(w.out, spaces...)
	}
	w.out = append(w.out, spaces[:margin]...)
}

const spaces = "                                "

// number writes a number as it stands if JSON can hold that, else (1., .5, +3) by its value, and infinities as strings.
func (w *jsonWriter) number(text string) error {
	if json.Valid([]byte(text)) {
		w.out = append(w.out, text...)
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("write JSON: %q is not a number", text)
	}
	out, err := json.Marshal(v)
	if err != nil {
		w.text(text)
		return nil
	}
	w.out = append(w.out, out...)
	return nil
}

// text writes a string. Most need no escape, and the others are encoding/json's.
func (w *jsonWriter) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			w.escaped(s)
			return
		}
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, s...)
	w.out = append(w.out, '"')
}

func (w *jsonWriter) escaped(s string) {
	b := bytes.NewBuffer(w.out)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	w.out = b.Bytes()[:b.Len()-1]
}
