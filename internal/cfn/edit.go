package cfn

import (
	"cmp"
	"fmt"
	"slices"

	"evo/internal/source"
)

// Edit replaces the text of one span of a file.
type Edit struct {
	Span source.Span
	Text string
}

// Replace is the edit that puts value in the place of old, which must have been parsed from the file. Maps and lists are written
// in flow style (JSON, which YAML reads), so that the lines around them stay as they are.
func Replace(old, value *Node) (Edit, error) {
	if !old.Where().IsValid() {
		return Edit{}, fmt.Errorf("replace a value in a template: it does not stand in a file")
	}
	if value.Is(String) && !blockScalar(value.Text) {
		return Edit{Span: old.Span, Text: scalarYAML(value.Text)}, nil
	}
	text, err := value.MarshalJSON()
	if err != nil {
		return Edit{}, fmt.Errorf("replace a value in a template: %w", err)
	}
	return Edit{Span: old.Span, Text: string(text)}, nil
}

// Apply makes the edits in text and leaves every other byte as it is. Edits must not overlap; the same edit twice counts once
// (an alias stands for the text of its anchor).
func Apply(text []byte, edits []Edit) ([]byte, error) {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Span.Start.Offset, b.Span.Start.Offset), cmp.Compare(a.Span.End.Offset, b.Span.End.Offset))
	})
	sorted = slices.Compact(sorted)
	var out []byte
	at := 0
	for _, e := range sorted {
		start, end := int(e.Span.Start.Offset), int(e.Span.End.Offset)
		if start < at || end < start || end > len(text) {
			return nil, fmt.Errorf("edit a template: the edits at byte %d and before it overlap or lie outside of the text", start)
		}
		out = append(append(out, text[at:start]...), e.Text...)
		at = end
	}
	return append(out, text[at:]...), nil
}
