package cloudwatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"evo/internal/cloud/cloudwatch/stats"
	"evo/internal/cloud/store"
)

// Dimension is a name and a value that tell one metric from another of the same name.
type Dimension struct{ Name, Value string }

// Datum is what Record takes: one value, or many with their counts, of one metric.
type Datum struct {
	Name           string
	Dimensions     []Dimension
	Unit           string // as AWS writes it: Count, Milliseconds; "" for None
	Value          float64
	Values, Counts []float64 // instead of Value; without Counts each value counts once
	HighResolution bool      // keep seconds, not only minutes
}

// Record counts observations at a moment. It costs its caller some microseconds and never fails: what it is given is read
// by every later call, and durable within a second. As from PutMetricData, nothing is taken that is more than two weeks old,
// or more than two hours ahead.
func (s *Service) Record(namespace string, at time.Time, data ...Datum) {
	if now := s.Clock.Now(); at.Before(now.Add(-tooOld)) || at.After(now.Add(tooNew)) {
		return
	}
	s.pending.mu.Lock()
	for i := range data {
		d := &data[i]
		dist := stats.Of(d.Value, 1)
		if d.Values != nil {
			dist = distribution(d.Values, d.Counts)
		}
		s.pending.add(namespace, d.Name, d.Dimensions, d.Unit, at, d.HighResolution, dist)
	}
	s.pending.mu.Unlock()
	s.behind.Soon()
}

func distribution(values, counts []float64) stats.Distribution {
	var d stats.Distribution
	for i, v := range values {
		count := 1.0
		if i < len(counts) {
			count = counts[i]
		}
		d = d.Merge(stats.Of(v, count))
	}
	return d
}

// series is one metric: namespace, name and dimensions identify it.
type series struct {
	ID          uint64      `json:"id"`
	Namespace   string      `json:"namespace"`
	Name        string      `json:"name"`
	Dimensions  []Dimension `json:"dimensions,omitempty"` // by name
	Units       []string    `json:"units"`                // in the order in which they came
	Last        int64       `json:"last"`                 // the newest datum's time, to about a minute
	HighDensity bool        `json:"high,omitempty"`       // has seconds
}

// seriesKey is the identity of a metric as a key; dimensions are given by name.
func seriesKey(namespace, name string, dimensions []Dimension) string {
	return string(appendSeriesKey(nil, namespace, name, dimensions))
}

func appendSeriesKey(b []byte, namespace, name string, dimensions []Dimension) []byte {
	b = append(append(b, namespace...), 0)
	b = append(append(b, name...), 0)
	for _, d := range dimensions {
		b = append(append(b, d.Name...), 1)
		b = append(append(b, d.Value...), 2)
	}
	return b
}

func sorted(dimensions []Dimension) []Dimension {
	byName := func(a, b Dimension) int { return strings.Compare(a.Name, b.Name) }
	if slices.IsSortedFunc(dimensions, byName) {
		return dimensions
	}
	out := slices.Clone(dimensions)
	slices.SortFunc(out, byName)
	return out
}

// resolution is the length of the buckets in which data lies; it is part of their keys.
type resolution struct {
	letter  byte
	seconds int64
}

var (
	second      = resolution{'1', 1}
	minute      = resolution{'m', 60}
	fiveMinutes = resolution{'n', 300}
	hour        = resolution{'o', 3600}
)

// bucketKey orders the buckets of a metric and unit by time.
func bucketKey(id uint64, r resolution, unit string, at int64) string {
	return fmt.Sprintf("%s%011d", bucketPrefix(id, r, unit), at)
}

func bucketPrefix(id uint64, r resolution, unit string) string {
	return fmt.Sprintf("%010x%c%s\x00", id, r.letter, unit)
}

type bucketCodec struct{}

func (bucketCodec) Append(b []byte, d stats.Distribution) ([]byte, error) { return d.Append(b), nil }

func (bucketCodec) Decode(b []byte) (stats.Distribution, error) {
	d, _, err := stats.Decode(b)
	return d, err
}

// pending is what was recorded and is not in the store yet, by metric.
type pending struct {
	mu     sync.Mutex // guards what follows
	series map[string]*pendingSeries
	key    []byte // scratch for the key of what is added
}

