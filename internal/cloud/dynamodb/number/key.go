package number

import "errors"

// A number's key is bytes that sort as the numbers do, and of which none is the beginning of another: a byte for the sign, one
// for the exponent, one for each pair of digits, and a last one that sorts before any pair. For a negative number all but the
// sign are complemented.
const (
	keyNegative = 0x01
	keyZero     = 0x02
	keyPositive = 0x03
	keyEnd      = 0x00
)

// AppendKey appends the number's key.
func (d Decimal) AppendKey(b []byte) []byte {
	switch d.sign() {
	case 0:
		return append(b, keyZero)
	case 1:
		b = append(b, keyPositive)
	default:
		b = append(b, keyNegative)
	}
	at := len(b)
	b = append(b, byte(d.exponent-minExponent))
	for i := 0; i < int(d.n); i += 2 { // the digit after the last is 0
		b = append(b, 1+10*d.digits[i]+d.digits[i+1])
	}
	b = append(b, keyEnd)
	if d.negative {
		for i := at; i < len(b); i++ {
			b[i] = ^b[i]
		}
	}
	return b
}

var errKey = errors.New("not a number's key")

// FromKey reads the key of a number at the start of b and returns what follows it.
func FromKey(b []byte) (d Decimal, rest []byte, err error) {
	if len(b) == 0 {
		return d, nil, errKey
	}
	var mask byte
	switch b[0] {
	case keyZero:
		return d, b[1:], nil
	case keyNegative:
		d.negative, mask = true, 0xff
	case keyPositive:
	default:
		return d, nil, errKey
	}
	if len(b) < 2 {
		return d, nil, errKey
	}
	d.exponent = int16(b[1]^mask) + minExponent
	for i := 2; i < len(b); i++ {
		pair := b[i] ^ mask
		switch {
		case pair == keyEnd && d.n > 0:
			if d.digits[d.n-1] == 0 {
				d.n--
			}
			return d, b[i+1:], nil
		case pair == keyEnd || pair > 100 || d.n == MaxDigits:
			return d, nil, errKey
		}
		d.digits[d.n], d.digits[d.n+1] = (pair-1)/10, (pair-1)%10
		d.n += 2
	}
	return d, nil, errKey
}
