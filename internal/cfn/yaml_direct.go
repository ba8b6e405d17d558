package cfn

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"evo/internal/source"
)

// directReader reads the YAML that templates are mostly written in (block maps and lists, scalars on one line, block scalars, flow
// collections, short tags) straight into nodes, several times faster than by way of the library's tokens, events and nodes. It
// never decides what is wrong: whatever it does not know for certain (anchors, scalars folded over lines, tabs, every mistake) makes
// it give up, and the library reads the text from its beginning. So it may only be too careful; that both give the same
// nodes and spans is what TestDirectReader and FuzzDirectReader hold.
type directReader struct {
	text  string
	at    int // offset of the next byte
	bol   int // offset of the start of its line
	line  int // its line, from 1
	depth int

	nodes []Node  // room for nodes, made many at a time
	pairs []Pair  // entries of the maps that are being read, the inner ones last
	items []*Node // likewise of lists
}

// giveUp is what a directReader panics with when the library is to decide.
type giveUp struct{}

// directDepth stays so far below maxDepth that the limit is the library's affair.
const directDepth = 60

// maxDirectKey is below the length from which on YAML takes no text for a key.
const maxDirectKey = 1000

// readDirect returns nil if the library must read the text.
func readDirect(text []byte) (root *Node) {
	if !plainText(text) {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(giveUp); !ok {
				panic(v)
			}
			root = nil
		}
	}()
	r := &directReader{text: string(text), line: 1, nodes: make([]Node, 0, len(text)/20)}
	if strings.HasPrefix(r.text, documentStart) {
		r.at = len(documentStart) - 1
	}
	r.space()
	r.want(!r.ended() && r.column() == 0)
	root = r.block(-1)
	r.want(r.ended())
	return root
}

// plainText reports whether a text holds only characters, and lines, that have one meaning for everybody.
func plainText(text []byte) bool {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= 0xd800 { // beyond there are characters that YAML forbids
			return false
		}
		i += size
	}
	body := bytes.TrimPrefix(text, []byte(documentStart))
	for _, marker := range []string{"---", "...", "%"} {
		if bytes.HasPrefix(body, []byte(marker)) || bytes.Contains(body, []byte("\n"+marker)) {
			return false
		}
	}
	return true
}

const documentStart = "---\n"

func (r *directReader) want(ok bool) {
	if !ok {
		panic(giveUp{})
	}
}

func (r *directReader) ended() bool { return r.at >= len(r.text) }

func (r *directReader) column() int { return r.at - r.bol }

