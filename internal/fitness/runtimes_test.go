package fitness

import (
	"slices"
	"strings"
	"testing"
)

func TestRuntimes(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range runtimes {
		if _, err := ParseDate(string(r.last)); err != nil || seen[r.name] {
			t.Errorf("%s until %s: %v, or there twice", r.name, r.last, err)
		}
		seen[r.name] = true
	}
	supported := strings.Split(Parameters("lambda-function-settings-check")["runtime"], ",")
	for name, want := range map[string]bool{"nodejs24.x": true, "python3.11": true, "java8.al2": true, "nodejs20.x": false, "python3.10": false, "dotnet8": false} {
		if slices.Contains(supported, name) != want {
			t.Errorf("%s is supported: %v", name, !want)
		}
	}
	f := Default().Function("lambda-function-settings-check")
	if f == nil || f.Severity != High || !strings.Contains(f.Definition, "nodejs24.x") {
		t.Errorf("the default suite has %+v: with another list, scores mean something else", f)
	}
}
