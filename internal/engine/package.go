package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/smithy-go"

	"evo/internal/cfn"
	"evo/internal/source"
)

// local is a property whose value may be a local path, and the form in which it names an object once that is uploaded.
type local struct {
	typ, property string
	zipped        bool // a plain file is zipped too
	form          form
	nested        bool // it names a template, which is packaged itself
	orFolder      bool // absent, and nothing in its stead: the template's own folder
	instead       []string
}

type form func(b Bucket, region, key string) *cfn.Node

func uri(b Bucket, _, key string) *cfn.Node { return cfn.Str("s3://" + b.Name + "/" + key) }

func url(b Bucket, region, key string) *cfn.Node {
	return cfn.Str("https://s3." + region + ".amazonaws.com/" + b.Name + "/" + key)
}

func pair(bucket, key string) form {
	return func(b Bucket, _, k string) *cfn.Node {
		return cfn.Obj(cfn.P(bucket, cfn.Str(b.Name)), cfn.P(key, cfn.Str(k)))
	}
}

// locals is what `package` looks at, by resource type.
var locals = []local{
	{typ: "AWS::Serverless::Function", property: "CodeUri", zipped: true, form: uri, orFolder: true, instead: []string{"InlineCode", "ImageUri"}},
	{typ: "AWS::Serverless::LayerVersion", property: "ContentUri", zipped: true, form: uri},
	{typ: "AWS::Serverless::Api", property: "DefinitionUri", form: uri},
	{typ: "AWS::Serverless::HttpApi", property: "DefinitionUri", form: uri},
	{typ: "AWS::Serverless::StateMachine", property: "DefinitionUri", form: uri},
	{typ: "AWS::Serverless::GraphQLApi", property: "SchemaUri", form: uri},
	{typ: "AWS::Serverless::Application", property: "Location", form: url, nested: true},
	{typ: "AWS::Lambda::Function", property: "Code", zipped: true, form: pair("S3Bucket", "S3Key")},
	{typ: "AWS::Lambda::LayerVersion", property: "Content", zipped: true, form: pair("S3Bucket", "S3Key")},
	{typ: "AWS::ApiGateway::RestApi", property: "BodyS3Location", form: pair("Bucket", "Key")},
	{typ: "AWS::ApiGatewayV2::Api", property: "BodyS3Location", form: pair("Bucket", "Key")},
	{typ: "AWS::StepFunctions::StateMachine", property: "DefinitionS3Location", form: pair("Bucket", "Key")},
	{typ: "AWS::AppSync::GraphQLSchema", property: "DefinitionS3Location", form: uri},
	{typ: "AWS::AppSync::Resolver", property: "RequestMappingTemplateS3Location", form: uri},
	{typ: "AWS::AppSync::Resolver", property: "ResponseMappingTemplateS3Location", form: uri},
	{typ: "AWS::AppSync::Resolver", property: "CodeS3Location", form: uri},
	{typ: "AWS::AppSync::FunctionConfiguration", property: "RequestMappingTemplateS3Location", form: uri},
	{typ: "AWS::AppSync::FunctionConfiguration", property: "ResponseMappingTemplateS3Location", form: uri},
	{typ: "AWS::AppSync::FunctionConfiguration", property: "CodeS3Location", form: uri},
	{typ: "AWS::CloudFormation::Stack", property: "TemplateURL", form: url, nested: true},
}

// Package uploads what the template's local paths name and returns the template with the objects in their stead. Paths are
// relative to the template. The error is a source.Diagnostics where it is the template's.
func (e *Engine) Package(ctx context.Context, path string, b Bucket) (*cfn.Node, error) {
	return e.pack(ctx, path, newUploader(e, b), 0)
}

// HasLocal reports whether the template at path names anything local, so that packaging it needs a bucket. Paths at which there
// is nothing are a source.Diagnostics.
func HasLocal(path string) (bool, error) {
	root, err := readTemplate(path)
	if err != nil {
		return false, err
	}
	p := packager{dir: filepath.Dir(path), root: root.Clone()}
	all := p.found()
	var problems source.Diagnostics
	for _, f := range all {
		if _, err := os.Stat(f.path); err != nil {
			problems = append(problems, f.diagnose(path, err))
		}
	}
	return len(all) > 0, problems.Err()
}

// maxNesting bounds templates that name each other.
const maxNesting = 10

func (e *Engine) pack(ctx context.Context, path string, u *uploader, depth int) (*cfn.Node, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("package %s: templates are nested more than %d deep", path, maxNesting)
	}
	root, err := readTemplate(path)
	if err != nil {
		return nil, err
	}
	p := packager{dir: filepath.Dir(path), root: root.Clone()}
	var problems source.Diagnostics
	for _, f := range p.found() {
		key, err := e.packOne(ctx, u, f, depth)
		if err != nil {
			var call *smithy.OperationError
			if ctx.Err() != nil || errors.As(err, &call) { // no fault of the template's
				return nil, fmt.Errorf("package %s: %w", f.name(), err)
			}
			problems = append(problems, f.diagnose(path, err))
			continue
		}
		f.set(f.form(u.bucket, e.Region, key))
	}
	return p.root, problems.Err()
}

