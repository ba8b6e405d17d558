package source

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// Lines finds the line and column of a byte offset. Lines end in LF, CR, or CR LF, as editors count them.
type Lines struct {
	size   int
	starts []int
}

// NewLines indexes text.
func NewLines(text []byte) *Lines {
	l := &Lines{size: len(text), starts: []int{0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			continue
		}
		if text[i] == '\n' || text[i] == '\r' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// Pos is the place of a byte offset; one past the text is put at its end.
func (l *Lines) Pos(offset int) Pos {
	offset = min(max(offset, 0), l.size)
	line := sort.SearchInts(l.starts, offset+1)
	return Pos{Offset: int32(offset), Line: int32(line), Col: int32(offset - l.starts[line-1] + 1)}
}

// Span is the stretch from one byte offset up to another.
func (l *Lines) Span(start, end int) Span {
	return Span{Start: l.Pos(start), End: l.Pos(max(start, end))}
}

// lineOf is line for the one that p is on, found without counting lines where p is a place of this text.
func lineOf(text []byte, p Pos) (string, int) {
	start := int(p.Offset - p.Col + 1)
	if start < 0 || start > len(text) || start > 0 && text[start-1] != '\n' || p.Line == 1 && start > 0 {
		return line(text, int(p.Line))
	}
	rest := text[start:]
	if end := bytes.IndexAny(rest, "\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return string(rest), start
}

// line returns the text of a line (from 1) without its end, and the offset at which it starts.
func line(text []byte, n int) (string, int) {
	start := 0
	for i := 0; i < len(text); i++ {
		end := text[i] == '\n' || text[i] == '\r'
		if !end {
			continue
		}
		if n == 1 {
			return string(text[start:i]), start
		}
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		n, start = n-1, i+1
	}
	if n == 1 {
		return string(text[start:]), start
	}
	return "", len(text)
}

// InvalidUTF8 is the offset of the first byte that is not valid UTF-8, or -1.
func InvalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
