package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLayers(t *testing.T) {
	s, _ := newSandbox(t)
	first := code(t, map[string]string{"nodejs/node_modules/a/index.js": `module.exports = "a of the first"`, "nodejs/node_modules/b/index.js": `module.exports = "b of the first"`,
		"python/c.py": `c = "c of the first"`, "bin/tool": "#!/bin/sh\necho tool", "wrap": "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\""})
	second := code(t, map[string]string{"nodejs/node_modules/b/index.js": `module.exports = "b of the second"`,
		"nodejs/node_modules/only/package.json": `{"name":"only","type":"module","exports":"./x.js"}`, "nodejs/node_modules/only/x.js": `export default "module of a layer"`})
	layers := []string{first, second}

	cjs := node(t, "nodejs20.x", map[string]string{"index.js": `exports.handler = async () => [require("a"), require("b"), require("child_process").execSync("tool").toString().trim()]`})
	cjs.Layers = layers
	wantPayload(t, invoke(t, s, cjs, `{}`), `["a of the first","b of the second","tool"]`)

	esm := node(t, "nodejs20.x", map[string]string{"index.mjs": `import only from "only"; import a from "a"; export const handler = async () => [only, a]`})
	esm.Layers = layers
	wantPayload(t, invoke(t, s, esm, `{}`), `["module of a layer","a of the first"]`)

	wrapped := node(t, "nodejs20.x", map[string]string{"index.js": `exports.handler = async () => process.env.WRAPPED`})
	wrapped.Layers, wrapped.Env = layers, map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}
	wantPayload(t, invoke(t, s, wrapped, `{}`), `"yes"`)

	py := python(t, map[string]string{"app.py": "from c import c\ndef handler(event, context): return c"})
	py.Layers = layers
	wantPayload(t, invoke(t, s, py, `{}`), `"c of the first"`)
}

func TestNodeLog(t *testing.T) {
	s, book := newSandbox(t)
	fn := node(t, "nodejs20.x", map[string]string{"index.js": `exports.handler = async () => { console.log("one\ntwo", { a: 1 }); console.error("bad"); process.stdout.write("raw\n") }`})
	r := invoke(t, s, fn, `{}`)
	var got []string
	for _, l := range book.lines {
		if parts := strings.Split(l, "\t"); len(parts) == 4 && strings.HasSuffix(parts[0], "Z") {
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", parts[0]); err != nil {
				t.Errorf("time: %v", err)
			}
			got = append(got, parts[2]+" "+parts[3])
		}
	}
	if fmt.Sprintf("%q", got) != `["INFO one\ntwo { a: 1 }\n" "ERROR bad\n"]` || !contains(book.lines, "raw\n") {
		t.Errorf("got %q of %q", got, book.lines)
	}
	if !strings.HasPrefix(string(r.Tail), "START RequestId: ") {
		t.Errorf("tail %q", r.Tail)
	}
	fn.JSONLogs = true
	invoke(t, s, fn, `{}`)
	if !strings.Contains(book.text(), `"level":"ERROR","requestId":"`) {
		t.Errorf("no JSON in the log:\n%s", book.text())
	}
}

// An SDK that does not read AWS_ENDPOINT_URL is given it, wherever its copy lies.
func TestOldSDKsAreLed(t *testing.T) {
	s, _ := newSandbox(t)
	fn := node(t, "nodejs16.x", map[string]string{
		"index.js":                                     `const S3 = require("aws-sdk/clients/s3"); exports.handler = async () => S3.config`,
		"node_modules/aws-sdk/package.json":            `{"name":"aws-sdk","main":"lib/aws.js"}`,
		"node_modules/aws-sdk/lib/core.js":             `const config = { update(o) { Object.assign(this, o) } }; module.exports = { config }`,
		"node_modules/aws-sdk/clients/s3.js":           `module.exports = require("../lib/core")`,
		"node_modules/aws-sdk/lib/aws.js":              `module.exports = require("./core")`,
		"node_modules/aws-sdk/clients/more/aws-sdk.js": ``,
	})
	fn.Endpoint = "http://127.0.0.1:4566"
	wantPayload(t, invoke(t, s, fn, `{}`), `{"endpoint":"http://127.0.0.1:4566","s3ForcePathStyle":true,"hostPrefixEnabled":false}`)

	asked := make(chan string, 2)
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host + r.URL.Path
		w.Write([]byte("here"))
	}))
	defer cloud.Close()
	bundled := node(t, "nodejs18.x", map[string]string{"index.mjs": `import https, { request } from "https"
		const body = (r, done) => { let s = ""; r.on("data", (d) => s += d); r.on("end", () => done(s)) }
		export const handler = async () => [
			await new Promise((done, fail) => request({ host: "sqs.eu-west-1.amazonaws.com", port: 443, path: "/q", method: "POST", agent: new https.Agent() }, (r) => body(r, done)).on("error", fail).end()),
			await new Promise((done, fail) => https.get("https://b.s3.amazonaws.com/k", (r) => body(r, done)).on("error", fail))]`})
	bundled.Endpoint = cloud.URL
	wantPayload(t, invoke(t, s, bundled, `{}`), `["here","here"]`)
	if first, second := <-asked, <-asked; first != "POST sqs.eu-west-1.amazonaws.com/q" || second != "GET b.s3.amazonaws.com/k" {
		t.Errorf("asked %q, %q", first, second)
	}

	py := python(t, map[string]string{
		"app.py":               "import boto3\ndef handler(event, context): return boto3.client('s3')",
		"boto3/__init__.py":    "from botocore.session import Session\ndef client(name): return Session().create_client(name)",
		"botocore/__init__.py": "__version__ = '1.29.5'",
		"botocore/session.py":  "class Session:\n    def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None): return endpoint_url",
	})
	py.Endpoint = "http://127.0.0.1:4566"
	wantPayload(t, invoke(t, s, py, `{}`), `"http://127.0.0.1:4566"`)
}

