package sam_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/sam"
)

// conformanceInputs are the templates of the conformance cases that can be parsed, by name; none where there are no cases.
func conformanceInputs(t testing.TB) map[string]*cfn.Node {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(conformanceRoot(), "sam", "input", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]*cfn.Node{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := cfn.Parse(path, text); err == nil {
			inputs[strings.TrimSuffix(filepath.Base(path), ".yaml")] = n
		}
	}
	return inputs
}

// A template without SAM resources loses its Transform, and nothing else changes.
func TestPlainTemplates(t *testing.T) {
	scalar := rapid.SampledFrom([]any{nil, true, 7, 1.5, "", "x", "yes", "${Data}", "{{resolve:ssm:a}}"})
	values := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return map[string]any{"Ref": rapid.SampledFrom([]string{"R0", "P", "AWS::Region", "Unknown"}).Draw(t, "ref")}
		case 1:
			return map[string]any{"Fn::GetAtt": []any{"R0", "Arn"}}
		case 2:
			return map[string]any{"Fn::Sub": "${R1.Arn}-${AWS::Region}-${P}"}
		case 3:
			return rapid.SliceOfN(scalar, 0, 3).Draw(t, "list")
		}
		return scalar.Draw(t, "scalar")
	})
	rapid.Check(t, func(t *rapid.T) {
		resources := map[string]any{}
		for i := range rapid.IntRange(1, 20).Draw(t, "resources") {
			resources["R"+cfn.Integer(int64(i)).Text] = map[string]any{
				"Type":       rapid.SampledFrom([]string{"AWS::S3::Bucket", "AWS::Lambda::Function", "Custom::Thing", "AWS::Serverless::Unknown"}).Draw(t, "type"),
				"Properties": rapid.MapOfN(rapid.StringMatching(`[A-Z][a-z]{0,5}`), values, 0, 4).Draw(t, "properties"),
			}
		}
		in := cfn.From(map[string]any{"Transform": "AWS::Serverless-2016-10-31", "Resources": resources,
			"Parameters": map[string]any{"P": map[string]any{"Type": "String", "Default": "p"}}, "Outputs": map[string]any{"O": map[string]any{"Value": values.Draw(t, "output")}}})
		out, err := sam.Transform(in, sam.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := in.Clone()
		want.Delete("Transform")
		if !out.Equal(want) {
			got, _ := out.JSON()
			t.Fatalf("changed to %s", got)
		}
	})
}

// The order of resources in the file does not show in the output, but for REST APIs, whose deployment ids are hashes of it, and for
// record sets: of WebSocket APIs that share a hosted zone AWS keeps those of the last.
func TestResourceOrder(t *testing.T) {
	inputs := conformanceInputs(t)
	shop, _ := parseShop(t)
	inputs["shop"] = shop
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		in := inputs[name]
		out, err := sam.Transform(in, sam.Options{Applications: repository{}})
		if err != nil || ordered(out) {
			continue
		}
		shuffled := in.Clone()
		pairs := shuffled.Get("Resources").Pairs
		rand.New(rand.NewPCG(1, uint64(len(pairs)))).Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		again, err := sam.Transform(shuffled, sam.Options{Applications: repository{}})
		if err != nil {
			t.Errorf("%s: with its resources in another order: %v", name, err)
			continue
		}
		a, _ := out.MarshalJSON()
		b, _ := again.MarshalJSON()
		if diff := compareJSON(t, b, a, false); diff != "" {
			t.Errorf("%s: another order of resources makes another template: %s", name, firstLine(diff))
		}
		tried++
	}
	t.Logf("%d templates", tried)
}

// ordered reports whether the order of resources may show in a made template.
func ordered(out *cfn.Node) bool {
	return slices.ContainsFunc(out.Get("Resources").Entries(), func(p cfn.Pair) bool {
		kind := p.Value.Get("Type").Str()
		return kind == "AWS::ApiGateway::RestApi" || kind == "AWS::Route53::RecordSetGroup"
	})
}

// What a made template refers to is there, unless the user's own template refers to it and has it not.
func TestReferencesResolve(t *testing.T) {
	check := func(t failer, name string, in *cfn.Node) {
		out, err := sam.Transform(in, sam.Options{Applications: repository{}})
		if err != nil {
			return
		}
		known := dangling(in)
		for id := range dangling(out) {
			if !known[id] {
				t.Fatalf("%s: the output refers to %s, which is not there", name, id)
			}
		}
	}
	inputs := conformanceInputs(t)
	for name, in := range inputs {
		check(t, name, in)
	}
	shop, _ := parseShop(t)
	rapid.Check(t, func(t *rapid.T) {
		in := shop.Clone()
		resources := in.Get("Resources")
		resources.Delete(rapid.SampledFrom(resources.Keys()).Draw(t, "without"))
		check(t, "shop", in)
	})
}

// dangling are the ids that a template refers to and does not hold.
func dangling(template *cfn.Node) map[string]bool {
	ids := map[string]bool{}
	template.Walk(func(_ []string, n *cfn.Node) bool {
		name, arg, ok := n.Intrinsic()
		switch {
		case !ok:
		case name == "Ref":
			ids[arg.Str()] = true
		case name == "Fn::GetAtt" && len(arg.List()) > 0:
			ids[arg.Items[0].Str()] = true
		}
		return true
	})
	maps.DeleteFunc(ids, func(id string, _ bool) bool {
		return id == "" || strings.HasPrefix(id, "AWS::") || template.Get("Resources").Has(id) || template.Get("Parameters").Has(id)
	})
	return ids
}
