package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
)

// How many transactions are under way at a time, and how long one may take: what it is given, and a little more, so that one that is
// late is told from one that hangs.
const (
	concurrency   = 8
	callTimeout   = 10 * time.Second
	timeoutMargin = 2 * time.Second
)

// maxAnswer is how much of an answer is read: more than API Gateway lets through.
const maxAnswer = 11 << 20

// caller makes the transactions of one measurement.
type caller struct {
	*Measurer
	Subject
	named   names
	shifted func() (*shift, error) // what CodeDeploy is about to shift; read once, when it is first needed
}

// answer is what came back.
type answer struct {
	from   string // who gave it, for people
	took   time.Duration
	status int    // 0: it has none
	body   []byte // what a client of an API sees
	whole  []byte // all that a function returned
	fault  string // the function's error; empty if it had none
	judged bool   // it comes from the version that is being judged
}

// failure is why there is no answer. One that is certain counts against the release: it did not do what it should. Another one says
// nothing of it.
type failure struct {
	reason  string
	certain bool
	judged  bool  // as in answer
	cause   error // nil if the reason says all
}

func (f *failure) Error() string { return f.reason }
func (f *failure) Unwrap() error { return f.cause }

// calls makes the suite's transactions, some at a time, each with its own time limit.
func (m *Measurer) calls(ctx context.Context, file *suitefile.File, ids []string, s Subject, outcomes []outcome) {
	c := &caller{Measurer: m, Subject: s, named: namesOf(s.Stack.Items)}
	c.shifted = sync.OnceValues(func() (*shift, error) { return m.shift(ctx, s.Deployment) })
	free := make(chan struct{}, concurrency)
	var wg sync.WaitGroup
	for i, id := range ids {
		call, ok := file.Measures[id].(suitefile.Call)
		if !ok {
			continue
		}
		wg.Go(func() {
			select {
			case free <- struct{}{}:
				defer func() { <-free }()
				outcomes[i] = c.outcome(ctx, call)
			case <-ctx.Done():
				outcomes[i] = unknown("measuring was cut short before the transaction was made")
			}
		})
	}
	wg.Wait()
}

// outcome makes a transaction and scores it.
func (c *caller) outcome(ctx context.Context, call suitefile.Call) outcome {
	a, err := c.make(ctx, call)
	var f *failure
	switch {
	case errors.As(err, &f) && f.certain:
		return c.against(f.reason, f.judged)
	case err != nil:
		return unknown(err.Error())
	}
	if problem := unmet(&call.Expect, a); problem != "" {
		return c.against(a.from+": "+problem, a.judged)
	}
	return outcome{fitness.Known(exact.One), fmt.Sprintf("%s answered as expected in %s", a.from, a.took.Round(time.Millisecond))}
}

// against is a transaction that failed. Before traffic it is no evidence where it was not the new version that failed.
func (c *caller) against(reason string, judged bool) outcome {
	if c.BeforeTraffic && !judged {
		return unknown(reason + "; but it is not the new version that was called")
	}
	return outcome{fitness.Known(exact.Zero), reason}
}

// make makes a transaction within its time. That the wider context has ended is nobody's fault.
func (c *caller) make(ctx context.Context, call suitefile.Call) (*answer, error) {
	if c.BeforeTraffic && call.Function != "" {
		_, _ = c.shifted() // not in the transaction's time; qualifier tells what came of it
	}
	limit := callTimeout
	if within := call.Expect.Within; within > 0 {
		limit = within + timeoutMargin
	}
	own, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	do := c.request
	if call.Function != "" {
		do = c.invoke
	}
	a, err := do(own, call)
	var f *failure
	switch {
	case err == nil:
		return a, nil
	case ctx.Err() != nil:
		return nil, errors.New(target(call) + ": measuring was cut short")
	case errors.As(err, &f) && errors.Is(f.cause, context.DeadlineExceeded):
		return nil, &failure{reason: fmt.Sprintf("%s: no answer within %s", target(call), limit), certain: true, judged: f.judged}
	}
	return nil, err
}

// target is what a transaction is made with, for people.
func target(call suitefile.Call) string {
	if call.Function != "" {
		return call.Function
	}
	return method(call) + " " + call.URL
}

func method(call suitefile.Call) string {
	switch {
	case call.Method != "":
		return call.Method
	case call.Body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// item is a function of the stack, or nil.
func (c *caller) item(id string) *inventory.Item {
	if it := c.named[id]; it != nil && it.Type == functionType && it.PhysicalID != "" {
		return it
	}
	return nil
}
