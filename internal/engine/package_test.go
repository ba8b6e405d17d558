package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/cloudtest"
	"evo/internal/cfn"
	"evo/internal/engine"
	"evo/internal/source"
)

// deployer is an engine over a cloud of its own, with what it has told, and a folder of files.
type deployer struct {
	*engine.Engine
	t      *testing.T
	dir    string
	told   []engine.Event
	bucket engine.Bucket
}

func newDeployer(t *testing.T, files map[string]string) *deployer {
	t.Helper()
	d := &deployer{t: t, dir: t.TempDir(), bucket: engine.Bucket{Name: "artifacts", Prefix: "some/where"}}
	d.Engine = engine.New(cloudtest.New(t).Config("us-east-1"), func(e engine.Event) { d.told = append(d.told, e) })
	for name, text := range files {
		path := filepath.Join(d.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.S3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &d.bucket.Name}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *deployer) path(name string) string { return filepath.Join(d.dir, name) }

func (d *deployer) pack() *cfn.Node {
	d.t.Helper()
	root, err := d.Package(d.t.Context(), d.path("template.yaml"), d.bucket, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return root
}

// objects returns the keys in the bucket.
func (d *deployer) objects() []string {
	d.t.Helper()
	out, err := d.S3.ListObjectsV2(d.t.Context(), &s3.ListObjectsV2Input{Bucket: &d.bucket.Name})
	if err != nil {
		d.t.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	return keys
}

// uploads returns the resources whose artifacts were uploaded, and those whose were there.
func (d *deployer) uploads() (done, skipped []string) {
	for _, e := range d.told {
		switch {
		case e.Upload == nil:
		case e.Upload.Skipped:
			skipped = append(skipped, e.Upload.Resource)
		default:
			done = append(done, e.Upload.Resource)
		}
	}
	return done, skipped
}

const manyForms = `Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: src}
Metadata:
  AWS::ServerlessRepo::Application: {LicenseUrl: LICENSE, ReadmeUrl: "s3://there/already"}
Resources:
  OfGlobals: {Type: AWS::Serverless::Function, Properties: {Handler: a.h}}
  Own: {Type: AWS::Serverless::Function, Properties: {CodeUri: ./src/}}
  Inline: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}
  Remote: {Type: AWS::Serverless::Function, Properties: {CodeUri: "s3://b/k"}}
  Plain: {Type: AWS::Lambda::Function, Properties: {Code: src/a.js}}
  Object: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}}}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: s, DefinitionUri: api.yaml}}
  Raw: {Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: api.yaml}}
  Included: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: api.yaml}}}}}
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child/template.yaml}}
  App: {Type: AWS::Serverless::Application, Properties: {Location: child/template.yaml}}
`

var manyFiles = map[string]string{
	"template.yaml": manyForms, "src/a.js": "a", "src/lib/b.js": "b", "layer/nodejs/x.js": "x", "api.yaml": "swagger: '2.0'", "LICENSE": "Apache",
	"child/template.yaml": "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: code}}}", "child/code/index.js": "c",
}

func TestPackage(t *testing.T) {
	d := newDeployer(t, manyFiles)
	root := d.pack()
	text := func(path ...string) string { s, _ := root.At(path...).Scalar(); return s }
	at := func(id, property string) string { return text("Resources", id, "Properties", property) }

	shared := at("Own", "CodeUri")
	if !strings.HasPrefix(shared, "s3://artifacts/some/where/") || !strings.HasSuffix(shared, ".zip") || at("OfGlobals", "CodeUri") != shared {
		t.Errorf("two functions of one folder: %s and %s", shared, at("OfGlobals", "CodeUri"))
	}
	if got := at("Inline", "CodeUri"); got != "" {
		t.Errorf("a function with inline code gets a CodeUri: %s", got)
	}
	if got := at("Remote", "CodeUri"); got != "s3://b/k" {
		t.Errorf("what is uploaded already becomes %s", got)
	}
	if got := text("Resources", "Plain", "Properties", "Code", "S3Bucket"); got != "artifacts" {
		t.Errorf("Code: %s", got)
	}
	if got := text("Resources", "Object", "Properties", "Code", "ZipFile"); got != "x" {
		t.Errorf("ZipFile: %s", got)
	}
	if got := text("Resources", "Raw", "Properties", "BodyS3Location", "Key"); !strings.HasSuffix(got, ".yaml") {
		t.Errorf("BodyS3Location: %s", got)
	}
	if got := text("Resources", "Included", "Properties", "Body", "Fn::Transform", "Parameters", "Location"); !strings.HasPrefix(got, "s3://artifacts/") {
		t.Errorf("AWS::Include: %s", got)
	}
	if got := at("Child", "TemplateURL"); !strings.HasPrefix(got, "https://s3.us-east-1.amazonaws.com/artifacts/some/where/") || at("App", "Location") != got {
		t.Errorf("nested templates: %s and %s", got, at("App", "Location"))
	}
	if got := text("Metadata", "AWS::ServerlessRepo::Application", "LicenseUrl"); !strings.HasPrefix(got, "s3://artifacts/") {
		t.Errorf("LicenseUrl: %s", got)
	}
	if resources := string(root.Get("Resources").YAML()); strings.Contains(resources, "src") {
		t.Errorf("a local path is left:\n%s", resources)
	}

	// src, a.js, layer, api.yaml, LICENSE, the child's code, and the child: each once.
	if keys := d.objects(); len(keys) != 7 {
		t.Errorf("%d objects: %v", len(keys), keys)
	}
	d.told = nil
	if again := d.pack(); !slices.Equal(again.YAML(), root.YAML()) {
		t.Error("the same files make another template")
	}
	if done, skipped := d.uploads(); len(done) > 0 || len(skipped) == 0 {
		t.Errorf("the second time uploads %v, and finds %v", done, skipped)
	}
	d.told, d.bucket.Force = nil, true
	if d.pack(); true {
		if done, skipped := d.uploads(); len(skipped) > 0 || len(done) != 7 {
			t.Errorf("--force-upload uploads %v, and finds %v", done, skipped)
		}
	}
}

func TestPackageFindsEveryMissingPath(t *testing.T) {
	d := newDeployer(t, map[string]string{
		"template.yaml": "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: gone\n" +
			"  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: gone/too}}\n  N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}\n",
		"child.yaml": "Resources:\n  Deep: {Type: AWS::Lambda::Function, Properties: {Code: missing}}\n",
	})
	_, err := d.Package(t.Context(), d.path("template.yaml"), d.bucket, nil)
	var problems source.Diagnostics
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Fatalf("got %v", err)
	}
	for i, want := range []string{":6:16: package F's CodeUri: ", ":7:", ":8:"} {
		if got := problems[i].Error(); !strings.HasPrefix(got, d.path("template.yaml")+want) || !strings.Contains(got, "no such file") && !strings.Contains(got, "cannot find") {
			t.Errorf("got %s, want …%s", got, want)
		}
	}
	if got := problems[2].Error(); !strings.Contains(got, d.path("child.yaml")) {
		t.Errorf("the nested template is not named: %s", got)
	}
	if keys := d.objects(); len(keys) > 0 {
		t.Errorf("uploaded: %v", keys)
	}
}

func TestPackageEndsWithTemplatesThatNestThemselves(t *testing.T) {
	d := newDeployer(t, map[string]string{"template.yaml": "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: template.yaml}}}"})
	_, err := d.Package(t.Context(), d.path("template.yaml"), d.bucket, nil)
	if err == nil || !strings.Contains(err.Error(), "nested more than 10 deep") {
		t.Errorf("got %v", err)
	}
}

func TestHasLocal(t *testing.T) {
	for text, want := range map[string]bool{
		"Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: src}}}":                                        true,
		"Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: k}}}}":                    false,
		"Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: {Bucket: b, Key: k}}}}":                 false,
		"Resources: {F: {Type: AWS::Serverless::Function}}":                                                             true,
		"Globals: {Function: {CodeUri: 's3://b/k'}}\nResources: {F: {Type: AWS::Serverless::Function}}":                 false,
		"Resources: {F: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: 'a/b:c'}}}":        false,
		"Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/b/k'}}}": false,
	} {
		path := filepath.Join(t.TempDir(), "template.yaml")
		if err := os.Mkdir(filepath.Join(filepath.Dir(path), "src"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := engine.HasLocal(path); got != want || err != nil {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	// A path at which there is nothing is told with its place, before anything is uploaded.
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, []byte("Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: src}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := engine.HasLocal(path)
	var d *source.Diagnostic
	if !errors.As(err, &d) || d.File != path || d.Span.Start.Line != 1 || !strings.Contains(d.Message, "F's Code") {
		t.Errorf("without the folder: %v", err)
	}
}

func TestAssume(t *testing.T) {
	root, err := cfn.Parse("template.yaml", []byte(manyForms))
	if err != nil {
		t.Fatal(err)
	}
	paths := engine.Assume(root, "/project")
	for id, want := range map[string]string{"OfGlobals": "/project/src", "Own": "/project/src", "Layer": "/project/layer"} {
		if filepath.ToSlash(paths[id]) != want {
			t.Errorf("%s is at %s", id, paths[id])
		}
	}
	if _, ok := paths["Remote"]; ok || len(paths["Inline"]) > 0 {
		t.Errorf("paths that are not there: %v", paths)
	}
}

// What a loop repeats is packaged once where it stands; a path that depends on the item makes the loop be written out.
func TestPackageLoops(t *testing.T) {
	files := map[string]string{"src/same.js": "same", "a/index.js": "a", "b/index.js": "b", "template.yaml": `
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Functions:
    - Name
    - !Ref Names
    - Fn${Name}: {Type: "AWS::Serverless::Function", Properties: {CodeUri: src}}
`}
	d := newDeployer(t, files)
	repeated, ok := cfn.Repeated(d.pack().Get("Resources").Pairs[0])
	if uri := repeated.At("Fn${Name}", "Properties", "CodeUri").Str(); !ok || !strings.HasPrefix(uri, "s3://artifacts/") {
		t.Errorf("in the loop: %q", uri)
	}
	files["template.yaml"] = strings.Replace(files["template.yaml"], "CodeUri: src", `CodeUri: !Sub "./${Name}"`, 1)
	d = newDeployer(t, files)
	if local, err := engine.HasLocal(d.path("template.yaml")); !local || err != nil {
		t.Errorf("HasLocal: %v %v", local, err)
	}
	if _, err := d.Package(t.Context(), d.path("template.yaml"), d.bucket, nil); err == nil || !strings.Contains(err.Error(), "template.yaml:7:7") || !strings.Contains(err.Error(), "the parameter Names has no value") {
		t.Errorf("without a value for Names: %v", err)
	}
	root, err := d.Package(t.Context(), d.path("template.yaml"), d.bucket, map[string]string{"Names": "a,b"})
	if err != nil {
		t.Fatal(err)
	}
	a, b := root.At("Resources", "Fna", "Properties", "CodeUri").Str(), root.At("Resources", "Fnb", "Properties", "CodeUri").Str()
	if !strings.HasPrefix(a, "s3://artifacts/") || !strings.HasPrefix(b, "s3://artifacts/") || a == b {
		t.Errorf("written out: %q and %q", a, b)
	}
}
