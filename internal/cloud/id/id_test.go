package id

import (
	"bytes"
	"regexp"
	"testing"
)

var version4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestUUID(t *testing.T) {
	a, b := UUID(), UUID()
	if a == b || !version4.MatchString(a) || !version4.MatchString(b) {
		t.Errorf("%s, %s", a, b)
	}
	if got := UUIDFrom(bytes.NewReader(bytes.Repeat([]byte{0xff}, 16))); got != "ffffffff-ffff-4fff-bfff-ffffffffffff" {
		t.Error(got)
	}
}

func TestLetters(t *testing.T) {
	if got := Letters(bytes.NewReader([]byte{0, 1, 35, 36}), Lower, 4); got != "ab9a" {
		t.Error(got)
	}
}
