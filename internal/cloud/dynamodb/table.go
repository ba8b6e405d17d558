package dynamodb

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"evo/internal/cloud/call"
	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/store"
)

type counter = atomic.Int64

// table is a table's description. Once in the store it is never changed: an update puts a new one in its place.
type table struct {
	Serial     uint64 // names its places in the store
	Indices    uint64 // how many indexes it has ever had, for the same purpose
	Name       string
	ID         string
	Created    time.Time
	Attributes []attribute
	Key        keyNames
	Indexes    []*index

	OnDemand     bool // billing mode PAY_PER_REQUEST
	OnDemandFrom time.Time
	Provisioned  throughput
	Limits       *limits // on-demand throughput
	Warm         *warm
	Class        string
	ClassChanged time.Time
	Protected    bool
	Encryption   *encryption
	Stream       *stream
	Recovery     *recovery
	TTL          *ttl
	Tags         map[string]string

	key   key
	items *store.Table[*record]
	bytes *counter // of all items
}

type attribute struct{ Name, Type string }

// keyNames are a key schema's attributes; a table has one of either at most, a global index up to four.
type keyNames struct {
	Hash  []string
	Range []string `json:",omitempty"`
}

// all returns the key's attributes in the schema's order.
func (k keyNames) all() []string { return slices.Concat(k.Hash, k.Range) }

// index is a secondary index.
type index struct {
	Serial      uint64
	Name        string
	Global      bool
	Key         keyNames
	Projection  string   // ALL, KEYS_ONLY or INCLUDE
	Include     []string `json:",omitempty"`
	Provisioned throughput
	Limits      *limits
	Warm        *warm

	key       key
	projected []string // the attributes it has of an item, nil for all
	entries   *store.Table[entry]
	bytes     *counter // of all projected items
}

type throughput struct {
	Read, Write         int64
	Increased, Decrease time.Time // the last ones
}

type limits struct{ Read, Write int64 }

type warm struct{ Read, Write int64 }

type encryption struct{ KeyARN string }

type stream struct {
	View    string
	Label   string
	Enabled bool
}

type recovery struct {
	Since time.Time
	Days  int32
}

type ttl struct{ Attribute string }

// compile works out what the description implies. An index that the table shares with an older description is left alone: its
// keys are what they were.
func (t *table) compile() {
	t.key = t.compileKey(t.Key)
	for _, ix := range t.Indexes {
		if ix.key.hash != nil {
			continue
		}
		ix.key = t.compileKey(ix.Key)
		if ix.Projection == "ALL" {
			continue
		}
		for _, name := range slices.Concat(t.Key.all(), ix.Key.all(), ix.Include) {
			if !slices.Contains(ix.projected, name) {
				ix.projected = append(ix.projected, name)
			}
		}
	}
}

func (t *table) compileKey(names keyNames) key {
	part := func(names []string) []attribute {
		list := make([]attribute, len(names))
		for i, name := range names {
			list[i] = attribute{name, t.attributeType(name)}
		}
		return list
	}
	return key{hash: part(names.Hash), sort: part(names.Range)}
}

func (t *table) attributeType(name string) string {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a.Type
		}
	}
	return ""
}

// copy returns a description to be changed and put in t's place. It shares the items.
func (t *table) copy() *table {
	c := *t
	c.Indexes = slices.Clone(t.Indexes)
	return &c
}

func (t *table) index(name string) *index {
	for _, ix := range t.Indexes {
		if ix.Name == name {
			return ix
		}
	}
	return nil
}

func (t *table) itemsName(region string) string {
	return fmt.Sprintf("%s/dynamodb/items/%d", region, t.Serial)
}

func (t *table) indexName(region string, ix *index) string {
	return fmt.Sprintf("%s/dynamodb/index/%d/%d", region, t.Serial, ix.Serial)
}

func (s *Service) tableARN(name string) string {
	return "arn:aws:dynamodb:" + s.region + ":" + call.Account + ":table/" + name
}

// projectedSize returns how many bytes the index has of an item.
func (ix *index) projectedSize(r *record) int {
	if ix.projected == nil {
		return r.size
	}
	n := 0
	for _, name := range ix.projected {
		if v, ok := r.item[name]; ok {
			n += len(name) + item.ValueSize(v)
		}
	}
	return n
}

// record is an item in the store.
type record struct {
	item item.Item
	size int
}

func newRecord(it item.Item) *record { return &record{it, item.Size(it)} }

type recordCodec struct{}

func (recordCodec) Append(b []byte, r *record) ([]byte, error) { return item.Append(b, r.item), nil }

func (recordCodec) Decode(b []byte) (*record, error) {
	it, err := item.Decode(b)
	if err != nil {
		return nil, err
	}
	return newRecord(it), nil
}

// entry is what an index has of an item: where it stands, and the size of what is projected.
type entry struct {
	primary string
	size    int
}

type entryCodec struct{}

func (entryCodec) Append(b []byte, e entry) ([]byte, error) {
	return append(binary.AppendUvarint(b, uint64(e.size)), e.primary...), nil
}

func (entryCodec) Decode(b []byte) (entry, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 {
		return entry{}, fmt.Errorf("not an index entry: %x", b)
	}
	return entry{string(b[n:]), int(size)}, nil
}