// peek is the byte n after the next one; a line feed after the end of the text.
func (r *directReader) peek(n int) byte {
	if r.at+n < len(r.text) {
		return r.text[r.at+n]
	}
	return '\n'
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' }

func (r *directReader) place() source.Pos {
	return source.Pos{Offset: int32(r.at), Line: int32(r.line), Col: int32(r.at - r.bol + 1)}
}

// until is the stretch from a place up to here.
func (r *directReader) until(start source.Pos) source.Span {
	return source.Span{Start: start, End: r.place()}
}

// spaces passes spaces, and a comment after them, on this line, and reports whether nothing else is left of it.
func (r *directReader) spaces() (lineEnds bool) {
	start := r.at
	for r.peek(0) == ' ' {
		r.at++
	}
	if r.peek(0) == '#' {
		r.want(r.at > start || r.column() == 0)
		r.toLineEnd()
	}
	return r.peek(0) == '\n'
}

func (r *directReader) toLineEnd() {
	if i := strings.IndexByte(r.text[r.at:], '\n'); i >= 0 {
		r.at += i
	} else {
		r.at = len(r.text)
	}
}

// space passes the rest of this line, which must be empty, and all empty lines and comments below.
func (r *directReader) space() {
	for r.spaces() && !r.ended() {
		r.nextLine()
	}
}

// nextLine passes a line feed.
func (r *directReader) nextLine() {
	r.at++
	r.bol = r.at
	r.line++
}

func (r *directReader) node(kind Kind, text string) *Node {
	if len(r.nodes) == cap(r.nodes) {
		r.nodes = make([]Node, 0, 16)
	}
	r.nodes = append(r.nodes, Node{Kind: kind, Text: text})
	return &r.nodes[len(r.nodes)-1]
}

func (r *directReader) enter() {
	r.depth++
	r.want(r.depth < directDepth)
}

// block reads what begins here, on a line of its own or after "- ", within something of a lesser indentation.
func (r *directReader) block(indent int) *Node {
	r.enter()
	defer func() { r.depth-- }()
	switch {
	case r.atEntry():
		return r.blockList(r.column())
	case r.atKey():
		return r.blockMap(r.column())
	}
	return r.inline(indent, false)
}

// atEntry reports whether an entry of a list begins here.
func (r *directReader) atEntry() bool { return r.peek(0) == '-' && isBlank(r.peek(1)) }

// atKey reports whether a key and its colon stand here.
func (r *directReader) atKey() bool {
	switch c := r.peek(0); c {
	case '"', '\'':
		at := r.at
		r.quoted(c)
		for r.peek(0) == ' ' {
			r.at++
		}
		is := r.peek(0) == ':' && isBlank(r.peek(1))
		r.at = at
		return is
	case '[', '{', '!', '|', '>':
		return false
	}
	return r.plainKeyEnd() >= 0
}

// plainKeyEnd is where the colon of a key without quotes stands, or -1.
func (r *directReader) plainKeyEnd() int {
	for i := r.at; i < len(r.text) && r.text[i] != '\n'; i++ {
		switch r.text[i] {
		case ':':
			if i+1 == len(r.text) || isBlank(r.text[i+1]) {
				return i
			}
		case '#':
			if i > r.at && r.text[i-1] == ' ' {
				return -1
			}
		}
	}
	return -1
}

// key reads a key and its colon.
func (r *directReader) key() Pair {
	start, from := r.place(), r.at
	p := Pair{}
	if c := r.peek(0); c == '"' || c == '\'' {
		p.Key = r.quoted(c)
	} else {
		end := r.plainKeyEnd()
		r.want(end >= 0 && startsPlain(c, r.peek(1), false))
		p.Key = strings.TrimRight(r.text[r.at:end], " ")
		r.want(p.Key != "<<" && p.Key != "")
		p.Bare = isBareKey(p.Key)
		r.at += len(p.Key)
	}
	p.KeySpan = r.until(start)
	for r.peek(0) == ' ' {
		r.at++
	}
	r.want(r.peek(0) == ':' && isBlank(r.peek(1)) && r.at-from < maxDirectKey)
	r.at++
	return p
}

// isBareKey reports whether plain text is no string to YAML.
func isBareKey(text string) bool {
	kind, _ := resolved(text)
	return kind != String
}

// startsPlain reports whether a scalar without quotes begins with c, when next comes after it.
func startsPlain(c, next byte, flow bool) bool {
	if c == '-' {
		return !isBlank(next) && !(flow && strings.IndexByte(",[]{}", next) >= 0)
	}
	return c > ' ' && strings.IndexByte("?:,[]{}#&*!|>'\"%@`", c) < 0
}

func (r *directReader) blockMap(column int) *Node {
	first := len(r.pairs)
	start := r.place()
	end := start
	for !r.ended() && r.column() == column {
		p := r.key()
		p.Value = r.value(column, true)
		end = later(p.KeySpan.End, later(end, p.Value.Span.End))
		r.pairs = append(r.pairs, p)
		r.space()
	}
	r.want(r.ended() || r.column() < column)
	n := r.mapOf(first)
	n.Span = source.Span{Start: start, End: end}
	return n
}

// mapOf makes a map of the pairs from first on.
func (r *directReader) mapOf(first int) *Node {
	pairs := r.pairs[first:]
	r.want(distinct(pairs))
	n := r.node(Map, "")
	if len(pairs) > 0 {
		n.Pairs = append(make([]Pair, 0, len(pairs)), pairs...)
	}
	r.pairs = r.pairs[:first]
	return n
}

func distinct(pairs []Pair) bool {
	if len(pairs) > 16 {
		seen := make(map[string]bool, len(pairs))
		for i := range pairs {
			if seen[pairs[i].Key] {
				return false
			}
			seen[pairs[i].Key] = true
		}
		return true
	}
	for i := range pairs {
		for j := range pairs[:i] {
			if pairs[i].Key == pairs[j].Key {
				return false
			}
		}
	}
	return true
}

func (r *directReader) blockList(column int) *Node {
	first := len(r.items)
	start := r.place()
	end := start
	for !r.ended() && r.column() == column && r.atEntry() {
		r.at++
		v := r.value(column, false)
		end = later(end, v.Span.End)
		r.items = append(r.items, v)
		r.space()
	}
	// At the same column another key may go on with the map that this list is a value in.
	r.want(r.ended() || r.column() <= column)
	n := r.listOf(first)
	n.Span = source.Span{Start: start, End: end}
	return n
}

// listOf makes a list of the items from first on.
func (r *directReader) listOf(first int) *Node {
	n := r.node(List, "")
	if items := r.items[first:]; len(items) > 0 {
		n.Items = append(make([]*Node, 0, len(items)), items...)
	}
	r.items = r.items[:first]
	return n
}

// value reads what stands after a key's colon, or after the dash of an entry, in a map or list at the column.
func (r *directReader) value(column int, afterKey bool) *Node {
	r.enter()
	defer func() { r.depth-- }()
	empty := r.place()
	if r.spaces() {
		r.space()
		if !r.below(column, afterKey) {
			n := r.node(Null, "")
			n.Span = source.Span{Start: empty, End: empty}
			return n
		}
		return r.block(column)
	}
	if !afterKey && (r.atEntry() || r.atKey()) {
		return r.block(column)
	}
	return r.inline(column, afterKey)
}

// below reports whether what comes next belongs to the key or entry at the column. A list may stand as far left as its key.
func (r *directReader) below(column int, afterKey bool) bool {
	return !r.ended() && (r.column() > column || afterKey && r.column() == column && r.atEntry())
}

// inline reads a scalar, a flow collection, or a tag and what comes after it.
func (r *directReader) inline(column int, afterKey bool) *Node {
	start := r.place()
	switch c := r.peek(0); c {
	case '!':
		return r.tagged(func() *Node {
			if !r.spaces() {
				return r.inlineValue(column)
			}
			r.space()
			r.want(r.below(column, afterKey))
			r.want(r.atEntry() || r.atKey())
			return r.block(column)
		})
	default:
		n := r.inlineValue(column)
		n.Span.Start = start
		return n
	}
}

// inlineValue reads a value without a tag, up to the end of a line.
func (r *directReader) inlineValue(column int) *Node {
	var n *Node
	start := r.place()
	switch c := r.peek(0); c {
	case '"', '\'':
		n = r.node(String, r.quoted(c))
		n.Span = r.until(start)
	case '[', '{':
		n = r.flow(column)
	case '|', '>':
		return r.blockScalar(column, c == '>')
	default:
		n = r.plain()
		n.Span = r.until(start)
	}
	r.want(r.spaces())
	return n
}

// plain reads a scalar without quotes up to the end of its line.
func (r *directReader) plain() *Node {
	r.want(startsPlain(r.peek(0), r.peek(1), false))
	start := r.at
	for ; r.peek(0) != '\n'; r.at++ {
		if c := r.text[r.at]; c == '#' && r.text[r.at-1] == ' ' {
			break
		} else if c == ':' {
			r.want(!isBlank(r.peek(1)))
		}
	}
	text := strings.TrimRight(r.text[start:r.at], " ")
	r.at = start + len(text)
	return r.node(resolved(text))
}

// tagged reads a short tag, and wraps the value after it in the function that it stands for.
func (r *directReader) tagged(argument func() *Node) *Node {
	start := r.place()
	from := r.at
	for !isBlank(r.peek(0)) {
		r.at++
	}
	name, ok := shortTags[r.text[from:r.at]]
	r.want(ok)
	tag := r.until(start)
	arg := r.argument(name, tag, argument)
	n := r.node(Map, "")
	n.Pairs = []Pair{{Key: name, KeySpan: tag, Value: arg}}
	n.Span = source.Span{Start: start, End: later(tag.End, arg.Span.End)}
	return n
}

func (r *directReader) argument(name string, tag source.Span, read func() *Node) *Node {
	from := r.at
	arg := read()
	if arg.Kind == Map || arg.Kind == List {
		arg.Span.Start = tag.Start
		return arg
	}
	if arg.Kind != String { // a scalar is a string whatever it looks like
		arg.Kind, arg.Text = String, r.text[arg.Span.Start.Offset:arg.Span.End.Offset]
	}
	r.want(int(arg.Span.Start.Offset) > from)
	if name != "Fn::GetAtt" {
		return arg
	}
	list := r.node(List, "")
	list.Span = arg.Span
	for _, part := range strings.SplitN(arg.Text, ".", 2) {
		p := r.node(String, part)
		p.Span = arg.Span
		list.Items = append(list.Items, p)
	}
	return list
}
