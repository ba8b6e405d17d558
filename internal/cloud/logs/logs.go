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
	behind  *store.Behind // stores what is written

	ctx   context.Context // ended by Close
	stop  context.CancelFunc
	tasks clock.Tasks
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
	s.behind = store.NewBehind(250*time.Millisecond, s.flush)
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Start begins to remove what is older than its group's retention, every hour.
func (s *Service) Start(context.Context) error {
	if s.ctx.Err() != nil {
		return errors.New("logs: closed")
	}
	// What fails now is tried again in an hour; the store itself tells what is wrong with it.
	s.tasks.Every(s.Clock, time.Hour, func() { s.expire(s.ctx) })
	return nil
}

// Close writes what was not yet written, and ends the service's goroutines.
func (s *Service) Close() error {
	s.stop()
	s.tasks.Close()
	return s.behind.Close()
}
