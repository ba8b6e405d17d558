package serverlessrepo

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	api "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/cloud/clock"
	s3svc "evo/internal/cloud/s3"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// world is a repository, and S3, each with its real client. What would be CloudFormation notes what it is asked for.
type world struct {
	*testing.T
	*api.Client
	ctx   context.Context
	s3    *s3.Client
	clock *clock.Stepped
	db    *store.DB
	asked *cloudformation.CreateChangeSetInput
	stack *cfntypes.Stack // that there is
	fails error
}

func (w *world) CreateChangeSet(_ context.Context, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	w.asked = in
	return &cloudformation.CreateChangeSetOutput{Id: aws.String("change-set"), StackId: aws.String("stack")}, w.fails
}

func (w *world) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	if w.stack == nil {
		return nil, errors.New("there is none")
	}
	return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{*w.stack}}, nil
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, ctx: t.Context(), clock: clock.NewStepped(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)), db: store.Memory()}
	objects, err := s3svc.New(s3svc.Config{Store: w.db, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	repo, err := New(Config{Store: w.db, Clock: w.clock, Objects: objects, ObjectURL: func(bucket, key string) string { return "http://localhost/" + bucket + "/" + key }})
	if err != nil {
		t.Fatal(err)
	}
	cfg := wiretest.Config(t, wiretest.Serve{"serverlessrepo": repo.In("us-east-1", w), "s3": objects})
	w.Client, w.s3 = api.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("code")}); err != nil {
		t.Fatal(err)
	}
	for key, text := range map[string]string{"zip": "PK", "LICENSE": "do what you want", "README.md": "# Read me", "template.yaml": template, "src.zip": "PK source"} {
		w.write(key, text)
	}
	return w
}

func (w *world) write(key, text string) {
	w.Helper()
	if _, err := w.s3.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("code"), Key: &key, Body: strings.NewReader(text)}); err != nil {
		w.Fatal(err)
	}
}

// read fetches what an answer's URL leads to.
func (w *world) read(url *string) string {
	w.Helper()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(aws.ToString(url), "http://localhost/"), "/")
	return w.object(bucket, key)
}

func (w *world) object(bucket, key string) string {
	w.Helper()
	got, err := w.s3.GetObject(w.ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		w.Fatalf("get %s/%s: %v", bucket, key, err)
	}
	text, err := io.ReadAll(got.Body)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// refused holds an error against the code and a part of the text that it should have.
func (w *world) refused(what string, err error, code, text string) {
	w.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		w.Errorf("%s: %v, want %s: …%s…", what, err, code, text)
	}
}

const template = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: hello, MinLength: 1, MaxLength: 20, AllowedPattern: "[a-z]+", ConstraintDescription: small letters, Description: a word}
  Memory: {Type: Number, Default: 128, MinValue: 128, MaxValue: 10240}
  Secret: {Type: String, NoEcho: true, Default: x, AllowedValues: [x, y]}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://code/zip
      Handler: app.handler
      Runtime: python3.13
      MemorySize: !Ref Memory
      Environment: {Variables: {GREETING: !Sub "${Greeting}!"}}
  Table: {Type: AWS::Serverless::SimpleTable}
