package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"evo/internal/cfn"
)

// pathProperties are the other properties that name local files, which must still be found from the build folder.
var pathProperties = map[string][]string{
	"AWS::Serverless::Function":           {"CodeUri"},
	"AWS::Lambda::Function":               {"Code"},
	"AWS::Serverless::LayerVersion":       {"ContentUri"},
	"AWS::Lambda::LayerVersion":           {"Content"},
	"AWS::Serverless::Api":                {"DefinitionUri"},
	"AWS::Serverless::HttpApi":            {"DefinitionUri"},
	"AWS::Serverless::StateMachine":       {"DefinitionUri"},
	"AWS::Serverless::GraphQLApi":         {"SchemaUri"},
	"AWS::Serverless::Application":        {"Location"},
	"AWS::ApiGateway::RestApi":            {"BodyS3Location"},
	"AWS::ApiGatewayV2::Api":              {"BodyS3Location"},
	"AWS::StepFunctions::StateMachine":    {"DefinitionS3Location"},
	"AWS::AppSync::GraphQLSchema":         {"DefinitionS3Location"},
	"AWS::AppSync::Resolver":              {"RequestMappingTemplateS3Location", "ResponseMappingTemplateS3Location", "CodeS3Location"},
	"AWS::AppSync::FunctionConfiguration": {"RequestMappingTemplateS3Location", "ResponseMappingTemplateS3Location", "CodeS3Location"},
	"AWS::CloudFormation::Stack":          {"TemplateURL"},
}

// write writes the template that names what was built.
func (b *builder) write(units []*unit) error {
	for _, r := range b.root.Get("Resources").Entries() {
		props := r.Value.Get("Properties")
		for _, name := range pathProperties[r.Value.Get("Type").Str()] {
			if v := props.Get(name); v.Is(cfn.String) {
				props.Set(name, cfn.Str(b.fromBuild(v.Str())))
			}
		}
	}
	if global := b.root.At("Globals", "Function"); global.Get("CodeUri").Is(cfn.String) {
		global.Set("CodeUri", cfn.Str(b.fromBuild(global.Get("CodeUri").Str())))
	}
	b.includes()
	b.publication()
	for _, u := range units {
		dir, ok := b.result.Built[u.id]
		if !ok {
			continue
		}
		rel, err := filepath.Rel(b.BuildDir, dir)
		if err != nil {
			return err
		}
		props := u.node.Get("Properties")
		if props == nil {
			props = cfn.Obj()
			u.node.Set("Properties", props)
		}
		props.Set(u.property, cfn.Str(filepath.ToSlash(rel)))
	}
	b.result.Template = filepath.Join(b.BuildDir, "template.yaml")
	if err := os.WriteFile(b.result.Template, b.root.YAML(), 0o644); err != nil {
		return fmt.Errorf("write the built template: %w", err)
	}
	return nil
}

// includes leads AWS::Include, which may stand anywhere, to its files.
func (b *builder) includes() {
	b.root.Walk(func(_ []string, n *cfn.Node) bool {
		if name, arg, ok := n.Intrinsic(); ok && name == "Fn::Transform" && arg.Get("Name").Str() == "AWS::Include" {
			if v := arg.At("Parameters", "Location"); v.Is(cfn.String) {
				arg.Get("Parameters").Set("Location", cfn.Str(b.fromBuild(v.Str())))
			}
		}
		return true
	})
}

// fromBuild makes a path that was relative to the base folder relative to the build folder.
func (b *builder) fromBuild(path string) string {
	if path == "" || strings.Contains(path, "://") || strings.HasPrefix(path, "arn:") || filepath.IsAbs(path) {
		return path
	}
	abs := filepath.Join(b.BaseDir, filepath.FromSlash(path))
	if _, err := os.Stat(abs); errors.Is(err, os.ErrNotExist) {
		return path // whatever it is, it is no local file
	}
	rel, err := filepath.Rel(b.BuildDir, abs)
	if err != nil {
		return abs
	}
	return filepath.ToSlash(rel)
}

// publication leads what describes a published application to its files.
func (b *builder) publication() {
	section := b.root.At("Metadata", "AWS::ServerlessRepo::Application")
	for _, name := range []string{"LicenseUrl", "ReadmeUrl"} {
		if v := section.Get(name); v.Is(cfn.String) {
			section.Set(name, cfn.Str(b.fromBuild(v.Str())))
		}
	}
}
