package gate

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evo/internal/cfn"
)

var update = flag.Bool("update", false, "write the golden files")

const shop = `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    AutoPublishAlias: live
Resources:
  Gradual:
    Type: AWS::Serverless::Function
    Properties:
      DeploymentPreference: {Type: Linear10PercentEvery1Minute}
  OwnHook:
    Type: AWS::Serverless::Function
    Properties:
      DeploymentPreference: {Type: Canary10Percent5Minutes, Hooks: {PreTraffic: !Ref Hook}}
  Off:
    Type: AWS::Serverless::Function
    Properties:
      DeploymentPreference: {Enabled: false}
  AtOnce:
    Type: AWS::Serverless::Function
    Properties: {Handler: x}
  Data:
    Type: AWS::S3::Bucket
`

func parse(t *testing.T, text string) *cfn.Node {
	t.Helper()
	n, err := cfn.Parse("template.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func options() Options {
	return Options{
		Stack:      "shop",
		Release:    Release{Number: 3, Name: "Encryption At Rest", Digest: "d1", Bucket: "code", Prefix: "evo/shop"},
		CodeBucket: "code", CodeKey: "evo/hook/abc.zip", Architecture: "arm64",
		Resources: []Resource{
			{"Gradual", "AWS::Lambda::Function"}, {"GradualVersionabc", "AWS::Lambda::Version"}, {"GradualAliaslive", "AWS::Lambda::Alias"},
			{"ServerlessDeploymentApplication", "AWS::CodeDeploy::Application"}, {"Data", "AWS::S3::Bucket"},
		},
		Statements: []Statement{{Actions: []string{"s3:GetEncryptionConfiguration"}, Resources: []*cfn.Node{cfn.Str("*")}}},
	}
}

func TestInstall(t *testing.T) {
	before := parse(t, shop)
	after, err := Install(before, options())
	if err != nil {
		t.Fatal(err)
	}
	if !before.Equal(parse(t, shop)) {
		t.Error("the template that was given has changed")
	}
	got := after.YAML()
	if *update {
		if err := os.WriteFile("testdata/shop.golden", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/shop.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got, -update writes it:\n%s", diff)
	}
	if r, ok := ReleaseOf(after); !ok || r != options().Release {
		t.Errorf("the release is read back as %+v", r)
	}
	if _, ok := ReleaseOf(before); ok {
		t.Error("a template without a gate has a release")
	}
}

func TestGlobalPreferenceIsHooked(t *testing.T) {
	for _, c := range []struct {
		preference, own string
		hooked          bool
	}{
		{"{Type: AllAtOnce}", "{Handler: x}", true},
		{"{Type: AllAtOnce}", "{DeploymentPreference: {Enabled: false}}", false},
		{"{Type: AllAtOnce, Enabled: false}", "{Handler: x}", false},
		{"{Type: AllAtOnce, Enabled: false}", "{DeploymentPreference: {Enabled: true}}", true},
		{"{Type: AllAtOnce, Hooks: {PreTraffic: x}}", "{Handler: x}", false},
		{"{Type: AllAtOnce}", "{DeploymentPreference: {Fn::If: [A, {Type: AllAtOnce}, {}]}}", false},
	} {
		template := parse(t, "Globals: {Function: {DeploymentPreference: "+c.preference+"}}\n"+
			"Resources: {F: {Type: AWS::Serverless::Function, Properties: "+c.own+"}}\n")
		after, err := Install(template, options())
		if err != nil {
			t.Fatal(err)
		}
		if got := after.At("Resources", "F", "Properties", "DeploymentPreference").Has("Hooks"); got != c.hooked {
			t.Errorf("%s, %s: hooked is %v, not %v", c.preference, c.own, got, c.hooked)
		}
	}
}

func TestNamesAreEvos(t *testing.T) {
	_, err := Install(parse(t, "Resources: {EvoReleaseGate: {Type: AWS::S3::Bucket}}"), options())
	if err == nil || !strings.Contains(err.Error(), "EvoReleaseGate") {
		t.Errorf("error is %v", err)
	}
}

func TestHookName(t *testing.T) {
	if got := HookName("shop"); got != "CodeDeployHook_shop_EvoFitness" {
		t.Error(got)
	}
	a, b := HookName(strings.Repeat("x", 127)+"a"), HookName(strings.Repeat("x", 127)+"b")
	if len(a) != 64 || a == b {
		t.Errorf("%s (%d), %s", a, len(a), b)
	}
}
