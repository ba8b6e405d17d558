package alarm

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var base = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

// points reads "0 - X": oldest first, 0 within the threshold of 1, X beyond it, - missing. Evaluate takes the newest first.
func points(s string) []Datapoint {
	fields := strings.Fields(s)
	out := make([]Datapoint, len(fields))
	for i, f := range fields {
		d := Datapoint{At: base.Add(time.Duration(i) * time.Minute)}
		if f != "-" {
			d.Present, d.SampleCount = true, 1
			if f == "X" {
				d.Value = 5
			}
		}
		out[len(fields)-1-i] = d
	}
	return out
}

// The tables of the CloudWatch user guide on missing data, and the cases that its text adds.
func TestMissingData(t *testing.T) {
	for _, c := range []struct {
		m, n                                     int
		points                                   string
		missing, ignore, breaching, notBreaching State
	}{
		{3, 3, "0 - X - X", OK, OK, OK, OK},
		{3, 3, "0 - - - -", OK, OK, OK, OK},
		{3, 3, "- - - - -", InsufficientData, Retained, Alarm, OK},
		{3, 3, "0 X X - X", Alarm, Alarm, Alarm, Alarm},
		{3, 3, "- - X - -", Alarm, Retained, Alarm, OK},
		{3, 3, "- - - - X", InsufficientData, Retained, Alarm, OK},
		{3, 3, "- - - X -", InsufficientData, Retained, Alarm, OK},
		{2, 3, "0 - X - X", Alarm, Alarm, Alarm, Alarm},
		{2, 3, "0 0 X 0 X", Alarm, Alarm, Alarm, Alarm},
		{2, 3, "0 - X - -", OK, OK, Alarm, OK},
		{2, 3, "- - - - 0", OK, OK, Alarm, OK},
		{2, 3, "- - - X -", Alarm, Retained, Alarm, OK},
		{2, 3, "- - - - X", InsufficientData, Retained, Alarm, OK},
		{1, 1, "X - -", Alarm, Alarm, Alarm, Alarm},
		{1, 1, "X 0 -", OK, OK, OK, OK},
		{1, 1, "- - -", InsufficientData, Retained, Alarm, OK},
		{1, 3, "- - - - X", Alarm, Alarm, Alarm, Alarm},
	} {
		for treatment, want := range map[Treatment]State{Missing: c.missing, Ignore: c.ignore, Breaching: c.breaching, NotBreaching: c.notBreaching} {
			r := Rule{Comparison: "GreaterThanThreshold", Threshold: 1, Periods: c.n, DatapointsToAlarm: c.m, Missing: treatment}
			if v := r.Evaluate(points(c.points)); v.State != want {
				t.Errorf("%d of %d, %s, missing data %s: %q; want %q", c.m, c.n, c.points, treatment, v.State, want)
			}
		}
	}
}

func TestReason(t *testing.T) {
	for _, c := range []struct {
		rule   Rule
		points string
		want   string
	}{
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 1, Periods: 1}, "- - X",
			"Threshold Crossed: 1 datapoint [5.0 (05/11/26 12:02:00)] was greater than the threshold (1.0)."},
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 70, Periods: 2}, "0 0",
			"Threshold Crossed: 2 datapoints [0.0 (05/11/26 12:01:00), 0.0 (05/11/26 12:00:00)] were not greater than the threshold (70.0)."},
		{Rule{Comparison: "GreaterThanOrEqualToThreshold", Threshold: 1, Periods: 5, DatapointsToAlarm: 3}, "X 0 X X 0",
			"Threshold Crossed: 3 out of the last 5 datapoints [5.0 (05/11/26 12:03:00), 5.0 (05/11/26 12:02:00), 5.0 (05/11/26 12:00:00)] were greater than or equal to the threshold (1.0) (minimum 3 datapoints for OK -> ALARM transition)."},
		{Rule{Comparison: "LessThanThreshold", Threshold: 1, Periods: 1, DatapointsToAlarm: 1}, "X",
			"Threshold Crossed: 1 out of the last 1 datapoints [5.0 (05/11/26 12:00:00)] was not less than the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition)."},
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 2, Periods: 2, Missing: Breaching}, "- - - -",
			"Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."},
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 2, Periods: 1, Missing: NotBreaching}, "- - -",
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."},
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 0.25, Periods: 3, Missing: Breaching}, "- - - - X",
			"Threshold Crossed: 1 datapoint [5.0 (05/11/26 12:04:00)] was greater than the threshold (0.25) and 2 missing datapoints were treated as [Breaching]."},
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 1, Periods: 1, Missing: Missing}, "-", "Insufficient Data: 1 datapoint was unknown."},
		{Rule{Comparison: "GreaterThanThreshold", Threshold: 1, Periods: 3, Missing: Missing}, "- - -", "Insufficient Data: 3 datapoints were unknown."},
	} {
		if got := c.rule.Reason(c.rule.Evaluate(points(c.points))); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.points, got, c.want)
		}
	}
}

