package spec

import (
	"slices"
	"testing"
	"time"
)

func TestLookup(t *testing.T) {
	alias, ok := Lookup("AWS::Lambda::Alias")
	if !ok {
		t.Fatal("AWS::Lambda::Alias is not in the table")
	}
	if p := alias.Properties["FunctionName"]; !p.Required || p.Replacement != Always || p.Type.Kind != String {
		t.Errorf("FunctionName = %+v, want a required string that replaces", p)
	}
	if p := alias.Properties["FunctionVersion"]; !p.Required || p.Replacement != Never {
		t.Errorf("FunctionVersion = %+v, want required, changed in place", p)
	}
	routing := alias.Properties["RoutingConfig"].Type
	weights := alias.Members(routing)["AdditionalVersionWeights"]
	if weights.Type.Kind != List || weights.Type.Element.Kind != Structure {
		t.Errorf("AdditionalVersionWeights = %+v, want a list of structures", weights.Type)
	}
	if len(alias.Ref) != 1 || alias.Ref[0] != "AliasArn" {
		t.Errorf("Ref = %v, want AliasArn", alias.Ref)
	}
	function, _ := Lookup("AWS::Lambda::Function")
	if values := function.Properties["PackageType"].Type.Values; !slices.Equal(values, []string{"Image", "Zip"}) {
		t.Errorf("PackageType is one of %q", values)
	}
	if _, err := time.Parse(time.DateOnly, Published()); err != nil {
		t.Errorf("published %q", Published())
	}
	if _, ok := Lookup("AWS::Lambda::Nothing"); ok {
		t.Error("AWS::Lambda::Nothing was found")
	}
}

// Every line must decode: a code that the decoder does not know would panic here.
func TestEveryType(t *testing.T) {
	if n := len(Names()); n < 1500 {
		t.Fatalf("%d types, want all that are published", n)
	}
	for _, name := range Names() {
		ty, ok := Lookup(name)
		if !ok || ty.Name != name {
			t.Fatalf("Lookup(%q) = %v, %v", name, ty, ok)
		}
		var walk func(s *Shape)
		walk = func(s *Shape) {
			if s == nil {
				t.Fatalf("%s: a property without a shape", name)
			}
			if s.Kind == Structure {
				if _, ok := ty.defs[s.Name]; !ok {
					t.Fatalf("%s: no definition %s", name, s.Name)
				}
			}
			if s.Element != nil {
				walk(s.Element)
			}
			for _, v := range s.Variants {
				walk(v)
			}
		}
		for _, p := range ty.Properties {
			walk(p.Type)
		}
	}
}
