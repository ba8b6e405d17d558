package cfn

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v4"

	"evo/internal/source"
)

// yamlPlaces turns the YAML library's lines and columns (which count characters, and more kinds of line ends than editors
// do) into byte offsets.
type yamlPlaces struct {
	text   []byte
	starts []int
	marks  map[int][]int // for long lines: the offset of every markEvery-th character
}

const markEvery = 128

func newYAMLPlaces(text []byte) *yamlPlaces {
	p := &yamlPlaces{text: text, starts: []int{0}}
	if isBOM(text) {
		p.starts[0] = len(bom)
	}
	for i := 0; i < len(text); {
		n := breakLen(text[i:])
		if n > 0 {
			p.starts = append(p.starts, i+n)
		}
		i += max(n, 1)
	}
	return p
}

// breakLen is the length of the line end at the start of text, or 0.
func breakLen(text []byte) int {
	if len(text) > 0 && text[0] < 0x80 && text[0] != '\r' && text[0] != '\n' {
		return 0
	}
	switch {
	case bytes.HasPrefix(text, []byte("\r\n")), bytes.HasPrefix(text, []byte("\u0085")):
		return 2
	case len(text) > 0 && (text[0] == '\n' || text[0] == '\r'):
		return 1
	case bytes.HasPrefix(text, []byte("\u2028")), bytes.HasPrefix(text, []byte("\u2029")):
		return 3
	}
	return 0
}

func (p *yamlPlaces) offset(line, col int) int {
	if line < 1 || line > len(p.starts) {
		return len(p.text)
	}
	at := p.starts[line-1]
	if col > markEvery {
		marks := p.marksOf(line)
		i := min((col-1)/markEvery, len(marks)-1)
		at, col = marks[i], col-i*markEvery
	}
	for ; col > 1 && at < len(p.text); col-- {
		at += runeLen(p.text, at)
	}
	return min(at, len(p.text))
}

// marksOf makes the marks of a line, so that a template on one line takes no longer than one on many.
func (p *yamlPlaces) marksOf(line int) []int {
	if m, ok := p.marks[line]; ok {
		return m
	}
	end := len(p.text)
	if line < len(p.starts) {
		end = p.starts[line]
	}
	var marks []int
	for at, n := p.starts[line-1], 0; at < end; n++ {
		if n%markEvery == 0 {
			marks = append(marks, at)
		}
		at += runeLen(p.text, at)
	}
	if len(marks) == 0 {
		marks = []int{p.starts[line-1]}
	}
	if p.marks == nil {
		p.marks = map[int][]int{}
	}
	p.marks[line] = marks
	return marks
}

// span is the stretch of n bytes that begins where y (or its tag) does.
func (r *yamlReader) span(y *yaml.Node, n int) source.Span {
	at := r.places.offset(y.Line, y.Column)
	return r.lines.Span(at, min(at+n, len(r.text)))
}

// scalarSpan is where the text of a scalar stands, quotes included, tag and anchor not.
func (r *yamlReader) scalarSpan(y *yaml.Node) source.Span {
	at := r.skipProperties(r.places.offset(y.Line, y.Column), y)
	rest := r.text[at:]
	end := at
	switch {
	case y.Style&yaml.DoubleQuotedStyle != 0:
		end += quotedEnd(rest, '"')
	case y.Style&yaml.SingleQuotedStyle != 0:
		end += quotedEnd(rest, '\'')
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		end += blockEnd(rest)
	default:
		end += plainEnd(rest, y.Value)
	}
	return r.lines.Span(at, end)
}

// skipProperties passes a tag and an anchor, and the space after each.
func (r *yamlReader) skipProperties(at int, y *yaml.Node) int {
	for range 2 {
		if at >= len(r.text) || !(r.text[at] == '!' && y.Style&yaml.TaggedStyle != 0 || r.text[at] == '&' && y.Anchor != "") {
			return at
		}
		for at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[at]) < 0 {
			at++
		}
		for at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[at]) >= 0 {
			at++
		}
	}
	return at
}

// quotedEnd is the length of a quoted scalar. Quotes are escaped by a backslash in double quotes, by doubling in single ones.
func quotedEnd(text []byte, quote byte) int {
	for i := 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] != quote:
		case quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}

// blockEnd is the length of a block scalar (| or >): its header, and the lines indented at least as its first.
func blockEnd(text []byte) int {
	end := lineEnd(text, 0)
	indent := -1
	for at := end; at < len(text); {
		at += max(breakLen(text[at:]), 1)
		next := lineEnd(text, at)
		content := bytes.TrimLeft(text[at:next], " ")
		if len(content) > 0 {
			width := next - at - len(content)
			if indent < 0 {
				indent = max(width, 1)
			}
			if width < indent {
				break
			}
			end = next
		}
		at = next
	}
	return end
}

func lineEnd(text []byte, at int) int {
	for at < len(text) && breakLen(text[at:]) == 0 {
		at++
	}
	return at
}

// plainEnd is the length of a plain scalar, which may be folded over several lines.
func plainEnd(text []byte, value string) int {
	i := 0
	for _, c := range []byte(value) {
		if c == ' ' || c == '\n' {
			continue
		}
		for i < len(text) && text[i] != c {
			if strings.IndexByte(" \t\r\n", text[i]) < 0 {
				return i
			}
			i++
		}
		i++
	}
	return min(i, len(text))
}

// end is where the text of y ends. A value from an alias ends where the alias does.
func (r *yamlReader) end(y *yaml.Node, n *Node) source.Pos {
	if y.Kind == yaml.AliasNode {
		return r.span(y, len(y.Value)+1).End
	}
	return n.Span.End
}

// closeFlow takes the closing bracket of a flow list or map into its span.
func (r *yamlReader) closeFlow(y *yaml.Node, n *Node, bracket byte) {
	if y.Style&yaml.FlowStyle == 0 {
		return
	}
	at := int(n.Span.End.Offset)
	if len(n.Items) == 0 && len(n.Pairs) == 0 {
		at = min(r.skipProperties(at, y)+1, len(r.text))
	}
	for at < len(r.text) && r.text[at] != bracket {
		if r.text[at] == '#' { // a comment may hold brackets
			at = lineEnd(r.text, at)
			continue
		}
		at++
	}
	n.Span.End = r.lines.Pos(at + 1)
}
