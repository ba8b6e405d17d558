package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"

	"evo/internal/cloud/call"
)

// pool holds the environments of one function.
//
// The number of starts under way follows the number of callers who wait: each caller who finds no idle environment brings about
// one start, but takes whatever becomes free first. An environment that has answered and is about to ask for more work counts
// as free for a moment, so that one caller after the other is served by one environment.
type pool struct {
	box *Sandbox
	fn  *Function

	mu        sync.Mutex
	idle      []*environment // the most recently used last
	waiters   []*waiter
	starting  int
	launching int      // of these, those that have had their turn
	settling  int      // environments that have answered and not yet asked for more
	folders   []string // of environments that were reset: what they wrote to /tmp stays
	retired   bool
	reaper    func() bool // stops the timer that looks for idle environments; nil when none runs
	warnOnce  sync.Once

	planning   sync.Mutex
	plan       *plan // how to start the function, once that is known
	planError  error // or why it cannot be
	planFailed time.Time
}

type waiter struct {
	grants chan grant
	begun  func() // to be called when a start goes on that may be for this one
}

// grant is an environment, or the reason why there is none.
type grant struct {
	env *environment
	err error
}

// settleTime is how long an environment that has answered may take to ask for more before callers stop counting on it.
const settleTime = 100 * time.Millisecond

func newPool(s *Sandbox, fn *Function) *pool {
	return &pool{box: s, fn: fn}
}

// acquire returns an environment that waits for work, or one whose start has failed: it knows what to answer.
func (p *pool) acquire(ctx context.Context) (*environment, error) {
	p.mu.Lock()
	if e := p.popIdle(); e != nil {
		p.mu.Unlock()
		return e, nil
	}
	// Until a start goes on, which takes no time on AWS, the caller's patience is not tried.
	w := &waiter{grants: make(chan grant, 1), begun: call.Hold(ctx)}
	defer w.begun()
	p.waiters = append(p.waiters, w)
	p.scale(len(p.waiters) - p.starting - p.settling)
	p.mu.Unlock()
	return p.wait(ctx, w)
}

// begun tells the callers that starts go on for, in the order of the queue. The caller holds p.mu.
func (p *pool) begun() {
	p.launching++
	for _, w := range p.waiters[:min(p.launching, len(p.waiters))] {
		w.begun()
	}
}

func (p *pool) wait(ctx context.Context, w *waiter) (*environment, error) {
	patience := time.NewTicker(settleTime)
	defer patience.Stop()
	for {
		select {
		case g := <-w.grants:
			return g.env, g.err
		case <-patience.C:
			p.mu.Lock()
			p.scale(len(p.waiters) - p.starting)
			p.mu.Unlock()
		case <-ctx.Done():
			p.leave(w)
			return nil, ctx.Err()
		case <-p.box.ctx.Done():
			p.leave(w)
			return nil, ErrClosed
		}
	}
}

// leave takes a caller out of the queue; what it was granted meanwhile goes to the next.
func (p *pool) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		return
	}
	if g := <-w.grants; g.env != nil {
		p.place(g.env)
	}
}

// scale begins n starts. The caller holds p.mu.
func (p *pool) scale(n int) {
	for range n {
		p.starting++
		if !p.box.spawn(p.start) {
			p.starting--
			return
		}
	}
}

