package exact

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// Rat is a rational number that is never changed. The zero value is 0.
type Rat struct{ r *big.Rat }

var zeroRat = new(big.Rat)

// Ratio is num/den; den must not be zero.
func Ratio(num, den int64) Rat { return Rat{big.NewRat(num, den)} }

// Whole is the whole number n.
func Whole(n int64) Rat { return Rat{new(big.Rat).SetInt64(n)} }

// Scaled is n units of 10^-digits.
func Scaled(n *big.Int, digits int) Rat {
	return Rat{new(big.Rat).SetFrac(n, power(digits))}
}

// powers are the first powers of ten. They are shared, and never changed.
var powers = func() [64]*big.Int {
	var p [64]*big.Int
	for i := range p {
		p[i] = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(i)), nil)
	}
	return p
}()

func power(digits int) *big.Int {
	if digits < len(powers) {
		return powers[digits]
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
}

// FromBig is a copy of r.
func FromBig(r *big.Rat) Rat { return Rat{new(big.Rat).Set(r)} }

// Texts of numbers are bounded, so that a hostile exponent costs nothing.
const (
	maxNumber   = 400 // characters
	maxExponent = 40
)

// ParseRat reads a decimal number without rounding it.
func ParseRat(text string) (Rat, error) {
	digits, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	plain := strings.TrimLeft(exponent, "+-0")
	if len(text) > maxNumber || len(plain) > 2 || len(plain) == 2 && plain > fmt.Sprint(maxExponent) {
		return Rat{}, fmt.Errorf("read %.20q: %w", text, ErrRange)
	}
	if strings.Trim(digits, "+-.0123456789") != "" {
		return Rat{}, fmt.Errorf("%q is not a number", text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return Rat{}, fmt.Errorf("%q is not a number", text)
	}
	return Rat{r}, nil
}

func (a Rat) big() *big.Rat {
	if a.r == nil {
		return zeroRat
	}
	return a.r
}

// Big is a copy of a, for what is not here.
func (a Rat) Big() *big.Rat { return new(big.Rat).Set(a.big()) }

// Add is a + b.
func (a Rat) Add(b Rat) Rat { return Rat{new(big.Rat).Add(a.big(), b.big())} }

// Sub is a − b.
func (a Rat) Sub(b Rat) Rat { return Rat{new(big.Rat).Sub(a.big(), b.big())} }

// Mul is a · b.
func (a Rat) Mul(b Rat) Rat { return Rat{new(big.Rat).Mul(a.big(), b.big())} }

// Div is a / b; b must not be zero.
func (a Rat) Div(b Rat) Rat { return Rat{new(big.Rat).Quo(a.big(), b.big())} }

// Neg is −a.
func (a Rat) Neg() Rat { return Rat{new(big.Rat).Neg(a.big())} }

// Cmp is −1, 0 or 1 as a is less than, equal to, or greater than b.
func (a Rat) Cmp(b Rat) int { return a.big().Cmp(b.big()) }

// Sign is −1, 0 or 1 as a is negative, zero or positive.
func (a Rat) Sign() int { return a.big().Sign() }

// Less reports whether a < b.
func (a Rat) Less(b Rat) bool { return a.Cmp(b) < 0 }

// Equal reports whether a and b are the same number; go-cmp uses it too.
func (a Rat) Equal(b Rat) bool { return a.Cmp(b) == 0 }

// Min is the lesser, Max the greater of two numbers.
func Min(a, b Rat) Rat {
	if b.Less(a) {
		return b
	}
	return a
}

// Max is the greater of two numbers.
func Max(a, b Rat) Rat {
	if a.Less(b) {
		return b
	}
	return a
}

// Decimal rounds a half to even to nine digits; the error wraps ErrRange.
func (a Rat) Decimal() (Decimal, error) {
	num := new(big.Int).Mul(a.big().Num(), big.NewInt(Scale))
	return toDecimal(roundHalfEven(num, a.big().Denom()))
}

// Text rounds a half to even and writes it with so many digits after the point. Zero has no sign.
func (a Rat) Text(digits int) string { return placed(a.units(digits), digits) }

// Signed is Text with a + before positive numbers.
func (a Rat) Signed(digits int) string {
	if text := a.Text(digits); a.units(digits).Sign() <= 0 {
		return text
	} else {
		return "+" + text
	}
}

// String is the number itself: "3", "-7/4".
func (a Rat) String() string { return a.big().RatString() }

// units is a in units of 10^-digits, rounded half to even.
func (a Rat) units(digits int) *big.Int {
	return roundHalfEven(new(big.Int).Mul(power(digits), a.big().Num()), a.big().Denom())
}

// placed writes a number of units of 10^-digits.
func placed(units *big.Int, digits int) string {
	text := new(big.Int).Abs(units).String()
	if len(text) <= digits {
		text = strings.Repeat("0", digits-len(text)+1) + text
	}
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	if units.Sign() < 0 {
		return "-" + text
	}
	return text
}

// maxFraction bounds the fractions that are read, in characters: sums of what people write are far shorter.
const maxFraction = 10_000

// MarshalJSON writes a as a string, "-7/4".
func (a Rat) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads what MarshalJSON writes, and nothing else: each number has one text.
func (a *Rat) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("read a fraction: %w", err)
	}
	if len(s) > maxFraction || strings.Trim(s, "-/0123456789") != "" {
		return fmt.Errorf("%.40q is not a fraction", s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.RatString() != s {
		return fmt.Errorf("%.40q is not a fraction in lowest terms", s)
	}
	a.r = r
	return nil
}
