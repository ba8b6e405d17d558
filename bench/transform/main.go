// Command transform answers: how fast is evo's SAM transform, beside AWS's own translator? Both take the same templates, one after the
// other in one run: on a machine that does other things too, only ratios say something. bench/transform.sh installs the translator;
// without it evo is measured alone.
//
//	go run ./bench/transform -python PATH
//
// Nothing here fails because it is slow.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"evo/bench/command"
	"evo/bench/corpus"
	_ "evo/internal/cli/startup" // garbage is collected when it is in evo's commands
)

//go:embed reference.py
var reference []byte

func main() {
	var evo, python, dir string
	var rounds, runs int
	flag.StringVar(&evo, "evo", "", "the program to measure (default: built of this tree)")
	flag.StringVar(&python, "python", "", "a Python that has aws-sam-translator (default: evo alone)")
	flag.StringVar(&dir, "cases", conformance("."), "the folder of the conformance cases; without it templates are made up")
	flag.IntVar(&rounds, "rounds", 5, "over all templates, of which the best is kept")
	flag.IntVar(&runs, "runs", 20, "of whole processes, of which the best figures are kept")
	flag.Parse()
	if err := compare(evo, python, dir, rounds, runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench/transform:", err)
		os.Exit(1)
	}
}

func compare(evo, python, dir string, rounds, runs int) error {
	tmp, err := os.MkdirTemp("", "evo-transform-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	templates, err := cases(dir)
	if err != nil {
		return err
	}
	paths, err := write(tmp, templates)
	if err != nil {
		return err
	}
	script := filepath.Join(tmp, "reference.py")
	if err := os.WriteFile(script, reference, 0o644); err != nil {
		return err
	}
	if evo == "" {
		if evo, err = command.Build(context.Background(), tmp, "evo/cmd/evo"); err != nil {
			return err
		}
	}
	fmt.Printf("%s, %d processors, %d templates, %d bytes on average\n\n", runtime.Version(), runtime.NumCPU(), len(templates), average(templates))
	if err := processes(evo, python, script, median(templates, paths), runs); err != nil {
		return err
	}
	return inProcess(python, script, templates, paths, rounds)
}

// costs are µs of processor a template, all until then.
type costs struct{ Parse, Transform, All, Checked float64 }

func inProcess(python, script string, templates []corpus.Template, paths []string, rounds int) error {
	own, err := measure(templates, rounds)
	if err != nil {
		return err
	}
	var theirs costs
	if python != "" {
		cmd := exec.Command(python, append([]string{script, "time", strconv.Itoa(rounds)}, paths...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, &theirs)
		}
		if err != nil {
			return fmt.Errorf("measure the reference: %w", err)
		}
	}
	fmt.Printf("\n| in process, µs of processor a template, all until then | evo | aws-sam-translator | ratio |\n|---|--:|--:|--:|\n")
	for _, r := range []struct {
		name        string
		evo, theirs float64
	}{
		{"parse", own.Parse, theirs.Parse},
		{"transform, without the reference's check of its own data", own.Transform, theirs.Transform},
		{"print", own.All, theirs.All},
		{"all, with the reference as it is", own.All, theirs.Checked},
	} {
		fmt.Printf("| %s | %.1f | %.0f | %.0f |\n", r.name, r.evo, r.theirs, r.theirs/r.evo)
	}
	return nil
}

func measure(templates []corpus.Template, rounds int) (costs, error) {
	var best [3]float64
	for i, s := range steps {
		for round := range 1 + rounds { // one more, in which tables are unpacked
			begin := command.Processor()
			for _, t := range templates {
				if err := s.do(t); err != nil {
					return costs{}, fmt.Errorf("%s: %w", t.Name, err)
				}
			}
			took := float64(command.Processor()-begin) / float64(time.Microsecond) / float64(len(templates))
			if round <= 1 || took < best[i] {
				best[i] = took
			}
		}
	}
	return costs{Parse: best[0], Transform: best[1], All: best[2]}, nil
}

// processes measures what a person waits for: one template, from the program's start to its end.
func processes(evo, python, script, template string, runs int) error {
	fmt.Printf("| one template, as a process | wall, ms | processor, ms | peak memory |\n|---|--:|--:|--:|\n")
	own, err := command.Best(runs, evo, "transform", "-t", template)
	if err != nil {
		return err
	}
	fmt.Printf("| evo transform | %.1f | %.1f | %.0f MiB |\n", ms(own.All), ms(own.Processor), own.Memory)
	if python == "" {
		return nil
	}
	theirs, err := command.Best(max(runs/4, 1), python, script, "one", template)
	if err != nil {
		return err
	}
	fmt.Printf("| aws-sam-translator | %.1f | %.1f | %.0f MiB |\n", ms(theirs.All), ms(theirs.Processor), theirs.Memory)
	fmt.Printf("| ratio | %.1f | %.1f | %.1f |\n", ms(theirs.All)/ms(own.All), ms(theirs.Processor)/ms(own.Processor), theirs.Memory/own.Memory)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median is the path of the template of middle size.
func median(templates []corpus.Template, paths []string) string {
	order := make([]int, len(templates))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return len(templates[a].Text) - len(templates[b].Text) })
	return paths[order[len(order)/2]]
}

func average(templates []corpus.Template) int {
	sum := 0
	for _, t := range templates {
		sum += len(t.Text)
	}
	return sum / len(templates)
}
