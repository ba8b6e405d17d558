// Package source answers: where in a file does something stand, and how is a problem there shown to a person?
package source

// Pos is a place in a file: a byte offset, and the line and column (both from 1; the column counts bytes) that it falls on.
// The zero Pos is no place. A template's tree holds two of them for each value and each key, so they are kept small.
type Pos struct {
	Offset, Line, Col int32
}

// IsValid reports whether p is a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

// Span is a stretch of a file, from Start up to but not including End. A zero Span stands for text that nobody wrote,
// such as what a transform added.
type Span struct {
	Start, End Pos
}

// IsValid reports whether s is a stretch of a file.
func (s Span) IsValid() bool { return s.Start.IsValid() }
