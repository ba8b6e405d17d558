package diagnose_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/diagnose"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each template in testdata has beside it what is said of it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, file := range files {
		text := read(t, file)
		r := diagnose.Template(parse(t, file, text), diagnose.Options{Text: text})
		var b strings.Builder
		if r.SAM != nil {
			fmt.Fprintln(&b, r.SAM)
		}
		for _, d := range r.Diagnostics {
			d.File = filepath.Base(file)
			fmt.Fprintf(&b, "[%s]\n%s", d.Code, d.Text(text))
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(read(t, golden)), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", golden, diff)
		}
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t *testing.T, name string, text []byte) *cfn.Node {
	t.Helper()
	root, err := cfn.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// What is only known of a stack that exists is held against nothing, and what macros make neither.
func TestWhatOnlyDeploymentKnows(t *testing.T) {
	const text = `
Parameters: {Stage: {Type: String, Default: dev}, Bad: {Type: Number, Default: x}}
Conditions: {Prod: !Equals [!Ref Stage, prod]}
Resources:
  Queue: {Type: AWS::SQS::Queue, Condition: Prod}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt Queue.QueueName}}
`
	for name, c := range map[string]struct {
		before string
		kept   bool
		want   int
	}{
		"a new stack":     {"", false, 1}, // Bad's default; the rest only where nothing else is wrong
		"a kept one":      {"", true, 1},
		"made by a macro": {"Transform: Own\n", false, 1},
	} {
		r := diagnose.Template(parse(t, name, []byte(c.before+text)), diagnose.Options{Kept: c.kept})
		if len(r.Diagnostics) != c.want || r.Opaque != (c.before != "") {
			t.Errorf("%s: %v", name, r.Diagnostics)
		}
	}
}

// Any value anywhere gives diagnostics with codes, and nothing worse; and the same ones each time.
func TestAnyTemplate(t *testing.T) {
	var roots []*cfn.Node
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		roots = append(roots, parse(t, file, read(t, file)))
	}
	rapid.Check(t, func(t *rapid.T) {
		root := rapid.SampledFrom(roots).Draw(t, "template").Clone()
		var all []*cfn.Node
		root.Walk(func(_ []string, n *cfn.Node) bool { all = append(all, n); return true })
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			n := all[rapid.IntRange(1, len(all)-1).Draw(t, "at")]
			*n = *cfn.From(rapid.SampledFrom([]any{nil, true, 0, 1.5, "", "x", []any{}, []any{"x"}, map[string]any{}, map[string]any{"Ref": "Stage"},
				map[string]any{"Fn::If": []any{"Prod", "a"}}, map[string]any{"Fn::GetAtt": "x"}, map[string]any{"Condition": map[string]any{"Condition": 1}},
				all[rapid.IntRange(1, len(all)-1).Draw(t, "from")].Clone()}).Draw(t, "value"))
		}
		first := diagnose.Template(root, diagnose.Options{})
		for _, d := range first.Diagnostics {
			if d.Code == "" || d.Message == "" {
				t.Fatalf("%+v", d)
			}
		}
		if again := diagnose.Template(root, diagnose.Options{}); again.Diagnostics.Error() != first.Diagnostics.Error() {
			t.Fatalf("first\n%v\nthen\n%v", first.Diagnostics, again.Diagnostics)
		}
	})
}
