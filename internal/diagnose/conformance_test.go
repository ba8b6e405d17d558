package diagnose_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"evo/internal/cfn"
	"evo/internal/diagnose"
)

type conformanceCase struct {
	Name, Kind string
	Parameters map[string]string
}

// conformance are the cases of AWS's own transform. They are no part of the project: without them the test is skipped.
func conformance(t *testing.T) (dir string, cases []conformanceCase) {
	t.Helper()
	root := os.Getenv("EVO_CONFORMANCE")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	dir = filepath.Join(root, "sam")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Skipf("no conformance cases in %s; set EVO_CONFORMANCE to the folder that holds sam/manifest.json", dir)
	}
	var m struct{ Cases []conformanceCase }
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return dir, m.Cases
}

func check(t *testing.T, file string, parameters map[string]string) (diagnose.Result, []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, err := cfn.Parse(filepath.Base(file), text)
	if err != nil {
		t.Fatal(err)
	}
	if !root.Has("Transform") { // the cases are given to SAM whatever they say
		root.Set("Transform", cfn.Str("AWS::Serverless-2016-10-31"))
	}
	return diagnose.Template(root, diagnose.Options{Text: text, Parameters: parameters}), text
}

func TestNoFalseAlarms(t *testing.T) {
	dir, cases := conformance(t)
	for _, c := range cases {
		if c.Kind != "success" {
			continue
		}
		r, text := check(t, filepath.Join(dir, "input", c.Name+".yaml"), c.Parameters)
		for _, d := range r.Diagnostics {
			d.File = c.Name
			t.Errorf("[%s] %s", d.Code, d.Text(text))
		}
	}
}
