// Package translator answers: does evo transform templates that nobody wrote as AWS's own translator does? Cases of the conformance data are
// changed by chance, from a seed, and go through both.
package translator

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"evo/internal/cfn"
	"evo/internal/sam"
)

var (
	python = flag.String("python", "", "a Python that has aws-sam-translator; without it the test is skipped")
	seed   = flag.Uint64("seed", 1, "of the templates")
	count  = flag.Int("n", 3000, "templates")
	keep   = flag.String("keep", "", "a folder for the templates that are transformed differently")
	bases  = flag.String("bases", ".", "the cases to change, by a regular expression")
)

var places = []struct{ Partition, Region string }{
	{"aws", "ap-southeast-1"}, {"aws", "us-east-1"}, {"aws-cn", "cn-north-1"}, {"aws-us-gov", "us-gov-west-1"},
}

// outcome is what a translator makes of a template.
type outcome struct {
	Template any    `json:"template"`
	Message  string `json:"message"`
	Crash    string `json:"crash"`
}

func TestTranslator(t *testing.T) {
	if *python == "" {
		t.Skip("skipped: AWS's translator is not here; test/translator.sh installs it")
	}
	m := newMutator(*seed, conformance(t))
	ask := reference(t)
	counts := map[string]int{}
	for i := range *count {
		template, place := m.template(), places[m.r.IntN(len(places))]
		text, err := template.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		theirs := ask(text, place.Partition, place.Region)
		ours := transform(t, text, place.Region)
		verdict, difference := compare(ours, theirs)
		counts[verdict]++
		if difference != "" {
			t.Errorf("template %d in %s: %s", i, place.Region, difference)
			save(t, i, text)
		}
	}
	t.Logf("seed %d: %v", *seed, counts)
}

// conformance are the templates to change: those that the translator takes, without nested applications, which it asks AWS for.
func conformance(t *testing.T) []*cfn.Node {
	t.Helper()
	dir := os.Getenv("EVO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "sam", "input", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Skip("skipped: there is no conformance data")
	}
	chosen := regexp.MustCompile(*bases)
	var templates []*cfn.Node
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(path); strings.HasPrefix(name, "error_") || !chosen.MatchString(name) || strings.Contains(string(text), "AWS::Serverless::Application\n") {
			continue
		}
		if n, err := cfn.Parse(path, text); err == nil && n.Get("Resources").Is(cfn.Map) {
			templates = append(templates, n)
		}
	}
	return templates
}

// reference starts AWS's translator, which answers until the test ends.
func reference(t *testing.T) func(template []byte, partition, region string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), *python, "reference.py")
	cmd.Env = append(os.Environ(), "PYTHONHASHSEED=0")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	return func(template []byte, partition, region string) (o outcome) {
		if _, err := fmt.Fprintf(in, `{"template":%s,"partition":%q,"region":%q}`+"\n", template, partition, region); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadBytes('\n')
		if err == nil || err == io.EOF && len(line) > 0 {
			err = json.Unmarshal(line, &o)
		}
		if err != nil {
			t.Fatalf("read the translator's answer: %v", err)
		}
		return o
	}
}

// transform is what evo makes of a template, read and written as text.
func transform(t *testing.T, text []byte, region string) (o outcome) {
	t.Helper()
	n, err := cfn.Parse("template.json", text)
	if err != nil {
		t.Fatal(err)
	}
	made, err := sam.Transform(n, sam.Options{Region: region, Now: time.Unix(0, 0)})
	if err != nil {
		return outcome{Message: err.Error()}
	}
	out, err := made.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(out, &o.Template)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// mark is how the translator's messages show a template's text; the conformance data has it removed from words.
var mark = regexp.MustCompile(`u'([A-Za-z0-9]*)'`)

func compare(ours, theirs outcome) (verdict, difference string) {
	plain := func(s string) string { return mark.ReplaceAllString(s, "'$1'") }
	switch {
	case theirs.Crash != "":
		return "the translator fails", ""
	case (ours.Message == "") != (theirs.Message == ""):
		return "different", fmt.Sprintf("one of them takes it: evo says %q, AWS %q", ours.Message, theirs.Message)
	case plain(ours.Message) != plain(theirs.Message):
		return "different", fmt.Sprintf("the messages differ:\n%s\n%s", ours.Message, theirs.Message)
	case ours.Message != "":
		return "same message", ""
	case canonical(ours.Template) == canonical(theirs.Template):
		return "same result", ""
	}
	var found []string
	differences("", ours.Template, theirs.Template, &found)
	return "different", "the results differ:\n" + strings.Join(found, "\n")
}

// canonical is a value as text in which no order of a list or map shows: the translator's own varies from run to run.
func canonical(v any) string {
	var parts []string
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			parts = append(parts, fmt.Sprintf("%q:%s", k, canonical(x)))
		}
	case []any:
		for _, x := range v {
			parts = append(parts, canonical(x))
		}
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
	sort.Strings(parts)
	return fmt.Sprintf("%T%s", v, parts)
}

// differences tells where two values differ, three places at most.
func differences(path string, ours, theirs any, found *[]string) {
	if len(*found) >= 3 || canonical(ours) == canonical(theirs) {
		return
	}
	a, maps := ours.(map[string]any)
	b, both := theirs.(map[string]any)
	if !maps || !both {
		*found = append(*found, fmt.Sprintf("%s: %.300s, AWS has %.300s", path, shown(ours), shown(theirs)))
		return
	}
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		differences(path+"."+k, a[k], b[k], found)
	}
}

func shown(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func save(t *testing.T, i int, text []byte) {
	t.Helper()
	if *keep == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*keep, fmt.Sprintf("%d-%d.json", *seed, i)), text, 0o644); err != nil {
		t.Error(err)
	}
}
