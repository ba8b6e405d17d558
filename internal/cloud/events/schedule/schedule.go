// Package schedule answers: when is a rule due next?
//
// A schedule is written as EventBridge's rules have it: rate(5 minutes), which counts from when the rule was made, or
// cron(minutes hours day-of-month month day-of-week year), in UTC and to the minute.
package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Schedule is a parsed expression. Use [Parse].
type Schedule struct {
	every time.Duration // of a rate
	cron  *cron         // nil for a rate
}

// Parse reads an expression; its error says which part is wrong.
func Parse(expression string) (Schedule, error) {
	kind, rest, _ := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !closed || kind != "rate" && kind != "cron" {
		return Schedule{}, fmt.Errorf("%q is neither rate(value unit) nor cron(minutes hours day-of-month month day-of-week year)", expression)
	}
	s, err := Schedule{}, error(nil)
	if kind == "rate" {
		s.every, err = parseRate(strings.Fields(inner))
	} else {
		s.cron, err = parseCron(strings.Fields(inner))
	}
	if err != nil {
		return Schedule{}, fmt.Errorf("read %s: %w", expression, err)
	}
	return s, nil
}

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// mostUnits keeps the longest rate within a time.Duration.
const mostUnits = 100_000

func parseRate(words []string) (time.Duration, error) {
	if len(words) != 2 {
		return 0, fmt.Errorf("a rate has a value and a unit, not %d words", len(words))
	}
	n, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil || n == 0 || n > mostUnits || words[0][0] == '0' {
		return 0, fmt.Errorf("%s is no positive number", words[0])
	}
	unit, plural := strings.CutSuffix(words[1], "s")
	length, ok := units[unit]
	if !ok || plural != (n > 1) {
		return 0, fmt.Errorf("%s is not the unit of %d: those are minute, hour, day for 1, and minutes, hours, days for more", words[1], n)
	}
	return time.Duration(n) * length, nil
}

// Next returns the first due time after t of a rule whose rate counts from base; ok is false if there is none any more.
func (s Schedule) Next(base, t time.Time) (next time.Time, ok bool) {
	switch {
	case s.cron != nil:
		return s.cron.next(t.UTC())
	case s.every == 0:
		return time.Time{}, false
	case t.Before(base):
		return base.Add(s.every), true
	}
	return base.Add((t.Sub(base)/s.every + 1) * s.every), true
}

// Last returns the latest due time that is not after t, and not before the due time `from`, which is returned where it is the only one.
func (s Schedule) Last(base, from, t time.Time) time.Time {
	due := from
	// What is due is looked for in a stretch before t that becomes longer until there is some.
	for back := time.Minute; ; back *= 2 {
		begin := t.Add(-back)
		if !begin.After(from) {
			begin = from
		}
		if next, ok := s.Next(base, begin); ok && !next.After(t) {
			for ok && !next.After(t) {
				due = next
				next, ok = s.Next(base, due)
			}
			return due
		}
		if begin.Equal(from) {
			return due
		}
	}
}
