package stats

import (
	"cmp"
	"math"
	"slices"
)

// A Gatherer gathers observations cheaply: it counts them as they come, and sorts their values in many at a time. The zero value
// has none. Unlike a Distribution it changes, and is for one goroutine at a time.
type Gatherer struct {
	total Distribution
	batch []weighted // values that count in total already, but are not among its values yet
}

// Add adds what d has observed.
func (g *Gatherer) Add(d Distribution) {
	if d.Count == 0 {
		return
	}
	if d.level > 0 || d.opaque {
		g.total = g.Distribution().Merge(d)
		return
	}
	t := &g.total
	if t.Count == 0 {
		t.Min, t.Max = d.Min, d.Max
	}
	t.Count, t.Sum = t.Count+d.Count, t.Sum+d.Sum
	t.Min, t.Max = math.Min(t.Min, d.Min), math.Max(t.Max, d.Max)
	for _, w := range d.values {
		if n := len(g.batch); n > 0 && g.batch[n-1].value == w.value {
			g.batch[n-1].weight += w.weight // what is counted is mostly the same again: one invocation, no error
			continue
		}
		g.batch = append(g.batch, w)
	}
	if len(g.batch) > limit {
		g.sort()
	}
}

// sort brings the batch among the other values.
func (g *Gatherer) sort() {
	t := &g.total
	slices.SortFunc(g.batch, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	batch := mergeSorted(g.batch, nil)
	if t.level > 0 {
		batch = round(batch, t.level)
	}
	t.values = mergeSorted(t.values, batch)
	*t = t.Limit(limit)
	g.batch = g.batch[:0]
}

// Distribution returns all that was observed until now.
func (g *Gatherer) Distribution() Distribution {
	if len(g.batch) > 0 {
		g.sort()
	}
	return g.total
}
