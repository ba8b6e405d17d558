package samconfig

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const sample = `# ours
version = 0.1

[default.global.parameters]
stack_name = "shop"
region = "eu-west-1" # home

[default.deploy.parameters]
capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
confirm_changeset = true
stack_name = "shop-dev"
parameter_overrides = { B = 2, A = "x y" }
max_wait_duration = 5

[prod.local_invoke.parameters]
event = "e.json"
`

func TestValues(t *testing.T) {
	f, err := Find(fstest.MapFS{"app/samconfig.toml": {Data: []byte(sample)}, "app/samconfig.yml": {}}, "app")
	if err != nil {
		t.Fatal(err)
	}
	if f.Path != "app/samconfig.toml" || f.Ignored != "app/samconfig.yml" {
		t.Errorf("read %q, ignored %q", f.Path, f.Ignored)
	}
	want := map[string][]string{
		"stack-name":          {"shop-dev"},
		"region":              {"eu-west-1"},
		"capabilities":        {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"},
		"confirm-changeset":   {"true"},
		"parameter-overrides": {"A=x y", "B=2"},
		"max-wait-duration":   {"5"},
	}
	if d := cmp.Diff(want, f.Values("default", "deploy")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string][]string{"event": {"e.json"}}, f.Values("prod", "local invoke")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"default", "prod"}, f.Environments()); d != "" {
		t.Error(d)
	}
}

func TestYAMLAndNothing(t *testing.T) {
	f, err := Find(fstest.MapFS{"samconfig.yaml": {Data: []byte("version: 0.1\ndefault: {deploy: {parameters: {stack_name: s}}}")}}, ".")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Values("default", "deploy")["stack-name"]; len(got) != 1 || got[0] != "s" {
		t.Errorf("got %q", got)
	}
	f, err = Find(fstest.MapFS{}, ".")
	if err != nil || len(f.Values("default", "deploy")) != 0 {
		t.Errorf("values %v, error %v", f.Values("default", "deploy"), err)
	}
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"version = 0.1\n[default\n":                       "line 2",
		"[default.deploy.parameters]\nstack_name = 's'\n": "no version",
	} {
		_, err := Find(fstest.MapFS{"samconfig.toml": {Data: []byte(text)}}, ".")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestSaveKeepsTheRest(t *testing.T) {
	got, err := Save([]byte(sample), "default", "deploy", []Parameter{
		{"confirm-changeset", false}, {"s3-prefix", "shop"}, {"capabilities", []string{"CAPABILITY_IAM"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(sample, "confirm_changeset = true", "confirm_changeset = false", 1)
	want = strings.Replace(want, `["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]`, `['CAPABILITY_IAM']`, 1)
	want = strings.Replace(want, "max_wait_duration = 5\n", "max_wait_duration = 5\ns3_prefix = 'shop'\n", 1)
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestSaveMakesFileAndTable(t *testing.T) {
	got, err := Save(nil, "default", "local invoke", []Parameter{{"event", "e.json"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "version = 0.1\n\n[default.local_invoke.parameters]\nevent = 'e.json'\n"
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}
