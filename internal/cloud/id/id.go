// Package id answers: how are things named that AWS names by chance?
package id

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
)

// UUID returns a random UUID in its usual form.
func UUID() string { return UUIDFrom(rand.Reader) }

// UUIDFrom returns a UUID made of r's bytes. As with crypto/rand, without randomness nothing goes on: it panics.
func UUIDFrom(r io.Reader) string {
	var b [16]byte
	read(r, b[:])
	return FormatUUID(b)
}

// FormatUUID returns the UUID that random bytes make, all but its version's six bits.
func FormatUUID(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var t [36]byte
	hex.Encode(t[:], b[:4])
	hex.Encode(t[9:], b[4:6])
	hex.Encode(t[14:], b[6:8])
	hex.Encode(t[19:], b[8:10])
	hex.Encode(t[24:], b[10:])
	t[8], t[13], t[18], t[23] = '-', '-', '-', '-'
	return string(t[:])
}

// The letters of AWS's ids.
const (
	Lower = "abcdefghijklmnopqrstuvwxyz0123456789"
	Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// Letters returns n of the letters, chosen by r's bytes. Without randomness it panics.
func Letters(r io.Reader, letters string, n int) string {
	b := make([]byte, n)
	read(r, b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}

func read(r io.Reader, b []byte) {
	if _, err := io.ReadFull(r, b); err != nil {
		panic(fmt.Sprintf("read randomness: %v", err))
	}
}
