// Package dynamodb answers: what does DynamoDB do with its tables and their items?
//
// A [Service] is one region's. Tables stand in the store as descriptions; a table's items, and each of its indexes, have a table
// of the store of their own, so that an item and its index entries change together and are durable together. An item is kept
// as the map that the client sent, checked and with its numbers written plainly, and is never changed: reads share it.
//
// The keys in the store hold everything about order: eight bytes of the partition key's hash (so a Scan walks partitions in an order
// that is stable and tells nothing), the partition key, and the sort key in bytes that sort as DynamoDB sorts. An index entry's key
// ends with the primary key of its item.
//
// Changes to tables act at once: CreateTable answers CREATING as AWS does, and the next DescribeTable ACTIVE. What is recorded
// and answered but does not act: provisioned and warm throughput (nothing is throttled), streams, point-in-time recovery,
// table classes, encryption.
package dynamodb

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// Config is what a Service is built of.
type Config struct {
	Region string
	Store  *store.DB
	Clock  clock.Clock
	Meter  Meter // optional
}

// Meter takes what AWS publishes as metrics of DynamoDB. It must return quickly and may be called by many goroutines at once.
type Meter interface {
	Operation(Usage)
}

// Usage is what one operation, or one table's part of one, came to.
type Usage struct {
	Table     string
	Operation string
	Latency   time.Duration // of the whole operation
	Read      float64       // capacity units, of the table with its local indexes
	Write     float64
	Global    map[string]Units // by global secondary index
	Returned  int              // items, of Query and Scan
	Err       error            // nil for a success
}

// Units are capacity units consumed by reading and by writing.
type Units struct{ Read, Write float64 }

// Service is DynamoDB in one region. Use New.
type Service struct {
	region string
	db     *store.DB
	clock  clock.Clock
	meter  Meter

	tables *store.Table[*table]
	tokens *store.Table[token]
	serial *store.Table[uint64]

	sweeping sync.Mutex
	stop     func()
	stopped  chan struct{}
}

// New returns the region's DynamoDB, with the tables that the store has of it.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil {
		return nil, errors.New("dynamodb: a region, a store and a clock are needed")
	}
	prefix := c.Region + "/dynamodb/"
	s := &Service{
		region: c.Region, db: c.Store, clock: c.Clock, meter: c.Meter,
		tables: store.NewTableCodec(c.Store, prefix+"tables", store.Codec[*table](tableCodec{})),
		tokens: store.NewTable[token](c.Store, prefix+"tokens"),
		serial: store.NewTable[uint64](c.Store, prefix+"serial"),
	}
	var all []*table
	s.db.View(func(tx *store.Tx) {
		for _, t := range s.tables.Ascend(tx, "") {
			all = append(all, t)
		}
	})
	for _, t := range all {
		s.attach(t)
	}
	if err := s.db.Err(); err != nil {
		return nil, fmt.Errorf("dynamodb: %w", err)
	}
	return s, nil
}

// attach gives a table that was read from the store its places there. It must not run inside a change.
func (s *Service) attach(t *table) {
	t.items = store.NewTableCodec(s.db, t.itemsName(s.region), store.Codec[*record](recordCodec{}))
	for _, ix := range t.Indexes {
		s.attachIndex(t, ix)
	}
	t.bytes = new(counter)
	s.db.View(func(tx *store.Tx) {
		for _, r := range t.items.Ascend(tx, "") {
			t.bytes.Add(int64(r.size))
		}
		for _, ix := range t.Indexes {
			for _, e := range ix.entries.Ascend(tx, "") {
				ix.bytes.Add(int64(e.size))
			}
		}
	})
}

func (s *Service) attachIndex(t *table, ix *index) {
	ix.entries = store.NewTableCodec(s.db, t.indexName(s.region, ix), store.Codec[entry](entryCodec{}))
	ix.bytes = new(counter)
}

// lookup returns the table of that name or ARN as it is now.
func (s *Service) lookup(nameOrARN string) (*table, error) {
	name, err := s.tableName(nameOrARN)
	if err != nil {
		return nil, err
	}
	var t *table
	s.db.View(func(tx *store.Tx) { t, _ = s.tables.Get(tx, name) })
	if t == nil {
		return nil, notFound()
	}
	return t, nil
}

// tableName returns the name that a client wrote as such or as an ARN.
func (s *Service) tableName(nameOrARN string) (string, error) {
	name := nameOrARN
	if rest, ok := strings.CutPrefix(nameOrARN, "arn:"); ok {
		var found bool
		if _, name, found = strings.Cut(rest, ":table/"); !found {
			return "", invalid("Invalid table ARN: %s", nameOrARN)
		}
		if !strings.HasPrefix(nameOrARN, s.tableARN("")) {
			return "", notFound()
		}
	}
	return name, checkName("TableName", name)
}

// checkName demands that a table or an index can have this name.
func checkName(what, name string) error {
	if len(name) < 3 || len(name) > 255 {
		return invalid("%s must be at least 3 characters long and at most 255 characters long", what)
	}
	if !validName(name) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
			name, strings.ToLower(what[:1])+what[1:])
	}
	return nil
}

func validName(name string) bool {
	if len(name) < 3 || len(name) > 255 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// change runs f over the current table of that name, makes its changes, and demands that nobody has changed the table's
// description since t was looked up; otherwise it reports so, and nothing is changed.
func (s *Service) change(ctx context.Context, tables []*table, f func(tx *store.Tx) error) (stale bool, err error) {
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		for _, t := range tables {
			if now, _ := s.tables.Get(tx, t.Name); now != t {
				stale = true
				return errStale
			}
		}
		return f(tx)
	})
	if stale {
		return true, nil
	}
	return false, err
}

var errStale = errors.New("dynamodb: the table was changed meanwhile")

// tableCodec keeps descriptions as JSON.
type tableCodec struct{}

func (tableCodec) Append(b []byte, t *table) ([]byte, error) {
	j, err := json.Marshal(t)
	return append(b, j...), err
}

func (tableCodec) Decode(b []byte) (*table, error) {
	t := new(table)
	if err := json.Unmarshal(b, t); err != nil {
		return nil, err
	}
	t.compile()
	return t, nil
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
