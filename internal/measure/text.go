package measure

import (
	"fmt"
	"strings"
	"time"

	"evo/internal/fitness/exact"
)

// String names a metric as a person does: p99 of AWS/Lambda Duration.
func (s *series) String() string { return s.ref.Stat + " of " + s.ref.Namespace + " " + s.ref.Name }

func (s *series) silence() string { return fmt.Sprintf("%s has no data over %s", s, span(s.window)) }

// scales are the units that an amount of a unit is shown in, from the largest.
var scales = map[string][]struct {
	from int64
	unit string
}{
	"ms": {{1000, "s"}, {1, "ms"}},
	"B":  {{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}, {1, "B"}},
}

// shown is an amount in the unit that suits its size: 241 ms, 1 s, 99.9%.
func shown(amount exact.Rat, unit string) string {
	for _, s := range scales[unit] {
		if from := exact.Whole(s.from); !amount.Less(from) || s.from == 1 {
			return trimmed(amount.Div(from)) + " " + s.unit
		}
	}
	return trimmed(amount) + unit
}

// trimmed is a number with three digits after the point, or fewer if they are zero. One that is too small for three is given nine.
func trimmed(r exact.Rat) string {
	text := r.Text(3)
	if r.Sign() != 0 && strings.Trim(text, "-0.") == "" {
		text = r.Text(exact.Digits)
	}
	if text = strings.TrimRight(strings.TrimRight(text, "0"), "."); text == "" || text == "-" {
		return "0"
	}
	return text
}

// span is a stretch of time in words: 10 minutes, 7 days.
func span(d time.Duration) string {
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch {
		case d == u.d:
			return "1 " + u.name
		case d > u.d && d%u.d == 0:
			return fmt.Sprintf("%d %ss", d/u.d, u.name)
		}
	}
	return d.String()
}
