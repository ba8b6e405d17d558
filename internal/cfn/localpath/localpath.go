// Package localpath answers: where in a template may a file or folder of the author's machine be named, instead of an object in S3?
//
// The places are those that `sam package` and `aws cloudformation package` know, and the code of a GraphQL API.
package localpath

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/source"
)

// Property is a property whose value may be a local path.
type Property struct {
	Type string // of the resource; empty for what is no resource's
	Path string // keys, with dots between them; * stands for every key of a map

	Zipped   bool // a plain file is zipped too
	Template bool // it names a template, which may itself name files
	Form     Form // in which the property names an object

	// OrFolder: where neither the property nor one of Instead is there, the template's own folder is meant.
	OrFolder bool
	Instead  []string
}

// Form is how a property names an object in S3: in a map, under these names; without names, as a text, s3://bucket/key or, if it is HTTPS,
// https://s3.region.amazonaws.com/bucket/key.
type Form struct {
	Bucket, Key string
	HTTPS       bool
}

var (
	https  = Form{HTTPS: true}
	code   = Form{Bucket: "S3Bucket", Key: "S3Key"}
	object = Form{Bucket: "Bucket", Key: "Key"}
)

// properties are all of them, but for those that stand outside of resources.
var properties = []Property{
	{Type: "AWS::Serverless::Function", Path: "CodeUri", Zipped: true, OrFolder: true, Instead: []string{"InlineCode", "ImageUri"}},
	{Type: "AWS::Serverless::LayerVersion", Path: "ContentUri", Zipped: true},
	{Type: "AWS::Serverless::Api", Path: "DefinitionUri"},
	{Type: "AWS::Serverless::HttpApi", Path: "DefinitionUri"},
	{Type: "AWS::Serverless::StateMachine", Path: "DefinitionUri"},
	{Type: "AWS::Serverless::GraphQLApi", Path: "SchemaUri"},
	{Type: "AWS::Serverless::GraphQLApi", Path: "Functions.*.CodeUri"},
	{Type: "AWS::Serverless::GraphQLApi", Path: "Resolvers.*.*.CodeUri"},
	{Type: "AWS::Serverless::Application", Path: "Location", Form: https, Template: true},
	{Type: "AWS::Lambda::Function", Path: "Code", Zipped: true, Form: code},
	{Type: "AWS::Lambda::LayerVersion", Path: "Content", Zipped: true, Form: code},
	{Type: "AWS::ApiGateway::RestApi", Path: "BodyS3Location", Form: object},
	{Type: "AWS::ApiGatewayV2::Api", Path: "BodyS3Location", Form: object},
	{Type: "AWS::StepFunctions::StateMachine", Path: "DefinitionS3Location", Form: object},
	{Type: "AWS::AppSync::GraphQLSchema", Path: "DefinitionS3Location"},
	{Type: "AWS::AppSync::Resolver", Path: "RequestMappingTemplateS3Location"},
	{Type: "AWS::AppSync::Resolver", Path: "ResponseMappingTemplateS3Location"},
	{Type: "AWS::AppSync::Resolver", Path: "CodeS3Location"},
	{Type: "AWS::AppSync::FunctionConfiguration", Path: "RequestMappingTemplateS3Location"},
	{Type: "AWS::AppSync::FunctionConfiguration", Path: "ResponseMappingTemplateS3Location"},
	{Type: "AWS::AppSync::FunctionConfiguration", Path: "CodeS3Location"},
	{Type: "AWS::CloudFormation::Stack", Path: "TemplateURL", Form: https, Template: true},
	{Type: "AWS::CloudFormation::StackSet", Path: "TemplateURL", Form: https, Template: true},
	{Type: "AWS::CloudFormation::ModuleVersion", Path: "ModulePackage", Zipped: true},
	{Type: "AWS::CloudFormation::ResourceVersion", Path: "SchemaHandlerPackage", Zipped: true},
	{Type: "AWS::ElasticBeanstalk::ApplicationVersion", Path: "SourceBundle", Form: code},
	{Type: "AWS::Glue::Job", Path: "Command.ScriptLocation"},
	{Type: "AWS::CodeCommit::Repository", Path: "Code.S3", Zipped: true, Form: object},
}

