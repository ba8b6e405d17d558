package exact

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{"12": "12", "-.5": "-0.5", "1.5e-3": "0.0015", "0.0000000005": "0", "0.0000000015": "0.000000002",
		"9223372036.854775807": "9223372036.854775807", "-0": "0", "1.": "1"} {
		if got, err := Parse(text); err != nil || got.String() != want {
			t.Errorf("%s: got %s (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "1/2", "0x10", "1e99", "1e999999999", "9223372036.854775808", "nan", "inf", "1_0", "--1", "1e"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		number Rat
		digits int
		want   string
	}{{Ratio(1, 8), 2, "0.12"}, {Ratio(3, 8), 2, "0.38"}, {Ratio(-1, 8), 2, "-0.12"}, {Ratio(-1, 1000), 2, "0.00"}, {Ratio(5, 2), 0, "2"}, {Ratio(2, 3), 3, "0.667"}} {
		if got := c.number.Text(c.digits); got != c.want {
			t.Errorf("%s: got %s, want %s", c.number, got, c.want)
		}
	}
	if got := Ratio(1, 1000).Signed(2); got != "0.00" {
		t.Errorf("what is shown as zero has the sign of zero, not %s", got)
	}
}

func TestDigitsFor(t *testing.T) {
	a, b := MustParse("-0.5004").Rat(), MustParse("-0.5").Rat()
	if got := DigitsFor(a, b, 2); got != 4 || a.Text(got) != "-0.5004" || b.Text(got) != "-0.5000" {
		t.Errorf("got %d digits", got)
	}
	if got := DigitsFor(b, b, 2); got != 2 {
		t.Errorf("equal numbers need %d digits", got)
	}
}

func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Rat {
			return Ratio(rapid.Int64Range(-1e6, 1e6).Draw(t, "num"), rapid.Int64Range(1, 1e4).Draw(t, "den"))
		})).Draw(t, "parts")
		digits := rapid.IntRange(0, 4).Draw(t, "digits")
		texts, total := Shares(parts, digits)
		sum, exactly := Rat{}, Rat{}
		for i, text := range texts {
			shown, err := ParseRat(text)
			if err != nil {
				t.Fatal(err)
			}
			if off := shown.Sub(parts[i]); !off.Less(Scaled(big.NewInt(1), digits)) || !off.Neg().Less(Scaled(big.NewInt(1), digits)) {
				t.Fatalf("%s is shown as %s", parts[i], text)
			}
			sum, exactly = sum.Add(shown), exactly.Add(parts[i])
		}
		if sum.Text(digits) != total || exactly.Text(digits) != total {
			t.Fatalf("%v add up to %s, not to %s", texts, sum.Text(digits), total)
		}
	})
}

func TestLogPosition(t *testing.T) {
	for _, c := range []struct{ x, limit, target, want string }{
		{"0.2", "1", "0.2", "1"}, {"1", "1", "0.2", "0"}, {"0.1", "1", "0.2", "1"}, {"3", "1", "0.2", "0"},
		{"100", "1000", "10", "0.5"}, {"0.5", "1", "0.25", "0.5"}, {"8", "1", "16", "0.75"}, {"10", "1", "1000", "0.333333333"},
		{"0.000000002", "0.000000001", "9000000000", "0.015881932"},
	} {
		if got := LogPosition(MustParse(c.x), MustParse(c.limit), MustParse(c.target)); got.String() != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

// TestLogPositionAgainstFloats uses floating point as the witness, never as the judge: it must agree to its own precision.
func TestLogPositionAgainstFloats(t *testing.T) {
	number := rapid.Int64Range(1, 9e18)
	rapid.Check(t, func(t *rapid.T) {
		x, limit, target := Decimal(number.Draw(t, "x")), Decimal(number.Draw(t, "limit")), Decimal(number.Draw(t, "target"))
		if limit == target {
			return
		}
		got := float64(LogPosition(x, limit, target)) / Scale
		want := math.Log(float64(x)/float64(limit)) / math.Log(float64(target)/float64(limit))
		if near := math.Abs(math.Log(float64(target) / float64(limit))); near > 1e-3 && math.Abs(got-min(max(want, 0), 1)) > 2e-9 {
			t.Fatalf("got %.12f, want %.12f", got, want)
		}
		if mirrored := float64(LogPosition(x, target, limit)) / Scale; math.Abs(got+mirrored-1) > 2e-9 {
			t.Fatalf("%.12f and %.12f do not mirror each other", got, mirrored)
		}
	})
}

func TestJSONHasOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Decimal(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "decimal"))
		r := Ratio(rapid.Int64().Draw(t, "num"), rapid.Int64Range(1, math.MaxInt64).Draw(t, "den"))
		text, err := json.Marshal([]any{d, r})
		if err != nil {
			t.Fatal(err)
		}
		var parts []json.RawMessage
		var d2 Decimal
		var r2 Rat
		if json.Unmarshal(text, &parts) != nil || json.Unmarshal(parts[0], &d2) != nil || json.Unmarshal(parts[1], &r2) != nil || d2 != d || !r2.Equal(r) {
			t.Fatalf("%s was read as %s, %s", text, d2, r2)
		}
	})
	var r Rat
	for _, text := range []string{`"2/4"`, `"1/0"`, `"-0"`, `"01"`, `"1.5"`, `1`, `"4/1"`} {
		if json.Unmarshal([]byte(text), &r) == nil {
			t.Errorf("%s was read", text)
		}
	}
	var d Decimal
	if json.Unmarshal([]byte("0.0000000001"), &d) == nil {
		t.Error("a number with ten digits was read")
	}
}