`

const arn = "arn:aws:serverlessrepo:us-east-1:000000000000:applications/announcer"

func application1() *api.CreateApplicationInput {
	return &api.CreateApplicationInput{Name: aws.String("announcer"), Author: aws.String("ann"), Description: aws.String("announces"), Labels: []string{"release"},
		SpdxLicenseId: aws.String("MIT"), LicenseUrl: aws.String("s3://code/LICENSE"), ReadmeBody: aws.String("# Announcer"), HomePageUrl: aws.String("https://example.com"),
		SourceCodeUrl: aws.String("https://example.com/src"), SourceCodeArchiveUrl: aws.String("s3://code/src.zip"), SemanticVersion: aws.String("1.0.0"), TemplateBody: aws.String(template)}
}

// published makes the application of the tests.
func published(t *testing.T) *world {
	w := newWorld(t)
	if _, err := w.CreateApplication(w.ctx, application1()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPublish(t *testing.T) {
	w := newWorld(t)
	made, err := w.CreateApplication(w.ctx, application1())
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.GetApplication(w.ctx, &api.GetApplicationInput{ApplicationId: aws.String(arn)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made.Version, got.Version, cmp.AllowUnexported(types.Version{}, types.ParameterDefinition{})); diff != "" || *made.ApplicationId != arn {
		t.Errorf("made %s, -made +got: %s", *made.ApplicationId, diff)
	}
	if *got.CreationTime != "2026-08-01T12:00:00.000Z" || *got.IsVerifiedAuthor || *got.HomePageUrl != "https://example.com" || got.Labels[0] != "release" || *got.SpdxLicenseId != "MIT" {
		t.Errorf("%+v", got)
	}
	if w.read(got.LicenseUrl) != "do what you want" || w.read(got.ReadmeUrl) != "# Announcer" || w.read(got.Version.SourceCodeArchiveUrl) != "PK source" {
		t.Error("licence, readme or source is not what was given")
	}
	v := got.Version
	if *v.SemanticVersion != "1.0.0" || *v.SourceCodeUrl != "https://example.com/src" || !*v.ResourcesSupported || !slices.Equal(v.RequiredCapabilities, []types.Capability{types.CapabilityCapabilityIam}) {
		t.Errorf("%+v", v)
	}
	n := aws.Int32
	want := []types.ParameterDefinition{
		{Name: aws.String("Greeting"), Type: aws.String("String"), DefaultValue: aws.String("hello"), MinLength: n(1), MaxLength: n(20), AllowedPattern: aws.String("[a-z]+"),
			ConstraintDescription: aws.String("small letters"), Description: aws.String("a word"), ReferencedByResources: []string{"Function"}},
		{Name: aws.String("Memory"), Type: aws.String("Number"), DefaultValue: aws.String("128"), MinValue: n(128), MaxValue: n(10240), ReferencedByResources: []string{"Function"}},
		{Name: aws.String("Secret"), Type: aws.String("String"), DefaultValue: aws.String("x"), NoEcho: aws.Bool(true), AllowedValues: []string{"x", "y"}, ReferencedByResources: []string{}},
	}
	if diff := cmp.Diff(want, v.ParameterDefinitions, cmp.AllowUnexported(types.ParameterDefinition{})); diff != "" {
		t.Errorf("parameters, -want +got:\n%s", diff)
	}
}

// What a version is made of is the repository's own: the publisher's bucket may go.
func TestAVersionOutlivesThePublishersBucket(t *testing.T) {
	w := published(t)
	for _, key := range []string{"zip", "LICENSE", "README.md", "template.yaml", "src.zip"} {
		if _, err := w.s3.DeleteObject(w.ctx, &s3.DeleteObjectInput{Bucket: aws.String("code"), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.GetApplication(w.ctx, &api.GetApplicationInput{ApplicationId: aws.String(arn)})
	if err != nil {
		t.Fatal(err)
	}
	root, err := cfn.Parse("", []byte(w.read(got.Version.TemplateUrl)))
	if err != nil {
		t.Fatal(err)
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(root.At("Resources", "Function", "Properties", "CodeUri").Str(), "s3://"), "/")
	if w.object(bucket, key) != "PK" {
		t.Error("the code is not what was published")
	}
	buckets, err := w.s3.ListBuckets(w.ctx, nil)
	if err != nil || len(buckets.Buckets) != 1 {
		t.Errorf("buckets %v, %v: the repository's own is nobody's business", buckets.Buckets, err)
	}
	if _, err := w.DeleteApplication(w.ctx, &api.DeleteApplicationInput{ApplicationId: aws.String(arn)}); err != nil {
		t.Fatal(err)
	}
	if list, err := w.s3.ListObjectsV2(w.ctx, &s3.ListObjectsV2Input{Bucket: &bucket}); err != nil || len(list.Contents) != 0 {
		t.Errorf("left after deleting: %v, %v", list, err)
	}
	_, err = w.GetApplication(w.ctx, &api.GetApplicationInput{ApplicationId: aws.String(arn)})
	w.refused("after deleting", err, "NotFoundException", arn)
}

func TestCreateApplicationRefuses(t *testing.T) {
	w := published(t)
	for what, c := range map[string]struct {
		change     func(in *api.CreateApplicationInput)
		code, text string
	}{
		"again":                    {func(in *api.CreateApplicationInput) {}, "ConflictException", "Application with id " + arn + " already exists"},
		"a name with a space":      {func(in *api.CreateApplicationInput) { in.Name = aws.String("a b") }, "BadRequestException", "name 'a b'"},
		"a long name":              {func(in *api.CreateApplicationInput) { in.Name = aws.String(strings.Repeat("a", 141)) }, "BadRequestException", "140"},
		"an author in capitals":    {func(in *api.CreateApplicationInput) { in.Author = aws.String("Ann") }, "BadRequestException", "author"},
		"an author that ends in -": {func(in *api.CreateApplicationInput) { in.Author = aws.String("ann-") }, "BadRequestException", "author"},
		"a long description":       {func(in *api.CreateApplicationInput) { in.Description = aws.String(strings.Repeat("ä", 257)) }, "BadRequestException", "256"},
		"eleven labels":            {func(in *api.CreateApplicationInput) { in.Labels = make([]string, 11) }, "BadRequestException", "10"},
		"a label with a space":     {func(in *api.CreateApplicationInput) { in.Labels = []string{"a b"} }, "BadRequestException", "Label"},
		"a home page that is none": {func(in *api.CreateApplicationInput) { in.HomePageUrl = aws.String("here") }, "BadRequestException", "homePageUrl"},
		"two licences":             {func(in *api.CreateApplicationInput) { in.LicenseBody = aws.String("x") }, "BadRequestException", "licenseBody or licenseUrl"},
		"a licence without a name": {func(in *api.CreateApplicationInput) { in.SpdxLicenseId = nil }, "BadRequestException", "spdxLicenseId"},
		"two readmes":              {func(in *api.CreateApplicationInput) { in.ReadmeUrl = aws.String("s3://code/README.md") }, "BadRequestException", "readmeBody or readmeUrl"},
		"a local readme":           {func(in *api.CreateApplicationInput) { in.ReadmeBody, in.ReadmeUrl = nil, aws.String("README.md") }, "BadRequestException", "Invalid S3 URI: README.md"},
		"a readme that is not there": {func(in *api.CreateApplicationInput) {
			in.ReadmeBody, in.ReadmeUrl = nil, aws.String("s3://code/nowhere")
		}, "BadRequestException", "bucket=code, key=nowhere"},
		"two templates":             {func(in *api.CreateApplicationInput) { in.TemplateUrl = aws.String("s3://code/template.yaml") }, "BadRequestException", "templateBody or templateUrl"},
		"a version and no template": {func(in *api.CreateApplicationInput) { in.TemplateBody = nil }, "BadRequestException", "templateBody or templateUrl"},
		"no semantic version":       {func(in *api.CreateApplicationInput) { in.SemanticVersion = aws.String("1.0") }, "BadRequestException", "'1.0'"},
		"a local path": {func(in *api.CreateApplicationInput) {
			in.TemplateBody = aws.String(strings.ReplaceAll(template, "s3://code/zip", "./src"))
		}, "BadRequestException", "Invalid S3 URI: ./src"},
		"code that is not there": {func(in *api.CreateApplicationInput) {
			in.TemplateBody = aws.String(strings.ReplaceAll(template, "s3://code/zip", "s3://nowhere/zip"))
		}, "BadRequestException", "bucket=nowhere, key=zip"},
		"a template that is none":    {func(in *api.CreateApplicationInput) { in.TemplateBody = aws.String("Resources: [") }, "BadRequestException", "Invalid SAM template"},
		"a nested local application": {func(in *api.CreateApplicationInput) { in.TemplateBody = aws.String(nested("./child.yaml")) }, "BadRequestException", "must be published"},
		"a nested one that is missing": {func(in *api.CreateApplicationInput) {
			in.TemplateBody = aws.String(nested("{ApplicationId: " + arn + ", SemanticVersion: 9.9.9}"))
		}, "BadRequestException", "does not have a version 9.9.9"},
	} {
		in := application1()
		if what != "again" {
			in.Name = aws.String("other")
		}
		c.change(in)
		_, err := w.CreateApplication(w.ctx, in)
		w.refused(what, err, c.code, c.text)
	}
	if list, err := w.ListApplications(w.ctx, &api.ListApplicationsInput{}); err != nil || len(list.Applications) != 1 {
		t.Errorf("applications %v, %v: what was refused is not there", list, err)
	}
}

func nested(location string) string {
	return "Transform: AWS::Serverless-2016-10-31\nResources:\n  Inner:\n    Type: AWS::Serverless::Application\n    Properties: {Location: " + location + "}\n"
}

func (w *world) version(semantic, body string) error {
	_, err := w.CreateApplicationVersion(w.ctx, &api.CreateApplicationVersionInput{ApplicationId: aws.String(arn), SemanticVersion: &semantic, TemplateBody: &body})
	return err
}

func TestVersions(t *testing.T) {
	w := published(t)
	for _, v := range []string{"1.10.0", "1.9.0", "2.0.0-beta.2", "2.0.0-beta.11", "1.10.0+build.5"} {
		if err := w.version(v, template); err != nil {
			t.Fatal(err)
		}
	}
	w.refused("the same again", w.version("1.9.0", template), "ConflictException", "Cannot publish version 1.9.0 for application "+arn+" because it already exists")
	w.refused("no version", w.version("v1.0.0", template), "BadRequestException", "v1.0.0")
	_, err := w.CreateApplicationVersion(w.ctx, &api.CreateApplicationVersionInput{ApplicationId: aws.String(arn + "x"), SemanticVersion: aws.String("1.0.0"), TemplateBody: aws.String(template)})
	w.refused("another application", err, "NotFoundException", arn+"x")

	var all []string
	for token := (*string)(nil); ; {
		list, err := w.ListApplicationVersions(w.ctx, &api.ListApplicationVersionsInput{ApplicationId: aws.String(arn), MaxItems: aws.Int32(4), NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Versions {
			all = append(all, *v.SemanticVersion)
		}
		if token = list.NextToken; token == nil {
			break
		}
	}
	if want := []string{"1.0.0", "1.9.0", "1.10.0", "1.10.0+build.5", "2.0.0-beta.2", "2.0.0-beta.11"}; !slices.Equal(all, want) {
		t.Errorf("versions %v, want %v", all, want)
	}
	for asked, want := range map[string]string{"": "2.0.0-beta.11", "1.9.0": "1.9.0", "1.10.0+build.5": "1.10.0+build.5"} {
		got, err := w.GetApplication(w.ctx, &api.GetApplicationInput{ApplicationId: aws.String(arn), SemanticVersion: &asked})
		if err != nil || *got.Version.SemanticVersion != want {
			t.Errorf("asked for %q: %v, %v", asked, got, err)
		}
	}
	_, err = w.GetApplication(w.ctx, &api.GetApplicationInput{ApplicationId: aws.String(arn), SemanticVersion: aws.String("3.0.0")})
	w.refused("a version that is not there", err, "NotFoundException", "Application "+arn+" does not have a version 3.0.0")
}

// An application without a version can be described; what was sent along is looked at.
func TestNoVersion(t *testing.T) {
	w := newWorld(t)
	in := application1()
	in.SemanticVersion = nil
	made, err := w.CreateApplication(w.ctx, in)
	if err != nil || made.Version != nil {
		t.Fatalf("%v, %v", made, err)
	}
	if got, err := w.GetApplication(w.ctx, &api.GetApplicationInput{ApplicationId: aws.String(arn)}); err != nil || got.Version != nil {
		t.Errorf("%v, %v", got, err)
	}
	_, err = w.CreateCloudFormationTemplate(w.ctx, &api.CreateCloudFormationTemplateInput{ApplicationId: aws.String(arn)})
	w.refused("deploying it", err, "NotFoundException", "any versions")
}

func TestSemanticVersionsAreOrdered(t *testing.T) {
	parts := []string{"0.0.1", "0.1.0", "1.0.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1", "1.0.0+5", "10.0.0", "2.0.0"}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string) version { return version{Semantic: rapid.SampledFrom(parts).Draw(t, name)} }
		a, b, c := pick("a"), pick("b"), pick("c")
		if compare(a, b) != -compare(b, a) || (compare(a, b) == 0) != (a.Semantic == b.Semantic) {
			t.Fatalf("%s and %s are not ordered", a.Semantic, b.Semantic)
		}
		if compare(a, b) <= 0 && compare(b, c) <= 0 && compare(a, c) > 0 {
			t.Fatalf("%s, %s, %s go round", a.Semantic, b.Semantic, c.Semantic)
		}
	})
	for text, want := range map[string]bool{"1.0.0": true, "1.0.0-rc.1+b": true, "1": false, "1.0": false, "v1.0.0": false, "01.0.0": false, "1.0.0-": false, "": false, "1.0.0 ": false} {
		if isSemantic(text) != want {
			t.Errorf("%q is a semantic version: %v", text, !want)
		}
	}
}

func TestUpdate(t *testing.T) {
	w := published(t)
	up, err := w.UpdateApplication(w.ctx, &api.UpdateApplicationInput{ApplicationId: aws.String(arn), Description: aws.String("says so"), Labels: []string{"a", "b"}, ReadmeUrl: aws.String("s3://code/README.md")})
	if err != nil || *up.Description != "says so" || *up.Author != "ann" || len(up.Labels) != 2 || w.read(up.ReadmeUrl) != "# Read me" || *up.Version.SemanticVersion != "1.0.0" {
		t.Errorf("%+v, %v", up, err)
	}
	_, err = w.UpdateApplication(w.ctx, &api.UpdateApplicationInput{ApplicationId: aws.String(arn), Author: aws.String("Ann")})
	w.refused("an author in capitals", err, "BadRequestException", "author")
	_, err = w.UpdateApplication(w.ctx, &api.UpdateApplicationInput{ApplicationId: aws.String(arn + "x")})
	w.refused("another application", err, "NotFoundException", arn+"x")
}

func TestWhatATemplateAsksFor(t *testing.T) {
	w := published(t)
	for body, want := range map[string]struct {
		capabilities []types.Capability
		supported    bool
	}{
		"Resources: {T: {Type: AWS::DynamoDB::Table}}":                                                                                           {[]types.Capability{}, true},
		"Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r}}}":                                                                      {[]types.Capability{types.CapabilityCapabilityNamedIam}, true},
		"Resources: {P: {Type: AWS::SNS::TopicPolicy}, C: {Type: Custom::Own}}":                                                                  {[]types.Capability{types.CapabilityCapabilityResourcePolicy}, true},
		"Resources: {X: {Type: AWS::Nowhere::Thing}}":                                                                                            {[]types.Capability{}, false},
		nested("{ApplicationId: " + arn + ", SemanticVersion: 1.0.0}"):                                                                           {[]types.Capability{types.CapabilityCapabilityAutoExpand}, true},
		strings.Replace(template, "      MemorySize", "      Events: {A: {Type: Api, Properties: {Path: /, Method: get}}}\n      MemorySize", 1): {[]types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityResourcePolicy}, true},
	} {
		in := application1()
		in.Name, in.TemplateBody = aws.String("other"), &body
		made, err := w.CreateApplication(w.ctx, in)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(want.capabilities, made.Version.RequiredCapabilities); diff != "" || *made.Version.ResourcesSupported != want.supported {
			t.Errorf("%s: supported %v, -want +got: %s", body, *made.Version.ResourcesSupported, diff)
		}
		if _, err := w.DeleteApplication(w.ctx, &api.DeleteApplicationInput{ApplicationId: made.ApplicationId}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDependencies(t *testing.T) {
	w := published(t)
	name := func(n string) string { return strings.TrimSuffix(arn, "announcer") + n }
	for _, c := range [][2]string{{"middle", arn}, {"outer", name("middle")}} {
		in := application1()
		in.Name, in.TemplateBody = aws.String(c[0]), aws.String(nested("{ApplicationId: "+c[1]+", SemanticVersion: 1.0.0}"))
		if _, err := w.CreateApplication(w.ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for token := (*string)(nil); ; {
		list, err := w.ListApplicationDependencies(w.ctx, &api.ListApplicationDependenciesInput{ApplicationId: aws.String(name("outer")), MaxItems: aws.Int32(1), NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Dependencies {
			got = append(got, *d.ApplicationId+" "+*d.SemanticVersion)
		}
		if token = list.NextToken; token == nil {
			break
		}
	}
	if want := []string{name("middle") + " 1.0.0", arn + " 1.0.0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPolicy(t *testing.T) {
	w := published(t)
	put := func(p ...types.ApplicationPolicyStatement) (*api.PutApplicationPolicyOutput, error) {
		return w.PutApplicationPolicy(w.ctx, &api.PutApplicationPolicyInput{ApplicationId: aws.String(arn), Statements: p})
	}
	if got, err := w.GetApplicationPolicy(w.ctx, &api.GetApplicationPolicyInput{ApplicationId: aws.String(arn)}); err != nil || len(got.Statements) != 0 {
		t.Errorf("a new application is private: %v, %v", got, err)
	}
	everybody := types.ApplicationPolicyStatement{Principals: []string{"*"}, Actions: []string{"Deploy"}}
	shared := types.ApplicationPolicyStatement{StatementId: aws.String("org"), Principals: []string{"*"}, PrincipalOrgIDs: []string{"o-1234567890"}, Actions: []string{"Deploy", "UnshareApplication"}}
	out, err := put(everybody, shared)
	if err != nil || len(*out.Statements[0].StatementId) != 36 || *out.Statements[1].StatementId != "org" {
		t.Fatalf("%+v, %v", out, err)
	}
	for what, p := range map[string]types.ApplicationPolicyStatement{
		"principal 'me'":     {Principals: []string{"me"}, Actions: []string{"Deploy"}},
		"action 'Eat'":       {Principals: []string{"*"}, Actions: []string{"Eat"}},
		"needs principals":   {Principals: []string{}, Actions: []string{"Deploy"}},
		"organization ID":    {Principals: []string{"*"}, Actions: []string{"Deploy"}, PrincipalOrgIDs: []string{"x"}},
		"exceed 6144 charac": {Principals: slices.Repeat([]string{"123456789012"}, 500), Actions: []string{"Deploy"}},
	} {
		_, err := put(p)
		w.refused(what, err, "BadRequestException", what)
	}
	if _, err := w.UnshareApplication(w.ctx, &api.UnshareApplicationInput{ApplicationId: aws.String(arn), OrganizationId: aws.String("o-1234567890")}); err != nil {
		t.Fatal(err)
	}
	got, err := w.GetApplicationPolicy(w.ctx, &api.GetApplicationPolicyInput{ApplicationId: aws.String(arn)})
	if err != nil || len(got.Statements) != 1 || got.Statements[0].PrincipalOrgIDs != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = w.UnshareApplication(w.ctx, &api.UnshareApplicationInput{ApplicationId: aws.String(arn), OrganizationId: aws.String("o-1234567890")})
	w.refused("unsharing twice", err, "NotFoundException", "o-1234567890")

	in := application1()
	in.Name, in.SpdxLicenseId, in.LicenseUrl = aws.String("unlicensed"), nil, nil
	made, err := w.CreateApplication(w.ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.PutApplicationPolicy(w.ctx, &api.PutApplicationPolicyInput{ApplicationId: made.ApplicationId, Statements: []types.ApplicationPolicyStatement{everybody}})
	w.refused("public without a licence", err, "BadRequestException", "no license")
}

func TestTemplates(t *testing.T) {
	w := published(t)
	made, err := w.CreateCloudFormationTemplate(w.ctx, &api.CreateCloudFormationTemplateInput{ApplicationId: aws.String(arn)})
	if err != nil || made.Status != types.StatusActive || *made.SemanticVersion != "1.0.0" || *made.ExpirationTime != "2026-08-01T13:00:00.000Z" {
		t.Fatalf("%+v, %v", made, err)
	}
	get := func() (*api.GetCloudFormationTemplateOutput, error) {
		return w.GetCloudFormationTemplate(w.ctx, &api.GetCloudFormationTemplateInput{ApplicationId: aws.String(arn), TemplateId: made.TemplateId})
	}
	if got, err := get(); err != nil || got.Status != types.StatusActive || *got.TemplateUrl != *made.TemplateUrl {
		t.Errorf("%+v, %v", got, err)
	}
	w.clock.Advance(time.Hour)
	if got, err := get(); err != nil || got.Status != types.StatusExpired {
		t.Errorf("after an hour: %+v, %v", got, err)
	}
	_, err = w.CreateCloudFormationChangeSet(w.ctx, &api.CreateCloudFormationChangeSetInput{ApplicationId: aws.String(arn), StackName: aws.String("s"), TemplateId: made.TemplateId, Capabilities: []string{"CAPABILITY_IAM"}})
	w.refused("an expired template", err, "BadRequestException", "expired")
	w.clock.Advance(2 * time.Hour)
	if _, err := w.CreateCloudFormationTemplate(w.ctx, &api.CreateCloudFormationTemplateInput{ApplicationId: aws.String(arn)}); err != nil {
		t.Fatal(err)
	}
	_, err = get()
	w.refused("a template long gone", err, "NotFoundException", *made.TemplateId)
}

func TestChangeSet(t *testing.T) {
	w := published(t)
	in := &api.CreateCloudFormationChangeSetInput{ApplicationId: aws.String(arn), StackName: aws.String("mine"), Capabilities: []string{"CAPABILITY_NAMED_IAM", "CAPABILITY_RESOURCE_POLICY"},
		ParameterOverrides: []types.ParameterValue{{Name: aws.String("Greeting"), Value: aws.String("hi")}}, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
		NotificationArns: []string{"arn:topic"}, ResourceTypes: []string{"AWS::*"}, ChangeSetName: aws.String("c"), Description: aws.String("d"),
		RollbackConfiguration: &types.RollbackConfiguration{MonitoringTimeInMinutes: aws.Int32(5), RollbackTriggers: []types.RollbackTrigger{{Arn: aws.String("a"), Type: aws.String("t")}}}}
	out, err := w.CreateCloudFormationChangeSet(w.ctx, in)
	if err != nil || *out.ChangeSetId != "change-set" || *out.StackId != "stack" || *out.SemanticVersion != "1.0.0" || *out.ApplicationId != arn {
		t.Fatalf("%+v, %v", out, err)
	}
	a := w.asked
	if *a.StackName != "serverlessrepo-mine" || a.ChangeSetType != cfntypes.ChangeSetTypeCreate || *a.ChangeSetName != "c" || *a.Description != "d" || !slices.Equal(a.NotificationARNs, in.NotificationArns) ||
		!slices.Equal(a.ResourceTypes, in.ResourceTypes) || !slices.Equal(a.Capabilities, []cfntypes.Capability{"CAPABILITY_NAMED_IAM"}) || *a.Parameters[0].ParameterKey != "Greeting" ||
		*a.Parameters[0].ParameterValue != "hi" || len(a.Tags) != 3 || *a.Tags[0].Value != arn || *a.Tags[2].Key != "k" || *a.RollbackConfiguration.RollbackTriggers[0].Arn != "a" {
		t.Errorf("%+v", a)
	}
	if !strings.Contains(w.read(a.TemplateURL), "AWS::Serverless::Function") {
		t.Error("the URL is not the template's")
	}
	w.stack = &cfntypes.Stack{StackStatus: cfntypes.StackStatusCreateComplete}
	if _, err := w.CreateCloudFormationChangeSet(w.ctx, in); err != nil || w.asked.ChangeSetType != cfntypes.ChangeSetTypeUpdate {
		t.Errorf("%v, %v", w.asked.ChangeSetType, err)
	}
	in.Capabilities = nil
	_, err = w.CreateCloudFormationChangeSet(w.ctx, in)
	w.refused("nothing acknowledged", err, "BadRequestException", "Required capabilities [CAPABILITY_IAM] were not provided.")
	in.Capabilities, w.fails = []string{"CAPABILITY_IAM"}, &cfntypes.AlreadyExistsException{Message: aws.String("ChangeSet c already exists")}
	_, err = w.CreateCloudFormationChangeSet(w.ctx, in)
	w.refused("a change set that is there", err, "ConflictException", "ChangeSet c already exists")
	in.Capabilities = []string{"CAPABILITY_IAM", "CAPABILITY_ALL"}
	_, err = w.CreateCloudFormationChangeSet(w.ctx, in)
	w.refused("an unknown capability", err, "BadRequestException", "CAPABILITY_ALL")
	in.SemanticVersion = aws.String("7.0.0")
	_, err = w.CreateCloudFormationChangeSet(w.ctx, in)
	w.refused("a version that is not there", err, "NotFoundException", "7.0.0")
}
