package build

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// project writes the files of a txtar archive and returns their folder.
func project(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func options(dir string) Options {
	return Options{Template: filepath.Join(dir, "template.yaml"), BuildDir: filepath.Join(dir, ".aws-sam", "build"),
		CacheDir: filepath.Join(dir, ".aws-sam", "cache"), Native: true, Jobs: 2}
}

func mustBuild(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// recorder notes commands instead of running them, and lets fake act in their stead.
type recorder struct {
	mu   sync.Mutex
	runs []string
	fake func(dir string, args []string) error
}

func (r *recorder) Run(_ context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs = append(r.runs, strings.Join(append(append([]string{}, env...), append([]string{name}, args...)...), " "))
	if r.fake != nil {
		return nil, r.fake(dir, args)
	}
	return nil, nil
}

const python = `
-- template.yaml --
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src, Handler: a.handler, Runtime: python3.12}
  B:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: b.handler, Runtime: python3.12}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "x", Handler: index.handler, Runtime: python3.12}
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: Prod, DefinitionUri: api.yaml}
-- api.yaml --
openapi: 3.0.1
-- src/a.py --
def handler(e, c): pass
-- src/__pycache__/a.pyc --
stale
`

func TestFunctionsOfOneSourceAreBuiltOnce(t *testing.T) {
	dir := project(t, python)
	r := mustBuild(t, options(dir))
	if len(r.Built) != 2 || r.Built["A"] != r.Built["B"] {
		t.Fatalf("built %v", r.Built)
	}
	read(t, filepath.Join(r.Built["A"], "a.py"))
	if exists(filepath.Join(r.Built["A"], "__pycache__")) {
		t.Error("what python left there was copied")
	}
	text := read(t, r.Template)
	if strings.Count(text, "CodeUri: A\n") != 2 || !strings.Contains(text, "DefinitionUri: '../../api.yaml'") {
		t.Errorf("the template:\n%s", text)
	}
}

func TestCacheIsUsedUntilSomethingChanges(t *testing.T) {
	dir := project(t, python)
	o := options(dir)
	o.Cached = true
	if r := mustBuild(t, o); len(r.Cached) != 0 {
		t.Errorf("a first build came from the cache: %v", r.Cached)
	}
	if r := mustBuild(t, o); len(r.Cached) != 1 || !exists(filepath.Join(r.Built["B"], "a.py")) {
		t.Errorf("cached %v, built %v", r.Cached, r.Built)
	}
	if err := os.WriteFile(filepath.Join(dir, "src", "a.py"), []byte("def handler(e, c): return 1"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := mustBuild(t, o)
	if len(r.Cached) != 0 || !strings.Contains(read(t, filepath.Join(r.Built["A"], "a.py")), "return 1") {
		t.Errorf("cached %v", r.Cached)
	}
}

func TestPythonRequirements(t *testing.T) {
	dir := project(t, python+"-- src/requirements.txt --\n# comment\nrequests==2.32.0\n")
	for native, want := range map[bool]string{true: "--no-input", false: "--python-version 3.12 --platform manylinux2014_x86_64"} {
		rec := &recorder{}
		o := options(dir)
		o.Native, o.Commands = native, rec
		mustBuild(t, o)
		if len(rec.runs) != 1 || !strings.Contains(rec.runs[0], want) || !strings.Contains(rec.runs[0], "python3 -m pip install --requirement") {
			t.Errorf("native %t: %q", native, rec.runs)
		}
	}
}

func TestNodeInstallsWhatPackageJSONDependsOn(t *testing.T) {
	dir := project(t, `
-- template.yaml --
Globals: {Function: {Runtime: nodejs20.x}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler}
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: nodejs20.x}
    Properties: {ContentUri: layer}
-- app.js --
-- package.json --
{}
-- package-lock.json --
{}
-- node_modules/x/index.js --
-- layer/package.json --
{}
`)
	rec := &recorder{}
	o := options(dir)
	o.Commands, o.Jobs = rec, 1
	r := mustBuild(t, o)
	if len(rec.runs) != 2 || !strings.HasPrefix(rec.runs[0], "npm ci --omit=dev") || !strings.HasPrefix(rec.runs[1], "npm install --omit=dev") {
		t.Errorf("ran %q", rec.runs)
	}
	if exists(filepath.Join(r.Built["F"], "node_modules")) || !exists(filepath.Join(r.Built["L"], "nodejs", "package.json")) {
		t.Error("what was copied is not what is needed")
	}
}

func TestGo(t *testing.T) {
	dir := project(t, `
-- template.yaml --
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: go1.x}
    Properties: {CodeUri: f, Handler: x, Runtime: provided.al2023}
-- go.mod --
module example
go 1.21
-- lib/lib.go --
package lib
const Text = "from another package of the module"
-- f/main.go --
package main
import "example/lib"
func main() { println(lib.Text) }
`)
	r := mustBuild(t, options(dir))
	out, err := exec.CommandContext(t.Context(), filepath.Join(r.Built["F"], "bootstrap")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "from another package of the module" {
		t.Errorf("it prints %q, error %v", out, err)
	}
}

func TestGoForLambda(t *testing.T) {
	dir := project(t, `
-- template.yaml --
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: go1.x}
    Properties: {CodeUri: ., Handler: x, Runtime: provided.al2023, Architectures: [arm64]}
`)
	rec := &recorder{}
	o := options(dir)
	o.Native, o.Commands, o.Env = false, rec, map[string]string{"GOFLAGS": "-mod=mod", "F.GOFLAGS": "-mod=vendor", "G.X": "1"}
	mustBuild(t, o)
	if len(rec.runs) != 1 || !strings.HasPrefix(rec.runs[0], "GOFLAGS=-mod=vendor GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build") {
		t.Errorf("ran %q", rec.runs)
	}
}

func TestMakefile(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make on this machine")
	}
	dir := project(t, `
-- template.yaml --
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: src, Handler: x, Runtime: provided.al2023}
-- src/Makefile --
build-F:
	echo made > $(ARTIFACTS_DIR)/bootstrap
	echo litter > litter
`)
	r := mustBuild(t, options(dir))
	if got := read(t, filepath.Join(r.Built["F"], "bootstrap")); got != "made\n" {
		t.Errorf("got %q", got)
	}
	if exists(filepath.Join(dir, "src", "litter")) {
		t.Error("the makefile wrote into the source")
	}
}

func TestFailureShowsWhatWasPrinted(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make on this machine")
	}
	dir := project(t, `
-- template.yaml --
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: ., Handler: x, Runtime: provided.al2023}
-- Makefile --
build-F:
	@echo the reason >&2; exit 3
`)
	_, err := Build(t.Context(), options(dir))
	if err == nil || !strings.Contains(err.Error(), "build F") || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("error: %v", err)
	}
}

func TestEsbuild(t *testing.T) {
	dir := project(t, `
-- template.yaml --
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: esbuild
      BuildProperties: {Minify: true, Target: es2020, External: ["@aws-sdk/*"], Sourcemap: true}
    Properties: {CodeUri: src, Handler: app.handler, Runtime: nodejs20.x}
-- src/app.ts --
import { greet } from './lib'
import { S3Client } from '@aws-sdk/client-s3'
export const handler = async (): Promise<string> => greet('evo' as string) + S3Client
-- src/lib.ts --
export const greet = (name: string) => 'hello ' + name
`)
	r := mustBuild(t, options(dir))
	text := read(t, filepath.Join(r.Built["F"], "app.js"))
	if !strings.Contains(text, "hello ") || !strings.Contains(text, `require("@aws-sdk/client-s3")`) || !exists(filepath.Join(r.Built["F"], "app.js.map")) {
		t.Errorf("bundled:\n%s", text)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ props, metadata, want string }{
		"a runtime":   {"{CodeUri: ., Runtime: java21, Handler: x}", "{}", "cannot build java21"},
		"provided":    {"{CodeUri: ., Runtime: provided.al2023}", "{}", "BuildMethod"},
		"an image":    {"{CodeUri: ., PackageType: Image}", "{}", "container images"},
		"no source":   {"{CodeUri: nowhere, Runtime: python3.12}", "{}", "nowhere"},
		"bad esbuild": {"{CodeUri: ., Runtime: nodejs20.x, Handler: x.y}", "{BuildMethod: esbuild, BuildProperties: {Format: amd}}", "no file for handler"},
	} {
		dir := project(t, "-- template.yaml --\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: "+c.metadata+"\n    Properties: "+c.props+"\n")
		_, err := Build(t.Context(), options(dir))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestBuildFolderIsNotSomebodysWork(t *testing.T) {
	dir := project(t, python)
	o := options(dir)
	o.BuildDir = dir
	if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--build-dir") {
		t.Errorf("error: %v", err)
	}
	if !exists(filepath.Join(dir, "src", "a.py")) {
		t.Error("the source is gone")
	}
}

func TestOneResourceAndExclusion(t *testing.T) {
	dir := project(t, python)
	o := options(dir)
	o.Resource = "A"
	if d := cmp.Diff([]string{"A"}, keys(mustBuild(t, o).Built)); d != "" {
		t.Error(d)
	}
	o.Resource, o.Exclude = "", []string{"A"}
	if d := cmp.Diff([]string{"B"}, keys(mustBuild(t, o).Built)); d != "" {
		t.Error(d)
	}
	o.Resource, o.Exclude = "None", nil
	if _, err := Build(t.Context(), o); err == nil {
		t.Error("a resource that is not there was built")
	}
}

func keys(m map[string]string) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	return ks
}
