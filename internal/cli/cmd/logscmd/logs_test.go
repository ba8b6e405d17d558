package logscmd

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"10m ago":             now.Add(-10 * time.Minute),
		"5mins ago":           now.Add(-5 * time.Minute),
		"2 hours ago":         now.Add(-2 * time.Hour),
		"1.5 days ago":        now.Add(-36 * time.Hour),
		"30s ago":             now.Add(-30 * time.Second),
		"now":                 now,
		"yesterday":           now.Add(-24 * time.Hour),
		"2026-10-31 08:00":    time.Date(2026, 10, 31, 8, 0, 0, 0, time.UTC),
		"2026-10-31T08:00:01": time.Date(2026, 10, 31, 8, 0, 1, 0, time.UTC),
	} {
		if got, err := Moment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, error %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "ago", "x ago", "5 parsecs ago", "-1m ago", "31.10.2026"} {
		if got, err := Moment(bad, now); err == nil {
			t.Errorf("%q: got %v", bad, got)
		}
	}
}
