package cfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"evo/internal/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func mustParse(t testing.TB, text string) *Node {
	t.Helper()
	n, err := ParseValue("t.yaml", []byte(text))
	if err != nil {
		t.Fatalf("parsing %q: %v", text, err)
	}
	return n
}

func compact(t testing.TB, n *Node) string {
	t.Helper()
	out, err := n.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestParseValues(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{"A: !Ref B", `{"A":{"Ref":"B"}}`},
		{"A: !Condition C", `{"A":{"Condition":"C"}}`},
		{"A: !GetAtt a.b.c", `{"A":{"Fn::GetAtt":["a","b.c"]}}`},
		{"A: !GetAtt a", `{"A":{"Fn::GetAtt":["a"]}}`},
		{"A: !GetAtt [a, b]", `{"A":{"Fn::GetAtt":["a","b"]}}`},
		{"A: !Sub 12", `{"A":{"Fn::Sub":"12"}}`},
		{"A: !Base64 yes", `{"A":{"Fn::Base64":"yes"}}`},
		{"A: !Sub ['${x}', {x: !Ref Y}]", `{"A":{"Fn::Sub":["${x}",{"x":{"Ref":"Y"}}]}}`},
		{"A: !If\n  - C\n  - !Ref X\n  - !Ref AWS::NoValue", `{"A":{"Fn::If":["C",{"Ref":"X"},{"Ref":"AWS::NoValue"}]}}`},
		{"A: !Not [!Equals [a, b]]", `{"A":{"Fn::Not":[{"Fn::Equals":["a","b"]}]}}`},
		{"A: !Transform {Name: X}", `{"A":{"Fn::Transform":{"Name":"X"}}}`},
		{"Version: 2012-10-17", `{"Version":"2012-10-17"}`},
		{"A: [yes, no, on, Off, TRUE, y, n]", `{"A":[true,false,true,false,true,"y","n"]}`},
		{"A: [1, 1.0, 1e3, 1.5e+3, .5, 0777, 0x1F, 0b11, 1_000, 1:30, 08, 012345678901]", `{"A":[1,1.0,"1e3",1.5e+3,0.5,511,31,3,1000,90,"08","012345678901"]}`},
		{"A: [~, null, '', \"null\", '1', !!str 1]", `{"A":[null,null,"","null","1","1"]}`},
		{"A:\nB: |\n  x\n  y\nC: >-\n  x\n  y", `{"A":null,"B":"x\ny\n","C":"x y"}`},
		{"200: x\nyes: z", `{"200":"x","yes":"z"}`},
		{"x: &a {k: 1}\ny: *a\nz: {<<: *a, l: 2}", `{"x":{"k":1},"y":{"k":1},"z":{"l":2,"k":1}}`},
		{"x: {k: 1}\nz:\n  <<: [{k: 3, m: 4}, {k: 5, n: 6}]\n  k: 2", `{"x":{"k":1},"z":{"k":2,"m":4,"n":6}}`},
		{`{"a": [1, -2.5, true, null, "\u00e4\ud83d\ude00\n"], "b": {}}`, `{"a":[1,-2.5,true,null,"ä😀\n"],"b":{}}`},
		{"{a: 1, b: !Ref c}", `{"a":1,"b":{"Ref":"c"}}`},
		{"\ufeffA: 1", `{"A":1}`},
		{"A: 1\r\nB: 2\r\n", `{"A":1,"B":2}`},
		{"", `null`},
	}
	for _, tt := range tests {
		if got := compact(t, mustParse(t, tt.yaml)); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.yaml, got, tt.want)
		}
	}
}

// Every node and key can be cut out of the file by its span.
func TestParseSpans(t *testing.T) {
	const text = `# ä comment
Resources:
  Fn:   # trailing
    Type: "AWS::Lambda::Function"
    CodeUri: ./src # where
    Böx: 'it''s'
    Env: {A: [x, "y]" ], B: {}}
    Sub: !Sub "${A}-b"
    Att: !GetAtt A.Arn
    Many: a plain
      value
    Code: |
      one

      two

    After: 1
`
	n := mustParse(t, text)
	fn := n.At("Resources", "Fn")
	cut := func(s source.Span) string { return text[s.Start.Offset:s.End.Offset] }
	for key, want := range map[string]string{
		"Type": `"AWS::Lambda::Function"`, "CodeUri": "./src", "Böx": `'it''s'`, "Env": `{A: [x, "y]" ], B: {}}`,
		"Sub": `!Sub "${A}-b"`, "Att": "!GetAtt A.Arn", "Many": "a plain\n      value",
		"Code": "|\n      one\n\n      two", "After": "1",
	} {
		if got := cut(fn.Get(key).Span); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
		if got := cut(fn.KeySpan(key)); got != key {
			t.Errorf("key %s: got %q", key, got)
		}
	}
	if got := cut(fn.At("Sub", "Fn::Sub").Span); got != `"${A}-b"` {
		t.Errorf("argument of !Sub: got %q", got)
	}
	if p := fn.At("CodeUri").Span.Start; p.Line != 5 || p.Col != 14 {
		t.Errorf("CodeUri stands at %d:%d", p.Line, p.Col)
	}
}

