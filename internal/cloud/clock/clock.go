// Package clock answers: what time is it in the embedded cloud, and when has a moment come?
//
// Three clocks exist: [Real] is the machine's (and the bubble's, inside testing/synctest), [Fast] runs a given number of times
// as fast, and [Stepped] moves only when told to. Everything in the cloud that has a time stamp, a period or a deadline asks the
// clock it was given. Only what a function's process does takes real time.
//
// Timers do not survive a restart. What must, is kept as an absolute deadline in the service's own state, and armed again
// when the service starts.
package clock

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock tells the cloud's time.
type Clock interface {
	Now() time.Time
	// At calls f once, in a goroutine of its own, as soon as Now is not before t. The function it returns stops that; it
	// reports whether it did, as time.Timer.Stop.
	At(t time.Time, f func()) (stop func() bool)
	// Wait returns how long a person waits for d of the cloud's time; for a stepped clock that is d itself.
	Wait(d time.Duration) time.Duration
}

// Until waits for t, or for the context's end, whose error it returns.
func Until(ctx context.Context, c Clock, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan struct{})
	stop := c.At(t, func() { close(done) })
	defer stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Sleep waits for d of the cloud's time, or for the context's end, whose error it returns.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	return Until(ctx, c, c.Now().Add(d))
}

// Real is the machine's clock.
type Real struct{}

// Now returns the machine's time, in UTC.
func (Real) Now() time.Time { return time.Now().UTC() }

// At implements Clock.
func (Real) At(t time.Time, f func()) func() bool { return time.AfterFunc(time.Until(t), f).Stop }

// Wait implements Clock.
func (Real) Wait(d time.Duration) time.Duration { return d }

// Fast is a clock that started at a given moment and has since run Speed times as fast as the machine's.
type Fast struct {
	start time.Time // the cloud's time at base
	base  time.Time // the machine's, with its monotonic reading
	speed float64
}

// NewFast returns a clock that shows start now and runs speed times as fast as the machine's; speed must be positive.
func NewFast(start time.Time, speed float64) *Fast {
	return &Fast{start: start.UTC().Round(0), base: time.Now(), speed: speed}
}

// Now implements Clock.
func (c *Fast) Now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.base)) * c.speed))
}

// At implements Clock.
func (c *Fast) At(t time.Time, f func()) func() bool {
	// Rounding may let the machine's timer end a moment early, so that Now would still be before t: one nanosecond of the
	// machine's time makes up for it.
	return time.AfterFunc(c.Wait(t.Sub(c.Now()))+1, f).Stop
}

// Wait implements Clock.
func (c *Fast) Wait(d time.Duration) time.Duration { return time.Duration(float64(d) / c.speed) }

// Stepped is a clock that stands still until Advance moves it. Use NewStepped.
type Stepped struct {
	mu     sync.Mutex
	now    time.Time
	timers timerHeap
}

// NewStepped returns a clock that stands at now.
func NewStepped(now time.Time) *Stepped { return &Stepped{now: now.UTC().Round(0)} }

// Now implements Clock.
func (c *Stepped) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// At implements Clock.
func (c *Stepped) At(t time.Time, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.After(c.now) {
		go f()
		return func() bool { return false }
	}
	tm := &timer{at: t, f: f}
	heap.Push(&c.timers, tm)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if tm.index < 0 {
			return false
		}
		heap.Remove(&c.timers, tm.index)
		return true
	}
}

// Wait implements Clock.
func (c *Stepped) Wait(d time.Duration) time.Duration { return d }

// Advance moves the clock on by d. Timers that become due are fired in their order, each with the clock at its moment; their
// functions run in goroutines of their own, so that they may not have ended when Advance returns.
func (c *Stepped) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.now.Add(d)
	for len(c.timers) > 0 && !c.timers[0].at.After(end) {
		tm := heap.Pop(&c.timers).(*timer)
		c.now = tm.at
		go tm.f()
	}
	c.now = end
}

// Next returns the moment of the earliest timer.
func (c *Stepped) Next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return time.Time{}, false
	}
	return c.timers[0].at, true
}

type timer struct {
	at    time.Time
	f     func()
	index int // in the heap; -1 once out of it
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
