package call

import (
	"context"
	"sync"
	"time"
)

// limit is how long a caller waits, without the time that is held.
type limit struct {
	mu    sync.Mutex
	left  time.Duration
	since time.Time   // when timer was set
	timer *time.Timer // nil: time stands still
	holds int
	end   func()
}

type limitKey struct{}

// WithLimit returns a context that ends, with context.DeadlineExceeded as its cause, when d has gone by, not counting what is
// held with [Hold].
func WithLimit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &limit{left: d, end: func() { cancel(context.DeadlineExceeded) }}
	l.run()
	return context.WithValue(ctx, limitKey{}, l), func() {
		l.hold()
		cancel(context.Canceled)
	}
}

// Hold makes the time of the limit that the caller has set, if there is one, stand still until release is called, once or
// more often. What takes long on this machine, and no time on AWS, is not to be what a caller loses patience over.
func Hold(ctx context.Context) (release func()) {
	l, ok := ctx.Value(limitKey{}).(*limit)
	if !ok {
		return func() {}
	}
	l.hold()
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.holds--; l.holds == 0 {
			l.run()
		}
	})
}

func (l *limit) run() {
	l.since = time.Now()
	l.timer = time.AfterFunc(l.left, l.end)
}

func (l *limit) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds++
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
		l.left -= time.Since(l.since)
	}
}
