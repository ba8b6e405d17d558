package input

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// step is one part of a path: a member's name, or an element's number.
type step struct {
	name  string
	index int // -1: a name
}

var pathPart = regexp.MustCompile(`^(?:\.([A-Za-z0-9_@-]+)|\[(\d{1,6})\]|\['([^']+)'\])`)

// parsePath reads a JSON path without filters and wildcards, such as $.detail.items[0]['order id'].
func parsePath(text string) (steps []step, err error) {
	rest, ok := strings.CutPrefix(text, "$")
	for ok && rest != "" {
		m := pathPart.FindStringSubmatch(rest)
		if ok = m != nil; !ok {
			break
		}
		s := step{name: m[1] + m[3], index: -1}
		if m[2] != "" {
			if s.index, err = strconv.Atoi(m[2]); err != nil {
				return nil, err
			}
		}
		steps, rest = append(steps, s), rest[len(m[0]):]
	}
	if !ok {
		return nil, fmt.Errorf("%q is no path such as $.detail.items[0]", text)
	}
	return steps, nil
}

// find follows a path; ok is false where it leads to nothing.
func find(v any, steps []step) (found any, ok bool) {
	for _, s := range steps {
		switch c := v.(type) {
		case map[string]any:
			if v, ok = c[s.name]; !ok || s.index >= 0 {
				return nil, false
			}
		case []any:
			if s.index < 0 || s.index >= len(c) {
				return nil, false
			}
			v = c[s.index]
		default:
			return nil, false
		}
	}
	return v, true
}
