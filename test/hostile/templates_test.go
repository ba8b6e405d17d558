package hostile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/cloudtest"
	"evo/internal/cli"
	"evo/internal/cli/app"
)

// limit is how long anything may take that is to be refused.
const limit = 20 * time.Second

// template is one that is refused, with what its author is told by the command line and by CloudFormation. Where the second is
// empty, both say the same.
type template struct {
	name, text string
	local      string
	cloud      string
}

const samHeader = "Transform: AWS::Serverless-2016-10-31\n"

var templates = []template{
	{"empty", "", "empty", "Value '' at 'templateBody'"},
	{"no YAML", "Resources: [", "template.yaml:1:", "YAML not well-formed"},
	{"no JSON", `{"Resources": {`, "template.yaml:1:", "JSON not well-formed"},
	{"a text", "hello", "a template must be a map", "unsupported structure"},
	{"a list", "[]", "a template must be a map", "unsupported structure"},
	{"bytes", "Resources:\n  A: \x00\x01\xff", "template.yaml", "ValidationError"},
	{"no resources", "Description: nothing", "At least one Resources member", ""},
	{"a key twice", "Resources:\n  A: {Type: AWS::S3::Bucket}\n  A: {Type: AWS::S3::Bucket}", "template.yaml:3:", "ValidationError"},
	{"deep JSON", "{\"Resources\":" + strings.Repeat(`{"A":`, 20_000) + "1" + strings.Repeat("}", 20_001), "template.yaml:1:", "ValidationError"},
	{"deep YAML", "Resources: " + strings.Repeat("{A: ", 20_000) + strings.Repeat("}", 20_000), "template.yaml:1:", "ValidationError"},
	{"deep blocks", deepBlocks(2000), "template.yaml:", "ValidationError"},
	{"bomb", bomb(), "template.yaml:", "ValidationError"},
	{"circle", "Resources:\n  A: {Type: AWS::S3::Bucket, DependsOn: B}\n  B: {Type: AWS::S3::Bucket, DependsOn: A}",
		"circular dependency between resources: A → B → A", "Circular dependency between resources: [A, B]"},
	{"alias of itself", "Resources: &a\n  A: *a", "template.yaml:", "ValidationError"},
	{"conditions in a circle", "Conditions: {A: !Condition B, B: !Condition A}\nResources: {R: {Type: AWS::S3::Bucket, Condition: A}}",
		"Circular dependency between conditions", ""},
	{"missing reference", "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Nothing}}}", "there is no resource or parameter Nothing", "Unresolved resource dependencies [Nothing]"},
	{"missing condition", "Resources: {A: {Type: AWS::S3::Bucket, Condition: C}}", "C", "ValidationError"},
	{"missing mapping", "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !FindInMap [M, a, b]}}}", "M", "ValidationError"},
	{"missing attribute", "Resources: {A: {Type: AWS::S3::Bucket}}\nOutputs: {O: {Value: !GetAtt B.Arn}}", "there is no resource B", "instance of Fn::GetAtt references undefined resource B"},
	{"unknown type", "Resources: {A: {Type: AWS::Nothing::AtAll}}", "there is no resource type AWS::Nothing::AtAll", "Unrecognized resource types"},
	{"resource of a wrong type", "Resources: {A: 3}", "Any Resources member must be an object", ""},
	{"SAM circle in Globals", samHeader + "Globals: 7\nResources: {F: {Type: AWS::Serverless::Function}}", "Globals", "ValidationError"},
	{"SAM without a runtime", samHeader + "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, CodeUri: s3://b/k, AutoPublishAlias: [x]}}}", "F", "ValidationError"},
	{"1 MB and more", samHeader + "Resources: {A: {Type: AWS::S3::Bucket}}\nMetadata: {A: " + strings.Repeat("x", 1<<20) + "}", "", "Member must have length less than or equal to 51200"},
}

func deepBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// bomb doubles a list over and over by aliases.
func bomb() string {
	var b strings.Builder
	b.WriteString("Metadata:\n  a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	b.WriteString("Resources: {A: {Type: AWS::S3::Bucket}}\n")
	return b.String()
}

func TestTemplates(t *testing.T) {
	c := cloudtest.New(t)
	client := cloudformation.NewFromConfig(c.Config("us-east-1"), func(o *cloudformation.Options) { o.RetryMaxAttempts = 1 })
	for _, tt := range templates {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if tt.local != "" {
				onTheCommandLine(t, ctx, tt)
			}
			want := tt.cloud
			if want == "" {
				want = tt.local
			}
			_, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: &tt.text,
				Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand}})
			refused(t, "CreateStack", err, want)
			changeSet(t, ctx, client, tt.text, want)
			nothingThere(t, ctx, client)
		})
	}
	// The cloud goes on.
	_, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("good"), TemplateBody: aws.String("Resources: {A: {Type: AWS::Logs::LogGroup}}")})
	if err != nil {
		t.Error(err)
	}
}

// onTheCommandLine runs validate, and transform where it looks at all of a template.
func onTheCommandLine(t *testing.T, ctx context.Context, tt template) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(tt.text), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := []string{"validate"}
	if strings.HasPrefix(tt.text, samHeader) {
		commands = append(commands, "transform")
	}
	for _, command := range commands {
		var out, told bytes.Buffer
		a := &app.App{Streams: app.Streams{In: strings.NewReader(""), Out: &out, Err: &told}, Env: func(string) string { return "" }, Dir: dir, Now: time.Now}
		if code := cli.Run(ctx, a, []string{command}); code != app.ExitFailure {
			t.Errorf("%s: exit code %d\n%.500s", command, code, told.String())
		}
		if !strings.Contains(told.String(), tt.local) || out.Len() > 0 {
			t.Errorf("%s: want %q, got %.500s%.500s", command, tt.local, told.String(), out.String())
		}
		if told.Len() > 16<<10 {
			t.Errorf("%s: %d bytes of complaint", command, told.Len())
		}
	}
}

func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: want %q, got %.500v", what, want, err)
	}
	if err != nil && strings.Contains(err.Error(), "InternalFailure") {
		t.Errorf("%s: %.500v", what, err)
	}
}

// changeSet makes a change set, which is refused at once, or fails with a reason; and takes away what it leaves, as a client does.
func changeSet(t *testing.T, ctx context.Context, client *cloudformation.Client, text, want string) {
	t.Helper()
	in := &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c"), ChangeSetType: types.ChangeSetTypeCreate, TemplateBody: &text}
	out, err := client.CreateChangeSet(ctx, in)
	if err != nil {
		refused(t, "CreateChangeSet", err, want)
		return
	}
	for {
		d, err := client.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: out.Id})
		if err != nil {
			t.Fatal(err)
		}
		if d.Status == types.ChangeSetStatusFailed {
			if reason := aws.ToString(d.StatusReason); want != "ValidationError" && !strings.Contains(reason, want) || reason == "" {
				t.Errorf("the change set's reason: want %q, got %.500s", want, reason)
			}
			break
		}
		if d.Status == types.ChangeSetStatusCreateComplete {
			t.Error("the change set is there")
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: out.StackId}); err != nil {
		t.Fatal(err)
	}
}

func nothingThere(t *testing.T, ctx context.Context, client *cloudformation.Client) {
	t.Helper()
	for {
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Stacks) == 0 {
			return
		}
		if s := out.Stacks[0]; s.StackStatus != types.StackStatusReviewInProgress && s.StackStatus != types.StackStatusDeleteInProgress {
			t.Fatalf("stack %s is left, in %s", *s.StackName, s.StackStatus)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
