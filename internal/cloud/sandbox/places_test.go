package sandbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	real := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	p := newPlaces(&Function{Code: link, Layers: []string{"/state/layers/one", "/state/layers/two"}}, "/cache/runtime")
	for text, want := range map[string]string{
		"nothing of it":                      "nothing of it",
		"at " + link + "/app.js:3":           "at /var/task/app.js:3",
		"at file://" + real + "/app.mjs:3":   "at file:///var/task/app.mjs:3",
		`"` + link + `"`:                     `"/var/task"`,
		"/state/layers/two/python/x.py":      "/opt/python/x.py",
		"/cache/runtime/python/bootstrap.py": "/var/runtime/bootstrap.py",
		"/elsewhere/state/layers":            "/elsewhere/state/layers",
	} {
		if got := p.show(text); got != want {
			t.Errorf("%q is shown as %q, not %q", text, got, want)
		}
	}
	var none *places
	if got := none.show(link); got != link {
		t.Errorf("without places %q became %q", link, got)
	}
}

// TestMachinesFolders: what leaves a function that fails names AWS's folders; its own view leads to its files.
func TestMachinesFolders(t *testing.T) {
	s, book := newSandbox(t)
	const code = `
import os
def handler(event, context):
    print("from", __file__)
    with open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "data.txt")) as f, open(os.path.join(os.path.dirname(__file__), "data.txt")) as g:
        raise ValueError(f.read() + g.read())
`
	const js = `
const fs = require('fs');
console.log('from', __filename);
exports.handler = async () => { throw new RangeError(fs.readFileSync(__dirname + '/data.txt') + '' + fs.readFileSync(process.env.LAMBDA_TASK_ROOT + '/data.txt')); };
`
	for name, fn := range map[string]*Function{
		"python": python(t, map[string]string{"app.py": code, "data.txt": "ab"}),
		"node":   node(t, "nodejs20.x", map[string]string{"app.js": js, "data.txt": "ab"}),
	} {
		t.Run(name, func(t *testing.T) {
			fn.Handler, fn.AsOnAWS = "app.handler", true
			r := invoke(t, s, fn, `{}`)
			if f := failureOf(t, r); f.Message != "abab" {
				t.Errorf("the function did not find its files: %s", r.Payload)
			}
			var parts struct{ StackTrace, Trace []string }
			if err := json.Unmarshal(r.Payload, &parts); err != nil {
				t.Fatal(err)
			}
			for where, text := range map[string]string{"answer": string(r.Payload), "tail": string(r.Tail), "log": book.text()} {
				if strings.Contains(text, fn.Code) {
					t.Errorf("the %s names %s:\n%s", where, fn.Code, text)
				}
				if !strings.Contains(text, "/var/task/app.") {
					t.Errorf("the %s does not name /var/task:\n%s", where, text)
				}
			}
		})
	}
}
