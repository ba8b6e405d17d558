package store

// watch is who wants to know of a table's changes. It is there before the table is, and shared by both.
type watch struct{ told []func(key string) }

// Watch calls f for every key that a change has put or removed in the table of that name, whether it exists yet or not; with "" if
// all were removed at once. f runs before the writer's Update returns and while nobody else can change or
// read: it takes note, and does nothing else. There is no way to stop it but the DB's end.
func (db *DB) Watch(table string, f func(key string)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	w := db.watchOf(table)
	w.told = append(w.told, f)
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

// touched is a key that a change has put or removed, of a table that somebody watches.
type touched struct {
	*watch
	key string
}

// touch notes that tx changes a key, if somebody wants to know.
func (tx *Tx) touch(w *watch, key string) {
	if len(w.told) > 0 {
		tx.touched = append(tx.touched, touched{w, key})
	}
}

// tell calls those who watch what tx has changed.
func (tx *Tx) tell() {
	for _, t := range tx.touched {
		for _, f := range t.told {
			f(t.key)
		}
	}
}
