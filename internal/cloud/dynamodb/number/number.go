// Package number answers: which numbers does DynamoDB hold, how are they written, ordered and added?
//
// A number has up to 38 significant decimal digits and a magnitude from 1E-130 to 9.99…E+125, or is zero. Nothing is ever
// rounded: a number, or a sum, that needs more is refused, in the words that AWS uses.
package number

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// MaxDigits is how many significant digits a number may have.
const MaxDigits = 38

const (
	minExponent = -130
	maxExponent = 125
)

// What is wrong with a number, in AWS's words.
var (
	ErrOverflow  = errors.New("Number overflow. Attempting to store a number with magnitude larger than supported range")
	ErrUnderflow = errors.New("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	ErrPrecision = errors.New("Attempting to store more than 38 significant digits in a Number")
	ErrEmpty     = errors.New("The parameter cannot be converted to a numeric value")
)

// Decimal is a number: d₀.d₁d₂… × 10^exponent, without leading or trailing zeros among its digits. The zero value is zero.
type Decimal struct {
	negative bool
	n        uint8
	exponent int16
	digits   [MaxDigits]byte // 0 to 9 each; those from n on are 0
}

// Parse reads a number as clients write it: digits with at most one point, and perhaps a sign and an exponent.
func Parse(s string) (Decimal, error) {
	if s == "" {
		return Decimal{}, ErrEmpty
	}
	d, digits, err := scan(s)
	switch {
	case err != nil:
		return Decimal{}, err
	case d.n == 0:
		return Decimal{}, nil
	case d.exponent > maxExponent:
		return Decimal{}, ErrOverflow
	case d.exponent < minExponent:
		return Decimal{}, ErrUnderflow
	case digits > MaxDigits:
		return Decimal{}, ErrPrecision
	}
	return d, nil
}

// scan reads s and returns how many significant digits it has; those that are too many are left out.
func scan(s string) (d Decimal, digits int, err error) {
	i := 0
	if s[0] == '+' || s[0] == '-' {
		d.negative = s[0] == '-'
		i = 1
	}
	var seen, point bool // any digit; the point
	var exponent int     // of the next digit while before the point counted upwards
	leading := 0         // zeros after the point before the first digit
	whole := 0           // digits before the point from the first that is not 0
	trailing := 0        // zeros since the last digit that is not 0
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if c == '0' && digits == 0 {
			if point {
				leading++
			}
			continue
		}
		if !point {
			whole++
		}
		if c == '0' {
			trailing++
			continue
		}
		digits += trailing
		trailing = 0
		if digits < MaxDigits {
			d.digits[digits] = c - '0'
			d.n = uint8(digits + 1)
		}
		digits++
	}
	if !seen {
		return d, 0, invalid(s)
	}
	if i < len(s) {
		if exponent, err = scanExponent(s, i); err != nil {
			return d, 0, err
		}
	}
	if whole > 0 {
		exponent += whole - 1
	} else {
		exponent -= leading + 1
	}
	d.exponent = int16(max(-20000, min(20000, exponent)))
	return d, digits, nil
}

func scanExponent(s string, i int) (int, error) {
	if s[i] != 'e' && s[i] != 'E' {
		return 0, invalid(s)
	}
	i++
	sign := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		if s[i] == '-' {
			sign = -1
		}
		i++
	}
	if i == len(s) {
		return 0, invalid(s)
	}
	e := 0
	for ; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, invalid(s)
		}
		e = min(e*10+int(s[i]-'0'), 1_000_000_000)
	}
	return sign * e, nil
}

func invalid(s string) error {
	return fmt.Errorf("The parameter cannot be converted to a numeric value: %s", s)
}

// Canonical reports whether s is surely what String would give for the number that it is. It may say no for long ones.
func Canonical(s string) bool {
	t := s
	if t != "" && t[0] == '-' {
		t = t[1:]
	}
	if t == "" || len(t) > MaxDigits {
		return false
	}
	if t[0] == '0' {
		return len(s) == 1
	}
	for i := 0; i < len(t); i++ {
		if t[i] < '0' || t[i] > '9' {
			return false
		}
	}
	return true
}

// String writes the number as DynamoDB answers it: plainly, without an exponent, a leading point or trailing zeros.
func (d Decimal) String() string {
	if d.n == 0 {
		return "0"
	}
	b := make([]byte, 0, 48)
	if d.negative {
		b = append(b, '-')
	}
	e := int(d.exponent)
	if e < 0 {
		b = append(b, '0', '.')
		b = appendZeros(b, -e-1)
		return string(d.appendDigits(b, 0, int(d.n)))
	}
	whole := e + 1
	if whole >= int(d.n) {
		return string(appendZeros(d.appendDigits(b, 0, int(d.n)), whole-int(d.n)))
	}
	b = append(d.appendDigits(b, 0, whole), '.')
	return string(d.appendDigits(b, whole, int(d.n)))
}