func TestWantedSDK(t *testing.T) {
	tests := []struct {
		name, runtime string
		files         map[string]string
		want          string
	}{
		{"none", "nodejs20.x", map[string]string{"index.js": `exports.handler = () => {}`}, "[]"},
		{"v3", "nodejs20.x", map[string]string{"index.mjs": `import { S3Client } from "@aws-sdk/client-s3"`, "lib/x.js": `require('@aws-sdk/lib-dynamodb')`}, "[@aws-sdk/client-s3 @aws-sdk/lib-dynamodb]"},
		{"v3 brought", "nodejs20.x", map[string]string{"index.js": `require("@aws-sdk/client-s3")`, "node_modules/@aws-sdk/client-s3/package.json": "{}"}, "[]"},
		{"v2", "nodejs12.x", map[string]string{"index.js": `const AWS = require('aws-sdk')`}, "[aws-sdk@2]"},
		{"v2 in part", "nodejs12.x", map[string]string{"index.js": `const S3 = require("aws-sdk/clients/s3")`}, "[aws-sdk@2]"},
		{"v2 brought", "nodejs12.x", map[string]string{"index.js": `require('aws-sdk')`, "node_modules/aws-sdk/package.json": "{}"}, "[]"},
		{"boto3", "python3.11", map[string]string{"app.py": "import json, boto3"}, "[boto3]"},
		{"botocore", "python3.11", map[string]string{"app.py": "from botocore.exceptions import ClientError"}, "[boto3]"},
		{"boto3 brought", "python3.11", map[string]string{"app.py": "import boto3", "boto3/__init__.py": ""}, "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pl := &plan{fn: &Function{Code: code(t, tt.files), Handler: "index.handler"}}
			if err := pl.name(tt.runtime); err != nil {
				t.Fatal(err)
			}
			got, err := wanted(pl)
			if err != nil || fmt.Sprint(got) != tt.want {
				t.Errorf("got %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// An installation that fails leaves nothing and says why; one that succeeds is made once and then found.
func TestInstallSDK(t *testing.T) {
	bin := code(t, map[string]string{"npm": "#!/bin/sh\necho 'npm error network is unreachable' >&2; exit 1"})
	i := &installer{dir: t.TempDir(), progress: func(string) {}, getenv: os.Getenv}
	pl := &plan{fn: &Function{Name: "fn", Runtime: "nodejs20.x", Handler: "index.handler", Code: code(t, map[string]string{"index.js": `require("@aws-sdk/client-s3")`})}, family: "node", major: 20}
	in := interpreter{path: filepath.Join(bin, "node"), major: 20}
	_, err := i.provide(t.Context(), pl, in)
	if err == nil || !strings.Contains(err.Error(), "network is unreachable") {
		t.Fatalf("error %v", err)
	}
	if left, _ := os.ReadDir(i.dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	count := filepath.Join(t.TempDir(), "count")
	script := "#!/bin/sh\necho once >> " + count + "\nmkdir -p \"$3/node_modules/@aws-sdk/client-s3\""
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		dir, err := i.provide(t.Context(), pl, in)
		if err != nil || !exists(filepath.Join(dir, "node_modules", "@aws-sdk", "client-s3")) {
			t.Fatalf("folder %q, error %v", dir, err)
		}
	}
	if b, _ := os.ReadFile(count); string(b) != "once\n" {
		t.Errorf("installed: %q", b)
	}
}

// Without a network, the caller is told what could not be installed and why; who asks again at once is told at once.
func TestNoSDK(t *testing.T) {
	need(t, "node")
	tries := filepath.Join(t.TempDir(), "tries")
	bin := code(t, map[string]string{"npm": "#!/bin/sh\necho try >> " + tries + "\necho 'npm error network is unreachable' >&2; exit 1"})
	s, _ := newSandbox(t)
	fn := node(t, "nodejs20.x", map[string]string{"index.js": `require("@aws-sdk/client-s3")`})
	in, err := s.machine.interpreter(t.Context(), "node", 20, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(in.path, filepath.Join(bin, "node")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for path := range s.machine.examined {
		s.machine.examined[path] = &interpreter{path: filepath.Join(bin, "node"), major: in.major, minor: in.minor}
	}
	for range 3 {
		_, err := s.Invoke(t.Context(), fn, Invocation{})
		var setup *SetupError
		if !errors.As(err, &setup) || !strings.Contains(err.Error(), "network is unreachable") || !strings.Contains(err.Error(), "@aws-sdk/client-s3") {
			t.Fatalf("error %v", err)
		}
	}
	if b, _ := os.ReadFile(tries); string(b) != "try\n" {
		t.Errorf("tried: %q", b)
	}
}

func TestChooseInterpreter(t *testing.T) {
	py := []interpreter{{minor: 8, major: 3}, {minor: 11, major: 3}, {minor: 13, major: 3}}
	for _, tt := range []struct{ asked, want int }{{11, 11}, {9, 11}, {12, 13}, {6, 8}, {14, 13}} {
		if in, ok := choose(py, "python", 3, tt.asked); !ok || in.minor != tt.want {
			t.Errorf("for 3.%d: 3.%d, want 3.%d", tt.asked, in.minor, tt.want)
		}
	}
	if _, ok := choose(nil, "python", 3, 11); ok {
		t.Error("chosen from nothing")
	}
}
