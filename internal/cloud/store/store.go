// Package store answers: where does the embedded cloud keep its state, so that what was acknowledged is still there after a
// crash?
//
// A [DB] holds typed tables of values by key, in memory, over an append log in a state directory: [DB.Update] changes any
// number of tables at once, and returns only when the change is in the log. The log is written to the operating system
// before Update returns, so that the end of the process, kill -9 included, loses nothing; with [Options.Sync] it is also
// forced to the disk, so that a power cut loses nothing either. Writers that wait for the disk at the same time share one
// wait. When much of the log is of no use any more, it is written anew.
//
// Rules for those who use it:
//   - A value in a table is never changed: put a new one. Readers share its slices and maps.
//   - One writer runs at a time, and no reader beside it: do nothing slow inside.
//   - The function given to Update or View calls neither of them, except Update with the context that it was given: that
//     joins the change under way.
package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Schema is the version of what this program writes. A state directory with a higher one is refused.
const Schema = 2

// Options for Open.
type Options struct {
	Sync bool // an Update also waits until the disk has it
}

// DB is a set of tables. Use [Open] or [Memory].
type DB struct {
	mu      sync.RWMutex
	tables  map[string]table
	raw     map[string]map[string][]byte // recovered, of tables that nobody has asked for yet
	log     *log                         // nil: in memory only
	broken  error                        // set once: no more Updates
	watches map[string]*watch
	sync    bool
}

// Memory returns a DB that keeps all in memory, and nothing once it is closed.
func Memory() *DB {
	return &DB{tables: map[string]table{}, raw: map[string]map[string][]byte{}, watches: map[string]*watch{}}
}

// Open opens the state directory dir, made if it is not there. The errors are [InUseError], [NewerError], [DamagedError], or
// the file system's.
func Open(dir string, o Options) (*DB, error) {
	db := Memory()
	l, err := openLog(dir, db.recover)
	if err != nil {
		return nil, err
	}
	db.log, db.sync = l, o.Sync
	for _, values := range db.raw {
		for key, value := range values {
			l.baseSize += int64(len(key) + len(value))
		}
	}
	if l.schema < Schema {
		err = l.rewrite(db.dump)
	} else {
		err = db.compactIfDue()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the state anew: %w", err), l.close())
	}
	return db, nil
}

// Close waits for the change under way, forces the log to the disk and lets go of the directory. Updates after it fail.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.broken == nil {
		db.broken = errors.New("the state is closed")
	}
	if db.log == nil {
		return nil
	}
	l := db.log
	db.log = nil
	return l.close()
}

// Err returns why the DB takes no more changes: a table's values could not be read, the disk failed, or it is closed.
func (db *DB) Err() error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.broken
}