func (d *Decimal) appendDigits(b []byte, from, to int) []byte {
	for _, digit := range d.digits[from:to] {
		b = append(b, '0'+digit)
	}
	return b
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, '0')
	}
	return b
}

// Compare returns -1, 0 or 1 as a is less than, equal to or greater than b.
func Compare(a, b Decimal) int {
	if sa, sb := a.sign(), b.sign(); sa != sb || sa == 0 {
		return compareInts(sa, sb)
	}
	c := compareInts(int(a.exponent), int(b.exponent))
	if c == 0 {
		c = bytes.Compare(a.digits[:], b.digits[:])
	}
	if a.negative {
		return -c
	}
	return c
}

func (d *Decimal) sign() int {
	switch {
	case d.n == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Negate returns -d.
func (d Decimal) Negate() Decimal {
	d.negative = !d.negative && d.n > 0
	return d
}

// Subtract returns a-b.
func Subtract(a, b Decimal) (Decimal, error) { return Add(a, b.Negate()) }

// Add returns a+b, or an error if that is not a number DynamoDB holds.
func Add(a, b Decimal) (Decimal, error) {
	if a.n == 0 {
		return b, nil
	}
	if b.n == 0 {
		return a, nil
	}
	high := max(a.exponent, b.exponent) + 1 // room for a carry
	low := min(a.last(), b.last())
	width := int(high-low) + 1
	if width > 2*MaxDigits+2 {
		return Decimal{}, ErrPrecision // digits of both remain, too far from each other
	}
	var x, y [2*MaxDigits + 2]byte
	copy(x[high-a.exponent:], a.digits[:a.n])
	copy(y[high-b.exponent:], b.digits[:b.n])
	sum := x[:width]
	negative := a.negative
	switch {
	case a.negative == b.negative:
		addDigits(sum, y[:width])
	case bytes.Compare(x[:width], y[:width]) >= 0:
		subtractDigits(sum, y[:width])
	default:
		sum = y[:width]
		subtractDigits(sum, x[:width])
		negative = b.negative
	}
	return fromDigits(sum, int(high), negative)
}

// last returns the exponent of the last digit.
func (d *Decimal) last() int16 { return d.exponent - int16(d.n) + 1 }

func addDigits(x, y []byte) {
	carry := byte(0)
	for i := len(x) - 1; i >= 0; i-- {
		x[i] += y[i] + carry
		carry = x[i] / 10
		x[i] %= 10
	}
}

// subtractDigits takes y from x, which is not less.
func subtractDigits(x, y []byte) {
	borrow := byte(0)
	for i := len(x) - 1; i >= 0; i-- {
		t := 10 + x[i] - y[i] - borrow
		x[i] = t % 10
		borrow = 1 - t/10
	}
}

// fromDigits makes a number of digits of which the first stands for 10^exponent.
func fromDigits(digits []byte, exponent int, negative bool) (Decimal, error) {
	for len(digits) > 0 && digits[0] == 0 {
		digits, exponent = digits[1:], exponent-1
	}
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	switch {
	case len(digits) == 0:
		return Decimal{}, nil
	case exponent > maxExponent:
		return Decimal{}, ErrOverflow
	case exponent < minExponent:
		return Decimal{}, ErrUnderflow
	case len(digits) > MaxDigits:
		return Decimal{}, ErrPrecision
	}
	d := Decimal{negative: negative, n: uint8(len(digits)), exponent: int16(exponent)}
	copy(d.digits[:], digits)
	return d, nil
}

// Size returns how many bytes DynamoDB counts for the number: one, and one for every two digits, paired from the point; one
// more for a negative one.
func (d Decimal) Size() int {
	if d.n == 0 {
		return 1
	}
	high, low := floorHalf(int(d.exponent)), floorHalf(int(d.last()))
	size := 1 + high - low + 1
	if d.negative {
		size++
	}
	return size
}

func floorHalf(n int) int { return n >> 1 }

// FromInt returns the number n.
func FromInt(n int64) Decimal {
	d, err := Parse(strconv.FormatInt(n, 10))
	if err != nil {
		panic(err) // 19 digits are always a number
	}
	return d
}
