package schedule

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ expression, after, want string }{ // want: due times, or "never" after the last
		{"rate(1 minute)", "2026-01-01 00:00:07", "2026-01-01 00:01:00, 2026-01-01 00:02:00"},
		{"rate(5 minutes)", "2026-01-01 00:05:00", "2026-01-01 00:10:00"},
		{"rate(12 hours)", "2026-01-01 00:00:00", "2026-01-01 12:00:00, 2026-01-02 00:00:00"},
		{"rate(1 day)", "2025-12-01 00:00:00", "2026-01-02 00:00:00"}, // before the rule was there
		{"cron(0 10 * * ? *)", "2026-01-01 10:00:00", "2026-01-02 10:00:00"},
		{"cron(0 10 * * ? *)", "2026-01-01 09:59:59", "2026-01-01 10:00:00"},
		{"cron(15 12 * * ? *)", "2026-12-31 12:15:00", "2027-01-01 12:15:00"},
		{"cron(0/15 * * * ? *)", "2026-01-01 00:14:30", "2026-01-01 00:15:00, 2026-01-01 00:30:00, 2026-01-01 00:45:00, 2026-01-01 01:00:00"},
		{"cron(1/10 * * * ? *)", "2026-01-01 00:40:00", "2026-01-01 00:41:00, 2026-01-01 00:51:00, 2026-01-01 01:01:00"},
		{"cron(*/20 * * * ? *)", "2026-01-01 00:00:00", "2026-01-01 00:20:00, 2026-01-01 00:40:00"},
		{"cron(0 8-10/2,17 ? * MON-FRI *)", "2026-01-02 09:00:00", "2026-01-02 10:00:00, 2026-01-02 17:00:00, 2026-01-05 08:00:00"},
		{"cron(0 18 ? * mon-fri *)", "2026-01-02 18:00:00", "2026-01-05 18:00:00"},
		{"cron(0 0 ? * FRI-MON *)", "2026-01-01 00:00:00", "2026-01-02 00:00:00, 2026-01-03 00:00:00, 2026-01-04 00:00:00, 2026-01-05 00:00:00, 2026-01-09 00:00:00"},
		{"cron(0 0 ? * 1 *)", "2026-01-01 00:00:00", "2026-01-04 00:00:00, 2026-01-11 00:00:00"},
		{"cron(0 0 ? * * *)", "2026-01-01 00:00:00", "2026-01-02 00:00:00"},
		{"cron(0 8 1 * ? *)", "2026-01-01 08:00:00", "2026-02-01 08:00:00"},
		{"cron(0 0 31 * ? *)", "2026-01-31 00:00:00", "2026-03-31 00:00:00"},
		{"cron(0 0 29 2 ? *)", "2026-01-01 00:00:00", "2028-02-29 00:00:00, 2032-02-29 00:00:00"},
		{"cron(0 0 29 FEB ? 2096-2104)", "2096-03-01 00:00:00", "2104-02-29 00:00:00, never"}, // 2100 has none
		{"cron(0 0 L * ? *)", "2026-01-31 00:00:00", "2026-02-28 00:00:00, 2026-03-31 00:00:00"},
		{"cron(0 0 LW * ? *)", "2026-01-01 00:00:00", "2026-01-30 00:00:00, 2026-02-27 00:00:00"},
		{"cron(0 9 3W * ? *)", "2026-01-01 00:00:00", "2026-01-02 09:00:00, 2026-02-03 09:00:00"},
		{"cron(0 9 1W * ? *)", "2026-07-31 12:00:00", "2026-08-03 09:00:00"},  // the first is a Saturday
		{"cron(0 9 31W * ? *)", "2026-05-01 12:00:00", "2026-05-29 09:00:00"}, // the last is a Sunday
		{"cron(0 9 31W * ? *)", "2026-06-01 12:00:00", "2026-07-31 09:00:00"}, // June has no 31st
		{"cron(0 0 ? * L *)", "2026-01-01 00:00:00", "2026-01-03 00:00:00"},
		{"cron(0 0 ? * 6L *)", "2026-01-01 00:00:00", "2026-01-30 00:00:00, 2026-02-27 00:00:00"},
		{"cron(0 0 ? * FRIL *)", "2026-01-31 00:00:00", "2026-02-27 00:00:00"},
		{"cron(0 0 ? * 3#2 *)", "2026-01-01 00:00:00", "2026-01-13 00:00:00, 2026-02-10 00:00:00"},
		{"cron(0 0 ? * TUE#1 *)", "2026-01-01 00:00:00", "2026-01-06 00:00:00"},
		{"cron(0 0 ? * 5#5 *)", "2026-01-01 00:00:00", "2026-01-29 00:00:00, 2026-04-30 00:00:00"},
		{"cron(30 23 31 12 ? 2026)", "2026-06-01 00:00:00", "2026-12-31 23:30:00, never"},
		{"cron(0 0 30 2 ? *)", "2026-01-01 00:00:00", "never"},
		{"cron(0 0 1 1 ? 2020/4)", "2026-01-01 00:00:00", "2028-01-01 00:00:00, 2032-01-01 00:00:00"},
		{"cron(0 0 1 NOV-FEB ? *)", "2026-01-01 00:00:00", "2026-02-01 00:00:00, 2026-11-01 00:00:00"},
		{"cron(59 23 31 12 ? 2199)", "2199-12-31 23:58:00", "2199-12-31 23:59:00, never"},
		{"cron(0 22-1 * * ? *)", "2026-01-01 23:30:00", "2026-01-02 00:00:00, 2026-01-02 01:00:00, 2026-01-02 22:00:00"},
		{"cron(0 0 1 1 ? *)", "1912-06-01 00:00:00", "1970-01-01 00:00:00"},
	} {
		s, err := Parse(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		now := at(t, c.after)
		for want := range strings.SplitSeq(c.want, ", ") {
			got := "never"
			next, ok := s.Next(at(t, "2026-01-01 00:00:00"), now)
			if ok {
				got, now = next.Format("2006-01-02 15:04:05"), next
			}
			if got != want {
				t.Errorf("%s after %s: %s, want %s", c.expression, c.after, got, want)
				break
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, expression := range []string{
		"", "rate", "rate()", "rate(1 day", "Rate(1 day)", "at(2026-01-01T00:00:00)", "rate(0 days)", "rate(-1 day)", "rate(+1 day)", "rate(1 days)", "rate(5 hour)",
		"rate(1.5 hours)", "rate(01 minute)", "rate(1 second)", "rate(2 weeks)", "rate(1 day 2)", "rate(99999999999 days)", "rate(1 dayss)",
		"cron()", "cron(0 10 * * *)", "cron(0 10 * * ? * *)", "cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 1 * MON *)", "cron(0 10 * * MON *)",
		"cron(60 * * * ? *)", "cron(* 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 1 0 ? *)", "cron(0 0 ? * 0 *)", "cron(0 0 ? * 8 *)",
		"cron(0 0 1 1 ? 1969)", "cron(0 0 1 1 ? 2200)", "cron(0 0 1 1 ? 2030-2020)", "cron(0/0 * * * ? *)", "cron(0/60 * * * ? *)", "cron(/5 * * * ? *)", "cron(5/ * * * ? *)",
		"cron(1,,2 * * * ? *)", "cron(1- * * * ? *)", "cron(-1 * * * ? *)", "cron(? * * * ? *)", "cron(0 0 ? * 3#6 *)", "cron(0 0 ? * 3#0 *)", "cron(0 0 ? * 3#1,6#3 *)",
		"cron(0 0 ? * #2 *)", "cron(0 0 W * ? *)", "cron(0 0 32W * ? *)", "cron(0 0 1W,15W * ? *)", "cron(0 0 L,1 * ? *)", "cron(0 0 ? * MON/2 *)", "cron(0 0 1 JANUARY ? *)",
		"cron(0 0 ? * 8L *)", "cron(٣ 0 1 1 ? *)", "cron(0 0 1 1 ? *) ",
	} {
		if s, err := Parse(expression); err == nil {
			t.Errorf("%q is taken, as %+v", expression, s)
		}
	}
}

// TestLast compares Last with going from due time to due time.
func TestLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Parse(rapid.SampledFrom([]string{"rate(1 minute)", "rate(7 hours)", "cron(0 0 L * ? *)", "cron(*/7 9 ? * 2#1 *)", "cron(0 0 29 2 ? *)", "cron(0 0 1 1 ? 2026)"}).Draw(t, "expression"))
		if err != nil {
			t.Fatal(err)
		}
		base := time.Date(2025, 11, 3, 4, 5, 6, 0, time.UTC)
		from, ok := s.Next(base, base)
		if !ok {
			t.Fatal("never due")
		}
		until := from.Add(time.Duration(rapid.Int64Range(0, int64(200*24*time.Hour)).Draw(t, "away")))
		want := from
		for next, ok := s.Next(base, want); ok && !next.After(until); next, ok = s.Next(base, want) {
			want = next
		}
		if got := s.Last(base, from, until); !got.Equal(want) {
			t.Fatalf("from %s until %s: %s, want %s", from, until, got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"rate(5 minutes)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(0 0 LW * ? 2026,2028)", "cron(0 9 3W JAN ? *)", "cron(0 0 ? * 6#3 *)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if next, ok := s.Next(now, now); ok && !next.After(now) {
			t.Errorf("%s is due at %s after %s", text, next, now)
		}
	})
}
