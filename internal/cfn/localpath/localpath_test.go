package localpath_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/cfn/localpath"
)

const template = `
Metadata:
  AWS::ServerlessRepo::Application: {Name: shop, LicenseUrl: LICENSE, ReadmeUrl: README.md}
Resources:
  Coded: {Type: AWS::Serverless::Function, Properties: {CodeUri: src}}
  Beside: {Type: AWS::Serverless::Function}
  Inline: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}
  Graph:
    Type: AWS::Serverless::GraphQLApi
    Properties:
      SchemaUri: schema.graphql
      Functions: {Filter: {CodeUri: filter.js}, Other: {InlineCode: x}}
      Resolvers: {Query: {posts: {CodeUri: posts.js}}, Mutation: {add: {CodeUri: s3://there/add.js}}}
  Job: {Type: AWS::Glue::Job, Properties: {Command: {ScriptLocation: job.py}}}
  Repository: {Type: AWS::CodeCommit::Repository, Properties: {Code: {S3: seed}}}
  Odd: {Type: AWS::Glue::Job, Properties: {Command: text}}
  Fn::ForEach::Loop:
    - Name
    - [A, B]
    - Each${Name}: {Type: AWS::Lambda::Function, Properties: {Code: {Fn::Sub: "./${Name}"}}}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Body: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}}
`

func parse(t *testing.T) *cfn.Node {
	t.Helper()
	root, err := cfn.Parse("template.yaml", []byte(template))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestPlaces(t *testing.T) {
	var got []string
	for _, p := range localpath.Places(parse(t)) {
		got = append(got, fmt.Sprint(p.Resource, " ", p.Path, " ", p.Value().Str(), map[bool]string{true: " in a loop"}[p.Loop]))
	}
	want := []string{
		"Coded CodeUri src", "Beside CodeUri ", "Graph SchemaUri schema.graphql", "Graph Functions.*.CodeUri filter.js",
		"Graph Resolvers.*.*.CodeUri posts.js", "Graph Resolvers.*.*.CodeUri s3://there/add.js", "Job Command.ScriptLocation job.py",
		"Repository Code.S3 seed", "Each${Name} Code  in a loop", "Resources.Api.Properties.Body Location api.yaml",
		"AWS::ServerlessRepo::Application LicenseUrl LICENSE", "AWS::ServerlessRepo::Application ReadmeUrl README.md",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is put in a place stands there, whether or not there were properties before.
func TestSet(t *testing.T) {
	root := parse(t)
	for _, p := range localpath.Places(root) {
		p.Set(cfn.Str("put"))
	}
	for _, keys := range [][]string{
		{"Resources", "Beside", "Properties", "CodeUri"}, {"Resources", "Graph", "Properties", "Resolvers", "Query", "posts", "CodeUri"},
		{"Resources", "Job", "Properties", "Command", "ScriptLocation"}, {"Metadata", "AWS::ServerlessRepo::Application", "ReadmeUrl"},
	} {
		if got := root.At(keys...).Str(); got != "put" {
			t.Errorf("%s is %q", strings.Join(keys, "."), got)
		}
	}
}
