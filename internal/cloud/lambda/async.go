package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/id"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
)

// event is an asynchronous invocation that has been accepted and is not settled.
type event struct {
	ID        string // also the request's
	Function  string
	Qualifier string
	Payload   []byte
	Received  time.Time
	Due       time.Time
	Attempts  int // that failed
	Throttles int // in a row
}

// What AWS does unless the function's settings say otherwise.
const (
	defaultRetries = 2
	defaultAge     = 6 * time.Hour
	maxBackoff     = 5 * time.Minute // between attempts that are throttled
)

// retryAfter is how long AWS waits after the first, and after the second attempt that failed.
func retryAfter(attempts int) time.Duration {
	if attempts <= 1 {
		return time.Minute
	}
	return 2 * time.Minute
}

// dispatcher runs the events of the queue when they are due. An event leaves the queue when it is settled, so that one that
// was running when the cloud was killed runs again.
type dispatcher struct {
	s      *Service
	turns  chan struct{} // one for each event that may run at a time
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	timers map[string]func() bool // by event
	closed bool
	done   sync.WaitGroup
}

// maxRunning bounds the events that run at a time: a burst shall not start a thousand processes on one machine.
const maxRunning = 64

func newDispatcher(s *Service) *dispatcher {
	d := &dispatcher{s: s, turns: make(chan struct{}, maxRunning), timers: map[string]func() bool{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// accept puts an event into the queue; it is durable when accept returns.
func (d *dispatcher) accept(ctx context.Context, n name, req request) error {
	now := d.s.cfg.Clock.Now()
	ev := event{ID: req.id, Function: n.function, Qualifier: n.qualifier, Payload: req.payload, Received: now, Due: now}
	err := d.s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := d.s.resolve(tx, n); err != nil {
			return err
		}
		// Calls that the cloud's services make for one request have one id.
		for _, taken := d.s.tables.queue.Get(tx, ev.ID); taken; _, taken = d.s.tables.queue.Get(tx, ev.ID) {
			ev.ID = id.UUID()
		}
		d.s.tables.queue.Put(tx, ev.ID, ev)
		return nil
	})
	if err != nil {
		return err
	}
	d.s.record.event(n, "AsyncEventsReceived", "Count", 1, now)
	d.schedule(ev)
	return nil
}

// resume schedules all events of the queue.
func (d *dispatcher) resume() {
	var all []event
	d.s.cfg.Store.View(func(tx *store.Tx) {
		for _, ev := range d.s.tables.queue.Ascend(tx, "") {
			all = append(all, ev)
		}
	})
	for _, ev := range all {
		d.schedule(ev)
	}
}

func (d *dispatcher) schedule(ev event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.timers[ev.ID]; ok || d.closed {
		return
	}
	d.timers[ev.ID] = d.s.cfg.Clock.At(ev.Due, func() {
		d.mu.Lock()
		delete(d.timers, ev.ID)
		if d.closed {
			d.mu.Unlock()
			return
		}
		d.done.Add(1)
		d.mu.Unlock()
		defer d.done.Done()
		d.handle(ev.ID)
	})
}

func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	for _, stop := range d.timers {
		stop()
	}
	d.timers = map[string]func() bool{}
	d.mu.Unlock()
	d.cancel()
	d.done.Wait()
}

// handle makes one attempt, and decides what follows.
func (d *dispatcher) handle(id string) {
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-d.ctx.Done():
		return
	}
	var ev event
	var ok bool
	var cfg eventConfig
	d.s.cfg.Store.View(func(tx *store.Tx) {
		if ev, ok = d.s.tables.queue.Get(tx, id); ok {
			n := orLatest(name{ev.Function, ev.Qualifier})
			cfg, _ = d.s.tables.events.Get(tx, under(n.function)+n.qualifier)
		}
	})
	if !ok {
		return
	}
	n := name{ev.Function, ev.Qualifier}
	now := d.s.cfg.Clock.Now()
	switch {
	case d.s.limits.zero(n.function):
		d.settle(ev, cfg, verdict{condition: "ZeroReservedConcurrency"})
		return
	case now.Sub(ev.Received) > cfg.age():
		d.settle(ev, cfg, verdict{condition: "EventAgeExceeded"})
		return
	}
	d.s.record.event(n, "AsyncEventAge", "Milliseconds", float64(now.Sub(ev.Received))/float64(time.Millisecond), now)
	res, version, err := d.s.run(d.ctx, n, request{id: ev.ID, payload: ev.Payload})
	if d.ctx.Err() != nil {
		return // closing: the event stays for the next start
	}
	d.decide(ev, cfg, res, version, err)
}

func (c eventConfig) age() time.Duration {
	if c.Age == nil {
		return defaultAge
	}
	return time.Duration(*c.Age) * time.Second
}

func (c eventConfig) retries() int {
	if c.Retries == nil {
		return defaultRetries
	}
	return int(*c.Retries)
}

// verdict is how an event ended.
type verdict struct {
	condition string // of AWS's: Success, RetriesExhausted, EventAgeExceeded, ZeroReservedConcurrency
	result    *sandbox.Result
	version   string
}

