package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// environment is one process of a function with all that belongs to it. The pool decides who uses it.
type environment struct {
	pool    *pool
	fn      *Function
	dir     string // its folder, with tmp in it
	stream  string
	out     *output
	places  *places
	expires time.Time // of its credentials

	proc *process
	api  *runtimeAPI
	left chan struct{} // closed when the process has ended and the pool knows

	// failure is the outcome of a start that has failed: the next invocation gets it. There is no process then.
	failure *outcome
	init    time.Duration // what the first invocation reports; zero once it has
	again   time.Duration // what a second try to start took of the first invocation's time
	cold    bool

	// Guarded by the pool's lock.
	idleSince time.Time
	settling  bool

	mu       sync.Mutex
	memory   memory
	measured time.Time // when the memory was last looked at
	cause    killCause
	overtime *time.Timer // runs from an answer until the runtime asks for more
}

// killCause says why the sandbox itself has killed a process.
type killCause int

const (
	causeNone killCause = iota
	causeTimeout
	causeMemory
	causeRetired
	causeClosed
)

// outcome is what an invocation, or a start, came to.
type outcome struct {
	payload   []byte
	errorType string // empty: it went well
	status    string // what REPORT says of it: "timeout", "error", or nothing
	exit      string // what is logged of the process's end, without the request's id
}

// newEnvironment makes the environment's folder and log stream and starts its process. Failures of the function itself make
// an environment with a failure; the error is for what keeps it from being tried.
func (s *Sandbox) newEnvironment(p *pool, plan *plan, turn func()) (*environment, error) {
	defer turn()
	e := &environment{pool: p, fn: p.fn, dir: p.folder(), stream: newStream(s.cfg.Clock.Now(), p.fn.version()), cold: true, left: make(chan struct{})}
	if e.dir == "" {
		e.dir = s.path("environments", fmt.Sprint(s.number()))
	}
	if err := os.MkdirAll(filepath.Join(e.dir, "tmp"), 0o755); err != nil {
		return nil, &SetupError{Function: p.fn.Name, Problem: "cannot make a folder for it", Err: err}
	}
	var cred Credentials
	if p.fn.Credentials != nil {
		var err error
		if cred, err = p.fn.Credentials(s.ctx); err != nil {
			return nil, &SetupError{Function: p.fn.Name, Problem: "its role gives no credentials", Err: err}
		}
		e.expires = cred.Expires
	}
	e.out = newOutput(s.cfg.Clock.Now, func(events []Event) {
		s.cfg.Logs(Lines{Function: p.fn, Stream: e.stream, Events: events})
	})
	if p.fn.AsOnAWS {
		e.places = newPlaces(p.fn, plan.runtime)
		e.out.show = e.places.show
	}
	e.announce(plan)
	if err := e.begin(plan, cred, turn); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *environment) announce(plan *plan) {
	e.out.line(initStartLine(e.fn))
	e.pool.warnOnce.Do(func() {
		for _, w := range plan.warnings {
			e.out.line("evo: " + w)
		}
	})
}

// begin starts the process and waits until it asks for work. As on AWS, a start that fails is tried once more, then within
// the time that the function has for an invocation.
func (e *environment) begin(plan *plan, cred Credentials, turn func()) error {
	// A start that takes long must not hold up those of other functions.
	slow := time.AfterFunc(time.Second, turn)
	defer slow.Stop()
	for _, phase := range []struct {
		name  string
		limit time.Duration
	}{{"init", e.pool.box.cfg.InitLimit}, {"invoke", e.fn.timeout()}} {
		began := time.Now()
		failure, err := e.launch(plan, cred, phase.limit)
		if err != nil {
			return err
		}
		e.failure, e.init = failure, time.Since(began)
		if failure == nil {
			if phase.name == "invoke" {
				e.again = e.init
			}
			return nil
		}
		e.out.line(initReportLine(e.init, phase.name, failure))
		e.out.deliver()
		if failure.status == "fatal" { // another try cannot help
			failure.status = "error"
			return nil
		}
		if e.pool.box.ctx.Err() != nil {
			return ErrClosed
		}
	}
	return nil
}

