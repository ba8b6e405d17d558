package store

import (
	"context"
	"sync"
	"time"
)

// Behind writes what its owner gathers in memory a moment later, all that has come meanwhile at once. It is for what need not
// be durable when it is acknowledged: metrics and log lines that the cloud's own services report. Whoever must see all that
// was gathered calls Now first. Use [NewBehind].
type Behind struct {
	within time.Duration
	write  func(context.Context) error

	writing sync.Mutex // one write at a time

	mu      sync.Mutex // guards what follows
	closed  bool
	planned *time.Timer // nil: nothing is planned
	running sync.WaitGroup
}

// NewBehind returns a Behind whose Soon calls write within a time of the machine's. What write returns an error for is still
// gathered, and tried again.
func NewBehind(within time.Duration, write func(context.Context) error) *Behind {
	return &Behind{within: within, write: write}
}

// Soon says that there is something to write. It costs next to nothing, and may be called inside of an Update.
func (b *Behind) Soon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.planned == nil && !b.closed {
		b.planned = time.AfterFunc(b.within, b.due)
	}
}

func (b *Behind) due() {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.planned = nil
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()
	if b.Now(context.Background()) != nil {
		b.Soon()
	}
}

// Now writes what is gathered, and waits for a write that is under way.
func (b *Behind) Now(ctx context.Context) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	return b.write(ctx)
}

// Close writes what is gathered; after it, only Now does.
func (b *Behind) Close() error {
	b.mu.Lock()
	b.closed = true
	if b.planned != nil {
		b.planned.Stop()
	}
	b.mu.Unlock()
	b.running.Wait()
	return b.Now(context.Background())
}
