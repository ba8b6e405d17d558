package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseFields reads [name, name = value, ..., name].
func parseFields(pattern string) (*Pattern, error) {
	if !strings.HasSuffix(pattern, "]") || len(pattern) < 2 {
		return nil, fmt.Errorf("the bracket at its beginning does not end")
	}
	inner := strings.TrimSpace(pattern[1 : len(pattern)-1])
	var fields []field
	if inner != "" {
		for i, part := range splitOutside(inner, ',') {
			f, err := newField(strings.TrimSpace(part), i)
			if err != nil {
				return nil, err
			}
			fields = append(fields, f)
		}
	}
	ellipses := 0
	for _, f := range fields {
		if f.name == "..." {
			ellipses++
		}
	}
	if ellipses > 1 {
		return nil, fmt.Errorf("it has more than one ellipsis")
	}
	return &Pattern{func(message string) (map[string]string, bool) {
		return matchFields(fields, words(message), len(fields) == 0)
	}}, nil
}

// field is a column: its name, and what must hold of it: one of several lists of comparisons.
type field struct {
	name string
	any  [][]comparison
}

// newField reads name, name = value, or name = value && name != value || …
func newField(s string, index int) (field, error) {
	var f field
	if s == "..." {
		f.name = s
		return f, nil
	}
	for _, alternative := range strings.Split(s, "||") {
		var all []comparison
		for _, part := range strings.Split(alternative, "&&") {
			part = strings.TrimSpace(part)
			at := strings.IndexAny(part, "!=<>")
			if at < 0 {
				if f.name == "" {
					f.name = part
				}
				continue
			}
			if f.name == "" {
				f.name = strings.TrimSpace(part[:at])
			}
			i := slices.IndexFunc(comparisonOperators, func(op string) bool { return strings.HasPrefix(part[at:], op) })
			if i < 0 {
				return f, fmt.Errorf("%q is not a comparison", part)
			}
			op := comparisonOperators[i]
			c, err := newComparison(op, strings.TrimSpace(part[at+len(op):]))
			if err != nil {
				return f, err
			}
			all = append(all, c)
		}
		if all != nil {
			f.any = append(f.any, all)
		}
	}
	if f.name == "" {
		f.name = strconv.Itoa(index + 1)
	}
	return f, nil
}

func (f field) holds(v string) bool {
	return len(f.any) == 0 || slices.ContainsFunc(f.any, func(all []comparison) bool {
		return !slices.ContainsFunc(all, func(c comparison) bool { return !c.holds(v) })
	})
}

// matchFields lays the columns over the words; an ellipsis stands for any number of them.
func matchFields(fields []field, words []string, everything bool) (map[string]string, bool) {
	if everything {
		return nil, true
	}
	ellipsis := slices.IndexFunc(fields, func(f field) bool { return f.name == "..." })
	if ellipsis < 0 && len(words) != len(fields) || len(words) < len(fields)-1 {
		return nil, false
	}
	out := map[string]string{}
	for i, f := range fields {
		w := i
		switch {
		case i == ellipsis:
			continue
		case ellipsis >= 0 && i > ellipsis:
			w = len(words) - (len(fields) - i)
		}
		if !f.holds(words[w]) {
			return nil, false
		}
		out["$"+f.name] = words[w]
	}
	return out, true
}

// words cuts a message at spaces; what stands in quotation marks or brackets is one word, without them.
func words(s string) []string {
	var out []string
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		closing := map[byte]string{'"': `"`, '[': "]"}[s[0]]
		if closing != "" {
			if word, rest, ok := strings.Cut(s[1:], closing); ok {
				out, s = append(out, word), rest
				continue
			}
		}
		n := strings.IndexAny(s, " \t")
		if n < 0 {
			n = len(s)
		}
		out, s = append(out, s[:n]), s[n:]
	}
	return out
}

// splitOutside cuts at a separator outside of quotation marks.
func splitOutside(s string, separator byte) []string {
	var out []string
	start, inQuotes := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			inQuotes = !inQuotes
		case s[i] == separator && !inQuotes:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}
