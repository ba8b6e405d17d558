package sam_test

import (
	"strings"
	"testing"

	"evo/internal/sam"
)

// A template can be checked without a repository: with one that is not asked, applications are there, also those that a
// parameter names whose value is not known.
func TestUnaskedRepository(t *testing.T) {
	const text = `
Parameters: {Id: {Type: String}, Version: {Type: String, Default: 1.0.0}}
Resources:
  App:
    Type: AWS::Serverless::Application
    Properties: {Location: {ApplicationId: ID, SemanticVersion: !Ref Version}, Parameters: {A: b}, TimeoutInMinutes: 5, Tags: {c: d}, NotificationARNs: [e]}
`
	for id, want := range map[string]string{"app": "", "!Ref Id": "", "!Ref Other": "cannot be resolved", "!Sub '${Id}'": "cannot be resolved"} {
		template := parse(t, "t.yaml", []byte(strings.Replace(text, "ID", id, 1)))
		out, err := sam.Transform(template, sam.Options{Applications: sam.Unasked{}})
		switch stack := out.At("Resources", "App", "Properties"); {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want …%s…", id, err, want)
			}
		case err != nil || !strings.HasPrefix(stack.Get("TemplateURL").Str(), "https://"):
			t.Errorf("%s: %v, %v", id, stack, err)
		case stack.At("Parameters", "A").Str() != "b" || stack.Get("NotificationARNs").List()[0].Str() != "e" || !stack.Has("TimeoutInMinutes") || len(stack.Get("Tags").List()) < 3:
			t.Errorf("%s: not all is passed on: %v", id, stack.Keys())
		}
	}
}
