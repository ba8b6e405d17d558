package argv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("deploy", pflag.ContinueOnError)
	fs.StringArray("parameter-overrides", nil, "")
	fs.StringArray("capabilities", nil, "")
	fs.StringP("template", "t", "", "")
	fs.BoolP("guided", "g", false, "")
	fs.Bool("confirm-changeset", false, "")
	fs.Bool("no-execute-changeset", false, "")
	fs.String("cache-dir", "", "")
	fs.String("stack-name", "", "")
	MarkList(fs, "parameter-overrides", "capabilities")
	MarkAlias(fs, "cache-dir", "cd")
	return fs
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"--capabilities A B --stack-name s", "--capabilities=A|--capabilities=B|--stack-name=s"},
		{"--capabilities=A B", "--capabilities=A|--capabilities=B"},
		{"--parameter-overrides A=1 B=2 -g", "--parameter-overrides=A=1|--parameter-overrides=B=2|--guided"},
		{"--parameter-overrides ParameterKey=A,ParameterValue=1", "--parameter-overrides=ParameterKey=A,ParameterValue=1"},
		{"--capabilities", "--capabilities"},
		{"-cd here", "--cache-dir=here"},
		{"-cd=here", "--cache-dir=here"},
		{"-t a.yaml -g", "--template=a.yaml|--guided"},
		{"--no-confirm-changeset", "--confirm-changeset=false"},
		{"--no-execute-changeset", "--no-execute-changeset"},
		{"--no-such --guided", "--no-such|--guided"},
		{"--stack-name", "--stack-name"},
		{"--stack-name -1", "--stack-name=-1"},
		{"id -t - -- -g", "id|--template=-|--|-g"},
	} {
		if got := strings.Join(Normalize(flags(), strings.Fields(c.in)), "|"); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestOneQuotedWordHoldsAList(t *testing.T) {
	got := Normalize(flags(), []string{"--parameter-overrides", `A=1 B="x y" C=`})
	want := []string{"--parameter-overrides=A=1", "--parameter-overrides=B=x y", "--parameter-overrides=C="}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatIsNormalizedParses(t *testing.T) {
	fs := flags()
	if err := fs.Parse(Normalize(fs, []string{"--parameter-overrides", "A=1", "B=2", "-cd", "d", "--no-guided", "word"})); err != nil {
		t.Fatal(err)
	}
	got, _ := fs.GetStringArray("parameter-overrides")
	if d := cmp.Diff([]string{"A=1", "B=2"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"word"}, fs.Args()); d != "" {
		t.Error(d)
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("--capabilities A B -cd x -- y")
	f.Add(`--parameter-overrides "A=' B"`)
	f.Fuzz(func(t *testing.T, line string) {
		fs := flags()
		_ = fs.Parse(Normalize(fs, strings.Split(line, " "))) // must not panic
	})
}
