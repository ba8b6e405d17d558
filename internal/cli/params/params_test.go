package params

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOverrides(t *testing.T) {
	got, err := Overrides([]string{"A=1", "ParameterKey=B,ParameterValue=x,y=z", "A=2", "C="})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"A": "2", "B": "x,y=z", "C": ""}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"A", "=1", "ParameterKey=B"} {
		if _, err := Overrides([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestMetadata(t *testing.T) {
	for _, text := range []string{"a=1,b=2", `{"a":"1","b":"2"}`} {
		got, err := Metadata(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]string{"a": "1", "b": "2"}, got); d != "" {
			t.Error(d)
		}
	}
	for _, bad := range []string{"a", `{"a":1}`} {
		if _, err := Metadata(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