// Tables returns the names of all tables that exist, those that nobody has opened in this run among them, in order.
func (db *DB) Tables() []string {
	db.mu.RLock()
	defer db.mu.RUnlock()
	names := slices.Collect(maps.Keys(db.tables))
	for name := range db.raw {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type txKey struct{ db *DB }

// Update runs f and makes its changes, all or none: none if f returns an error, which Update returns, or panics. The context
// that f gets lets calls inside f join the change; if such an inner Update fails, only its part is undone.
func (db *DB) Update(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	if tx, ok := ctx.Value(txKey{db}).(*Tx); ok && !tx.done.Load() {
		return tx.nest(ctx, f)
	}
	end, err := db.update(ctx, f)
	if err != nil || end == 0 || !db.sync {
		return err
	}
	return db.waitForDisk(end)
}

// update does the work of Update and returns where in the log the change ends, or 0 if there was none.
func (db *DB) update(ctx context.Context, f func(ctx context.Context, tx *Tx) error) (end int64, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.broken != nil {
		return 0, db.broken
	}
	tx := &Tx{db: db, writable: true, record: make([]byte, headSize)}
	committed := false
	defer func() { // also when f panics
		tx.done.Store(true)
		if !committed {
			tx.undoTo(0)
		}
	}()
	if err := tx.run(context.WithValue(ctx, txKey{db}, tx), f); err != nil {
		return 0, err
	}
	if len(tx.record) > headSize && db.log != nil {
		if end, err = db.log.append(tx.record); err != nil {
			return 0, db.fail(fmt.Errorf("write the state: %w", err))
		}
	}
	committed = true
	tx.tell()
	if err := db.compactIfDue(); err != nil {
		return end, db.fail(fmt.Errorf("write the state anew: %w", err))
	}
	return end, nil
}

func (db *DB) waitForDisk(end int64) error {
	db.mu.RLock()
	l := db.log
	db.mu.RUnlock()
	if l == nil {
		return nil // closed meanwhile, which has forced it
	}
	if err := l.waitForDisk(end); err != nil {
		db.mu.Lock()
		defer db.mu.Unlock()
		return db.fail(fmt.Errorf("force the state to the disk: %w", err))
	}
	return nil
}

// fail makes err the answer to every later Update: after a failed write nobody knows what the file holds. The caller has the
// lock.
func (db *DB) fail(err error) error {
	if db.broken == nil {
		db.broken = err
	}
	return err
}

// View runs f while nothing changes.
func (db *DB) View(f func(tx *Tx)) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	f(&Tx{db: db})
}

// recover takes over one operation out of the log.
func (db *DB) recover(o op) {
	t := db.raw[o.table]
	switch {
	case o.kind == opDrop:
		delete(db.raw, o.table)
	case o.kind == opDelete:
		delete(t, o.key)
	case t == nil:
		db.raw[o.table] = map[string][]byte{o.key: o.value}
	default:
		t[o.key] = o.value
	}
}

// compactIfDue writes the log anew, with just what the tables hold, when it has grown to several times that. The caller has
// the lock, or the only reference.
func (db *DB) compactIfDue() error {
	if db.log == nil || !db.log.compactionDue() {
		return nil
	}
	return db.log.rewrite(db.dump)
}

// dump gives put all that the tables hold.
func (db *DB) dump(put func(table, key string, value []byte) error) error {
	for name, values := range db.raw {
		for key, value := range values {
			if err := put(name, key, value); err != nil {
				return err
			}
		}
	}
	for _, t := range db.tables {
		if err := t.dump(put); err != nil {
			return err
		}
	}
	return nil
}

// Tx is a change under way, or a look at the tables. It is of no use once the function that it was given to has returned.
type Tx struct {
	db       *DB
	writable bool
	done     atomic.Bool
	record   []byte // as the log wants it: room for a head, and the operations
	undo     []func()
	touched  []touched
	err      error // the first value that could not be encoded
}

// run calls f and makes its error, or that of an encoding, the outcome.
func (tx *Tx) run(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.err
}

// nest runs f as a part of tx which is undone by itself if it fails.
func (tx *Tx) nest(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	undo, end, ok := len(tx.undo), len(tx.record), false
	defer func() {
		if !ok {
			tx.undoTo(undo)
			tx.record = tx.record[:end]
		}
	}()
	err := tx.run(ctx, f)
	ok = err == nil
	return err
}

func (tx *Tx) undoTo(n int) {
	for i := len(tx.undo) - 1; i >= n; i-- {
		tx.undo[i]()
	}
	tx.undo = tx.undo[:n]
}

// Codec turns a table's values into bytes and back. Decode must not keep the bytes it is given.
type Codec[V any] interface {
	Append(b []byte, v V) ([]byte, error)
	Decode(b []byte) (V, error)
}

// JSON is the codec of tables that name none.
type JSON[V any] struct{}

// Append implements Codec.
func (JSON[V]) Append(b []byte, v V) ([]byte, error) {
	w := appending(b)
	err := json.NewEncoder(&w).Encode(v)
	return bytes.TrimSuffix(w, []byte("\n")), err
}

// appending is a writer that appends to bytes.
type appending []byte

func (w *appending) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

// Decode implements Codec.
func (JSON[V]) Decode(b []byte) (v V, err error) {
	err = json.Unmarshal(b, &v)
	return v, err
}
