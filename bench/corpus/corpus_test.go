package corpus

import (
	"bytes"
	"testing"
	"time"

	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
)

// Every template can be read, transformed and evaluated, and they are of the sizes that are promised.
func TestTemplates(t *testing.T) {
	all := Templates(1, 200)
	sizes, resources := 0, 0
	for i, text := range all {
		root, err := cfn.Parse(text.Name, text.Text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text.Text)
		}
		if _, err := desired.Read(root, desired.Surroundings{Now: time.Unix(0, 0)}); err != nil {
			t.Errorf("%s: %v", text.Name, err)
		}
		n := len(root.Get("Resources").Entries())
		if n < 3 || n > 30 || len(text.Text) < 1000 || len(text.Text) > 12_000 {
			t.Errorf("%s has %d resources and %d bytes", text.Name, n, len(text.Text))
		}
		sizes, resources = sizes+len(text.Text), resources+n
		if i > 0 && bytes.Equal(text.Text, all[i-1].Text) {
			t.Errorf("%s is like the one before", text.Name)
		}
	}
	t.Logf("on average %d resources in %d bytes", resources/len(all), sizes/len(all))
	if again := Templates(1, 3); !bytes.Equal(again[2].Text, all[2].Text) {
		t.Error("the same seed makes other templates")
	}
}
