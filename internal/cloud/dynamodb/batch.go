package dynamodb

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/store"
)

const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	batchGetSize  = 16 << 20
)

// BatchGetItem reads up to 100 items by key. Those that go beyond 16 MB are answered as unprocessed.
func (s *Service) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	began := time.Now()
	total := 0
	for _, k := range in.RequestItems {
		total += len(k.Keys)
	}
	if total > maxBatchGet {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}, UnprocessedKeys: map[string]types.KeysAndAttributes{}}
	budget := batchGetSize
	for _, name := range sortedNames(in.RequestItems) {
		request := in.RequestItems[name]
		t, found, left, err := s.getBatch(name, request, &budget)
		if err != nil {
			return nil, err
		}
		out.Responses[name] = found.items
		if len(left) > 0 {
			request.Keys = left
			out.UnprocessedKeys[name] = request
		}
		u := found.used.usage(t.Name, "BatchGetItem")
		u.Returned = len(found.items)
		s.measure(u, began)
		if c := found.used.answer(in.ReturnConsumedCapacity, false); c != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, *c)
		}
	}
	return out, nil
}

// getBatch reads one table's part of a batch, as far as the budget of bytes goes, and returns the keys that are left.
func (s *Service) getBatch(name string, in types.KeysAndAttributes, budget *int) (*table, page, []map[string]types.AttributeValue, error) {
	g, err := newGetter(in.ProjectionExpression, in.AttributesToGet, in.ExpressionAttributeNames)
	if err != nil {
		return nil, page{}, nil, err
	}
	t, err := s.lookup(name)
	if err != nil {
		return nil, page{}, nil, err
	}
	var places []string
	for _, k := range in.Keys {
		key, err := changing(t, k)
		if err != nil {
			return nil, page{}, nil, err
		}
		if slices.Contains(places, key.primary) {
			return nil, page{}, nil, invalid("Provided list of item keys contains duplicates")
		}
		places = append(places, key.primary)
	}
	records := make([]*record, len(places))
	s.db.View(func(tx *store.Tx) {
		for i, place := range places {
			records[i], _ = t.items.Get(tx, place)
		}
	})
	p := page{items: make([]item.Item, 0, len(records)), used: consumed{name: name}}
	for i, r := range records {
		if r != nil {
			if *budget -= r.size; *budget < 0 {
				return t, p, in.Keys[i:], nil
			}
			p.items = append(p.items, g.projection.Of(r.item))
		}
		p.used.table.Read += r.readUnits(deref(in.ConsistentRead))
	}
	return t, p, nil, nil
}

// BatchWriteItem puts and deletes up to 25 items. Each of them is done by itself, in DynamoDB's contract; here all are done at
// once, and none if the request is wrong.
func (s *Service) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	began := time.Now()
	total := 0
	for _, requests := range in.RequestItems {
		total += len(requests)
	}
	if total > maxBatchWrite {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	for {
		b := &batch{service: s, operation: "BatchWriteItem"}
		for _, name := range sortedNames(in.RequestItems) {
			t, err := s.lookup(name)
			if err != nil {
				return nil, err
			}
			for _, request := range in.RequestItems[name] {
				w, err := batchWrite(t, request)
				if err != nil {
					return nil, err
				}
				if !b.add(name, w) {
					return nil, invalid("Provided list of item keys contains duplicates")
				}
			}
		}
		stale, err := s.change(ctx, b.tables(), func(tx *store.Tx) error { return b.decideAll(tx) })
		if stale {
			continue
		}
		if err != nil {
			return nil, err
		}
		out := &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
		out.ConsumedCapacity = b.finish(began, in.ReturnConsumedCapacity, 1)
		if in.ReturnItemCollectionMetrics == types.ReturnItemCollectionMetricsSize {
			out.ItemCollectionMetrics = b.collections()
		}
		return out, nil
	}
}

func batchWrite(t *table, in types.WriteRequest) (*write, error) {
	switch {
	case (in.PutRequest != nil) == (in.DeleteRequest != nil): // in AWS's words, though the same is said of both mistakes
		return nil, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case in.PutRequest != nil:
		w, err := putting(t, in.PutRequest.Item)
		return w, batchKeyError(t, in.PutRequest.Item, err)
	}
	return changing(t, in.DeleteRequest.Key)
}

// batchKeyError words the error of a put without a key as BatchWriteItem does.
func batchKeyError(t *table, it item.Item, err error) error {
	if err != nil && !t.key.in(it) {
		return errKeyElement()
	}
	return err
}

// batch is several writes that are made at once.
type batch struct {
	service   *Service
	operation string
	names     []string // of the tables, as the request has them
	writes    []*write
	outcomes  []outcome
}

// add adds a write, unless the batch has one of the same item.
func (b *batch) add(name string, w *write) bool {
	for _, v := range b.writes {
		if v.table == w.table && v.primary == w.primary {
			return false
		}
	}
	b.names, b.writes = append(b.names, name), append(b.writes, w)
	return true
}

func (b *batch) tables() []*table {
	var list []*table
	for _, w := range b.writes {
		if !slices.Contains(list, w.table) {
			list = append(list, w.table)
		}
	}
	return list
}

// decideAll makes all writes, which have no conditions.
func (b *batch) decideAll(tx *store.Tx) error {
	b.outcomes = make([]outcome, len(b.writes))
	for i, w := range b.writes {
		o, err := w.decide(tx)
		if err != nil {
			return err
		}
		b.outcomes[i] = o
		w.apply(tx, o)
	}
	return nil
}

// finish keeps the sizes, tells the meter, and returns what was consumed, a table at a time.
func (b *batch) finish(began time.Time, want types.ReturnConsumedCapacity, factor float64) []types.ConsumedCapacity {
	used := map[string]*consumed{}
	real := map[string]string{}
	for i, w := range b.writes {
		w.count(b.outcomes[i])
		if !b.service.wanted(want) {
			continue
		}
		name := b.names[i]
		if used[name] == nil {
			used[name], real[name] = new(consumed), w.table.Name
		}
		used[name].add(w.consumption(name, b.outcomes[i], factor))
	}
	var list []types.ConsumedCapacity
	for _, name := range sortedNames(used) {
		b.service.measure(used[name].usage(real[name], b.operation), began)
		if c := used[name].answer(want, factor > 1); c != nil {
			list = append(list, *c)
		}
	}
	return list
}

// collections returns the ItemCollectionMetrics by table.
func (b *batch) collections() map[string][]types.ItemCollectionMetrics {
	out := map[string][]types.ItemCollectionMetrics{}
	for i, w := range b.writes {
		if m := w.collection(types.ReturnItemCollectionMetricsSize, w.keyItem()); m != nil {
			out[b.names[i]] = append(out[b.names[i]], *m)
		}
	}
	return out
}
