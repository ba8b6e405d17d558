package lambda

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"evo/internal/cloud/sandbox"
)

// recorder hands on metrics and log lines, in batches and in a goroutine of its own, so that no invocation waits for it. The
// goroutine runs only while there is something to hand on.
type recorder struct {
	cfg Config

	mu      sync.Mutex
	data    []Datum
	lines   []streamLines
	held    int // events in lines
	running bool
	done    sync.WaitGroup
}

type streamLines struct {
	group, stream string
	events        []sandbox.Event
}

// maxHeld is how many log events may wait: more come only if whoever keeps them cannot keep up.
const maxHeld = 1_000_000

func newRecorder(cfg Config) *recorder { return &recorder{cfg: cfg} }

// close waits until all is handed on.
func (r *recorder) close() { r.done.Wait() }

func (r *recorder) log(group, stream string, events []sandbox.Event) {
	if r.cfg.Logs == nil || len(events) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held+len(events) > maxHeld {
		r.cfg.Report(fmt.Errorf("%d lines of log stream %s are dropped: the logs cannot keep up", len(events), stream))
		return
	}
	r.held += len(events)
	r.lines = append(r.lines, streamLines{group, stream, events})
	r.wake()
}

func (r *recorder) count(data ...Datum) {
	if r.cfg.Metrics == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data = append(r.data, data...)
	r.wake()
}

// wake starts the goroutine. The caller holds r.mu.
func (r *recorder) wake() {
	if !r.running {
		r.running = true
		r.done.Go(r.drain)
	}
}

func (r *recorder) drain() {
	for {
		r.mu.Lock()
		data, lines := r.data, r.lines
		r.data, r.lines, r.held = nil, nil, 0
		r.running = len(data)+len(lines) > 0
		r.mu.Unlock()
		if len(data)+len(lines) == 0 {
			return
		}
		if len(data) > 0 {
			if err := r.cfg.Metrics.Record(context.Background(), namespace, data); err != nil {
				r.cfg.Report(fmt.Errorf("record metrics: %w", err))
			}
		}
		r.keep(lines)
	}
}

// keep puts together what belongs to one stream.
func (r *recorder) keep(lines []streamLines) {
	var order []int
	at := map[string]int{}
	for i, l := range lines {
		key := l.group + "\n" + l.stream
		if first, ok := at[key]; ok {
			lines[first].events = append(lines[first].events[:len(lines[first].events):len(lines[first].events)], l.events...)
			continue
		}
		at[key] = i
		order = append(order, i)
	}
	var errs []error
	for _, i := range order {
		if err := r.cfg.Logs.Put(context.Background(), lines[i].group, lines[i].stream, lines[i].events); err != nil {
			errs = append(errs, fmt.Errorf("keep log %s: %w", lines[i].group, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		r.cfg.Report(err)
	}
}

const namespace = "AWS/Lambda"

// dimensions are the sets of dimensions under which AWS publishes what an invocation counts: the account as a whole, the
// function, what was invoked of it, and, through an alias, the version that ran.
func dimensions(n name, executed string) [][]Dimension {
	resource := n.function
	if n.qualifier != "" {
		resource += ":" + n.qualifier
	}
	sets := [][]Dimension{
		nil,
		{{"FunctionName", n.function}},
		{{"FunctionName", n.function}, {"Resource", resource}},
	}
	if executed != "" && n.qualifier != "" && !isVersion(n.qualifier) {
		sets = append(sets, []Dimension{{"FunctionName", n.function}, {"Resource", resource}, {"ExecutedVersion", executed}})
	}
	return sets
}

// invoked counts an invocation; without a result it could not be run.
func (r *recorder) invoked(n name, executed string, at time.Time, now level, res *sandbox.Result) {
	if r.cfg.Metrics == nil {
		return
	}
	failed := 1.0
	if res != nil && res.FunctionError == "" {
		failed = 0
	}
	sets := dimensions(n, executed)
	data := make([]Datum, 0, 5*len(sets)+1)
	for i, dims := range sets {
		data = append(data,
			Datum{Name: "Invocations", Unit: "Count", Dimensions: dims, At: at, Value: 1},
			Datum{Name: "Errors", Unit: "Count", Dimensions: dims, At: at, Value: failed},
			Datum{Name: "Throttles", Unit: "Count", Dimensions: dims, At: at})
		if res != nil {
			data = append(data, Datum{Name: "Duration", Unit: "Milliseconds", Dimensions: dims, At: at, Value: float64(res.Duration) / float64(time.Millisecond)})
		}
		busy := now.function
		if i == 0 {
			busy = now.all
		}
		data = append(data, Datum{Name: "ConcurrentExecutions", Unit: "Count", Dimensions: dims, At: at, Value: float64(busy)})
	}
	data = append(data, Datum{Name: "UnreservedConcurrentExecutions", Unit: "Count", At: at, Value: float64(now.shared)})
	r.count(data...)
}

func (r *recorder) throttled(n name, at time.Time) {
	for _, dims := range dimensions(n, "") {
		r.count(Datum{Name: "Throttles", Unit: "Count", Dimensions: dims, At: at, Value: 1})
	}
}

// event counts what concerns asynchronous invocations.
func (r *recorder) event(n name, metric, unit string, value float64, at time.Time) {
	for _, dims := range dimensions(n, "") {
		r.count(Datum{Name: metric, Unit: unit, Dimensions: dims, At: at, Value: value})
	}
}
