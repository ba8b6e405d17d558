package exact

import "math/big"

// LogPosition tells where x lies between limit and target on a logarithmic scale: 0 at limit, 1 at target,
// ln(x/limit)/ln(target/limit) between them, and no less and no more outside. All three must be positive and limit ≠ target.
//
// The logarithms are computed in whole numbers with a bound on their error, and with more bits until both ends of the
// bound round to the same Decimal. So the result is the correctly rounded one, on every machine.
func LogPosition(x, limit, target Decimal) Decimal {
	if rising := limit < target; rising && x <= limit || !rising && x >= limit {
		return Zero
	} else if rising && x >= target || !rising && x <= target {
		return One
	}
	for bits := uint(96); ; bits *= 2 {
		num, den := logRatio(x, limit, bits), logRatio(target, limit, bits)
		lo, hi := quotients(num, den)
		if lo == hi || bits > maxBits {
			return lo
		}
	}
}

// maxBits ends the search for a result of which it could not be told on which side of a half it lies. That would take a
// root of the two-billionth degree that is a fraction; no input of eighteen digits has one.
const maxBits = 3072

// logError bounds the error of logRatio in its units: every term of the two series is rounded down by less than one unit, and
// there are fewer than maxBits of them; the factor covers the power of two.
const logError = 64 * maxBits

// quotients are num/den as Decimals, with both numbers off by as much as they may be.
func quotients(num, den *big.Int) (lo, hi Decimal) {
	num, den = new(big.Int).Abs(num), new(big.Int).Abs(den)
	off := big.NewInt(logError)
	at := func(n, d *big.Int) Decimal {
		v := roundHalfEven(n.Mul(n, big.NewInt(Scale)), d)
		if !v.IsInt64() {
			return One
		}
		return Decimal(v.Int64()).Clamp()
	}
	lo = at(new(big.Int).Sub(num, off), new(big.Int).Add(den, off))
	hi = at(new(big.Int).Add(num, off), new(big.Int).Sub(den, off))
	return lo, hi
}

// logRatio is ln(a/b) in units of 2^-bits, off by less than logError units.
func logRatio(a, b Decimal, bits uint) *big.Int {
	num, den := big.NewInt(int64(a)), big.NewInt(int64(b))
	power := num.BitLen() - den.BitLen()
	if power > 0 {
		den.Lsh(den, uint(power))
	} else {
		num.Lsh(num, uint(-power))
	}
	// Now num/den lies in (1/2, 2), and ln(num/den) = 2·atanh((num−den)/(num+den)) with an argument below 1/3.
	sum := artanh(new(big.Int).Sub(num, den), new(big.Int).Add(num, den), bits)
	ln2 := artanh(big.NewInt(1), big.NewInt(3), bits)
	return sum.Add(sum, ln2.Mul(ln2, big.NewInt(int64(power)))).Lsh(sum, 1)
}

// artanh is artanh(num/den) = z + z³/3 + z⁵/5 + … in units of 2^-bits, for |num/den| ≤ 1/3.
func artanh(num, den *big.Int, bits uint) *big.Int {
	z := new(big.Int).Lsh(num, bits)
	z.Quo(z, den)
	square := new(big.Int).Mul(z, z)
	square.Rsh(square, bits)
	sum, term := new(big.Int).Set(z), new(big.Int).Set(z)
	for k := int64(3); term.Sign() != 0; k += 2 {
		term.Mul(term, square).Quo(term, new(big.Int).Lsh(big.NewInt(1), bits))
		sum.Add(sum, new(big.Int).Quo(term, big.NewInt(k)))
	}
	return sum
}
