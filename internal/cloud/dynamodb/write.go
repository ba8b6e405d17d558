package dynamodb

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/store"
)

// write is one change to one item, checked as far as it can be without the item that is there.
type write struct {
	table   *table
	primary string

	put    *record            // PutItem
	key    item.Item          // UpdateItem: the item's key
	update *expression.Update // UpdateItem; nil changes nothing
	check  bool               // ConditionCheck: nothing is written

	condition expression.Condition // nil: none
	showOld   bool                 // in the error, if the condition fails
}

// outcome is an item before and after a write; nil where there was or is none.
type outcome struct{ old, new *record }

func (o outcome) oldItem() item.Item { return o.old.orNil() }
func (o outcome) newItem() item.Item { return o.new.orNil() }

func (r *record) orNil() item.Item {
	if r == nil {
		return nil
	}
	return r.item
}

// putting checks a whole item that is to be put.
func putting(t *table, it item.Item) (*write, error) {
	it, err := item.Normalize(it)
	if err != nil {
		return nil, validation(err)
	}
	if err := t.checkItem(it); err != nil {
		return nil, err
	}
	r := newRecord(it)
	if r.size > item.MaxSize {
		return nil, invalid("Item size has exceeded the maximum allowed size")
	}
	return &write{table: t, primary: t.primary(it), put: r}, nil
}

// changing checks the key of an item that is to be updated, deleted or read.
func changing(t *table, keyItem item.Item) (*write, error) {
	keyItem, err := item.Normalize(keyItem)
	if err != nil {
		return nil, validation(err)
	}
	if err := t.checkKey(keyItem); err != nil {
		return nil, err
	}
	return &write{table: t, primary: t.primary(keyItem), key: keyItem}, nil
}

// updating checks an update.
func updating(t *table, keyItem item.Item, u *expression.Update) (*write, error) {
	w, err := changing(t, keyItem)
	if err != nil {
		return nil, err
	}
	for _, path := range u.Paths() {
		if t.key.has(path[0].Name) {
			return nil, invalidParameter("Cannot update attribute %s. This attribute is part of the key", path[0].Name)
		}
	}
	w.update = u
	return w, nil
}

// decide works out what the write makes of the item that is there, and changes nothing.
func (w *write) decide(tx *store.Tx) (outcome, error) {
	var o outcome
	o.old, _ = w.table.items.Get(tx, w.primary)
	if w.condition != nil && !w.condition.Holds(o.oldItem()) {
		if w.showOld {
			return o, conditionFailed(o.oldItem())
		}
		return o, conditionFailed(nil)
	}
	switch {
	case w.check:
		o.new = o.old
	case w.put != nil:
		o.new = w.put
	case w.update != nil:
		var err error
		o.new, err = w.updated(o.old)
		return o, err
	}
	return o, nil
}

func (w *write) updated(old *record) (*record, error) {
	base := w.key
	if old != nil {
		base = old.item
	}
	it, err := w.update.Apply(base)
	if err != nil {
		return nil, validation(err)
	}
	if old == nil && w.update.OnlyRemoves() {
		return nil, nil
	}
	if it, err = item.Normalize(it); err != nil { // lists and maps may have come to be too deep
		return nil, validation(err)
	}
	err = w.table.checkIndexKeys(it, func(*index, attribute, item.Value) error {
		return invalid("The update expression attempted to update the secondary index key to unsupported type")
	})
	if err != nil {
		return nil, err
	}
	r := newRecord(it)
	if r.size > item.MaxSize {
		return nil, invalid("Item size to update has exceeded the maximum allowed size")
	}
	return r, nil
}

// apply writes what was decided, to the table and its indexes.
func (w *write) apply(tx *store.Tx, o outcome) {
	if w.check || o.old == nil && o.new == nil {
		return
	}
	if o.new != nil {
		w.table.items.Put(tx, w.primary, o.new)
	} else {
		w.table.items.Delete(tx, w.primary)
	}
	for _, ix := range w.table.Indexes {
		ix.move(tx, w.primary, o)
	}
}

// move brings the index up to date with a write.
func (ix *index) move(tx *store.Tx, primary string, o outcome) {
	var from, to string
	if o.old != nil {
		from = ix.entryKey(o.old.item, primary)
	}
	if o.new != nil {
		to = ix.entryKey(o.new.item, primary)
	}
	if from != "" && from != to {
		ix.entries.Delete(tx, from)
	}
	if to == "" {
		return
	}
	e := entry{primary: to[len(to)-len(primary):], size: ix.projectedSize(o.new)}
	if from != to || ix.projectedSize(o.old) != e.size {
		ix.entries.Put(tx, to, e)
	}
}

// count keeps the sizes of the table and its indexes, once the write is durable.
func (w *write) count(o outcome) {
	if w.check {
		return
	}
	size := func(r *record) int64 {
		if r == nil {
			return 0
		}
		return int64(r.size)
	}
	w.table.bytes.Add(size(o.new) - size(o.old))
	for _, ix := range w.table.Indexes {
		ix.bytes.Add(ix.sizeOf(o.new) - ix.sizeOf(o.old))
	}
}

// sizeOf returns how many bytes the index has of an item, 0 for one that is not in it.
func (ix *index) sizeOf(r *record) int64 {
	if r == nil || !ix.key.in(r.item) {
		return 0
	}
	return int64(ix.projectedSize(r))
}

// attributes returns what ReturnValues asks for.
func (w *write) attributes(o outcome, want types.ReturnValue) item.Item {
	switch want {
	case types.ReturnValueAllOld:
		return o.oldItem()
	case types.ReturnValueAllNew:
		return o.newItem()
	}
	if w.update == nil || len(w.update.Paths()) == 0 {
		return nil
	}
	var it item.Item
	switch want {
	case types.ReturnValueUpdatedOld:
		it = expression.Project(w.update.Paths()).Of(o.oldItem())
	case types.ReturnValueUpdatedNew:
		it = expression.Project(w.update.Paths()).Of(o.newItem())
	}
	if len(it) == 0 {
		return nil
	}
	return it
}

// collection returns the ItemCollectionMetrics of a write to a table with local indexes.
func (w *write) collection(want types.ReturnItemCollectionMetrics, it item.Item) *types.ItemCollectionMetrics {
	if want != types.ReturnItemCollectionMetricsSize || !w.table.hasLocal() {
		return nil
	}
	hash := w.table.key.hash[0].Name
	return &types.ItemCollectionMetrics{
		ItemCollectionKey:   item.Item{hash: it[hash]},
		SizeEstimateRangeGB: []float64{0, 1},
	}
}

func (t *table) hasLocal() bool {
	for _, ix := range t.Indexes {
		if !ix.Global {
			return true
		}
	}
	return false
}

// keyItem returns attributes among which are the item's key.
func (w *write) keyItem() item.Item {
	if w.put != nil {
		return w.put.item
	}
	return w.key
}
