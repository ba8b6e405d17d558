package clock

import (
	"sync"
	"time"
)

// Tasks are what one owner does by the clock, in goroutines that the owner waits for. The zero value is ready.
type Tasks struct {
	mu      sync.Mutex
	closed  bool
	stops   []func() bool // of Every's timers, one for each call
	running sync.WaitGroup
}

// Do runs f and lets Close wait for its end; once closed, it does nothing.
func (t *Tasks) Do(f func()) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return
	}
	t.running.Add(1)
	t.mu.Unlock()
	defer t.running.Done()
	f()
}

// Every does f, again and again, d of the clock's time after it was called or f has ended.
func (t *Tasks) Every(c Clock, d time.Duration, f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	n := len(t.stops)
	t.stops = append(t.stops, nil)
	var plan func() // with t.mu held
	plan = func() {
		t.stops[n] = c.At(c.Now().Add(d), func() {
			t.Do(func() {
				f()
				t.mu.Lock()
				defer t.mu.Unlock()
				if !t.closed {
					plan()
				}
			})
		})
	}
	plan()
}

// Close lets no more begin, and waits for what is being done.
func (t *Tasks) Close() {
	t.mu.Lock()
	t.closed = true
	for _, stop := range t.stops {
		stop()
	}
	t.mu.Unlock()
	t.running.Wait()
}
