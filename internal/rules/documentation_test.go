package rules_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"evo/internal/rules"
)

var update = flag.Bool("update", false, "write docs/rules.md anew")

const documentationHead = `# Rules

Written by "go test ./internal/rules -run Documentation -update" from the rules themselves.

"Scope" says what a rule needs: a template is enough, or a live account must tell (without one: INSUFFICIENT_DATA).
"Registry" says how the AWS Guard Rules Registry reads the rule: not at all (empty), in the same way, or differently; then
"evo check" follows AWS Config. "Cases" counts the conformance cases that pass. A parameter in bold is required.
`

// TestDocumentation holds docs/rules.md against the rules.
func TestDocumentation(t *testing.T) {
	passed, total := map[string]int{}, map[string]int{}
	for _, c := range conformanceCases(t) {
		for id, problem := range c.run() {
			name := rules.Find(id).Name
			total[name]++
			if problem == "" {
				passed[name]++
			}
		}
	}
	var b strings.Builder
	b.WriteString(documentationHead)
	b.WriteString("\n## What people ask\n\n| in their words | rules | stricter |\n| --- | --- | --- |\n")
	for _, c := range rules.Concerns {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, strings.Join(c.Rules, ", "), strings.Join(c.Stricter, ", "))
	}
	for _, part := range []struct {
		title  string
		source rules.Source
	}{{"AWS Config's managed rules", rules.Managed}, {"Rules of the AWS Guard Rules Registry alone", rules.Registry}} {
		fmt.Fprintf(&b, "\n## %s\n\n| rule | asks that | types | parameters | scope | trigger | registry | cases |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", part.title)
		for _, r := range rules.All() {
			if r.Source == part.source {
				documentationRow(&b, r, passed[r.Name], total[r.Name])
			}
		}
	}
	file := filepath.Join("..", "..", "docs", "rules.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("docs/rules.md is not up to date; run go test ./internal/rules -run Documentation -update\n%s", diff)
	}
}

func documentationRow(b *strings.Builder, r *rules.Rule, passed, total int) {
	types := strings.ReplaceAll(strings.Join(r.Types, ", "), "AWS::", "")
	if types == "" {
		types = "the account"
	}
	var parameters []string
	for _, p := range r.Parameters {
		text := p.Name + " (" + p.Kind.String()
		if p.Required {
			text = "**" + p.Name + "** (" + p.Kind.String()
		}
		if p.Default != "" {
			text += ", default " + p.Default
		}
		parameters = append(parameters, text+")")
	}
	registry := ""
	if r.HasRegistry() {
		registry = map[bool]string{true: "differently", false: "the same"}[r.RegistryDiffers()]
	}
	cases := ""
	if total > 0 {
		cases = fmt.Sprintf("%d of %d", passed, total)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Name, r.Summary, types, strings.Join(parameters, ", "), r.Scope, r.Trigger, registry, cases)
}
