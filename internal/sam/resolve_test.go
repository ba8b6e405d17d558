package sam

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What counts as a placeholder is AWS's pattern, to the letter.
func TestPlaceholders(t *testing.T) {
	pattern := regexp.MustCompile(`\$\{([A-Za-z0-9.]+|AWS::[A-Z][A-Za-z]*)\}`)
	piece := rapid.SampledFrom([]string{"${", "$", "{", "}", "A", "b.C", "AWS::", "AWS::Region}", "!", " ", "9", "é", "${A}", ":"})
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, p := range rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces") {
			text += p
		}
		var want []string
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			want = append(want, m[1])
		}
		var got []string
		for name, placeholder := range placeholders(text) {
			if got = append(got, name); placeholder != "${"+name+"}" {
				t.Errorf("%q: %s is the placeholder of %s", text, placeholder, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	})
}
