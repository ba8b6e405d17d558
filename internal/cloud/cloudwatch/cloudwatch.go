// Package cloudwatch answers: what were the metrics, and which alarms do they raise?
//
// Metrics lie in minutes (and, where they are published in high resolution, in seconds for three hours), each minute as a
// [stats.Distribution], so that every statistic can be told for every period, percentiles included. After 15 days minutes
// become five minutes, after 63 days hours, and after 455 days nothing. What PutMetricData acknowledged is durable. What the
// cloud's own services report through [Service.Record] is counted at once and durable within a second.
//
// Alarms are evaluated on the cloud's clock: every minute, and every ten seconds for those with a shorter period, shortly
// after the period's end. Alarm actions on Lambda functions are carried out; of others the history tells that they were not.
//
// Anomaly detection, Contributor Insights, metric streams, log alarms and PromQL alarms are not there.
package cloudwatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/store"
)

// Invoker carries out alarm actions on Lambda functions.
type Invoker interface {
	// InvokeAlarmAction invokes the function asynchronously, as the event source lambda.alarms.cloudwatch.amazonaws.com.
	InvokeAlarmAction(ctx context.Context, functionARN string, event []byte) error
}

// Config of a Service.
type Config struct {
	Region string
	Store  *store.DB
	Clock  clock.Clock
	Invoke Invoker // may be nil: alarm actions on functions fail then
}

// Service is CloudWatch in one region.
type Service struct {
	Config

	series     *store.Table[series]
	buckets    *store.Table[stats.Distribution]
	counters   *store.Table[uint64]
	alarms     *store.Table[alarmState]
	history    *store.Table[historyItem]
	dashboards *store.Table[dashboard]

	pending pending
	behind  *store.Behind // writes what is pending

	ctx   context.Context // ended by Close
	stop  context.CancelFunc
	tasks clock.Tasks // every goroutine of the service

	mu      sync.Mutex // guards what follows; never held while the store is asked
	running bool       // between Start and Close
	closed  bool
	tick    func() bool // stops the next evaluation; nil: none is planned
	tickAt  time.Time

	evaluating sync.Mutex // one evaluation at a time
}

// New returns the service with the state that the store holds. Alarms are evaluated from Start on.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil {
		return nil, errors.New("cloudwatch: region, store and clock are needed")
	}
	table := c.Region + "/cloudwatch/"
	s := &Service{
		Config:     c,
		series:     store.NewTable[series](c.Store, table+"series"),
		buckets:    store.NewTableCodec(c.Store, table+"buckets", store.Codec[stats.Distribution](bucketCodec{})),
		counters:   store.NewTable[uint64](c.Store, table+"counters"),
		alarms:     store.NewTable[alarmState](c.Store, table+"alarms"),
		history:    store.NewTable[historyItem](c.Store, table+"history"),
		dashboards: store.NewTable[dashboard](c.Store, "cloudwatch/dashboards"), // they are the same in all regions
	}
	s.behind = store.NewBehind(500*time.Millisecond, s.write)
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Start begins to evaluate alarms and to thin out old metrics.
func (s *Service) Start(context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.New("cloudwatch: closed")
	}
	s.running = true
	s.mu.Unlock()
	// What fails now is tried again in an hour; the store itself tells what is wrong with it.
	s.tasks.Every(s.Clock, time.Hour, func() { s.thin(s.ctx) })
	s.planTick()
	return nil
}

// Close writes what was recorded and not yet written, and ends the service's goroutines.
func (s *Service) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed, s.running = true, false
	if s.tick != nil {
		s.tick()
	}
	s.mu.Unlock()
	s.stop()
	s.tasks.Close()
	return s.behind.Close()
}
