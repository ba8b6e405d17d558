package store

import "slices"

// watch is who wants to know of a table's changes. It is there before the table is, and shared by both.
type watch struct{ told []func() }

// Watch calls f after every change that has put or removed something in one of the tables of those names, whether they exist yet
// or not; once for each table. f runs before the writer's Update returns and while nobody else can change or
// read: it takes note, and does nothing else. There is no way to stop it but the DB's end.
func (db *DB) Watch(f func(), tables ...string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, name := range tables {
		w := db.watchOf(name)
		w.told = append(w.told, f)
	}
}

// watchOf returns the watch of a table. The caller has the lock.
func (db *DB) watchOf(name string) *watch {
	w := db.watches[name]
	if w == nil {
		w = new(watch)
		db.watches[name] = w
	}
	return w
}

// touch notes that tx changes a table, if somebody wants to know.
func (tx *Tx) touch(w *watch) {
	if len(w.told) > 0 && !slices.Contains(tx.touched, w) {
		tx.touched = append(tx.touched, w)
	}
}

// tell calls those who watch what tx has changed.
func (tx *Tx) tell() {
	for _, w := range tx.touched {
		for _, f := range w.told {
			f()
		}
	}
}
