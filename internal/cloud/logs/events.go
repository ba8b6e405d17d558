package logs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"evo/internal/cloud/logs/emf"
	"evo/internal/cloud/store"
)

// Event is a message and its time.
type Event struct {
	At      time.Time
	Message string
}

// event is a log event as it is stored; its stream and time are in its key.
type event struct {
	ingested int64
	message  string
}

type eventCodec struct{}

func (eventCodec) Append(b []byte, e event) ([]byte, error) {
	return append(binary.AppendVarint(b, e.ingested), e.message...), nil
}

func (eventCodec) Decode(b []byte) (event, error) {
	at, n := binary.Varint(b)
	if n <= 0 {
		return event{}, errors.New("a log event ends too early")
	}
	return event{at, string(b[n:])}, nil
}

// position is where an event stands in a stream: its time in milliseconds, and a number that grows with each event.
type position struct{ at, n int64 }

func (p position) before(q position) bool { return p.at < q.at || p.at == q.at && p.n < q.n }

// eventKey orders a stream's events by time, and then as they came.
func eventKey(stream uint64, p position) string {
	return fmt.Sprintf("%010x%015d%015d", stream, p.at, p.n)
}

func parseEventKey(key string) position {
	at, _ := strconv.ParseInt(key[10:25], 10, 64)
	n, _ := strconv.ParseInt(key[25:], 10, 64)
	return position{at, n}
}

// written is what Write was given and is not in the store yet, in its order.
type written struct {
	mu     sync.Mutex // guards writes
	writes []write
}

type write struct {
	group, stream string
	events        []Event
	ingested      int64
}

// Write adds events to a stream, which is made, with its group, where it does not exist. It costs its caller some
// microseconds: the events are seen by every later call, and durable within half a second. Metrics in embedded format are
// counted at once.
func (s *Service) Write(_ context.Context, group, stream string, events []Event) {
	if len(events) == 0 {
		return
	}
	s.embedded(events)
	s.written.mu.Lock()
	s.written.writes = append(s.written.writes, write{group, stream, events, s.Clock.Now().UnixMilli()})
	s.written.mu.Unlock()
	s.behind.Soon()
}

// embedded hands on the metrics in the events. Those too old to count are left to who takes them, who alone knows what time
// it is for the writer.
func (s *Service) embedded(events []Event) {
	if s.Metrics == nil {
		return
	}
	var all []emf.Metric
	for _, e := range events {
		all = append(all, emf.Parse(e.Message)...)
	}
	s.hand(all)
}

// flush stores what was written. Every read begins with it.
func (s *Service) flush(ctx context.Context) error {
	s.written.mu.Lock()
	taken := s.written.writes
	s.written.writes = nil
	s.written.mu.Unlock()
	if len(taken) == 0 {
		return nil
	}
	var made []emf.Metric
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, w := range taken {
			s.ensure(tx, w.group, w.stream)
			made = append(made, s.add(tx, w.group, w.stream, w.events, w.ingested)...)
		}
		return nil
	})
	if err != nil {
		s.written.mu.Lock()
		s.written.writes = append(taken, s.written.writes...)
		s.written.mu.Unlock()
		return fmt.Errorf("store log events: %w", err)
	}
	s.hand(made)
	return nil
}

func (s *Service) hand(metrics []emf.Metric) {
	if s.Metrics != nil && len(metrics) > 0 {
		s.Metrics(metrics)
	}
}

// ensure makes the group and the stream where they do not exist.
func (s *Service) ensure(tx *store.Tx, groupName, streamName string) {
	now := s.Clock.Now().UnixMilli()
	if _, ok := s.groups.Get(tx, groupName); !ok {
		s.groups.Put(tx, groupName, group{Name: groupName, Created: now, Class: "STANDARD"})
	}
	if _, ok := s.streams.Get(tx, streamKey(groupName, streamName)); !ok {
		s.newStream(tx, groupName, streamName, now)
	}
}

func (s *Service) newStream(tx *store.Tx, groupName, streamName string, now int64) {
	id, _ := s.counters.Get(tx, "streams")
	s.counters.Put(tx, "streams", id+1)
	s.streams.Put(tx, streamKey(groupName, streamName), stream{ID: id + 1, Name: streamName, Created: now})
}

// add stores events of a stream that exists, and returns the metrics that the group's metric filters make of them.
func (s *Service) add(tx *store.Tx, groupName, streamName string, events []Event, ingested int64) []emf.Metric {
	key := streamKey(groupName, streamName)
	st, ok := s.streams.Get(tx, key)
	if !ok {
		return nil
	}
	for _, e := range events {
		at := max(e.At.UnixMilli(), 0)
		st.Count++
		s.events.Put(tx, eventKey(st.ID, position{at, int64(st.Count)}), event{ingested, e.Message})
		if st.First == nil || at < *st.First {
			st.First = new(at)
		}
		if st.Last == nil || at > *st.Last {
			st.Last = new(at)
		}
		st.Bytes += int64(len(e.Message) + eventOverhead)
	}
	st.Ingested = new(ingested)
	s.streams.Put(tx, key, st)
	return s.filtered(tx, groupName, events)
}
