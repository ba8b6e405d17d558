package exact

import (
	"math/big"
	"sort"
)

// Shares writes parts with so many digits, such that what is written adds up to their sum as it is written: each part is
// rounded down, and the units that are then missing go to the parts with the largest remainders, of equal ones to the first.
func Shares(parts []Rat, digits int) (texts []string, total string) {
	units := make([]*big.Int, len(parts))
	remainders := make([]Rat, len(parts))
	order := make([]int, len(parts))
	scale := Scaled(big.NewInt(1), digits)
	sum := Rat{}
	given := new(big.Int)
	for i, p := range parts {
		scaled := p.Div(scale)
		units[i] = new(big.Int).Div(scaled.big().Num(), scaled.big().Denom()) // rounds down: denominators are positive
		remainders[i] = scaled.Sub(Rat{new(big.Rat).SetInt(units[i])})
		order[i] = i
		sum = sum.Add(p)
		given.Add(given, units[i])
	}
	whole := sum.units(digits)
	sort.SliceStable(order, func(a, b int) bool { return remainders[order[b]].Less(remainders[order[a]]) })
	missing := new(big.Int).Sub(whole, given)
	for _, i := range order[:min(len(order), int(missing.Int64()))] {
		units[i].Add(units[i], big.NewInt(1))
	}
	texts = make([]string, len(parts))
	for i, u := range units {
		texts[i] = placed(u, digits)
	}
	return texts, placed(whole, digits)
}

// DigitsFor is the least number of digits, at least from, with which a and b, written, compare as they do themselves. So a
// person who compares what is printed comes to the program's verdict.
func DigitsFor(a, b Rat, from int) int {
	digits := from
	for ; digits < maxDigits && a.units(digits).Cmp(b.units(digits)) != a.Cmp(b); digits++ {
	}
	return digits
}

// maxDigits bounds DigitsFor. Two fractions of what people write differ long before.
const maxDigits = 60
