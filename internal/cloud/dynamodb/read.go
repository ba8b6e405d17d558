package dynamodb

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/store"
)

// pageSize is how many bytes of items a Query or Scan reads at most.
const pageSize = 1 << 20

// usualPage is how many items a read makes room for before it has seen one.
const usualPage = 16

// read is a Query or a Scan: a walk over a part of a table or an index.
type read struct {
	table *table
	index *index // nil: the table itself

	span       span
	backward   bool
	limit      int // 0: none
	consistent bool

	filter     expression.Condition   // nil: none
	projection *expression.Projection // nil: all that the index has
	fetch      bool                   // of a local index: the filter or the projection needs what only the table has
	whole      bool                   // what is fetched is answered, too
	countOnly  bool
}

// span is the keys from, and up to but without, to; "" is the end of all.
type span struct{ from, to string }

func (s span) empty() bool { return s.to != "" && s.from >= s.to }

// page is what a read found.
type page struct {
	items   []item.Item
	count   int
	scanned int
	last    item.Item // where to go on; nil: nowhere
	used    consumed
}

// run reads a page. Filtering and projecting are done when the store is free again.
func (r *read) run(s *Service) page {
	found, sizes := make([]*record, 0, usualPage), make([]int, 0, usualPage)
	more, bytes := false, 0
	s.db.View(func(tx *store.Tx) {
		r.walk(tx, func(rec *record, size int) bool {
			if len(found) > 0 && bytes+size > pageSize {
				more = true
				return false
			}
			bytes += size
			found, sizes = append(found, rec), append(sizes, size)
			more = r.limit > 0 && len(found) >= r.limit
			return !more
		})
	})
	p := page{scanned: len(found), used: r.consumption(found, sizes, bytes)}
	if more {
		p.last = r.position(found[len(found)-1].item)
	}
	if !r.countOnly {
		p.items = make([]item.Item, 0, len(found))
	}
	for _, rec := range found {
		has := rec.item
		if r.index != nil && !r.whole {
			has = r.index.project(has)
		}
		seen := has
		if r.fetch {
			seen = rec.item
		}
		if r.filter != nil && !r.filter.Holds(seen) {
			continue
		}
		p.count++
		if !r.countOnly {
			p.items = append(p.items, r.projection.Of(has))
		}
	}
	return p
}

// walk yields the records in the span, each with the size that it has in what is read.
func (r *read) walk(tx *store.Tx, yield func(rec *record, size int) bool) {
	if r.span.empty() {
		return
	}
	if r.index == nil {
		walk(r.table.items, tx, r.span, r.backward, func(rec *record) bool { return yield(rec, rec.size) })
		return
	}
	walk(r.index.entries, tx, r.span, r.backward, func(e entry) bool {
		rec, ok := r.table.items.Get(tx, e.primary)
		return !ok || yield(rec, e.size)
	})
}

func walk[V any](t *store.Table[V], tx *store.Tx, in span, backward bool, yield func(V) bool) {
	if !backward {
		for key, v := range t.Ascend(tx, in.from) {
			if in.to != "" && key >= in.to || !yield(v) {
				return
			}
		}
		return
	}
	for key, v := range t.Descend(tx, in.to) {
		if key == in.to {
			continue
		}
		if key < in.from || !yield(v) {
			return
		}
	}
}

// position returns the key attributes that tell where an item stands in what is read.
func (r *read) position(it item.Item) item.Item {
	key := r.table.key.of(it)
	if r.index != nil {
		r.index.key.copyTo(key, it)
	}
	return key
}

// positionLen returns how many attributes a position has.
func (r *read) positionLen() int {
	n := r.table.key.len()
	if r.index != nil {
		for a := range r.index.key.all() {
			if !r.table.key.has(a.Name) {
				n++
			}
		}
	}
	return n
}

// setFilter takes the filter, which may not look into a key attribute: there is nothing in it.
func (r *read) setFilter(filter expression.Condition) error {
	r.filter = filter
	if filter == nil {
		return nil
	}
	for _, name := range expression.Nested(filter) {
		what := ""
		switch {
		case r.table.key.has(name):
			what = "Key"
		case r.index != nil && r.index.key.has(name):
			what = "IndexKey"
		default:
			continue
		}
		return invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: %s", what, name)
	}
	return nil
}

