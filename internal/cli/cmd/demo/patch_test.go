package demo

import (
	"testing"

	"evo/examples/shop"
	"evo/internal/cfn"
)

func TestMerge(t *testing.T) {
	for _, c := range []struct{ template, patch, want string }{
		{`{"a": {"b": 1, "c": 2}}`, `{"a": {"b": 3}}`, `{"a":{"b":3,"c":2}}`},
		{`{"a": {"b": 1, "c": 2}}`, `{"a": {"b": null}}`, `{"a":{"c":2}}`},
		{`{"a": 1}`, `{"b": {"c": [1]}}`, `{"a":1,"b":{"c":[1]}}`},
		{`{"a": [1, 2]}`, `{"a": [3]}`, `{"a":[3]}`},
		{`{"a": 1}`, `{"a": {"b": 2}}`, `{"a":{"b":2}}`},
		{`{"a": 1}`, `{"b": null}`, `{"a":1}`},
	} {
		got := parse(t, c.template)
		merge(got, parse(t, c.patch))
		if text, err := got.MarshalJSON(); err != nil || string(text) != c.want {
			t.Errorf("%s and %s: got %s %v, want %s", c.template, c.patch, text, err, c.want)
		}
	}
}

// Each release changes what the one before has, and the sixth undoes what encrypts.
func TestReleasesChangeTheTemplate(t *testing.T) {
	template := parse(t, string(shop.Template))
	for _, r := range shop.Releases[1:] {
		next, err := patched(template, r)
		if err != nil {
			t.Fatal(err)
		}
		if next.Equal(template) {
			t.Errorf("%s changes nothing", r.Name)
		}
		template = next
	}
	for _, path := range [][]string{{"ImagesPolicy"}, {"Images", "Properties", "BucketEncryption"}, {"Carts", "Properties", "SSESpecification"}} {
		if n := template.Get("Resources").At(path...); n != nil {
			t.Errorf("%v is still there", path)
		}
	}
}

func parse(t *testing.T, text string) *cfn.Node {
	t.Helper()
	n, err := cfn.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
