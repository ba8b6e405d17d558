package sam_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"evo/internal/cfn"
	"evo/internal/sam"
	"evo/internal/source"
)

var (
	show        = flag.String("case", "", "show how the conformance case of this name differs")
	updateKnown = flag.Bool("update-known", false, "rewrite the list of conformance cases that do not pass yet")
)

// conformanceDir holds the cases of AWS's own transform. It is no part of the project: without it the test is skipped.
func conformanceDir(t testing.TB) string {
	dir := filepath.Join(conformanceRoot(), "sam")
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
		t.Skipf("no conformance cases in %s; set EVO_CONFORMANCE to the folder that holds sam/manifest.json", dir)
	}
	return dir
}

func conformanceRoot() string {
	if root := os.Getenv("EVO_CONFORMANCE"); root != "" {
		return root
	}
	return filepath.Join("..", "..", "..", "shared", "conformance")
}

type manifest struct {
	Cases []conformanceCase `json:"cases"`
}

func cases(t *testing.T, dir string) []conformanceCase {
	t.Helper()
	var m manifest
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m.Cases
}

type conformanceCase struct {
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Parameters map[string]string `json:"parameters"`
	Regions    map[string]string `json:"regions"`
	Toggles    string            `json:"feature_toggles"`
	ListOrder  map[string]string `json:"list_order"`
}

var partitions = []struct{ name, region, dir string }{
	{"aws", "ap-southeast-1", "expected"}, {"aws-cn", "cn-north-1", "expected-cn"}, {"aws-us-gov", "us-gov-west-1", "expected-gov"},
}

// repository answers as the Serverless Application Repository of the cases does.
type repository struct{}

func (repository) Template(id, _ string) (sam.ApplicationTemplate, error) {
	if slices.Contains([]string{"no-access", "non-existent", "invalid-semver"}, id) {
		return sam.ApplicationTemplate{}, fmt.Errorf("Cannot access application: %s.", id)
	}
	const url = "https://awsserverlessrepo-changesets-xxx.s3.amazonaws.com/signed-url"
	return sam.ApplicationTemplate{URL: url, TimedOut: id == "preparing-never-ready"}, nil
}

func (c conformanceCase) options(region string) sam.Options {
	o := sam.Options{Region: region, Parameters: c.Parameters, Applications: repository{}, Now: time.Unix(0, 0)}
	if c.Toggles == "all" {
		o.Toggles = func(string) bool { return true }
	}
	return o
}

// TestConformance runs all cases. Those in testdata/conformance_known.txt may fail; any other that fails is a regression, and
// one in the list that passes must leave it.
func TestConformance(t *testing.T) {
	dir := conformanceDir(t)
	known := readKnown(t)
	passed, total := map[string]int{}, map[string]int{}
	var failing []string
	for _, c := range cases(t, dir) {
		total[c.Kind]++
		diff := c.run(t, dir)
		if *show == c.Name {
			t.Logf("%s:\n%s", c.Name, diff)
		}
		switch {
		case diff == "":
			passed[c.Kind]++
			if known[c.Name] && !*updateKnown {
				t.Errorf("%s passes now: take it off the list", c.Name)
			}
		default:
			failing = append(failing, c.Name)
			if !known[c.Name] && !*updateKnown {
				t.Errorf("%s fails: %s", c.Name, firstLine(diff))
			}
		}
	}
	for _, kind := range []string{"success", "error"} {
		t.Logf("%s: %d of %d pass", kind, passed[kind], total[kind])
	}
	sort.Strings(failing)
	t.Logf("not passing: %s", strings.Join(failing, " "))
	if *updateKnown {
		writeKnown(t, failing)
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if len(line) > 300 {
		line = line[:300] + "…"
	}
	return line
}

const knownFile = "testdata/conformance_known.txt"

func readKnown(t *testing.T) map[string]bool {
	text, err := os.ReadFile(knownFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			known[line] = true
		}
	}
	return known
}

