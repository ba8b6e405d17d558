package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A work is what one worker does again and again; i counts its calls.
type work func(ctx context.Context, worker, i int) error

// A result is what one measurement shows.
type result struct {
	done, failed int
	rate         float64       // good answers a second
	p50, p99     time.Duration // of good answers
	processor    time.Duration // of the server, an answer
	err          error         // the first
}

// load has workers work for a while.
func load(ctx context.Context, p *process, workers int, d time.Duration, do work) result {
	times, failed, errs := make([][]time.Duration, workers), make([]int, workers), make([]error, workers)
	before, began := p.processor(), time.Now()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := 0; time.Since(began) < d && ctx.Err() == nil; i++ {
				start := time.Now()
				if err := do(ctx, w, i); err != nil {
					failed[w]++
					errs[w] = err
					continue
				}
				times[w] = append(times[w], time.Since(start))
			}
		})
	}
	all.Wait()
	took, spent := time.Since(began), p.processor()-before
	good := slices.Sorted(slices.Values(slices.Concat(times...)))
	r := result{done: len(good)}
	for w := range workers {
		r.failed += failed[w]
		if r.err == nil {
			r.err = errs[w]
		}
	}
	if n := len(good); n > 0 {
		r.rate, r.p50, r.p99 = float64(n)/took.Seconds(), good[n/2], good[n*99/100]
		r.processor = spent / time.Duration(n+r.failed)
	}
	return r
}

// better keeps the best of several measurements, figure by figure: other work on the machine only ever makes them worse.
// Failures add up.
func (r result) better(o result) result {
	if r.done == 0 {
		o.failed += r.failed
		return o
	}
	if o.done == 0 {
		r.failed += o.failed
		return r
	}
	if r.err == nil {
		r.err = o.err
	}
	return result{r.done + o.done, r.failed + o.failed, max(r.rate, o.rate), min(r.p50, o.p50), min(r.p99, o.p99), min(r.processor, o.processor), r.err}
}

// A row is work that several servers do.
type row struct {
	name    string
	workers []int
	servers []*process
	work    func(p *process) work
}

// measure measures each row at each number of workers. The servers take turns, so that what else the machine does meets all.
func (b *bench) measure(ctx context.Context, rows []row) error {
	fmt.Println("| what | at once | server | a second | p50 µs | p99 µs | server's µs an answer | failed |")
	fmt.Println("|---|--:|---|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		for _, workers := range r.workers {
			results := make([]result, len(r.servers))
			for run := range b.runs + 1 {
				for i, p := range r.servers {
					if run == 0 { // to warm up
						load(ctx, p, workers, b.duration/5, r.work(p))
						continue
					}
					results[i] = results[i].better(load(ctx, p, workers, b.duration, r.work(p)))
				}
			}
			for i, p := range r.servers {
				results[i].print(r.name, workers, p.name)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r result) print(what string, workers int, server string) {
	fmt.Printf("| %s | %d | %s | %.0f | %d | %d | %d | %d |\n", what, workers, server, r.rate, r.p50.Microseconds(), r.p99.Microseconds(), r.processor.Microseconds(), r.failed)
	if r.err != nil {
		fmt.Fprintf(os.Stderr, "%s, %s: %s\n", what, server, strings.TrimSpace(r.err.Error()))
	}
}