// byType are the properties by their resources' types.
var byType = func() map[string][]Property {
	m := map[string][]Property{}
	for _, p := range properties {
		m[p.Type] = append(m[p.Type], p)
	}
	return m
}()

// Place is where a template has, or by a default means, such a property.
type Place struct {
	Property
	Resource string // logical id; for what is no resource's, what it belongs to
	Loop     bool   // it stands in a Fn::ForEach

	resource, holder *cfn.Node
	key              string
}

// Value is what stands there: nil where the property is absent and a folder is meant.
func (p *Place) Value() *cfn.Node { return p.holder.Get(p.key) }

// Set puts a value there.
func (p *Place) Set(n *cfn.Node) {
	if p.holder == nil {
		p.holder = cfn.Obj()
		p.resource.Set("Properties", p.holder)
	}
	p.holder.Set(p.key, n)
}

// Where is the place in the file: that of the value, or of the resource where there is none.
func (p *Place) Where() source.Span {
	if v := p.Value(); v != nil {
		return v.Where()
	}
	return p.resource.Where()
}

// Places finds all of them, in the template's order: those of resources, of AWS::Include wherever it stands, and of what is published.
func Places(root *cfn.Node) []Place {
	return append(append(resources(root.Get("Resources"), false), includes(root)...), publication(root)...)
}

func resources(n *cfn.Node, loop bool) (all []Place) {
	for _, r := range n.Entries() {
		if repeated, ok := cfn.Repeated(r); ok {
			all = append(all, resources(repeated, true)...)
			continue
		}
		for _, p := range byType[r.Value.Get("Type").Str()] {
			at := Place{Property: p, Resource: r.Key, Loop: loop, resource: r.Value}
			all = append(all, at.under(r.Value.Get("Properties"), strings.Split(p.Path, "."))...)
		}
	}
	return all
}

// under finds the places to which the keys lead from a node.
func (p Place) under(n *cfn.Node, keys []string) (all []Place) {
	if len(keys) == 1 {
		p.holder, p.key = n, keys[0]
		if n.Has(p.key) || p.OrFolder && !hasAny(n, p.Instead) {
			return []Place{p}
		}
		return nil
	}
	if keys[0] != "*" {
		return p.under(n.Get(keys[0]), keys[1:])
	}
	for _, e := range n.Entries() {
		all = append(all, p.under(e.Value, keys[1:])...)
	}
	return all
}

func hasAny(n *cfn.Node, keys []string) bool {
	for _, k := range keys {
		if n.Has(k) {
			return true
		}
	}
	return false
}

func includes(root *cfn.Node) (all []Place) {
	root.Walk(func(path []string, n *cfn.Node) bool {
		name, arg, ok := n.Intrinsic()
		if parameters := arg.Get("Parameters"); ok && name == "Fn::Transform" && arg.Get("Name").Str() == "AWS::Include" && parameters.Has("Location") {
			all = append(all, Place{Property: Property{Path: "Location"}, Resource: strings.Join(path, "."), holder: parameters, key: "Location"})
		}
		return true
	})
	return all
}

// publication finds the files of the Serverless Application Repository's metadata.
func publication(root *cfn.Node) (all []Place) {
	const application = "AWS::ServerlessRepo::Application"
	m := root.At("Metadata", application)
	for _, key := range []string{"LicenseUrl", "ReadmeUrl"} {
		if m.Has(key) {
			all = append(all, Place{Property: Property{Path: key}, Resource: application, holder: m, key: key})
		}
	}
	return all
}

// IsRemote reports whether a text names what lies elsewhere: an object, a page, an ARN.
func IsRemote(text string) bool {
	for _, scheme := range []string{"s3://", "http://", "https://", "arn:"} {
		if strings.HasPrefix(text, scheme) {
			return true
		}
	}
	return false
}
