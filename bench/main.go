// Command bench answers: how fast is the embedded cloud, and what does it cost? It starts `evo cloud` in a process of its own,
// asks it what its users ask, and prints tables. Beside it, in the same run, it measures servers that do next to nothing:
// on a machine that does other things too, only the ratio between the two says something.
//
//	go run ./bench                    all of it, some minutes
//	go run ./bench -only dynamodb,s3  a part of it
//
// Nothing here fails because it is slow.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"evo/bench/command"
)

// A bench is one run.
type bench struct {
	evo, peer string // the programs
	peers     string // the folder with other projects' servers; see peers.sh
	dir       string // for all that is written
	duration  time.Duration
	runs      int
	speed     float64
}

// sections are what can be measured, in this order.
var sections = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"start", (*bench).start},
	{"dynamodb", (*bench).dynamodb},
	{"s3", (*bench).s3},
	{"invoke", (*bench).invoke},
	{"gateway", (*bench).gateway},
	{"shop", (*bench).shop},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{}
	only := ""
	flag.StringVar(&b.evo, "evo", "", "the program to measure (default: built of this tree)")
	flag.StringVar(&b.peers, "peers", "", "the folder in which peers.sh installed other projects' servers; they are measured too")
	flag.StringVar(&only, "only", "", "sections, with commas: start, dynamodb, s3, invoke, gateway, shop")
	flag.DurationVar(&b.duration, "d", time.Second, "of one measurement")
	flag.IntVar(&b.runs, "runs", 3, "measurements, of which the best is kept")
	flag.Float64Var(&b.speed, "speed", 600, "of the cloud's clock, for the shop")
	flag.Parse()
	if err := b.all(ctx, only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) all(ctx context.Context, only string) (err error) {
	if b.dir, err = os.MkdirTemp("", "evo-bench-*"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.evo == "" {
		if b.evo, err = command.Build(ctx, b.dir, "evo/cmd/evo"); err != nil {
			return err
		}
	}
	if b.peer, err = command.Build(ctx, b.dir, "evo/bench/peer"); err != nil {
		return err
	}
	fmt.Printf("%s, %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		fmt.Printf("\n### %s\n\n", s.name)
		if err := s.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
