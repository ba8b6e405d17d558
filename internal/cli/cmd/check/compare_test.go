package check

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/cloudtest"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/inventory"
)

const stored = `
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: compared
      VersioningConfiguration: {Status: Enabled}
`

func TestCompare(t *testing.T) {
	cfg := cloudtest.InProcess(t).Config("us-east-1")
	deploy(t, cfg, "shop", stored)
	out, err := run(t, cfg, "json", "--compare", "--stack-name", "shop", "--rule", "s3-bucket-versioning-enabled")
	if err != nil {
		t.Fatalf("as its template says, and: %v\n%s", err, out)
	}
	_, err = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("compared"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	if err != nil {
		t.Fatal(err)
	}
	out, err = run(t, cfg, "json", "--compare", "--stack-name", "shop", "--rule", "s3-bucket-versioning-enabled")
	if app.Code(err) != app.ExitFailure || !app.Silent(err) {
		t.Errorf("a stack that has drifted ends with %v", err)
	}
	var got drift
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := difference{Resource: "Data", Type: "AWS::S3::Bucket", Path: "VersioningConfiguration.Status", Kind: "changed", Template: "Enabled", Live: "Suspended"}
	if !slices.Contains(got.Differences, want) {
		t.Errorf("differences: %+v", got.Differences)
	}
	if len(got.Rules) != 1 || got.Rules[0].Template != "COMPLIANT" || got.Rules[0].Live != "NON_COMPLIANT" || got.Rules[0].Resource != "Data" {
		t.Errorf("rules: %+v", got.Rules)
	}
	out, _ = run(t, cfg, "text", "--compare", "--stack-name", "shop")
	if !strings.Contains(out, "1 differences from its template") || !strings.Contains(out, "VersioningConfiguration.Status") {
		t.Errorf("as text: %s", out)
	}
}

func TestCompareUsage(t *testing.T) {
	if _, err := run(t, aws.Config{}, "text", "--compare"); app.Code(err) != app.ExitUsage {
		t.Errorf("without a stack: %v", err)
	}
	if _, err := run(t, aws.Config{}, "sarif", "--compare", "--stack-name", "x"); app.Code(err) != app.ExitUsage {
		t.Errorf("as sarif: %v", err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	password := cfn.Str("hunter2")
	for _, c := range []struct {
		path string
		n    *cfn.Node
	}{
		{"Environment.Variables.PASSWORD", password},
		{"Environment", cfn.Obj(cfn.P("Variables", cfn.Obj(cfn.P("PASSWORD", password))))},
		{"Variables.token", password},
		{"Config", cfn.Obj(cfn.P("Environment", cfn.Obj(cfn.P("Variables", cfn.Obj(cfn.P("PASSWORD", password))))))},
		{"", cfn.Obj(cfn.P("Environment", password))},
	} {
		if got := shown(inventory.Difference{Path: c.path}, c.n); strings.Contains(got, "hunter2") {
			t.Errorf("%s is shown as %s", c.path, got)
		}
	}
	if got := shown(inventory.Difference{Path: "Timeout"}, cfn.Integer(3)); got != "3" {
		t.Errorf("3 is shown as %s", got)
	}
}

func run(t *testing.T, cfg aws.Config, output string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	a := &app.App{Dir: t.TempDir(), Env: func(string) string { return "" }, Now: time.Now,
		AWS: func(context.Context) (aws.Config, error) { return cfg, nil }}
	a.Out, a.Err, a.Output = &out, &out, output
	cmd := New(a)
	cmd.SetArgs(args)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func deploy(t *testing.T, cfg aws.Config, stack, template string) {
	t.Helper()
	client := cloudformation.NewFromConfig(cfg)
	if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &stack, TemplateBody: &template}); err != nil {
		t.Fatal(err)
	}
	quick := func(o *cloudformation.StackCreateCompleteWaiterOptions) { o.MinDelay = 10 * time.Millisecond }
	if err := cloudformation.NewStackCreateCompleteWaiter(client, quick).Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack}, time.Minute); err != nil {
		t.Fatal(err)
	}
}