func TestReasonData(t *testing.T) {
	q := Query{At: base.Add(5 * time.Minute), Unit: "Seconds", Statistic: "Average", Period: 60}
	r := Rule{Comparison: "GreaterThanThreshold", Threshold: 21, Periods: 2, Missing: Breaching}
	want := `{"version":"1.0","queryDate":"2026-11-05T12:05:00.000+0000","startDate":"2026-11-05T12:03:00.000+0000","unit":"Seconds","statistic":"Average","period":60,"recentDatapoints":[5.0],"threshold":21.0,` +
		`"evaluatedDatapoints":[{"timestamp":"2026-11-05T12:03:00.000+0000","sampleCount":1.0,"value":5.0},{"timestamp":"2026-11-05T12:02:00.000+0000"}]}`
	if got := r.ReasonData(r.Evaluate(points("- - - X")), q); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{0: "0.0", 21: "21.0", 0.2: "0.2", -3: "-3.0", 1e10: "1.0E10", 1.5e-5: "1.5E-5", 9999999: "9999999.0"} {
		if got := Number(f); got != want {
			t.Errorf("Number(%v) = %s; want %s", f, got, want)
		}
	}
}

func TestLowSamples(t *testing.T) {
	for _, c := range []struct {
		p, n float64
		want bool
	}{{99, 999, true}, {99, 1001, false}, {50, 19, true}, {50, 21, false}, {10, 99, true}, {10, 101, false}} {
		if got := LowSamples(c.p, c.n); got != c.want {
			t.Errorf("LowSamples(p%v, %v) = %v", c.p, c.n, got)
		}
	}
}

// More breaching datapoints never make an alarm go from ALARM to OK, and a full range does not depend on the treatment.
func TestEvaluateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "N")
		r := Rule{Comparison: "GreaterThanThreshold", Threshold: 1, Periods: n, DatapointsToAlarm: rapid.IntRange(1, n).Draw(t, "M"),
			Missing: rapid.SampledFrom([]Treatment{Missing, Ignore, Breaching, NotBreaching}).Draw(t, "treatment")}
		s := make([]string, r.Range())
		for i := range s {
			s[i] = rapid.SampledFrom([]string{"0", "X", "-"}).Draw(t, "point")
		}
		before := r.Evaluate(points(strings.Join(s, " ")))
		worse := strings.ReplaceAll(strings.Join(s, " "), "0", "X")
		if after := r.Evaluate(points(worse)); before.State == Alarm && after.State == OK {
			t.Fatalf("%v: %s, but %s with more breaching", s, before.State, after.State)
		}
		if r.Reason(before) == "" || len(before.Evaluated) > n {
			t.Fatalf("%v: %+v", s, before)
		}
		full := strings.ReplaceAll(worse, "-", "0")
		other := r
		other.Missing = Breaching
		if a, b := r.Evaluate(points(full)), other.Evaluate(points(full)); a.State != b.State || a.Filled != 0 {
			t.Fatalf("%s: %v and %v", full, a, b)
		}
	})
}

func TestComposite(t *testing.T) {
	states := map[string]State{"a": Alarm, "b": OK, "c d": InsufficientData, "arn:aws:cloudwatch:us-east-1:000000000000:alarm:e": Alarm}
	for src, want := range map[string]State{
		`ALARM(a)`: Alarm, `ALARM("b")`: OK, `OK(b) AND INSUFFICIENT_DATA("c d")`: Alarm, `NOT ALARM(a) OR ALARM('arn:aws:cloudwatch:us-east-1:000000000000:alarm:e')`: Alarm,
		`ALARM(b) OR (ALARM(a) AND NOT (OK(a) OR FALSE))`: Alarm, `TRUE`: Alarm, `NOT TRUE`: OK, `ALARM(b) OR ALARM(b) AND ALARM(a)`: OK,
	} {
		c, err := ParseComposite(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
		} else if got := c.State(func(n string) State { return states[n] }); got != want {
			t.Errorf("%s: %s; want %s", src, got, want)
		}
	}
	for _, src := range []string{"", "ALARM", "ALARM(", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "FOO(a)", "(ALARM(a)", "NOT", `ALARM("a)`, "ALARM(a) AND", strings.Repeat("(", 200), strings.Repeat("NOT ", 200) + "TRUE"} {
		if _, err := ParseComposite(src); err == nil {
			t.Errorf("%.20s: no error", src)
		}
	}
}

func FuzzComposite(f *testing.F) {
	for _, s := range []string{`ALARM("a") OR NOT (OK(b) AND TRUE)`, `INSUFFICIENT_DATA('x y')`, `((`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if c, err := ParseComposite(src); err == nil {
			c.State(func(string) State { return Alarm })
		}
	})
}
