package jsontext

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendStringIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "text") {
			s = rapid.String().Draw(t, "string")
		}
		var got string
		if err := json.Unmarshal(AppendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		var want string // what encoding/json makes of the same bytes
		j, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(j, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%q became %q, want %q", s, got, want)
		}
	})
}

func TestAppendStringAppends(t *testing.T) {
	if got := string(AppendString([]byte("k:"), "<a>\n\"\\\x01\t\r")); got != `k:"<a>\n\"\\\u0001\t\r"` {
		t.Error(got)
	}
	if got := string(AppendString(nil, strings.Repeat("x", 3))); got != `"xxx"` {
		t.Error(got)
	}
}