func (r *read) consumption(found []*record, sizes []int, bytes int) consumed {
	var c consumed
	units := Units{Read: readUnits(bytes, r.consistent)}
	if r.index == nil {
		c.table = units
		return c
	}
	c.addIndex(r.index, units)
	if !r.fetch || r.index.projected == nil {
		return c
	}
	for i, rec := range found {
		if sizes[i] < rec.size { // fetched from the table
			c.table.Read += readUnits(rec.size, r.consistent)
		}
	}
	return c
}

// startAfter narrows the span to what comes after the position that the client gives, in the direction of the read.
func (r *read) startAfter(position item.Item) error {
	position, err := item.Normalize(position)
	if err != nil {
		return invalid("The provided starting key is invalid: %s", err)
	}
	keys := []*key{&r.table.key}
	if r.index != nil {
		keys = append(keys, &r.index.key)
	}
	names := 0
	for name := range position {
		if slices.ContainsFunc(keys, func(k *key) bool { return k.has(name) }) {
			names++
		}
	}
	if names != len(position) || names != r.positionLen() {
		return invalid("The provided starting key is invalid")
	}
	for _, k := range keys {
		if !k.in(position) {
			return invalid("The provided starting key is invalid: The provided key element does not match the schema")
		}
	}
	at := r.table.primary(position)
	if r.index != nil {
		at = r.index.entryKey(position, at)
	}
	return r.startAt(at)
}

func (r *read) startAt(at string) error {
	if r.backward {
		if at < r.span.from {
			return errOutside()
		}
		if r.span.to == "" || at < r.span.to {
			r.span.to = at
		}
		return nil
	}
	if r.span.to != "" && at >= r.span.to {
		return errOutside()
	}
	r.span.from = max(r.span.from, at+"\x00")
	return nil
}

func errOutside() error {
	return invalid("The provided starting key is outside query boundaries based on provided conditions")
}

// choose works out what the request wants of each item.
func (r *read) choose(want types.Select, p *expression.Projection, hasExpression bool) error {
	r.projection = p
	asked := "AttributesToGet"
	if hasExpression {
		asked = "ProjectionExpression"
	}
	switch {
	case p != nil && want != "" && want != types.SelectSpecificAttributes:
		return invalid("Cannot specify the %s when choosing to get %s", asked, want)
	case want == types.SelectSpecificAttributes && p == nil:
		return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case want == types.SelectAllProjectedAttributes && r.index == nil:
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	r.countOnly = want == types.SelectCount
	if r.index == nil || r.index.projected == nil {
		return nil
	}
	if want == types.SelectAllAttributes {
		if r.index.Global {
			return invalidParameter("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", r.index.Name)
		}
		r.fetch, r.whole = true, true
	}
	return r.fetchIfNeeded()
}

// fetchIfNeeded makes the read fetch items from the table if attributes are asked for that the index does not have.
func (r *read) fetchIfNeeded() error {
	var asked, missing []string
	if r.projection != nil {
		asked = r.projection.Attributes()
	}
	chosen := len(asked)
	if r.filter != nil {
		asked = slices.Concat(asked, expression.Attributes(r.filter))
	}
	for i, name := range asked {
		if slices.Contains(r.index.projected, name) {
			continue
		}
		r.fetch = true
		r.whole = r.whole || i < chosen
		if !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && r.index.Global {
		return invalidParameter("Global secondary index %s does not project [%s]", r.index.Name, strings.Join(missing, ", "))
	}
	return nil
}

// over returns a read of the table or one of its indexes.
func over(t *table, indexName *string, consistent *bool, limit *int32) (*read, error) {
	r := &read{table: t, consistent: deref(consistent), limit: int(deref(limit))}
	if limit != nil && *limit < 1 {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *limit)
	}
	if indexName == nil {
		return r, nil
	}
	if r.index = t.index(*indexName); r.index == nil {
		return nil, invalid("The table does not have the specified index: %s", *indexName)
	}
	if r.index.Global && r.consistent {
		return nil, invalid("Consistent reads are not supported on global secondary indexes")
	}
	return r, nil
}
