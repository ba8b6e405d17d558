package number

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for _, c := range []struct{ in, want string }{
		{"0", "0"}, {"-0", "0"}, {"0.000", "0"}, {"0e999999999999999999", "0"}, {"1", "1"}, {"+1", "1"}, {"-1", "-1"},
		{"007", "7"}, {"100", "100"}, {"1.50", "1.5"}, {".5", "0.5"}, {"5.", "5"}, {"-0.05", "-0.05"}, {"1e3", "1000"},
		{"1.25E+2", "125"}, {"1.25e1", "12.5"}, {"12.5e-1", "1.25"}, {"10.01", "10.01"}, {"1e-3", "0.001"},
		{nines, nines}, {nines + "000", nines + "000"}, {"0." + nines, "0." + nines},
		{"1E125", "1" + strings.Repeat("0", 125)}, {"1E-130", "0." + strings.Repeat("0", 129) + "1"},
		{"9.9999999999999999999999999999999999999E125", nines + strings.Repeat("0", 88)},
	} {
		d, err := Parse(c.in)
		if err != nil || d.String() != c.want {
			t.Errorf("Parse(%q) = %v, %v; want %s", c.in, d, err, c.want)
		}
		if again, err := Parse(d.String()); err != nil || again != d {
			t.Errorf("Parse(%q) again = %v, %v", c.in, again, err)
		}
		if Canonical(c.in) && c.in != c.want {
			t.Errorf("Canonical(%q), but it is written %q", c.in, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]error{
		"1E126": ErrOverflow, "-1E126": ErrOverflow, "1e999999999999999999999": ErrOverflow, "1E-131": ErrUnderflow,
		"1e-99999999999999999999": ErrUnderflow, strings.Repeat("9", 39): ErrPrecision, "1." + strings.Repeat("0", 37) + "1": ErrPrecision,
		"": ErrEmpty,
	} {
		if _, err := Parse(in); !errors.Is(err, want) {
			t.Errorf("Parse(%q): %v; want %v", in, err, want)
		}
	}
	for _, in := range []string{"a", "-", "+", ".", "1.2.3", "1e", "1e+", "1e5x", " 1", "1 ", "--1", "0x10", "NaN", "Infinity", "1,5", "e5"} {
		if _, err := Parse(in); err == nil || !strings.HasSuffix(err.Error(), "numeric value: "+in) {
			t.Errorf("Parse(%q): %v", in, err)
		}
	}
}

func decimals() *rapid.Generator[Decimal] {
	return rapid.Custom(func(t *rapid.T) Decimal {
		n := rapid.IntRange(0, MaxDigits).Draw(t, "digits")
		digits := make([]byte, n)
		for i := range digits {
			digits[i] = rapid.ByteRange(0, 9).Draw(t, "digit")
		}
		exponent := rapid.OneOf(rapid.IntRange(-4, 4), rapid.IntRange(minExponent+MaxDigits, maxExponent)).Draw(t, "exponent")
		d, err := fromDigits(digits, exponent, rapid.Bool().Draw(t, "negative"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func rational(t *rapid.T, d Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("not a number: %q", d.String())
	}
	return r
}

func TestOrderOfKeysIsOrderOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		want := rational(t, a).Cmp(rational(t, b))
		if got := Compare(a, b); got != want {
			t.Fatalf("Compare(%v, %v) = %d, want %d", a, b, got, want)
		}
		ka, kb := a.AppendKey(nil), b.AppendKey(nil)
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("keys of %v and %v: %x %x compare %d, want %d", a, b, ka, kb, got, want)
		}
		if want != 0 && bytes.HasPrefix(ka, kb) {
			t.Fatalf("the key of %v begins with that of %v", a, b)
		}
		back, rest, err := FromKey(append(ka, "rest"...))
		if err != nil || back != a || string(rest) != "rest" {
			t.Fatalf("FromKey(%x) = %v, %q, %v; want %v", ka, back, rest, err, a)
		}
	})
}

func TestAddIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		want := new(big.Rat).Add(rational(t, a), rational(t, b))
		sum, err := Add(a, b)
		if err == nil {
			if rational(t, sum).Cmp(want) != 0 {
				t.Fatalf("%v + %v = %v, want %v", a, b, sum, want.FloatString(130))
			}
			return
		}
		if _, parsed := Parse(want.FloatString(200)); !errors.Is(parsed, err) {
			t.Fatalf("%v + %v: %v, but writing the sum says %v", a, b, err, parsed)
		}
	})
}

func TestSize(t *testing.T) {
	for in, want := range map[string]int{"0": 1, "1": 2, "10": 2, "100": 2, "101": 3, "12345": 4, "1.5": 3, "-1": 3, "0.01": 2, "0.1": 2} {
		if d, _ := Parse(in); d.Size() != want {
			t.Errorf("size of %s: %d, want %d", in, d.Size(), want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "-1.5e10", "1E-130", "9e125", ".5", "1e99999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(d.String()); err != nil || again != d {
			t.Fatalf("%q is written %q, which reads as %v, %v", s, d.String(), again, err)
		}
		if Canonical(s) && s != d.String() {
			t.Fatalf("Canonical(%q), but it is written %q", s, d.String())
		}
	})
}

func FuzzFromKey(f *testing.F) {
	f.Add([]byte{keyPositive, 0x82, 11, 0})
	f.Fuzz(func(t *testing.T, b []byte) { _, _, _ = FromKey(b) })
}
