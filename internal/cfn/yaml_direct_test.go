package cfn

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameAsLibrary holds what the direct reader makes of a text against what the library does, and tells whether it made something.
func sameAsLibrary(t testing.TB, text []byte) bool {
	t.Helper()
	if len(text) > 100_000 || checkText("", text) != nil {
		return false
	}
	direct := readDirect(text)
	if direct == nil {
		return false
	}
	want, d := parseWithLibrary(text)
	if d != nil {
		t.Fatalf("the library finds fault with\n%s\n%v", text, d)
	}
	if diff := cmp.Diff(places(want), places(direct)); diff != "" {
		t.Fatalf("read directly (+) and with the library (-):\n%s\n%s", text, diff)
	}
	return true
}

// places are all that a tree holds, a line a value. (cmp would ask Node.Equal, which leaves places out.)
func places(n *Node) (lines []string) {
	lines = append(lines, fmt.Sprintf("%v %q %v", n.Kind, n.Text, n.Span))
	for _, item := range n.Items {
		lines = append(lines, places(item)...)
	}
	for _, p := range n.Pairs {
		lines = append(append(lines, fmt.Sprintf("key %q %v %v", p.Key, p.KeySpan, p.Bare)), places(p.Value)...)
	}
	return lines
}

// directly are texts that must be read directly: what templates are made of.
var directly = []string{
	"A: 1\n",
	"---\n# c\nA: b # c\nB:\n  - x\n  - y: z\n    w: 'it''s' # c\n  -\n    k: v\n  - - 1\n    - 2\n",
	"A:\n- x\n- y:\n  - z\n-\nB: ~\nC:\nD: \"a\\tb\\u00e4\\\"\"\n",
	"A: !Sub ${AWS::StackName}-x\nB: !GetAtt C.Arn\nC: !If\n  - D\n  - !Ref E\n  - !Ref 'AWS::NoValue'\nD: !Sub\n- '${X}'\n- X: !Ref Y\n",
	"A: [a, \"b\", {c: d, 'e': !Ref F}, !Equals [g, h], 10, AWS::X]\nB: {}\nC: []\nD: {a: [\n  b,\n    c ],\n  d: e}\n",
	"A: |\n  x\n\n    y # no comment\n  z\n\nB: >-\n  a\n  b\n\n  c\n# c\nC: !Sub |-\n  #!/bin/sh\n",
	"A:\n  B: x\n  # c\n\n  \"C\": y\n200: z\nyes: 2012-10-17\nFn::If: 0x1F\nÄ: ö\n",
	"- !Base64\n  Fn::Sub: x\n- a:b\n- -1\n- http://x/y?z#a\n",
}

func TestDirectReader(t *testing.T) {
	for _, text := range directly {
		if !sameAsLibrary(t, []byte(text)) {
			t.Errorf("not read directly:\n%s", text)
		}
	}
	files, read := templateFiles(t), 0
	rnd := rand.New(rand.NewPCG(1, 2))
	mutations, kept := 0, 0
	for _, f := range append(files, directly...) {
		if sameAsLibrary(t, []byte(f)) {
			read++
		}
		for range 10 {
			mutations++
			if sameAsLibrary(t, []byte(mutated(rnd, f))) {
				kept++
			}
		}
	}
	t.Logf("%d of %d templates were read directly, and %d of %d mutations", read-len(directly), len(files), kept, mutations)
}

// templateFiles are the YAML files of the conformance data, where it is, and of the examples.
func templateFiles(t *testing.T) (texts []string) {
	root := os.Getenv("EVO_CONFORMANCE")
	if root == "" {
		root = "../../../shared/conformance"
	}
	for _, dir := range []string{root, "../../examples"} {
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if ext := filepath.Ext(path); err == nil && (ext == ".yaml" || ext == ".yml") {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Error(err)
				}
				texts = append(texts, string(text))
			}
			return nil // a folder that is not there has no files
		})
	}
	return texts
}

// mutated changes a few places of a text: characters that mean something to YAML, indentation, whole lines.
func mutated(rnd *rand.Rand, text string) string {
	const meaningful = " \n:-#,[]{}&*!|>'\"%@`?~<=.0ax\t\\"
	for range 1 + rnd.IntN(3) {
		if text == "" {
			return text
		}
		at := rnd.IntN(len(text))
		c := meaningful[rnd.IntN(len(meaningful))]
		switch rnd.IntN(5) {
		case 0:
			text = text[:at] + string(c) + text[at:]
		case 1:
			text = text[:at] + text[at+1:]
		case 2:
			text = text[:at] + string(c) + text[at+1:]
		case 3: // a line moves in or out, or away
			lines := strings.SplitAfter(text, "\n")
			i := rnd.IntN(len(lines))
			lines[i] = []string{" " + lines[i], "  " + lines[i], strings.TrimPrefix(lines[i], " "), strings.TrimPrefix(lines[i], "  "), ""}[rnd.IntN(5)]
			text = strings.Join(lines, "")
		default: // two meaningful characters side by side
			text = text[:at] + string(c) + string(meaningful[rnd.IntN(len(meaningful))]) + text[at:]
		}
	}
	return text
}

func FuzzDirectReader(f *testing.F) {
	for _, text := range directly {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameAsLibrary(t, text) })
}
