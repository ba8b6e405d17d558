package sam

// table is the order in which the keys of a map are visited: that of an open hash table with the probing, growth and deleted
// markers of Python 2.7's dictionaries. The ids of API deployments are hashes of printed maps, and AWS keeps them as they were
// when its transform ran on that version; another order would be another id, and would deploy APIs that did not change.
type table struct {
	slots []slot
	used  int // live keys
	fill  int // live keys and deleted markers
}

type slot struct {
	state slotState
	hash  uint64
	key   string
}

type slotState uint8

const (
	empty slotState = iota
	live
	deleted
)

const (
	minSlots       = 8
	manyKeys       = 50_000 // above so many, a table grows by two instead of four
	perturbShift   = 5
	hashMultiplier = 1000003
)

func newKeyTable() *table { return &table{slots: make([]slot, minSlots)} }

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
func (t *table) find(key string, hash uint64) int {
	mask := uint64(len(t.slots) - 1)
	free := -1
	walk, perturb := hash&mask, hash
	for i := walk; ; i = walk & mask {
		switch s := &t.slots[i]; {
		case s.state == empty && free >= 0:
			return free
		case s.state == empty, s.state == live && s.hash == hash && s.key == key:
			return int(i)
		case s.state == deleted && free < 0:
			free = int(i)
		}
		walk = 5*walk + perturb + 1
		perturb >>= perturbShift
	}
}

func (t *table) set(key string) { t.setHashed(key, hashKey(key)) }

func (t *table) setHashed(key string, hash uint64) {
	s := &t.slots[t.find(key, hash)]
	if s.state == live {
		return
	}
	if s.state == empty {
		t.fill++
	}
	*s = slot{state: live, hash: hash, key: key}
	t.used++
	if 3*t.fill >= 2*len(t.slots) {
		t.resize(t.used * growth(t.used))
	}
}

func growth(used int) int {
	if used > manyKeys {
		return 2
	}
	return 4
}

func (t *table) delete(key string) {
	if s := &t.slots[t.find(key, hashKey(key))]; s.state == live {
		*s = slot{state: deleted}
		t.used--
	}
}

// reserve makes room for n more keys, some of which may be there already.
func (t *table) reserve(n int) {
	if n > 0 && 3*(t.fill+n) >= 2*len(t.slots) {
		t.resize(2 * (t.used + n))
	}
}

// resize makes more than n slots, and puts the keys into them in the order of their old ones.
func (t *table) resize(n int) {
	size := minSlots
	for size <= n {
		size *= 2
	}
	old := t.slots
	*t = table{slots: make([]slot, size)}
	for _, s := range old {
		if s.state == live {
			t.setHashed(s.key, s.hash)
		}
	}
}

func (t *table) keys() []string {
	keys := make([]string, 0, t.used)
	for i := range t.slots {
		if t.slots[i].state == live {
			keys = append(keys, t.slots[i].key)
		}
	}
	return keys
}
