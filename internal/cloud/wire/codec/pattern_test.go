package codec

import "testing"

func TestPatternsOfJava(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{`\p{Print}+`, "scale-out policy", true},
		{`\p{Print}+`, "two\nlines", false},
		{`[\p{Print}\n]+`, "two\nlines", true},
		{`[^\p{Print}]`, "a", false},
		{`\[\p{Print}\]`, "[a]", true},
		{`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*`, "\U0001F6D2 cart", true},
		{`(?!aws:)[a-z:]+`, "aws:x", false},
		{`(?!aws:)[a-z:]+`, "own:x", true},
	} {
		if got := pattern(c.pattern)(c.value); got != c.want {
			t.Errorf("%q against %s: got %v", c.value, c.pattern, got)
		}
	}
}