// Each file in testdata/errors shows what a person sees for a broken template.
func TestParseErrors(t *testing.T) {
	cases := map[string]string{
		"duplicate key":      "Resources:\n  A: 1\n  B: 2\n  A: 3\n",
		"duplicate key json": "{\"A\": 1,\n \"A\": 2}",
		"unknown tag":        "A:\n  B: !GetAttr X.Y\n",
		"unknown tag far":    "A: !Frobnicate x\n",
		"tab":                "A:\n\tB: 1\n",
		"list root":          "- a\n- b\n",
		"string root":        "hello\n",
		"empty":              "# nothing\n",
		"two documents":      "A: 1\n---\nB: 2\n",
		"bad utf8":           "A: \xff\xfe\n",
		"control":            "A: \"b\x1b[31m\"\n",
		"nul":                "A: \x00\n",
		"colon":              "A: b: c\n",
		"unclosed":           "A: [1, 2\nB: 3\n",
		"indent":             "A:\n    B: 1\n  C: 2\n",
		"unclosed quote":     "A: \"x\nB: 1\n",
		"json comma":         "{\"A\": 1 \"B\": 2}",
		"json end":           "{\"A\": [1, ",
		"json escape":        "{\"A\": \"\\q\"}",
		"unknown anchor":     "A: *nowhere\n",
		"cycle":              "A: &a [*a]\n",
		"merge scalar":       "A:\n  <<: 3\n",
		"complex key":        "? [a]\n: b\n",
		"binary":             "A: !!binary aGk=\n",
		"billion laughs":     laughs(),
		"deep flow":          "A: " + strings.Repeat("[", 20000),
		"deep json":          strings.Repeat("[", 20000),
		"deep block":         deepBlock(300),
		"too large":          "A: " + strings.Repeat("x", MaxTemplateSize),
		"long line":          "A: " + strings.Repeat("x", 100) + " !Foo: b: " + strings.Repeat("y", 100),
		"at sign":            "A: @x\n",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			n, err := Parse("template.yaml", []byte(text))
			var ds source.Diagnostics
			if !errors.As(err, &ds) {
				t.Fatalf("got %v and no diagnostics: %v", n, err)
			}
			golden(t, filepath.Join("testdata", "errors", strings.ReplaceAll(name, " ", "-")+".txt"), ds.Text([]byte(text)))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\n--- got\n%s--- want\n%s", file, got, want)
	}
}

func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"A: !Ref B\n", "A: !GetAtt a.b\nB: [1, {c: d}]\n", `{"a": [1, "\u00e4"], "b": {}}`, "x: &a {k: 1}\ny: {<<: *a}\n",
		"A: |\n  x\n\n  y\nB: >-\n z\n", "a: 'it''s'\nb: \"\\x41\"\n", "? a\n: b\n", "a: !!str 1\n", "A: plain\n  folded # c\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := ParseValue("f.yaml", text)
		if err != nil {
			var ds source.Diagnostics
			if !errors.As(err, &ds) || ds.Text(text) == "" {
				t.Fatalf("an error that is no diagnostic: %v", err)
			}
			return
		}
		n.Walk(func(_ []string, v *Node) bool {
			if v.Span.Start.Offset > v.Span.End.Offset || int(v.Span.End.Offset) > len(text) {
				t.Fatalf("a span outside of the text: %+v", v.Span)
			}
			return true
		})
		out, err := n.MarshalJSON()
		if err != nil || !json.Valid(out) {
			t.Fatalf("JSON of %q: %s, %v", text, out, err)
		}
		printed := n.YAML()
		again, err := ParseValue("printed.yaml", printed)
		if err != nil {
			if len(printed) > MaxTemplateSize {
				return
			}
			t.Fatalf("what was printed cannot be read: %v\n%s", err, printed)
		}
		if !again.Equal(n) && !bytes.Contains(out, []byte("nan")) {
			t.Fatalf("printed and read again, %s became %s", out, compact(t, again))
		}
	})
}