func readTemplate(path string) (*cfn.Node, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return cfn.Parse(path, text)
}

func (e *Engine) packOne(ctx context.Context, u *uploader, f found, depth int) (string, error) {
	if _, err := os.Stat(f.path); err != nil {
		return "", err
	}
	if !f.nested {
		return u.upload(ctx, f.resource, f.path, f.zipped)
	}
	if key, ok := u.nested[f.path]; ok {
		return key, nil
	}
	root, err := e.pack(ctx, f.path, u, depth+1)
	if err != nil {
		return "", err
	}
	key, err := e.uploadText(ctx, u, f.resource, root.YAML())
	if err == nil {
		u.nested[f.path] = key
	}
	return key, err
}

// uploadText uploads a template that was made here.
func (e *Engine) uploadText(ctx context.Context, u *uploader, resource string, text []byte) (string, error) {
	tmp, err := os.CreateTemp("", "evo-*.template")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Close()); err == nil {
		var key string
		if key, err = u.upload(ctx, resource, tmp.Name(), false); err == nil {
			return key, os.Remove(tmp.Name())
		}
	}
	return "", errors.Join(err, os.Remove(tmp.Name()))
}

// packager finds the local paths in one template.
type packager struct {
	dir  string
	root *cfn.Node
	all  []found
}

// found is one of them.
type found struct {
	local
	resource string // logical id, or the place for a Fn::Transform
	path     string // absolute
	node     *cfn.Node
	set      func(*cfn.Node)
}

// diagnose says what is wrong with the path, and where in the template at file it stands.
func (f found) diagnose(file string, err error) *source.Diagnostic {
	d := source.Errorf(f.node.Where(), "package %s: %v", f.name(), err)
	d.File = file
	return d
}

// name says what it is that is packaged.
func (f found) name() string {
	if f.property == "" {
		return f.resource
	}
	return f.resource + "'s " + f.property
}

func (p *packager) found() []found {
	p.all = nil
	for _, r := range p.root.Get("Resources").Entries() {
		p.resource(r.Key, r.Value)
	}
	p.includes()
	p.publication()
	return p.all
}

func (p *packager) resource(id string, r *cfn.Node) {
	typ := r.Get("Type").Str()
	for _, l := range locals {
		if l.typ != typ || !r.Is(cfn.Map) {
			continue
		}
		props := r.Get("Properties")
		value := props.Get(l.property)
		if value == nil && l.orFolder && !hasAny(props, l.instead) {
			if value = p.root.At("Globals", "Function", l.property); value == nil && hasAny(p.root.At("Globals", "Function"), l.instead) {
				continue
			}
			if value == nil {
				value = &cfn.Node{Kind: cfn.String, Text: ".", Span: r.Where()}
			}
			if props == nil {
				props = cfn.Obj()
				r.Set("Properties", props)
			}
		}
		p.add(l, id, value, func(n *cfn.Node) { props.Set(l.property, n) })
	}
}

func hasAny(n *cfn.Node, keys []string) bool {
	for _, k := range keys {
		if n.Has(k) {
			return true
		}
	}
	return false
}

// add notes a value if it is a local path.
func (p *packager) add(l local, resource string, value *cfn.Node, set func(*cfn.Node)) {
	text := value.Str()
	if !value.Is(cfn.String) || text == "" || isRemote(text) {
		return
	}
	path := filepath.FromSlash(text)
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.dir, path)
	}
	p.all = append(p.all, found{local: l, resource: resource, path: path, node: value, set: set})
}

func isRemote(text string) bool {
	for _, scheme := range []string{"s3://", "http://", "https://", "arn:"} {
		if strings.HasPrefix(text, scheme) {
			return true
		}
	}
	return false
}

// includes finds the files of AWS::Include, which may stand anywhere.
func (p *packager) includes() {
	p.root.Walk(func(path []string, n *cfn.Node) bool {
		name, arg, ok := n.Intrinsic()
		if ok && name == "Fn::Transform" && arg.Get("Name").Str() == "AWS::Include" {
			params := arg.Get("Parameters")
			p.add(local{property: "Location", form: uri}, strings.Join(path, "."), params.Get("Location"), func(n *cfn.Node) { params.Set("Location", n) })
		}
		return true
	})
}

// publication finds the files of the Serverless Application Repository's metadata.
func (p *packager) publication() {
	m := p.root.At("Metadata", "AWS::ServerlessRepo::Application")
	for _, property := range []string{"LicenseUrl", "ReadmeUrl"} {
		p.add(local{property: property, form: uri}, "AWS::ServerlessRepo::Application", m.Get(property), func(n *cfn.Node) { m.Set(property, n) })
	}
}

// Assume sets every local path in root as if it had been uploaded, and returns, by logical id, the paths that were there. dir is
// the template's folder.
func Assume(root *cfn.Node, dir string) map[string]string {
	p := packager{dir: dir, root: root}
	paths := map[string]string{}
	for _, f := range p.found() {
		paths[f.resource] = f.path
		f.set(f.form(Bucket{Name: "local"}, "us-east-1", f.resource))
	}
	return paths
}
