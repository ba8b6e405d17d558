package wildcard

import "testing"

func TestLike(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "a/b", true}, {"a*c", "a/b/c", true}, {"a?c", "a/c", true}, {"a", "ab", false}, {"[a]", "a", false}, {"[a]", "[a]", true}, {`a\*`, `a\b`, true},
	} {
		if got := Like(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%s on %s: %v", tt.pattern, tt.s, got)
		}
	}
}
