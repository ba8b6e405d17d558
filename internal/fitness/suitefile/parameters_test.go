package suitefile

import (
	"strings"
	"testing"
)

// TestDefaultParameters reads a function of the catalogue that the default suite gives parameters.
func TestDefaultParameters(t *testing.T) {
	const rule = "lambda-function-settings-check"
	standard := Default()
	for text, want := range map[string]struct {
		parameters string
		same       bool // it asks for what the default suite asks for
	}{
		"{}":                                     {`{"runtime":"nodejs24.x,`, true},
		"{parameters: {timeout: 30}}":            {`{"timeout":30,"runtime":"nodejs24.x,`, false},
		"{parameters: {runtime: nodejs22.x}}":    {`{"runtime":"nodejs22.x"}`, false},
		"{severity: high, required: true}":       {`{"runtime":"nodejs24.x,`, true},
		"{rule: lambda-function-settings-check}": {`{"runtime":"nodejs24.x,`, true},
	} {
		f, err := Parse("fitness.yaml", []byte("functions: {"+rule+": "+text+"}"), now)
		if err != nil {
			t.Fatal(err)
		}
		got := "null"
		if n := f.Measures[rule].(Rule).Parameters; n != nil {
			b, err := n.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			got = string(b)
		}
		if !strings.HasPrefix(got, want.parameters) {
			t.Errorf("%s: the parameters are %s", text, got)
		}
		if same := f.Suite.Requirements() == standard.Suite.Requirements(); same != want.same {
			t.Errorf("%s asks for what the default suite asks for: %v", text, same)
		}
	}
}
