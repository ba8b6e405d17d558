// Command check answers: how fast is `evo check`, beside other programs that hold templates against rules? All judge the same 200
// templates, made up from a seed, one after another in one run: on a machine that does other things too, only ratios say something.
// Programs that are not there are left out. bench/check.sh installs them.
//
//	go run ./bench/check -guard PATH -checkov PATH
//
// Nothing here fails because it is slow.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"evo/bench/command"
	"evo/bench/corpus"
)

//go:embed twenty.guard
var twenty []byte

// similar are the rules of evo that twenty.guard says in Guard's language, roughly: their verdicts are not compared.
var similar = strings.Fields(`s3-bucket-versioning-enabled s3-bucket-logging-enabled s3-bucket-server-side-encryption-enabled
	s3-bucket-default-lock-enabled s3-bucket-replication-enabled s3-bucket-level-public-access-prohibited s3-bucket-acl-prohibited
	dynamodb-pitr-enabled dynamodb-table-encryption-enabled dynamodb-table-deletion-protection-enabled dynamodb-billing-mode-rule
	lambda-dlq-check lambda-concurrency-check lambda-inside-vpc lambda-function-xray-enabled iam-no-inline-policy-check
	sns-encrypted-kms sqs-queue-dlq-check cloudwatch-log-group-encrypted cloudwatch-alarm-action-enabled-check`)

// A contender is one way to judge templates.
type contender struct {
	name    string
	program string
	args    []string // before the templates
	files   bool     // takes paths; else the folder
}

func main() {
	var evo, guard, checkov, given string
	var seed uint64
	var n, runs int
	flag.StringVar(&evo, "evo", "", "the program to measure (default: built of this tree)")
	flag.StringVar(&guard, "guard", "", "cfn-guard's path (default: as found)")
	flag.StringVar(&checkov, "checkov", "", "checkov's path (default: as found)")
	flag.StringVar(&given, "templates", "", "a folder of templates to take instead of made-up ones, such as the inputs of the conformance data")
	flag.Uint64Var(&seed, "seed", 1, "of the templates")
	flag.IntVar(&n, "n", 200, "templates")
	flag.IntVar(&runs, "runs", 5, "of evo, of which the best figures are kept; slow programs run once")
	flag.Parse()
	if err := compare(evo, guard, checkov, given, seed, n, runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench/check:", err)
		os.Exit(1)
	}
}

func compare(evo, guard, checkov, given string, seed uint64, n, runs int) error {
	dir, err := os.MkdirTemp("", "evo-check-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if evo == "" {
		if evo, err = command.Build(context.Background(), dir, "evo/cmd/evo"); err != nil {
			return err
		}
	}
	templates := filepath.Join(dir, "templates")
	rules := filepath.Join(dir, "twenty.guard")
	if err := errors.Join(os.Mkdir(templates, 0o755), os.WriteFile(rules, twenty, 0o644)); err != nil {
		return err
	}
	paths, err := corpus.Write(templates, seed, n)
	if given != "" {
		templates = given
		paths, err = inFolder(given)
	}
	if err != nil {
		return err
	}
	n = len(paths)
	fmt.Printf("%s, %d processors, %d templates, %d bytes on average\n\n", runtime.Version(), runtime.NumCPU(), n, average(paths))
	fmt.Printf("| | templates a second | first result | processor, ms a template | peak memory |\n|---|--:|--:|--:|--:|\n")
	var base float64
	for _, c := range contenders(evo, guard, checkov, rules) {
		if c.program == "" {
			fmt.Printf("| %s | not installed | | | |\n", c.name)
			continue
		}
		args := append(slices.Clone(c.args), templates)
		if c.files {
			args = append(slices.Clone(c.args), paths...)
		}
		times := 1
		if c.program == evo {
			times = runs
		}
		m, err := command.Best(times, c.program, args...)
		if err != nil {
			return err
		}
		rate := float64(n) / m.All.Seconds()
		if base == 0 {
			base = rate
		}
		fmt.Printf("| %s | %.0f (1/%.1f) | %d ms | %.2f | %.0f MiB |\n", c.name, rate, base/rate, m.First.Milliseconds(),
			m.Processor.Seconds()*1000/float64(n), m.Memory)
	}
	return one(evo, paths, runs)
}

// inFolder are the templates of a folder.
func inFolder(dir string) ([]string, error) {
	var paths []string
	for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no templates in %s", dir)
	}
	return paths, nil
}

// one measures a single template: what a person waits for.
func one(evo string, paths []string, runs int) error {
	smallest := slices.MinFunc(paths, func(a, b string) int { return int(size(a) - size(b)) })
	m, err := command.Best(4*runs, evo, "check", "--all", smallest)
	if err != nil {
		return err
	}
	fmt.Printf("\nOne template of %d bytes: first result after %d ms, the whole process %d ms, of which %d ms of processor; %.0f MiB.\n",
		size(smallest), m.First.Milliseconds(), m.All.Milliseconds(), m.Processor.Milliseconds(), m.Memory)
	return nil
}

func contenders(evo, guard, checkov, rules string) []contender {
	names := []string{"check"}
	for _, r := range similar {
		names = append(names, "--rule", r)
	}
	return []contender{
		{"evo check --all", evo, []string{"check", "--all"}, true},
		{"evo check --all --output json", evo, []string{"check", "--all", "--output", "json"}, true},
		{"evo check, 20 rules", evo, names, true},
		{"cfn-guard, 20 such rules in its language", found(guard, "cfn-guard"), []string{"validate", "--rules", rules, "--data"}, false},
		{"checkov, its CloudFormation rules", found(checkov, "checkov"),
			[]string{"--framework", "cloudformation", "--quiet", "--compact", "--skip-download", "--directory"}, false},
	}
}

// found is the path given, or where the system finds the program; empty if it is not there.
func found(given, name string) string {
	if given == "" {
		given = name
	}
	path, err := exec.LookPath(given)
	if err != nil {
		return ""
	}
	return path
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func average(paths []string) int64 {
	var sum int64
	for _, p := range paths {
		sum += size(p)
	}
	return sum / int64(len(paths))
}