type pendingSeries struct {
	series
	buckets map[pendingBucket]*stats.Gatherer
	recent  pendingBucket   // what was recorded last is mostly what is recorded next
	into    *stats.Gatherer // of recent; nil: none
}

type pendingBucket struct {
	unit string
	res  resolution
	at   int64
}

func (p *pending) add(namespace, name string, dimensions []Dimension, unit string, at time.Time, high bool, d stats.Distribution) {
	if d.Count == 0 {
		return
	}
	if unit == "" {
		unit = "None"
	}
	dimensions = sorted(dimensions)
	p.key = appendSeriesKey(p.key[:0], namespace, name, dimensions)
	ps := p.series[string(p.key)]
	if ps == nil {
		if p.series == nil {
			p.series = map[string]*pendingSeries{}
		}
		ps = &pendingSeries{series: series{Namespace: namespace, Name: name, Dimensions: slices.Clone(dimensions)}, buckets: map[pendingBucket]*stats.Gatherer{}}
		p.series[string(p.key)] = ps
	}
	if !slices.Contains(ps.Units, unit) {
		ps.Units = append(ps.Units, unit)
	}
	unix := at.Unix()
	ps.Last = max(ps.Last, unix)
	ps.merge(pendingBucket{unit, minute, floor(unix, 60)}, d)
	if high {
		ps.HighDensity = true
		ps.merge(pendingBucket{unit, second, unix}, d)
	}
}

func (ps *pendingSeries) merge(k pendingBucket, d stats.Distribution) {
	if ps.into == nil || ps.recent != k {
		g := ps.buckets[k]
		if g == nil {
			g = &stats.Gatherer{}
			ps.buckets[k] = g
		}
		ps.recent, ps.into = k, g
	}
	ps.into.Add(d)
}

func floor(t, step int64) int64 { return t - ((t%step)+step)%step }

// write stores what is pending. Every read begins with it, so that a caller sees all that was recorded before.
func (s *Service) write(ctx context.Context) error {
	s.pending.mu.Lock()
	taken := s.pending.series
	s.pending.series = nil
	s.pending.mu.Unlock()
	if len(taken) == 0 {
		return nil
	}
	err := s.merge(ctx, taken)
	if err != nil {
		s.pending.giveBack(taken)
	}
	return err
}

// giveBack adds what could not be written to what came meanwhile.
func (p *pending) giveBack(taken map[string]*pendingSeries) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, now := range p.series {
		old := taken[key]
		if old == nil {
			taken[key] = now
			continue
		}
		for k, g := range now.buckets {
			old.merge(k, g.Distribution())
		}
		for _, u := range now.Units {
			if !slices.Contains(old.Units, u) {
				old.Units = append(old.Units, u)
			}
		}
		old.Last, old.HighDensity = max(old.Last, now.Last), old.HighDensity || now.HighDensity
	}
	p.series = taken
}

// merge adds data to what the store holds, all or nothing.
func (s *Service) merge(ctx context.Context, data map[string]*pendingSeries) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for key, ps := range data {
			id := s.enter(tx, key, ps.series)
			for k, g := range ps.buckets {
				b := bucketKey(id, k.res, k.unit, k.at)
				old, _ := s.buckets.Get(tx, b)
				s.buckets.Put(tx, b, old.Merge(g.Distribution()))
			}
		}
		return nil
	})
}

// enter makes sure that the metric is known, and returns its id.
func (s *Service) enter(tx *store.Tx, key string, now series) uint64 {
	known, ok := s.series.Get(tx, key)
	if !ok {
		n, _ := s.counters.Get(tx, "series")
		s.counters.Put(tx, "series", n+1)
		now.ID = n + 1
		s.series.Put(tx, key, now)
		return now.ID
	}
	now.ID, now.HighDensity = known.ID, known.HighDensity || now.HighDensity
	units := slices.Clone(known.Units)
	for _, u := range now.Units {
		if !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	now.Units = units
	if len(units) > len(known.Units) || now.HighDensity != known.HighDensity || now.Last-known.Last >= 60 {
		now.Last = max(now.Last, known.Last)
		s.series.Put(tx, key, now)
	}
	return now.ID
}
