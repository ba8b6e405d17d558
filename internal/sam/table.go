package sam

// table is the order in which the entries of a map are visited: that of an open hash table with the probing, growth and deleted
// markers of Python 2.7's dictionaries. The ids of API deployments are hashes of printed maps, and AWS keeps them as they were
// when its transform ran on that version; another order would be another id, and would deploy APIs that did not change.
//
// A table holds positions in the list of a map's entries, which its methods are given.
type table struct {
	slots []slot
	used  int32 // live entries
	taken int32 // live entries and deleted markers
}

// slot is a place in a table. at is the position of an entry plus one, 0 if the slot is empty, or deletedSlot.
type slot struct {
	hash uint64
	at   int32
}

const deletedSlot = -1

const (
	minSlots       = 8
	fewKeys        = 5      // so many fit into the first slots
	manyKeys       = 50_000 // above so many, a table grows by two instead of four
	perturbShift   = 5
	hashMultiplier = 1000003
)

// fill adds entries to an empty table, one after the other.
func (t *table) fill(entries []field) {
	for i := range entries {
		t.add(entries[:i+1], hashKey(entries[i].key))
	}
}

// visit returns the entries in the order of their slots. It is a new list if they do not stand in that order.
func (t *table) visit(entries []field) (list []field, fresh bool) {
	last := int32(0)
	for i := range t.slots {
		switch at := t.slots[i].at; {
		case at <= 0:
		case list == nil && at == last+1:
			last = at
		case list == nil:
			list = append(make([]field, 0, len(entries)), entries[:last]...)
			fallthrough
		default:
			list = append(list, entries[at-1])
		}
	}
	if list == nil {
		return entries, false
	}
	return list, true
}

// hashKey hashes a key, over its characters, with 64 bits that wrap around.
func hashKey(s string) uint64 {
	if s == "" {
		return 0
	}
	var x uint64
	n := uint64(0)
	for _, r := range s {
		if n == 0 {
			x = uint64(r) << 7
		}
		x = hashMultiplier*x ^ uint64(r)
		n++
	}
	return x ^ n
}

// find is the slot of a key, or the one to put it in.
func (t *table) find(entries []field, key string, hash uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	var free *slot
	walk, perturb := hash&mask, hash
	for i := walk; ; i = walk & mask {
		switch s := &t.slots[i]; {
		case s.at == 0 && free != nil:
			return free
		case s.at == 0, s.at > 0 && s.hash == hash && entries[s.at-1].key == key:
			return s
		case s.at == deletedSlot && free == nil:
			free = s
		}
		walk = 5*walk + perturb + 1
		perturb >>= perturbShift
	}
}

// add takes in the last entry, whose key is new.
func (t *table) add(entries []field, hash uint64) {
	at := len(entries)
	s := t.find(entries, entries[at-1].key, hash)
	if s.at == 0 {
		t.taken++
	}
	*s = slot{hash, int32(at)}
	t.used++
	if 3*int(t.taken) >= 2*len(t.slots) {
		t.resize(int(t.used * growth(t.used)))
	}
}

func growth(used int32) int32 {
	if used > manyKeys {
		return 2
	}
	return 4
}

// delete takes out the entry at a position, which then leaves the list.
func (t *table) delete(position int) {
	for i := range t.slots {
		switch s := &t.slots[i]; {
		case int(s.at) == position+1:
			*s = slot{at: deletedSlot}
		case int(s.at) > position+1:
			s.at--
		}
	}
	t.used--
}

// reserve makes room for n more keys, some of which may be there already.
func (t *table) reserve(n int) {
	if n > 0 && 3*(int(t.taken)+n) >= 2*len(t.slots) {
		t.resize(2 * (int(t.used) + n))
	}
}

// resize makes more than n slots, and puts the entries into them in the order of their old ones.
func (t *table) resize(n int) {
	size := minSlots
	for size <= n {
		size *= 2
	}
	old := t.slots
	t.slots = make([]slot, size)
	t.taken = t.used
	for _, s := range old {
		if s.at > 0 {
			t.place(s)
		}
	}
}

// place puts an entry into the first empty slot of its path; there are no deleted markers.
func (t *table) place(s slot) {
	mask := uint64(len(t.slots) - 1)
	walk, perturb := s.hash&mask, s.hash
	for t.slots[walk&mask].at != 0 {
		walk = 5*walk + perturb + 1
		perturb >>= perturbShift
	}
	t.slots[walk&mask] = s
}
