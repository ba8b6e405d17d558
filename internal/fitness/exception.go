package fitness

import (
	"time"
)

// Exception takes a pair out of the objective for a while: it leaves what could be lost as well as what is.
type Exception struct {
	Function string `json:"function"`
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
	Until    Date   `json:"until"` // the last day on which it holds, in UTC
}

// Date is a day, as 2027-03-31.
type Date string

// ParseDate reads a day.
func ParseDate(text string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return "", err
	}
	return Date(text), nil
}

// End is the moment at which the day is over in UTC; the zero time if d is no day.
func (d Date) End() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, 1)
}

// Excepted is what exceptions did to a release's pairs. They are counted in the report, and never silent.
type Excepted struct {
	Held    []Exception `json:"held,omitempty"`    // took a pair out
	Expired []Exception `json:"expired,omitempty"` // no longer do: their pairs count again
	Idle    []Exception `json:"idle,omitempty"`    // hold, but name no pair

	Suppressed []Suppressed `json:"suppressed,omitempty"` // pairs that the template itself takes out
}

// Suppressed is a pair that a template takes out, in the words of another tool.
type Suppressed struct {
	Function string `json:"function"`
	Resource string `json:"resource"`
	Tool     string `json:"tool"`
	Reason   string `json:"reason,omitempty"`
}

// Except returns the pairs that count at a moment, and what became of the suite's exceptions.
func (s *Suite) Except(pairs []Pair, now time.Time) ([]Pair, Excepted) {
	var report Excepted
	out := map[key]bool{}
	for _, e := range s.Exceptions {
		k := key{e.Function, e.Resource}
		switch {
		case !now.Before(e.Until.End()):
			report.Expired = append(report.Expired, e)
		case !has(pairs, k):
			report.Idle = append(report.Idle, e)
		default:
			report.Held = append(report.Held, e)
			out[k] = true
		}
	}
	kept := make([]Pair, 0, len(pairs))
	for _, p := range pairs {
		if !out[p.key()] {
			kept = append(kept, p)
		}
	}
	return kept, report
}

func has(pairs []Pair, k key) bool {
	for i := range pairs {
		if pairs[i].key() == k {
			return true
		}
	}
	return false
}
