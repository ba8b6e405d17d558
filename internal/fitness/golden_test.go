package fitness

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"evo/internal/fitness/exact"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestGolden runs the scenarios of testdata: each paragraph is a command, a line of dashes, and what it shows.
//
//	suite [required=F[:MIN]] [floor=CHARACTERISTIC:φ] [policy=…] [regressions=…] [additions=…] [unknown=…] [smoke]
//	release NAME [resources=N] [edges=N] [grants=N] [usd=N] [FUNCTION/RESOURCE=SCORE|? …]
//	explain NAME
//	decide OLD|- NEW [rebase] [rollback] [override=REASON]
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no scenarios")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("%s differs; what came:\n%s", file, got)
			}
		})
	}
}

func run(t *testing.T, text string) string {
	var out strings.Builder
	sc := &scenario{t: t, suite: Default(), releases: map[string]*Release{}}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		command, _, _ := strings.Cut(paragraph, "\n----")
		if strings.HasPrefix(command, "#") {
			fmt.Fprintf(&out, "%s\n\n", paragraph)
			continue
		}
		fmt.Fprintf(&out, "%s\n----\n%s\n", command, sc.do(strings.Fields(command)))
	}
	return strings.TrimSuffix(out.String(), "\n")
}

type scenario struct {
	t        *testing.T
	suite    *Suite
	releases map[string]*Release
	basis    *Basis
}

func (sc *scenario) do(words []string) string {
	switch words[0] {
	case "suite":
		for _, w := range words[1:] {
			sc.set(w)
		}
		return "ok\n"
	case "release":
		sc.releases[words[1]] = sc.release(words[1], words[2:])
		return fmt.Sprintf("%d pairs\n", len(sc.releases[words[1]].Pairs))
	case "explain":
		a, err := Assess(sc.suite, sc.releases[words[1]])
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		return a.Explain().String()
	case "decide":
		return sc.decide(words[1], words[2], words[3:])
	}
	sc.t.Fatalf("no command %q", words)
	return ""
}

func (sc *scenario) set(word string) {
	name, value, _ := strings.Cut(word, "=")
	what, number, _ := strings.Cut(value, ":")
	r := &sc.suite.Ratchet
	switch name {
	case "required":
		f := sc.suite.Function(what)
		f.Required = true
		if number != "" {
			f.Minimum = exact.MustParse(number)
		}
	case "floor":
		sc.suite.Characteristic(what).Floor = exact.MustParse(number)
	case "policy":
		r.Policy = Policy(value)
	case "regressions":
		r.Regressions = Regressions(value)
	case "additions":
		r.Additions = Additions(value)
	case "unknown":
		r.Unknown = UnknownPolicy(value)
	case "smoke":
		sc.suite.Functions = append(sc.suite.Functions, Function{ID: "smoke", Characteristic: Functionality, Severity: Critical, Breadth: Holistic, Required: true})
	default:
		sc.t.Fatalf("no setting %q", word)
	}
}

func (sc *scenario) release(name string, words []string) *Release {
	r := &Release{Name: name}
	for _, w := range words {
		what, value, _ := strings.Cut(w, "=")
		n, _ := strconv.Atoi(value)
		switch what {
		case "resources":
			r.Size.Resources = n
		case "edges":
			r.Size.Edges = n
		case "grants":
			r.Size.Grants = n
		case "usd":
			r.Size.Cost = int64(exact.MustParse(value)) / 1000
		default:
			function, resource, _ := strings.Cut(what, "/")
			score := Unknown
			if value != "?" {
				score = Known(exact.MustParse(value))
			}
			r.Pairs = append(r.Pairs, Pair{Function: function, Resource: resource, Score: score, Criticality: exact.One})
		}
	}
	return r
}

func (sc *scenario) decide(old, now string, words []string) string {
	o := Options{Basis: sc.basis}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		o.Rebase = o.Rebase || name == "rebase"
		o.Rollback = o.Rollback || name == "rollback"
		if name == "override" {
			o.Override = value
		}
	}
	v, err := Decide(sc.releases[old], sc.releases[now], sc.suite, o)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	sc.basis = &v.Basis
	return v.String() + fmt.Sprintf("basis: %s of %s, after %d others\n", v.Basis.Reason, v.Basis.Release, v.Basis.Links)
}