// start makes one environment, unless by its turn nobody waits for it any more.
func (p *pool) start() {
	// Before its turn: an SDK that is being installed must not hold up the starts of other functions.
	plan, err := p.planned(p.box.ctx)
	var e *environment
	begun := err == nil
	if begun {
		release, ok := p.turn()
		if !ok {
			return
		}
		e, err = p.box.newEnvironment(p, plan, release)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starting--
	if begun {
		p.launching--
	}
	if err != nil {
		p.refuse(err)
		return
	}
	p.place(e)
}

// crowdPause slows each start down when there are many processes already.
const crowdPause = 250 * time.Millisecond

// turn waits until this start may go on: a few do at a time, for they want the processor, and one that takes long stops
// counting after a second.
func (p *pool) turn() (release func(), ok bool) {
	select {
	case p.box.starts <- struct{}{}:
	case <-p.box.ctx.Done():
		return nil, false // and nobody counts any more
	}
	var once sync.Once
	release = func() { once.Do(func() { <-p.box.starts }) }
	if p.box.Running() >= p.box.cfg.Crowd {
		select {
		case <-time.After(crowdPause):
		case <-p.box.ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiters) < p.starting { // others start, too, and will do
		p.starting--
		release()
		return nil, false
	}
	p.begun()
	return release, true
}

// refuse tells the first caller in the queue that no environment can be made. The caller holds p.mu.
func (p *pool) refuse(err error) {
	if len(p.waiters) == 0 {
		return
	}
	w := p.waiters[0]
	p.waiters = p.waiters[1:]
	w.grants <- grant{err: err}
}

// place gives an environment to the first caller in the queue, or lets it rest. The caller holds p.mu.
func (p *pool) place(e *environment) {
	switch {
	case len(p.waiters) > 0:
		w := p.waiters[0]
		p.waiters = p.waiters[1:]
		w.grants <- grant{env: e}
	case e.failure != nil: // nobody is there to be told
		p.folders = append(p.folders, e.dir)
	case p.retired || e.expired():
		e.kill(causeRetired)
	default:
		e.idleSince = p.box.cfg.Clock.Now()
		p.idle = append(p.idle, e)
		p.watchIdle()
	}
}

// popIdle takes the most recently used idle environment that is still good. The caller holds p.mu.
func (p *pool) popIdle() *environment {
	for len(p.idle) > 0 {
		e := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !e.expired() {
			return e
		}
		e.kill(causeRetired)
	}
	return nil
}

// answered and asked mark the moments between which an environment settles.
func (p *pool) answered(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settling++
	e.settling = true
}

func (p *pool) asked(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled(e)
	p.place(e)
}

// settled takes an environment out of those that settle. The caller holds p.mu.
func (p *pool) settled(e *environment) {
	if e.settling {
		e.settling = false
		p.settling--
	}
}

// gone forgets an environment whose process has ended. If it was reset, its folder serves the next one.
func (p *pool) gone(e *environment, reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled(e)
	if i := slices.Index(p.idle, e); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	if reset {
		p.folders = append(p.folders, e.dir)
	}
	p.scale(len(p.waiters) - p.starting - p.settling)
}

// giveBack keeps a folder for the next environment.
func (p *pool) giveBack(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.folders = append(p.folders, dir)
}

// folder returns the folder of an environment that was reset, if there is one.
func (p *pool) folder() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.folders); n > 0 {
		dir := p.folders[n-1]
		p.folders = p.folders[:n-1]
		return dir
	}
	return ""
}

// watchIdle sees to it that idle environments end when their time is over. The caller holds p.mu.
func (p *pool) watchIdle() {
	if p.reaper == nil {
		p.reaper = p.box.cfg.Clock.At(p.idle[0].idleSince.Add(p.box.cfg.Idle), p.reap)
	}
}

func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	limit := p.box.cfg.Clock.Now().Add(-p.box.cfg.Idle)
	for len(p.idle) > 0 && !p.idle[0].idleSince.After(limit) {
		e := p.idle[0]
		p.idle = p.idle[1:]
		e.kill(causeRetired)
	}
	if len(p.idle) > 0 {
		p.watchIdle()
	}
}

// retire ends the idle environments; the busy ones end when they have answered.
func (p *pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, e := range p.idle {
		e.kill(causeRetired)
	}
	p.idle = nil
	p.stopReaper()
}

func (p *pool) stopReaper() {
	if p.reaper != nil {
		p.reaper()
		p.reaper = nil
	}
}

// close ends what the pool does by itself; the sandbox kills the processes.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	p.idle = nil
	p.stopReaper()
}