// launch makes one try to start the process.
func (e *environment) launch(plan *plan, cred Credentials, limit time.Duration) (*outcome, error) {
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, &SetupError{Function: e.fn.Name, Problem: "cannot listen for its process", Err: err}
	}
	e.mu.Lock()
	e.cause = causeNone
	e.memory.close()
	e.mu.Unlock()
	e.api = api
	api.asked, api.answered = e.asked, e.answered
	e.proc, err = e.pool.box.launchProcess(plan.command(), e.dir, e.fn.Code, e.environ(plan, cred), e.out)
	if err != nil {
		api.close()
		if errors.Is(err, ErrClosed) {
			return nil, err
		}
		if o := plan.refusal(err); o != nil {
			return o, nil
		}
		return nil, &SetupError{Function: e.fn.Name, Problem: "cannot start " + plan.path, Err: err}
	}
	if failure := e.awaitReady(limit); failure != nil {
		e.proc.kill()
		<-e.proc.ended
		api.close()
		e.out.flush()
		return failure, nil
	}
	if !e.pool.box.spawn(e.attend) {
		e.proc.kill()
		<-e.proc.ended
		api.close()
		return nil, ErrClosed
	}
	return nil, nil
}

func (e *environment) awaitReady(limit time.Duration) *outcome {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	sample := time.NewTicker(sampleTime)
	defer sample.Stop()
	for {
		select {
		case <-e.api.ready:
			return nil
		case o := <-e.api.initErrors:
			return &o
		case <-e.proc.ended:
			select {
			case o := <-e.api.initErrors: // told before it left
				return &o
			default:
			}
			return e.exitOutcome()
		case <-timer.C:
			return timeoutOutcome(limit)
		case <-sample.C:
			if e.measure() {
				e.kill(causeMemory)
			}
		case <-e.pool.box.ctx.Done():
			return &outcome{status: "fatal"}
		}
	}
}

// attend waits for the end of the process and cleans up after it.
func (e *environment) attend() {
	<-e.proc.ended
	e.out.flush()
	e.out.deliver()
	e.api.close()
	e.mu.Lock()
	e.memory.close()
	if e.overtime != nil {
		e.overtime.Stop()
	}
	reset := e.cause != causeRetired && e.cause != causeClosed
	e.mu.Unlock()
	if !reset {
		os.RemoveAll(e.dir)
	}
	e.pool.gone(e, reset)
	close(e.left)
}

// invoke gives the process one event, or tells why there is no process.
func (e *environment) invoke(ctx context.Context, inv Invocation) (*Result, error) {
	if e.failure != nil {
		return e.fail(inv), nil
	}
	j := newJob(e.fn, inv)
	j.deadline = j.deadline.Add(-e.again)
	e.again = 0
	e.out.begin(startLine(j.id, e.fn.version()))
	e.api.assign(j)
	return e.await(ctx, j)
}

// fail answers with the failure of the start.
func (e *environment) fail(inv Invocation) *Result {
	j := newJob(e.fn, inv)
	e.out.begin(startLine(j.id, e.fn.version()))
	r := e.conclude(j, withRequest(*e.failure, j.id))
	e.pool.giveBack(e.dir)
	return r
}

// sampleTime is how often the memory of a busy process is looked at. It is looked at, too, whenever an answer comes, unless answers come
// by the hundred: then restTime goes by in between, for each look reads a file of the system's.
const (
	sampleTime = 50 * time.Millisecond
	restTime   = 5 * time.Millisecond
)

