package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/cloudtest"
	"evo/internal/cli/app"
)

// person is somebody at a terminal, in a folder of their own, with a cloud.
type person struct {
	t   *testing.T
	dir string
	cfg aws.Config
}

func newPerson(t *testing.T, files map[string]string) *person {
	t.Helper()
	p := &person{t: t, dir: t.TempDir(), cfg: cloudtest.New(t).Config("us-east-1")}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// run runs a command, answering its questions, and returns its exit code and what it told.
func (p *person) run(answers string, args ...string) (code int, told string) {
	p.t.Helper()
	var out bytes.Buffer
	a := &app.App{
		Streams: app.Streams{In: strings.NewReader(answers), Out: &out, Err: &out, Interactive: true},
		Env:     func(string) string { return "" }, Dir: p.dir, Now: time.Now,
		AWS: func(context.Context) (aws.Config, error) { return p.cfg, nil },
	}
	code = Run(p.t.Context(), a, args)
	return code, out.String()
}

const guidedTemplate = `Parameters:
  Stage: {Type: String, Default: dev}
  Secret: {Type: String, Default: of-the-template, NoEcho: true}
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
Outputs:
  Stage: {Value: !Ref Stage}
`

func TestGuided(t *testing.T) {
	p := newPerson(t, map[string]string{"template.yaml": guidedTemplate, "samconfig.toml": "version = 0.1\n\n# ours\n[default.build.parameters]\ncached = true\n"})
	answers := strings.Join([]string{"shop", "", "prod", "hunter22", "y", "perhaps", "y", "n", "y", "", "", "y"}, "\n") + "\n"
	code, told := p.run(answers, "deploy", "--guided")
	if code != app.ExitOK {
		t.Fatalf("exit code %d:\n%s", code, told)
	}
	for _, want := range []string{"Stack Name [sam-app]: ", "AWS Region [us-east-1]: ", "Parameter Stage [dev]: ", "Parameter Secret [*****]: ",
		"Please answer y or n.", "Deploy this changeset? [y/N]: ", "Stack shop is deployed", "prod"} {
		if !strings.Contains(told, strings.Replace(want, "changeset", "change set", 1)) {
			t.Errorf("%q is not told:\n%s", want, told)
		}
	}
	if strings.Contains(told, "hunter22") || strings.Contains(told, "of-the-template") {
		t.Errorf("a secret is shown:\n%s", told)
	}
	saved, err := os.ReadFile(filepath.Join(p.dir, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(saved)
	for _, want := range []string{"# ours", "cached = true", "stack_name = 'shop'", "Stage=prod", "CAPABILITY_IAM", "confirm_changeset = true", "region = 'us-east-1'"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not saved:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter22") {
		t.Errorf("a secret is saved:\n%s", text)
	}

	// From now on, deploy is enough: it asks only what it was told to ask.
	code, told = p.run("", "deploy")
	if code != app.ExitOK || !strings.Contains(told, "Stack shop is up to date") {
		t.Errorf("exit code %d:\n%s", code, told)
	}
	code, told = p.run("n\n", "deploy", "--parameter-overrides", "Stage=test")
	if code != app.ExitFailure || !strings.Contains(told, "not deployed") {
		t.Errorf("declined: exit code %d:\n%s", code, told)
	}
	code, told = p.run("", "deploy", "--parameter-overrides", "Stage=test")
	if code != app.ExitFailure || !strings.Contains(told, "no answer: the input has ended") {
		t.Errorf("no answer: exit code %d:\n%s", code, told)
	}
}

func TestDeleteAsks(t *testing.T) {
	p := newPerson(t, map[string]string{"template.yaml": guidedTemplate})
	if code, told := p.run("", "deploy", "--stack-name", "shop"); code != app.ExitOK {
		t.Fatal(told)
	}
	if code, told := p.run("n\n", "delete", "--stack-name", "shop"); code != app.ExitFailure || !strings.Contains(told, "not deleted") || !strings.Contains(told, "[y/N]") {
		t.Errorf("exit code %d:\n%s", code, told)
	}
	if code, told := p.run("yes\n", "delete", "--stack-name", "shop"); code != app.ExitOK || !strings.Contains(told, "Deleted stack shop") {
		t.Errorf("exit code %d:\n%s", code, told)
	}
}

func TestInterrupted(t *testing.T) {
	p := newPerson(t, map[string]string{"template.yaml": guidedTemplate})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var told bytes.Buffer
	a := &app.App{Streams: app.Streams{In: strings.NewReader(""), Out: &told, Err: &told}, Env: func(string) string { return "" }, Dir: p.dir, Now: time.Now,
		AWS: func(context.Context) (aws.Config, error) { return p.cfg, nil }}
	if code := Run(ctx, a, []string{"deploy", "--stack-name", "shop"}); code != app.ExitInterrupted {
		t.Errorf("exit code %d:\n%s", code, told.String())
	}
}
