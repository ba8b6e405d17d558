package policy

// Covers reports whether everything that b stands for is also what the pattern a stands for. Both may hold * and ?; letter
// case does not count, as in actions. (A ? in b is covered by a ? or * in a; a * in b only by a *.)
func Covers(a, b string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(b) {
		switch {
		case i < len(a) && a[i] == '*':
			star, mark = i, j
			i++
		case i < len(a) && (a[i] == '?' && b[j] != '*' || lower(a[i]) == lower(b[j])):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(a) && a[i] == '*' {
		i++
	}
	return i == len(a)
}

// overlap reports whether some text is what both patterns stand for.
func overlap(a, b string) bool {
	// Most patterns have one wildcard, at the end; the general case below is quadratic in their lengths.
	if len(a) > maxPattern || len(b) > maxPattern {
		return true
	}
	var rows [2][maxPattern + 1]bool
	now, next := &rows[0], &rows[1]
	// now[j]: do a[i:] and b[j:] have a text in common? From the ends.
	for j := len(b); j >= 0; j-- {
		now[j] = j == len(b) || b[j] == '*' && now[j+1]
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			switch {
			case a[i] == '*':
				next[j] = now[j] || j < len(b) && next[j+1]
			case j == len(b):
				next[j] = false
			case b[j] == '*':
				next[j] = next[j+1] || now[j]
			default:
				next[j] = (a[i] == '?' || b[j] == '?' || lower(a[i]) == lower(b[j])) && now[j+1]
			}
		}
		now, next = next, now
	}
	return now[0]
}

// maxPattern is longer than any action's name.
const maxPattern = 255

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