// await waits for the answer, the end of the time, or the end of the process. When the caller leaves, the function goes on.
func (e *environment) await(ctx context.Context, j *job) (*Result, error) {
	sample := time.NewTicker(sampleTime)
	defer sample.Stop()
	timer := time.NewTimer(time.Until(j.deadline))
	defer timer.Stop()
	for {
		select {
		case r := <-j.results:
			return r, nil
		case <-timer.C:
			e.settle(j, causeTimeout)
		case <-e.proc.ended:
			e.settle(j, causeNone)
		case <-sample.C:
			e.out.deliverOld()
			if e.measure() {
				e.settle(j, causeMemory)
			}
		case <-ctx.Done():
			e.pool.box.spawn(func() { e.await(context.Background(), j) })
			return nil, ctx.Err()
		}
	}
}

// settle ends an invocation that the function itself has not ended. The answer, if one came at the last moment, wins.
func (e *environment) settle(j *job, cause killCause) {
	if !e.api.finish(j) {
		return // the result is on its way
	}
	if cause != causeNone {
		e.kill(cause)
	}
	<-e.left // so that the next invocation finds the folder free
	var o *outcome
	switch cause {
	case causeTimeout:
		o = timeoutOutcome(e.fn.timeout())
	case causeMemory:
		o = memoryOutcome()
	default:
		o = e.exitOutcome()
	}
	j.results <- e.conclude(j, withRequest(*o, j.id))
}

// answered is called by the Runtime API, once for each job, before the runtime can ask for the next.
func (e *environment) answered(j *job, o outcome) {
	if time.Since(e.lastMeasured()) >= restTime {
		e.measure()
	}
	r := e.conclude(j, o)
	e.mu.Lock()
	e.overtime = time.AfterFunc(time.Until(j.deadline), func() { e.kill(causeTimeout) })
	e.mu.Unlock()
	e.pool.answered(e)
	j.results <- r
}

// asked is called by the Runtime API when the runtime, having answered, asks for more work.
func (e *environment) asked() {
	e.mu.Lock()
	if e.overtime != nil {
		e.overtime.Stop()
		e.overtime = nil
	}
	e.mu.Unlock()
	e.pool.asked(e)
}

// conclude writes the last lines of an invocation's log and puts its result together.
func (e *environment) conclude(j *job, o outcome) *Result {
	r := &Result{
		Payload: o.payload, ErrorType: o.errorType, Stream: e.stream,
		Cold: e.cold, Init: e.init, Duration: time.Since(j.began), MaxMemory: e.maxMemory(),
	}
	if o.errorType != "" {
		r.FunctionError, r.Payload = "Unhandled", []byte(e.places.show(string(o.payload)))
	}
	if o.status == "timeout" {
		r.Duration = min(r.Duration, e.fn.timeout())
	}
	if e.failure != nil { // what the start took has been reported already
		r.Init = 0
	}
	e.cold, e.init = false, 0
	r.Billed = billed(r.Duration + r.Init)
	e.out.flush()
	r.Tail = e.out.finish(endLines(j.id, o, e.fn, r)...)
	return r
}

// measure looks at the process's memory and reports whether it is more than the function may have.
func (e *environment) measure() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.measured = time.Now()
	return e.memory.sample(e.proc.pid()) > int64(e.fn.memory())<<20
}

func (e *environment) lastMeasured() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.measured
}

func (e *environment) maxMemory() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memory.megabytes()
}

func (e *environment) exitOutcome() *outcome {
	e.mu.Lock()
	cause := e.cause
	e.mu.Unlock()
	if cause == causeMemory {
		return memoryOutcome()
	}
	return exitOutcome(e.proc.exit())
}

// kill ends the process and its children.
func (e *environment) kill(cause killCause) {
	e.mu.Lock()
	if e.cause == causeNone {
		e.cause = cause
	}
	e.mu.Unlock()
	e.proc.kill()
}

// expired says that the credentials would not last for another invocation.
func (e *environment) expired() bool {
	return !e.expires.IsZero() && e.pool.box.cfg.Clock.Now().Add(time.Minute).After(e.expires)
}
