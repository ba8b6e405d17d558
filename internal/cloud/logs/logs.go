// Package logs answers: what did the functions and services write down, and when?
//
// It is CloudWatch Logs in one region: groups, streams and events, filter patterns, retention, metric filters. Events in
// embedded metric format become metrics as they come in. What PutLogEvents acknowledged is durable; what a service of the
// cloud writes through [Service.Write] is seen by every later call, and durable within half a second.
//
// Subscription filters, Logs Insights queries, exports, deliveries, transformers and live tail are not there.
package logs

import (
	"context"
	"errors"
	"sync"
	"time"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/logs/emf"
	"evo/internal/cloud/store"
)

// Config of a Service.
type Config struct {
	Region string
	Store  *store.DB
	Clock  clock.Clock
	// Metrics takes the metrics that events in embedded metric format and metric filters make; nil: they are dropped.
	Metrics func([]emf.Metric)
}

// Service is CloudWatch Logs in one region.
type Service struct {
	Config

	groups   *store.Table[group]
	streams  *store.Table[stream]
	events   *store.Table[event]
	filters  *store.Table[metricFilter]
	counters *store.Table[uint64]

	written written

	ctx  context.Context // ended by Close
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex // guards what follows
	closed  bool
	planned *time.Timer // the next flush; nil: none
	hourly  func() bool
}

// New returns the service with the state that the store holds.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil {
		return nil, errors.New("logs: region, store and clock are needed")
	}
	table := c.Region + "/logs/"
	s := &Service{
		Config:   c,
		groups:   store.NewTable[group](c.Store, table+"groups"),
		streams:  store.NewTable[stream](c.Store, table+"streams"),
		events:   store.NewTableCodec(c.Store, table+"events", store.Codec[event](eventCodec{})),
		filters:  store.NewTable[metricFilter](c.Store, table+"metric-filters"),
		counters: store.NewTable[uint64](c.Store, table+"counters"),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Start begins to remove what is older than its group's retention, every hour.
func (s *Service) Start(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("logs: closed")
	}
	s.planExpiry()
	return nil
}

// planExpiry is called with s.mu held.
func (s *Service) planExpiry() {
	if s.closed {
		return
	}
	s.hourly = s.Clock.At(s.Clock.Now().Add(time.Hour), func() {
		s.do(func() {
			s.expire(s.ctx) // what fails now is tried again in an hour; the store itself tells what is wrong with it
			s.mu.Lock()
			defer s.mu.Unlock()
			s.planExpiry()
		})
	})
}

// Close writes what was not yet written, and ends the service's goroutines.
func (s *Service) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if s.hourly != nil {
		s.hourly()
	}
	if s.planned != nil {
		s.planned.Stop()
	}
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
	return s.flush(context.Background())
}

// do runs f as one of the goroutines that Close waits for, unless the service is closed.
func (s *Service) do(f func()) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.work.Add(1)
	s.mu.Unlock()
	defer s.work.Done()
	f()
}
