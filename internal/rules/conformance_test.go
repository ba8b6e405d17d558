package rules_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"evo/internal/cfn"
	"evo/internal/rules"
)

// conformanceDir is the folder of cases that others wrote; the test that needs it is skipped where it is absent.
func conformanceDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EVO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	dir = filepath.Join(dir, "rules")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance cases: %v (set EVO_CONFORMANCE to their folder)", err)
	}
	return dir
}

// conformanceCase is one case of a file.
type conformanceCase struct {
	file, name string
	config     bool // AWS Config's reading, not the registry's
	node       *cfn.Node
}

func conformanceCases(t testing.TB) []conformanceCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(conformanceDir(t), "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	var cases []conformanceCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := cfn.ParseValue(filepath.Base(file), text)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, n := range list.List() {
			cases = append(cases, conformanceCase{filepath.Base(file), n.Get("name").Str(), strings.HasSuffix(file, ".config.yml"), n})
		}
	}
	return cases
}

func (c conformanceCase) set() *rules.Set {
	s := rules.FromSource(c.node.Get("input"))
	if account := c.node.Get("account"); account != nil {
		s.Account = account
	}
	return s
}

var outcomes = map[rules.Compliance]string{rules.NotApplicable: "SKIP", rules.Compliant: "PASS", rules.NonCompliant: "FAIL", rules.InsufficientData: "UNRESOLVED"}

// run returns what is wrong with each of the case's expectations, empty where it holds.
func (c conformanceCase) run() map[string]string {
	results := map[string]string{}
	for _, want := range c.node.At("expectations", "rules").Entries() {
		r := rules.Find(want.Key)
		if r == nil {
			results[want.Key] = "there is no such rule"
			continue
		}
		got, detail := "", ""
		if c.config {
			got, detail = c.judge(r)
		} else {
			compliance, verdicts := r.Registry(c.set())
			got, detail = outcomes[compliance], fmt.Sprint(verdicts)
		}
		results[want.Key] = ""
		if got != want.Value.Str() || detail != "" && strings.HasPrefix(detail, "!") {
			results[want.Key] = fmt.Sprintf("is %s, want %s: %s", got, want.Value.Str(), detail)
		}
	}
	return results
}

// judge judges by AWS Config's reading; the detail begins with ! if a resource's verdict is not as expected.
func (c conformanceCase) judge(r *rules.Rule) (outcome, detail string) {
	check, err := r.BindNode(c.node.Get("parameters"))
	if err != nil {
		return "ERROR", err.Error()
	}
	verdicts := check.JudgeAll(c.set())
	byResource := map[string]string{}
	for _, v := range verdicts {
		byResource[v.Resource] = v.Compliance.String()
	}
	expected := map[string]string{}
	for _, p := range c.node.At("expectations", "resources").Entries() {
		expected[p.Key] = p.Value.Str()
	}
	detail = fmt.Sprint(verdicts)
	if !maps.Equal(byResource, expected) {
		detail = fmt.Sprintf("! resources %v, want %v: %s", byResource, expected, detail)
	}
	return outcomes[rules.Rollup(verdicts)], detail
}

func TestConformance(t *testing.T) {
	passed, total := map[bool]int{}, map[bool]int{}
	for _, c := range conformanceCases(t) {
		results := c.run()
		for _, id := range slices.Sorted(maps.Keys(results)) {
			total[c.config]++
			if results[id] == "" {
				passed[c.config]++
				continue
			}
			t.Errorf("%s: %q: %s %s", c.file, c.name, id, results[id])
		}
	}
	t.Logf("AWS Config's reading: %d of %d expectations pass", passed[true], total[true])
	t.Logf("the Guard registry's reading: %d of %d expectations pass", passed[false], total[false])
}