// decide settles an event after an attempt, or puts it off.
func (d *dispatcher) decide(ev event, cfg eventConfig, res *sandbox.Result, version string, err error) {
	now := d.s.cfg.Clock.Now()
	var throttle *types.TooManyRequestsException
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone): // deleted meanwhile
		d.remove(ev)
		return
	case errors.As(err, &throttle):
		ev.Due = now.Add(min(time.Second<<min(ev.Throttles, 9), maxBackoff))
		ev.Throttles++
	case err == nil && res.FunctionError == "":
		d.settle(ev, cfg, verdict{"Success", res, version})
		return
	default:
		if err != nil {
			told, _ := json.Marshal(map[string]string{"errorMessage": err.Error()})
			res = &sandbox.Result{FunctionError: "Unhandled", Payload: told}
		}
		ev.Throttles = 0
		ev.Attempts++
		if ev.Attempts > cfg.retries() {
			d.settle(ev, cfg, verdict{"RetriesExhausted", res, version})
			return
		}
		ev.Due = now.Add(retryAfter(ev.Attempts))
	}
	if ev.Due.Sub(ev.Received) > cfg.age() {
		d.settle(ev, cfg, verdict{"EventAgeExceeded", res, version})
		return
	}
	d.put(ev)
	d.schedule(ev)
}

func (d *dispatcher) put(ev event) {
	err := d.s.cfg.Store.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
		d.s.tables.queue.Put(tx, ev.ID, ev)
		return nil
	})
	d.report(ev, err)
}

func (d *dispatcher) remove(ev event) {
	err := d.s.cfg.Store.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
		d.s.tables.queue.Delete(tx, ev.ID)
		return nil
	})
	d.report(ev, err)
}

func (d *dispatcher) report(ev event, err error) {
	if err != nil {
		d.s.cfg.Report(fmt.Errorf("event %s for function %s: %w", ev.ID, ev.Function, err))
	}
}

// settle sends an event on to where it goes, and takes it out of the queue.
func (d *dispatcher) settle(ev event, cfg eventConfig, v verdict) {
	n, now := name{ev.Function, ev.Qualifier}, d.s.cfg.Clock.Now()
	failed := v.condition != "Success"
	target := cfg.OnSuccess
	if failed {
		target = cfg.OnFailure
		d.s.record.event(n, "AsyncEventsDropped", "Count", 1, now)
	}
	var follow []event
	send := func(target string, body []byte, attributes map[string]string, metric string) {
		next, err := d.send(target, body, attributes)
		if err != nil {
			d.s.record.event(n, metric, "Count", 1, now)
			d.report(ev, fmt.Errorf("deliver to %s: %w", target, err))
		} else if next != nil {
			follow = append(follow, *next)
		}
	}
	if target != "" {
		send(target, d.s.destinationRecord(ev, v, now), nil, "DestinationDeliveryFailures")
	}
	if letter := d.s.deadLetter(n); failed && letter != "" {
		send(letter, ev.Payload, deadLetterAttributes(ev, v), "DeadLetterErrors")
	}
	// What goes to functions enters the queue as this event leaves it.
	err := d.s.cfg.Store.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
		d.s.tables.queue.Delete(tx, ev.ID)
		for _, f := range follow {
			d.s.tables.queue.Put(tx, f.ID, f)
		}
		return nil
	})
	d.report(ev, err)
	for _, f := range follow {
		d.s.record.event(name{f.Function, f.Qualifier}, "AsyncEventsReceived", "Count", 1, now)
		d.schedule(f)
	}
}

// send delivers to a target; for a function it returns the event to be queued.
func (d *dispatcher) send(target string, body []byte, attributes map[string]string) (*event, error) {
	if arnService(target) != "lambda" {
		if d.s.cfg.Targets == nil {
			return nil, errors.New("this destination is not there yet")
		}
		return nil, d.s.cfg.Targets.Deliver(d.ctx, target, body, attributes)
	}
	n, err := d.s.parse(&target, nil)
	if err != nil {
		return nil, err
	}
	if _, err := d.s.route(n); err != nil {
		return nil, err
	}
	now := d.s.cfg.Clock.Now()
	return &event{ID: id.UUID(), Function: n.function, Qualifier: n.qualifier, Payload: body, Received: now, Due: now}, nil
}

func (s *Service) deadLetter(n name) string {
	v, err := s.route(n)
	if err != nil {
		return ""
	}
	return v.DeadLetter
}

func deadLetterAttributes(ev event, v verdict) map[string]string {
	var told struct {
		Message string `json:"errorMessage"`
	}
	if v.result != nil {
		_ = json.Unmarshal(v.result.Payload, &told) // an answer that is none has no message
	}
	return map[string]string{"RequestID": ev.ID, "ErrorCode": "200", "ErrorMessage": told.Message}
}

// destination is the record that AWS sends to destinations.
type destination struct {
	Version         string          `json:"version"`
	Timestamp       string          `json:"timestamp"`
	RequestContext  requestContext  `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload"`
	ResponseContext *response       `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Invocations int    `json:"approximateInvokeCount"`
}

type response struct {
	Status  int    `json:"statusCode"`
	Version string `json:"executedVersion"`
	Error   string `json:"functionError,omitempty"`
}

func (s *Service) destinationRecord(ev event, v verdict, now time.Time) []byte {
	invocations := ev.Attempts
	if v.condition == "Success" {
		invocations++
	}
	r := destination{
		Version: "1.0", Timestamp: now.UTC().Format("2006-01-02T15:04:05.000Z"), RequestPayload: ev.Payload,
		RequestContext: requestContext{ev.ID, s.arn(orLatest(name{ev.Function, ev.Qualifier})), v.condition, invocations},
	}
	if len(r.RequestPayload) == 0 {
		r.RequestPayload = json.RawMessage("{}")
	}
	if v.result != nil {
		r.ResponseContext = &response{200, v.version, v.result.FunctionError}
		r.ResponsePayload = v.result.Payload
		if !json.Valid(r.ResponsePayload) { // a function in Go may answer anything
			r.ResponsePayload, _ = json.Marshal(string(v.result.Payload))
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		s.cfg.Report(fmt.Errorf("write destination record: %w", err))
	}
	return b
}
