package store

import (
	"fmt"
	"iter"
	"strings"

	"github.com/tidwall/btree"
)

// table is what a DB knows of its tables, whatever they hold.
type table interface {
	dump(put func(table, key string, value []byte) error) error
}

// Table holds values of one type by key, in the order of the keys' bytes.
type Table[V any] struct {
	db    *DB
	name  string
	codec Codec[V]
	watch *watch
	tree  btree.Map[string, V]
}

// NewTable returns the table of that name, with what the state directory holds of it, its values kept as JSON.
func NewTable[V any](db *DB, name string) *Table[V] {
	return NewTableCodec(db, name, Codec[V](JSON[V]{}))
}

// NewTableCodec returns the table of that name, with what the state directory holds of it. Asked for again, the same table
// is returned; with another type than before it panics. If a value cannot be decoded, every Update fails from then on, and
// [DB.Err] tells why: better than to lose it.
func NewTableCodec[V any](db *DB, name string, codec Codec[V]) *Table[V] {
	db.mu.Lock()
	defer db.mu.Unlock()
	if t, ok := db.tables[name]; ok {
		return t.(*Table[V])
	}
	t := &Table[V]{db: db, name: name, codec: codec, watch: db.watchOf(name)}
	for key, raw := range db.raw[name] {
		v, err := codec.Decode(raw)
		if err != nil {
			db.fail(fmt.Errorf("read the state: %s %q: %w", name, key, err))
			return t // not among the tables: what was recovered stays as it is
		}
		t.tree.Set(key, v)
	}
	delete(db.raw, name)
	db.tables[name] = t
	return t
}

// Get returns the value of key.
func (t *Table[V]) Get(_ *Tx, key string) (V, bool) { return t.tree.Get(key) }

// Put sets the value of key.
func (t *Table[V]) Put(tx *Tx, key string, v V) {
	tx.mustWrite()
	record, err := appendPut(tx.record, t.name, key, func(b []byte) ([]byte, error) { return t.codec.Append(b, v) })
	if err != nil {
		if tx.err == nil {
			tx.err = fmt.Errorf("encode %s %q: %w", t.name, key, err)
		}
		return
	}
	tx.record = record
	tx.touch(t.watch, key)
	old, had := t.tree.Set(key, v)
	tx.undo = append(tx.undo, func() { t.restore(key, old, had) })
}

// Delete removes key and reports whether it was there.
func (t *Table[V]) Delete(tx *Tx, key string) bool {
	tx.mustWrite()
	old, had := t.tree.Delete(key)
	if had {
		tx.touch(t.watch, key)
		tx.record = appendDelete(tx.record, t.name, key)
		tx.undo = append(tx.undo, func() { t.restore(key, old, true) })
	}
	return had
}

// Drop removes all entries, and the table from the state directory until something is put again.
func (t *Table[V]) Drop(tx *Tx) {
	tx.mustWrite()
	tx.record = appendDrop(tx.record, t.name)
	tx.touch(t.watch, "")
	old := t.tree
	t.tree = btree.Map[string, V]{}
	tx.undo = append(tx.undo, func() { t.tree = old })
}

func (t *Table[V]) restore(key string, old V, had bool) {
	if had {
		t.tree.Set(key, old)
	} else {
		t.tree.Delete(key)
	}
}

// Len returns the number of entries.
func (t *Table[V]) Len(_ *Tx) int { return t.tree.Len() }

// Ascend yields the entries whose key is from or after it, in order. The table may be changed meanwhile; what is yielded is
// as it was at the start.
func (t *Table[V]) Ascend(tx *Tx, from string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { t.still(tx).Ascend(from, yield) }
}

// Descend yields the entries whose key is from or before it, in reverse order; with "" all of them.
func (t *Table[V]) Descend(tx *Tx, from string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		if from == "" {
			t.still(tx).Reverse(yield)
			return
		}
		t.still(tx).Descend(from, yield)
	}
}

// Prefix yields the entries whose key begins with p, in order.
func (t *Table[V]) Prefix(tx *Tx, p string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		t.still(tx).Ascend(p, func(key string, v V) bool {
			return strings.HasPrefix(key, p) && yield(key, v)
		})
	}
}

// still returns a tree that does not change while it is walked.
func (t *Table[V]) still(tx *Tx) *btree.Map[string, V] {
	if tx.writable {
		return t.tree.Copy()
	}
	return &t.tree
}

func (t *Table[V]) dump(put func(table, key string, value []byte) error) error {
	var err error
	var buf []byte
	t.tree.Scan(func(key string, v V) bool {
		if buf, err = t.codec.Append(buf[:0], v); err != nil {
			err = fmt.Errorf("encode %s %q: %w", t.name, key, err)
			return false
		}
		err = put(t.name, key, buf)
		return err == nil
	})
	return err
}

func (tx *Tx) mustWrite() {
	if !tx.writable || tx.done.Load() {
		panic("store: a table was changed outside of Update")
	}
}
