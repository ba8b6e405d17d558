package publish

import (
	"errors"
	"strings"
	"testing"

	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
	"github.com/google/go-cmp/cmp"

	"evo/cloudtest"
	"evo/internal/cfn"
	"evo/internal/source"
)

const described = `Transform: AWS::Serverless-2016-10-31
Metadata:
  Other: kept
  AWS::ServerlessRepo::Application:
    Name: greeter
    Description: greets
    Author: ann
    Labels: [a, b]
    SpdxLicenseId: MIT
    LicenseBody: do what you want
    ReadmeBody: "# Greeter"
    HomePageUrl: https://example.com
    SourceCodeUrl: https://example.com/src
    SemanticVersion: 1.0.0
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
`

func read(t *testing.T, text, version string) (*Application, error) {
	t.Helper()
	root, err := cfn.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Read("t.yaml", root, version)
}

func TestRead(t *testing.T) {
	a, err := read(t, described, "2.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "greeter" || a.SemanticVersion != "2.0.0" || len(a.Labels) != 2 || a.Details.Get("SemanticVersion").Str() != "2.0.0" {
		t.Errorf("%+v", a)
	}
	if strings.Contains(a.Template, Section) || !strings.Contains(a.Template, "Other: kept") {
		t.Errorf("the template that is published: %s", a.Template)
	}
	if a, err = read(t, strings.Replace(described, "  Other: kept\n", "", 1), ""); err != nil || strings.Contains(a.Template, "Metadata") {
		t.Errorf("%v, %v", a, err)
	}
	for text, want := range map[string]string{
		"Name: greeter":       "",
		"Name: !Ref Table":    "Name must be a text",
		"Name: ''":            "lacks Name",
		"ReadmeUrl: s3://b/k": "has both ReadmeUrl and ReadmeBody: one of them is enough; " + Section + " lacks Name",
		"LicenseUrl: LICENSE": "LicenseUrl is the local path LICENSE",
	} {
		_, err := read(t, strings.Replace(described, "Name: greeter", text, 1), "")
		var problems source.Diagnostics
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		var said []string
		if errors.As(err, &problems) {
			for _, p := range problems {
				said = append(said, p.Message)
				if p.File != "t.yaml" || p.Span.Start.Line == 0 {
					t.Errorf("%s: nobody knows where %q is", text, p.Message)
				}
			}
		}
		if !strings.Contains(strings.Join(said, "; "), want) {
			t.Errorf("%s: %q, want …%s…", text, said, want)
		}
	}
}

// What the repository is asked for depends on what is there already.
func TestPublish(t *testing.T) {
	client := sar.NewFromConfig(cloudtest.InProcess(t).Config("us-east-1"))
	const id = "arn:aws:serverlessrepo:us-east-1:000000000000:applications/greeter"
	for _, step := range []struct {
		what, version, description string
		mustBeNew, same            bool
		actions, details           []string
		fails                      string
	}{
		{what: "new", version: "1.0.0", description: "greets", actions: []string{Created},
			details: []string{"Name", "Description", "Author", "Labels", "SpdxLicenseId", "LicenseBody", "ReadmeBody", "HomePageUrl", "SourceCodeUrl", "SemanticVersion"}},
		{what: "the same version", version: "1.0.0", description: "greets all", same: true, actions: []string{Updated},
			details: []string{"Description", "Author", "Labels", "ReadmeBody", "HomePageUrl"}},
		{what: "the same version, which must be new", version: "1.0.0", description: "greets none", mustBeNew: true, fails: "there is such a version already"},
		{what: "another version", version: "1.1.0", description: "greets all", mustBeNew: true, actions: []string{Updated, VersionCreated},
			details: []string{"Description", "Author", "Labels", "ReadmeBody", "HomePageUrl", "SourceCodeUrl", "SemanticVersion"}},
		{what: "no version", description: "greets all", actions: []string{Updated}, details: []string{"Description", "Author", "Labels", "ReadmeBody", "HomePageUrl"}},
		{what: "no version, which must be new", description: "greets none", mustBeNew: true, fails: ErrNoVersion.Error()},
	} {
		text := strings.Replace(described, "Description: greets", "Description: "+step.description, 1)
		if step.version == "" {
			text = strings.Replace(text, "    SemanticVersion: 1.0.0\n", "", 1)
		}
		a, err := read(t, text, step.version)
		if err != nil {
			t.Fatal(err)
		}
		out, err := Publish(t.Context(), client, a, step.mustBeNew)
		if step.fails != "" {
			if err == nil || !strings.Contains(err.Error(), step.fails) {
				t.Errorf("%s: %v, want …%s…", step.what, err, step.fails)
			}
			got, err := client.GetApplication(t.Context(), &sar.GetApplicationInput{ApplicationId: new(id)})
			if err != nil || *got.Description != "greets all" {
				t.Errorf("%s: something was changed: %v, %v", step.what, got, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if diff := cmp.Diff(step.actions, out.Actions) + cmp.Diff(step.details, out.Details.Keys()); diff != "" || out.ApplicationID != id || out.SameVersion != step.same {
			t.Errorf("%s: %s, same version %v, -want +got:\n%s", step.what, out.ApplicationID, out.SameVersion, diff)
		}
	}
	// AWS has been seen to name no ARN when it refuses.
	if got, err := existing(t.Context(), client, "greeter", "Application with name greeter already exists"); err != nil || got != id {
		t.Errorf("found %q, %v", got, err)
	}
	if _, err := existing(t.Context(), client, "other", "Application with name other already exists"); err == nil {
		t.Error("found what is not there")
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for said, want := range map[string]string{
		"Invalid S3 URI: src": "evo package",
		"Failed to copy S3 object. Access denied: bucket=mine, key=a/b": "policy of bucket mine",
		"description is too long": "",
	} {
		hint := ""
		var h interface{ Hint() string }
		if err := refused(&types.BadRequestException{Message: &said}); errors.As(err, &h) {
			hint = h.Hint()
		}
		if want == "" && hint != "" || !strings.Contains(hint, want) {
			t.Errorf("%s: hint %q", said, hint)
		}
	}
}
