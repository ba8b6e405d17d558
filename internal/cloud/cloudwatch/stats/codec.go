package stats

import (
	"encoding/binary"
	"errors"
	"math"
)

// Append appends a compact binary form of the distribution to b.
func (d Distribution) Append(b []byte) []byte {
	flags := d.level << 1
	if d.opaque {
		flags |= 1
	}
	b = append(b, flags)
	for _, f := range []float64{d.Count, d.Sum, d.Min, d.Max} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	b = binary.AppendUvarint(b, uint64(len(d.values)))
	for _, w := range d.values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(w.value))
		b = appendWeight(b, w.weight)
	}
	return b
}

// appendWeight writes whole numbers, as nearly all weights are, in few bytes, and others in nine.
func appendWeight(b []byte, w float64) []byte {
	if w == math.Trunc(w) && w > 0 && w < 1<<50 {
		return binary.AppendUvarint(b, uint64(w)<<1)
	}
	b = append(b, 1)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(w))
}

var errShort = errors.New("the distribution ends too early")

// Decode reads what Append wrote, and returns what follows it.
func Decode(b []byte) (Distribution, []byte, error) {
	var d Distribution
	if len(b) < 34 {
		return d, nil, errShort
	}
	d.opaque, d.level = b[0]&1 != 0, b[0]>>1
	b = b[1:]
	for _, f := range []*float64{&d.Count, &d.Sum, &d.Min, &d.Max} {
		*f, b = float(b), b[8:]
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)) {
		return d, nil, errShort
	}
	b = b[size:]
	d.values = make([]weighted, n)
	for i := range d.values {
		if len(b) < 9 {
			return d, nil, errShort
		}
		d.values[i].value = float(b)
		w, rest, err := decodeWeight(b[8:])
		if err != nil {
			return d, nil, err
		}
		d.values[i].weight, b = w, rest
	}
	return d, b, nil
}

func decodeWeight(b []byte) (float64, []byte, error) {
	u, size := binary.Uvarint(b)
	switch {
	case size <= 0:
		return 0, nil, errShort
	case u&1 == 0:
		return float64(u >> 1), b[size:], nil
	case len(b) < 9:
		return 0, nil, errShort
	}
	return float(b[1:]), b[9:], nil
}

func float(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