func writeKnown(t *testing.T, names []string) {
	text := "# Conformance cases that do not pass yet. Take a name off when it passes; never add one to get by.\n"
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(knownFile, []byte(text+strings.Join(append(names, ""), "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run is what is wrong with a case, "" if nothing is.
func (c conformanceCase) run(t *testing.T, dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "input", c.Name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := cfn.Parse(c.Name+".yaml", text)
	if err != nil {
		return err.Error()
	}
	if c.Kind == "error" {
		return c.runError(t, dir, template)
	}
	for _, p := range partitions {
		out, err := sam.Transform(template, c.options(p.region))
		if err != nil {
			return p.name + ": " + err.Error()
		}
		got, err := out.MarshalJSON()
		if err != nil {
			return err.Error()
		}
		want, err := os.ReadFile(filepath.Join(dir, p.dir, c.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := compareJSON(t, got, want, c.ListOrder[p.name] == "exact"); diff != "" {
			return p.name + ": " + diff
		}
	}
	return ""
}

func (c conformanceCase) runError(t *testing.T, dir string, template *cfn.Node) string {
	text, err := os.ReadFile(filepath.Join(dir, "errors", c.Name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	_, err = sam.Transform(template, c.options("ap-southeast-1"))
	if err == nil {
		return "no error, want " + want.Message
	}
	if err.Error() != want.Message {
		return fmt.Sprintf("got  %s\nwant %s", err, want.Message)
	}
	return ""
}

// compareJSON compares as JSON: keys in any order, numbers by value, and lists as multisets unless exact.
func compareJSON(t *testing.T, got, want []byte, exact bool) string {
	g, w := canonical(decode(t, got), exact), canonical(decode(t, want), exact)
	if g == w {
		return ""
	}
	return differences("", decode(t, got), decode(t, want), exact)
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func canonical(v any, exact bool) string {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		var parts []string
		for _, k := range keys {
			parts = append(parts, fmt.Sprintf("%q:%s", k, canonical(v[k], exact)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = canonical(item, exact)
		}
		if !exact {
			sort.Strings(parts)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	out, _ := json.Marshal(v)
	return string(out)
}

func differences(path string, got, want any, exact bool) string {
	if canonical(got, exact) == canonical(want, exact) {
		return ""
	}
	g, isMap := got.(map[string]any)
	w, isMap2 := want.(map[string]any)
	if !isMap || !isMap2 {
		gl, isList := got.([]any)
		wl, isList2 := want.([]any)
		if isList && isList2 && len(gl) == len(wl) && exact {
			var b strings.Builder
			for i := range gl {
				b.WriteString(differences(fmt.Sprintf("%s[%d]", path, i), gl[i], wl[i], exact))
			}
			return b.String()
		}
		return fmt.Sprintf("%s: got %s want %s\n", path, canonical(got, exact), canonical(want, exact))
	}
	var b strings.Builder
	for k := range w {
		if _, ok := g[k]; !ok {
			fmt.Fprintf(&b, "%s: lacks %s = %s\n", path, k, canonical(w[k], exact))
		}
	}
	for k := range g {
		if _, ok := w[k]; !ok {
			fmt.Fprintf(&b, "%s: has %s = %s\n", path, k, canonical(g[k], exact))
		} else {
			b.WriteString(differences(path+"/"+k, g[k], w[k], exact))
		}
	}
	return b.String()
}

// Every resource that is made, of every case, leads to where something of it stands in the template.
func TestEveryResourceHasAnOrigin(t *testing.T) {
	dir := conformanceDir(t)
	for _, c := range cases(t, dir) {
		if c.Kind != "success" {
			continue
		}
		out, err := sam.Transform(c.template(t, dir), c.options("eu-west-1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Get("Resources").Entries() {
			if !p.KeySpan.IsValid() || !p.Value.Span.IsValid() {
				t.Errorf("%s: %s (%s) has no place", c.Name, p.Key, p.Value.Get("Type").Str())
			}
		}
	}
}

// What the tables of properties find in templates that can be transformed would be a false alarm.
func TestNoProblemsWhereThereAreNone(t *testing.T) {
	dir := conformanceDir(t)
	for _, c := range cases(t, dir) {
		if c.Kind == "success" {
			for _, d := range sam.Problems(c.template(t, dir), c.options("eu-west-1")) {
				t.Errorf("%s: %v", c.Name, d)
			}
		}
	}
}

var named = regexp.MustCompile(`Resource with id \[([A-Za-z0-9]+)\]`)

// Every resource that AWS's message names has a diagnostic with a place in it.
func TestErrorsHavePlaces(t *testing.T) {
	dir := conformanceDir(t)
	for _, c := range cases(t, dir) {
		if c.Kind != "error" {
			continue
		}
		template := c.template(t, dir)
		_, err := sam.Transform(template, c.options("ap-southeast-1"))
		e, ok := sam.AsError(err)
		if !ok {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		ds := e.Diagnostics(c.Name)
		if len(ds) == 0 {
			t.Errorf("%s: no diagnostic", c.Name)
		}
		for _, d := range ds {
			if !d.Span.IsValid() && template.Has("Resources") {
				t.Errorf("%s: no place: %v", c.Name, d)
			}
		}
		for _, m := range named.FindAllStringSubmatch(e.Error(), -1) {
			entry := template.Get("Resources").Get(m[1])
			if entry == nil {
				continue // the name of an event, or of what is made
			}
			key := template.Get("Resources").KeySpan(m[1])
			if !slices.ContainsFunc(ds, func(d *source.Diagnostic) bool {
				return d.Span.Start.Offset >= key.Start.Offset && d.Span.Start.Offset <= entry.Span.End.Offset ||
					slices.ContainsFunc(d.Notes, func(n source.Note) bool { return n.Span == key })
			}) {
				t.Errorf("%s: nothing points into %s:\n%v", c.Name, m[1], ds)
			}
		}
	}
}

func (c conformanceCase) template(t *testing.T, dir string) *cfn.Node {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "input", c.Name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, c.Name+".yaml", text)
}
