package cfn

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"evo/internal/source"
)

// quoted reads a scalar in quotes that stands on one line.
func (r *directReader) quoted(quote byte) string {
	r.at++
	start := r.at
	for {
		switch c := r.peek(0); {
		case c == '\n':
			panic(giveUp{})
		case c == quote && quote == '\'' && r.peek(1) == quote, c == '\\' && quote == '"':
			return r.escaped(start, quote)
		case c == quote:
			r.at++
			return r.text[start : r.at-1]
		}
		r.at++
	}
}

// escaped reads a scalar in quotes that holds escapes.
func (r *directReader) escaped(start int, quote byte) string {
	var b strings.Builder
	b.WriteString(r.text[start:r.at])
	for {
		c := r.peek(0)
		r.want(c != '\n')
		r.at++
		switch {
		case c == '\\' && quote == '"':
			b.WriteRune(r.escape())
		case c == quote && quote == '\'' && r.peek(0) == quote:
			b.WriteByte(quote)
			r.at++
		case c == quote:
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
}

// escape reads what stands after a backslash. The rarer escapes are the library's.
func (r *directReader) escape() rune {
	c := r.peek(0)
	r.at++
	if i := strings.IndexByte(`"\/nrt`, c); i >= 0 {
		return rune("\"\\/\n\r\t"[i])
	}
	r.want(c == 'u' && r.at+4 <= len(r.text))
	v, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	r.want(err == nil && !utf16.IsSurrogate(rune(v)))
	r.at += 4
	return rune(v)
}

// blockScalar reads text after | or >, whose lines are indented further than the column.
func (r *directReader) blockScalar(column int, folded bool) *Node {
	start := r.place()
	r.at++
	chomping := byte(0)
	if c := r.peek(0); c == '-' || c == '+' {
		chomping = c
		r.at++
	}
	r.want(r.peek(0) == '\n' && !r.ended())
	r.nextLine()
	lines, end := r.blockLines(column)
	r.want(len(lines) > 0)
	n := r.node(String, joined(lines, folded, r))
	n.Span = source.Span{Start: start, End: end}
	switch chomping {
	case 0:
		n.Text += "\n"
	case '+':
		panic(giveUp{})
	}
	return n
}

// blockLines are the lines of a block scalar without their indentation, and where the last one ends. Empty ones after it are passed.
func (r *directReader) blockLines(column int) (lines []string, end source.Pos) {
	indent, full := -1, 0
	for !r.ended() {
		from := r.at
		for r.peek(0) == ' ' {
			r.at++
		}
		width := r.at - from
		if r.peek(0) == '\n' {
			r.want(!r.ended() && (indent >= 0 && width <= indent || width <= max(column, 0))) // spaces alone may count, or not
			lines = append(lines, "")
			r.nextLine()
			continue
		}
		if indent < 0 && width > column && width > 0 {
			indent = width
		}
		if width < indent || indent < 0 {
			r.at = from
			break
		}
		r.toLineEnd()
		r.want(!r.ended())
		lines = append(lines, r.text[from+indent:r.at])
		full, end = len(lines), r.place()
		r.nextLine()
	}
	return lines[:full], end
}

// joined puts the lines of a block scalar together. Folded lines that are indented further are the library's.
func joined(lines []string, folded bool, r *directReader) string {
	if !folded {
		return strings.Join(lines, "\n")
	}
	var b strings.Builder
	for i, line := range lines {
		r.want(!strings.HasPrefix(line, " ") && (line != "" || i > 0))
		switch {
		case i == 0:
		case line == "":
			b.WriteByte('\n')
		case lines[i-1] != "":
			b.WriteByte(' ')
		}
		b.WriteString(line)
	}
	return b.String()
}

// flow reads [a, b] or {a: b}, which may go on over lines that are indented further than the column.
func (r *directReader) flow(column int) *Node {
	r.enter()
	defer func() { r.depth-- }()
	start := r.place()
	var n *Node
	if r.peek(0) == '[' {
		first := len(r.items)
		r.flowEntries(column, ']', func() { r.items = append(r.items, r.flowValue(column)) })
		n = r.listOf(first)
	} else {
		first := len(r.pairs)
		r.flowEntries(column, '}', func() {
			p := r.flowKey()
			r.flowSpace(column)
			p.Value = r.flowValue(column)
			r.pairs = append(r.pairs, p)
		})
		n = r.mapOf(first)
	}
	n.Span = r.until(start)
	return n
}

// flowEntries reads entries with commas between them, and both brackets.
func (r *directReader) flowEntries(column int, bracket byte, entry func()) {
	r.at++
	r.flowSpace(column)
	for r.peek(0) != bracket {
		entry()
		r.flowSpace(column)
		if r.peek(0) != ',' {
			r.want(r.peek(0) == bracket)
			break
		}
		r.at++
		r.flowSpace(column)
	}
	r.at++
}

// flowSpace passes spaces and ends of lines.
func (r *directReader) flowSpace(column int) {
	for isBlank(r.peek(0)) {
		r.want(!r.ended())
		if r.peek(0) == '\n' {
			r.nextLine()
		} else {
			r.at++
		}
	}
	r.want(r.peek(0) != '#' && r.column() > column)
}

func (r *directReader) flowKey() Pair {
	start, from := r.place(), r.at
	p := Pair{}
	if c := r.peek(0); c == '"' || c == '\'' {
		p.Key = r.quoted(c)
	} else {
		p.Key = r.flowText()
		r.want(p.Key != "<<")
		p.Bare = isBareKey(p.Key)
	}
	p.KeySpan = r.until(start)
	r.want(r.peek(0) == ':' && isBlank(r.peek(1)) && r.at-from < maxDirectKey)
	r.at++
	return p
}

func (r *directReader) flowValue(column int) *Node {
	r.enter()
	defer func() { r.depth-- }()
	start := r.place()
	var n *Node
	switch c := r.peek(0); c {
	case '[', '{':
		n = r.flow(column)
	case '!':
		return r.tagged(func() *Node {
			r.flowSpace(column)
			r.want(r.peek(0) != '!')
			return r.flowValue(column)
		})
	case '"', '\'':
		n = r.node(String, r.quoted(c))
		n.Span = r.until(start)
	default:
		n = r.node(resolved(r.flowText()))
		n.Span = r.until(start)
	}
	return n
}

// flowText reads a scalar without quotes within brackets.
func (r *directReader) flowText() string {
	r.want(startsPlain(r.peek(0), r.peek(1), true))
	start := r.at
	for ; r.peek(0) != '\n' && strings.IndexByte(",]}", r.peek(0)) < 0; r.at++ {
		switch c := r.text[r.at]; c {
		case '[', '{', '?', '#':
			panic(giveUp{})
		case ':':
			if isBlank(r.peek(1)) {
				return r.flowTrim(start)
			}
			r.want(strings.IndexByte(",[]{}", r.peek(1)) < 0)
		}
	}
	return r.flowTrim(start)
}

// flowTrim takes spaces back from the end of a scalar.
func (r *directReader) flowTrim(start int) string {
	text := strings.TrimRight(r.text[start:r.at], " ")
	r.at = start + len(text)
	return text
}
