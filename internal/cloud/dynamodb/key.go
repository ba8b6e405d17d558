package dynamodb

import (
	"encoding/binary"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// key is a key schema with its attributes' types.
type key struct{ hash, sort []attribute }

const (
	maxHashSize = 2048
	maxSortSize = 1024
)

// all yields the attributes, those of the partition key first, each with the size that its value may have.
func (k *key) all() iter.Seq2[attribute, int] {
	return func(yield func(attribute, int) bool) {
		for _, a := range k.hash {
			if !yield(a, maxHashSize) {
				return
			}
		}
		for _, a := range k.sort {
			if !yield(a, maxSortSize) {
				return
			}
		}
	}
}

func (k *key) has(name string) bool {
	for a := range k.all() {
		if a.Name == name {
			return true
		}
	}
	return false
}

// in says whether the item has all of the key's attributes, in the right types.
func (k *key) in(it item.Item) bool {
	for a := range k.all() {
		if item.Type(it[a.Name]) != a.Type {
			return false
		}
	}
	return true
}

func (k *key) len() int { return len(k.hash) + len(k.sort) }

// of returns the key's attributes of the item.
func (k *key) of(it item.Item) item.Item {
	out := make(item.Item, k.len())
	k.copyTo(out, it)
	return out
}

func (k *key) copyTo(out, it item.Item) {
	for a := range k.all() {
		if v, ok := it[a.Name]; ok {
			out[a.Name] = v
		}
	}
}

// hashSize is the length of the partition key's hash at the start of a key in the store.
const hashSize = 8

// appendPartition appends the hash and the partition key, if the item has one of the right types.
func (k *key) appendPartition(b []byte, it item.Item) ([]byte, bool) {
	start := len(b)
	b = append(b, make([]byte, hashSize)...)
	b, ok := appendAttributes(b, k.hash, it)
	if !ok {
		return b, false
	}
	binary.BigEndian.PutUint64(b[start:], item.Hash(b[start+hashSize:]))
	return b, true
}

func appendAttributes(b []byte, attributes []attribute, it item.Item) ([]byte, bool) {
	for _, a := range attributes {
		v := it[a.Name]
		if item.Type(v) != a.Type {
			return b, false
		}
		b, _ = item.AppendKey(b, v)
	}
	return b, true
}

// append appends the whole key, if the item has one.
func (k *key) append(b []byte, it item.Item) ([]byte, bool) {
	b, ok := k.appendPartition(b, it)
	if !ok {
		return b, false
	}
	return appendAttributes(b, k.sort, it)
}

// primary returns where the item stands in the table. Its key must have been checked.
func (t *table) primary(it item.Item) string {
	var buf [128]byte
	b, _ := t.key.append(buf[:0], it)
	return string(b)
}

// entryKey returns where the item stands in the index, or "" if it does not.
func (ix *index) entryKey(it item.Item, primary string) string {
	var buf [256]byte
	b, ok := ix.key.append(buf[:0], it)
	if !ok {
		return ""
	}
	return string(append(b, primary...))
}

// prefixEnd returns the least string after all that begin with p, or "" if there is none.
func prefixEnd(p string) string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			return p[:i] + string([]byte{p[i] + 1})
		}
	}
	return ""
}

func keySize(v item.Value) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	}
	return 1
}

// checkSizes demands that the key's values are neither empty nor too long; beginning is how AWS begins to say that one is
// empty, which differs between keys and items.
func checkSizes(k *key, it item.Item, beginning string) error {
	for a, maxSize := range k.all() {
		size := keySize(it[a.Name])
		if size == 0 {
			return invalid("%s The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", beginning, longType[a.Type], a.Name)
		}
		if err := checkSize(size, maxSize); err != nil {
			return err
		}
	}
	return nil
}

func checkSize(size, maxSize int) error {
	switch {
	case size <= maxSize:
		return nil
	case maxSize == maxHashSize:
		return invalidParameter("Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	return invalidParameter("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
}

var longType = map[string]string{"S": "string", "B": "binary", "N": "number"}

// checkKey demands that it is exactly a primary key of the table.
func (t *table) checkKey(it item.Item) error {
	if len(it) != t.key.len() || !t.key.in(it) {
		return errKeyElement()
	}
	return checkSizes(&t.key, it, "One or more parameter values were invalid:")
}

func errKeyElement() error { return invalid("The provided key element does not match the schema") }

// checkItem demands that the item has the table's key, and of its indexes' keys what it has in the right types.
func (t *table) checkItem(it item.Item) error {
	for a := range t.key.all() {
		v, ok := it[a.Name]
		if !ok {
			return invalidParameter("Missing the key %s in the item", a.Name)
		}
		if item.Type(v) != a.Type {
			return invalidParameter("Type mismatch for key %s expected: %s actual: %s", a.Name, a.Type, item.Type(v))
		}
	}
	if err := checkSizes(&t.key, it, "One or more parameter values are not valid."); err != nil {
		return err
	}
	return t.checkIndexKeys(it, func(ix *index, a attribute, v item.Value) error {
		return invalidParameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.Name, a.Type, item.Type(v), ix.Name)
	})
}

// checkIndexKeys demands that what the item has of the indexes' keys can be a key; mismatch words the error of a wrong type.
func (t *table) checkIndexKeys(it item.Item, mismatch func(ix *index, a attribute, v item.Value) error) error {
	for _, ix := range t.Indexes {
		for a, maxSize := range ix.key.all() {
			v, ok := it[a.Name]
			if !ok {
				continue
			}
			if item.Type(v) != a.Type {
				return mismatch(ix, a, v)
			}
			if keySize(v) == 0 {
				return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", longType[a.Type], ix.Name, a.Name)
			}
			if err := checkSize(keySize(v), maxSize); err != nil {
				return err
			}
		}
	}
	return nil
}
