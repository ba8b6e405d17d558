// Package exact answers: how are the numbers of a verdict kept, so that the same input gives the same bytes on every
// machine?
//
// What is given or measured (scores, weights, severities, budgets) is a [Decimal]: nine digits after the point, rounded half
// to even, once, when it is made. What follows from these by adding, multiplying and dividing is a [Rat], and never rounded;
// only what is shown to a person is ([Rat.Text], [Shares]). There are no floating-point numbers.
package exact

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Decimal is a number in units of 10⁻⁹. The zero value is 0. Compare with == and <.
type Decimal int64

// Scale is how many units make 1; Digits how many digits that is.
const (
	Scale  = 1_000_000_000
	Digits = 9
)

// The ends of a score.
const (
	Zero Decimal = 0
	One  Decimal = Scale
)

// ErrRange is what Parse and Rat.Decimal wrap for a number that is too large for a Decimal (about 9.2·10⁹).
var ErrRange = errors.New("the number is too large")

// D is the whole number n.
func D(n int) Decimal { return Decimal(n) * Scale }

// Parse reads a number as YAML and JSON write them: 12, -0.5, .5, 1.5e-3. More digits than nine are rounded half to even.
func Parse(text string) (Decimal, error) {
	r, err := ParseRat(text)
	if err != nil {
		return 0, err
	}
	d, err := r.Decimal()
	if err != nil {
		return 0, fmt.Errorf("read %q: %w", text, err)
	}
	return d, nil
}

// MustParse is Parse for numbers that stand in the program; it panics if the text is none.
func MustParse(text string) Decimal {
	d, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return d
}

// String writes d with as few digits as it needs: 0.5, 10, -7.25.
func (d Decimal) String() string {
	sign, units := "", uint64(d)
	if d < 0 {
		sign, units = "-", uint64(-(d+1))+1
	}
	fraction := strings.TrimRight(fmt.Sprintf("%09d", units%Scale), "0")
	if fraction != "" {
		fraction = "." + fraction
	}
	return fmt.Sprintf("%s%d%s", sign, units/Scale, fraction)
}

// Rat is d as a rational number.
func (d Decimal) Rat() Rat { return Ratio(int64(d), Scale) }

// Clamp brings d into [0, 1].
func (d Decimal) Clamp() Decimal { return min(max(d, Zero), One) }

// MarshalJSON writes d as a JSON number with all its digits.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads a JSON number; one that a Decimal cannot hold exactly is an error.
func (d *Decimal) UnmarshalJSON(text []byte) error {
	var n json.Number
	if err := json.Unmarshal(text, &n); err != nil {
		return fmt.Errorf("read a number: %w", err)
	}
	r, err := ParseRat(n.String())
	if err != nil {
		return err
	}
	v, err := r.Decimal()
	if err != nil {
		return fmt.Errorf("read %q: %w", n, err)
	}
	if v.Rat().Cmp(r) != 0 {
		return fmt.Errorf("read %q: more than %d digits after the point", n, Digits)
	}
	*d = v
	return nil
}

// roundHalfEven divides, and rounds to the nearest whole number, of two equally near ones to the even one. den is positive.
func roundHalfEven(num, den *big.Int) *big.Int {
	quo, rem := new(big.Int).DivMod(num, den, new(big.Int))
	switch rem.Lsh(rem, 1).Cmp(den) {
	case 1:
		quo.Add(quo, big.NewInt(1))
	case 0:
		if quo.Bit(0) == 1 {
			quo.Add(quo, big.NewInt(1))
		}
	}
	return quo
}

func toDecimal(n *big.Int) (Decimal, error) {
	if !n.IsInt64() || n.Int64() == math.MinInt64 {
		return 0, ErrRange
	}
	return Decimal(n.Int64()), nil
}