// Aliases of aliases cannot build what is deeper than a template may be.
func TestParseDeepAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 x\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [[[*a%d]]]\n", i, i, i-1)
	}
	if _, err := Parse("t.yaml", []byte(b.String())); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("got %v", err)
	}
}

// A template on one line is read as fast as on many, and its places are right.
func TestParseOneLine(t *testing.T) {
	var b strings.Builder
	b.WriteString("{a: [ä")
	for i := range 90_000 {
		fmt.Fprintf(&b, ", 'ö%d'", i)
	}
	b.WriteString("]}")
	n := mustParse(t, b.String())
	for _, i := range []int{1, 100, 128, 129, 5000, 90_000} {
		s := n.Get("a").Items[i].Span
		if got, want := b.String()[s.Start.Offset:s.End.Offset], fmt.Sprintf("'ö%d'", i-1); got != want {
			t.Errorf("item %d: got %q, want %q", i, got, want)
		}
	}
}

func TestEdit(t *testing.T) {
	text := "# my app\nF:\n  CodeUri: ./src # here\n  Map: {a: 1}\n  Lit: |\n    x\n    y\n  Uri: &u ./x\n  Same: *u\n"
	n := mustParse(t, text)
	var edits []Edit
	for key, value := range map[string]*Node{
		"CodeUri": Str("s3://b/k"), "Map": Obj(P("Bucket", Str("b"))), "Lit": Str("yes"), "Uri": Str("1"), "Same": Str("1"),
	} {
		e, err := Replace(n.At("F", key), value)
		if err != nil {
			t.Fatal(err)
		}
		edits = append(edits, e)
	}
	got, err := Apply([]byte(text), edits)
	want := "# my app\nF:\n  CodeUri: s3://b/k # here\n  Map: {\"Bucket\":\"b\"}\n  Lit: 'yes'\n  Uri: &u '1'\n  Same: *u\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Apply([]byte(text), []Edit{{Span: n.At("F").Span}, {Span: n.At("F", "Map").Span, Text: "x"}}); err == nil {
		t.Error("overlapping edits were made")
	}
	if _, err := Replace(Str("x"), Str("y")); err == nil {
		t.Error("a value outside of the file was replaced")
	}
}

func TestNode(t *testing.T) {
	n := Obj(P("b", Integer(1)), P("a", Arr(Str("x"), Boolean(true))))
	c := n.Clone()
	c.Set("b", Str("changed"))
	c.Delete("a")
	if got := compact(t, n); got != `{"b":1,"a":["x",true]}` {
		t.Errorf("a clone's change shows: %s", got)
	}
	if !n.Equal(From(map[string]any{"a": []any{"x", true}, "b": 1.0})) {
		t.Error("not equal by value")
	}
	for _, m := range []*Node{Obj(P("b", Str("1")), P("a", n.Get("a"))), Obj(P("b", Integer(1)))} {
		if n.Equal(m) {
			t.Errorf("equal to %s", compact(t, m))
		}
	}
	if name, arg, ok := Ref("X").Intrinsic(); !ok || name != "Ref" || arg.Str() != "X" {
		t.Error("Ref is no intrinsic")
	}
	if _, _, ok := Obj(P("Condition", Obj())).Intrinsic(); ok {
		t.Error("a policy statement's Condition is no intrinsic")
	}
	var missing *Node
	if missing.Get("x").At("y").Str() != "" || missing.Has("x") || !missing.IsNull() || missing.Clone() != nil {
		t.Error("a missing node is not empty")
	}
}

func TestYAMLPrint(t *testing.T) {
	n := mustParse(t, `{"Resources": {"F": {"Type": "AWS::Lambda::Function", "List": [1, {"a": "b", "c": []}, [2, ["x"]]], "E": {}, "N": null,
		"S": ["yes", "1", "1e3", "2012-10-17", "a: b", "a #b", "#x", "", " x", "it's", "ä", "\u0007", "*x", "y", "~", "-", "x:", "\u2028"],
		"Code": "def f():\n  return 1\n", "Tail": "a\nb", "Odd": "a\n\n", "Num": [1e3, 1.5, -0.0, 1E40]}}}`)
	golden(t, filepath.Join("testdata", "print.yaml"), string(n.YAML()))
	if again := mustParse(t, string(n.YAML())); !again.Equal(n) {
		t.Errorf("read again: %s", compact(t, again))
	}
}
