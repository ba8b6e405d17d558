package item

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// In the store an item is the number of its attributes, then name and value of each. A value is a byte for its type and then:
// a string, number or binary its length and bytes; a boolean nothing more; the rest the number of their members, and these.
// Lengths and counts are uvarints.
const (
	tagS    = 'S'
	tagN    = 'N'
	tagB    = 'B'
	tagTrue = 't'
	tagFals = 'f'
	tagNull = '0'
	tagM    = 'M'
	tagL    = 'L'
	tagSS   = 's'
	tagNS   = 'n'
	tagBS   = 'b'
)

var errEncoding = errors.New("the bytes do not hold an item")

// Append appends the encoding of a normalized item.
func Append(b []byte, it Item) []byte {
	b = binary.AppendUvarint(b, uint64(len(it)))
	for name, v := range it {
		b = appendValue(appendBytes(b, name), v)
	}
	return b
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendSet[T string | []byte](b []byte, tag byte, set []T) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(set)))
	for _, s := range set {
		b = appendBytes(b, s)
	}
	return b
}

func appendValue(b []byte, v Value) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return appendBytes(append(b, tagS), v.Value)
	case *types.AttributeValueMemberN:
		return appendBytes(append(b, tagN), v.Value)
	case *types.AttributeValueMemberB:
		return appendBytes(append(b, tagB), v.Value)
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return append(b, tagTrue)
		}
		return append(b, tagFals)
	case *types.AttributeValueMemberNULL:
		return append(b, tagNull)
	case *types.AttributeValueMemberM:
		return Append(append(b, tagM), v.Value)
	case *types.AttributeValueMemberL:
		b = binary.AppendUvarint(append(b, tagL), uint64(len(v.Value)))
		for _, e := range v.Value {
			b = appendValue(b, e)
		}
		return b
	case *types.AttributeValueMemberSS:
		return appendSet(b, tagSS, v.Value)
	case *types.AttributeValueMemberNS:
		return appendSet(b, tagNS, v.Value)
	case *types.AttributeValueMemberBS:
		return appendSet(b, tagBS, v.Value)
	}
	panic(fmt.Sprintf("item: %T was not normalized", v))
}

// Decode reads the encoding of an item. It keeps nothing of b.
func Decode(b []byte) (Item, error) {
	d := decoder{b: b}
	it := d.item(0)
	if d.bad || len(d.b) > 0 {
		return nil, errEncoding
	}
	return it, nil
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() {
	d.bad, d.b = true, nil
}

// count reads a count of things of at least one byte each, or a length.
func (d *decoder) count() int {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > uint64(len(d.b)-size) {
		d.fail()
		return 0
	}
	d.b = d.b[size:]
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.count()
	s := d.b[:n]
	d.b = d.b[n:]
	return s
}

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) blob() []byte { return append([]byte{}, d.bytes()...) }

func (d *decoder) item(depth int) Item {
	n := d.count()
	it := make(Item, n)
	for range n {
		name := d.string()
		it[name] = d.value(depth + 1)
		if d.bad {
			return nil
		}
	}
	return it
}

func (d *decoder) list(depth int) []Value {
	n := d.count()
	l := make([]Value, 0, n)
	for range n {
		l = append(l, d.value(depth+1))
		if d.bad {
			return nil
		}
	}
	return l
}

func set[T any](d *decoder, one func() T) []T {
	n := d.count()
	s := make([]T, 0, n)
	for range n {
		s = append(s, one())
		if d.bad {
			return nil
		}
	}
	return s
}

func (d *decoder) value(depth int) Value {
	if len(d.b) == 0 || depth > MaxDepth+1 {
		d.fail()
		return nil
	}
	tag := d.b[0]
	d.b = d.b[1:]
	switch tag {
	case tagS:
		return &types.AttributeValueMemberS{Value: d.string()}
	case tagN:
		return &types.AttributeValueMemberN{Value: d.string()}
	case tagB:
		return &types.AttributeValueMemberB{Value: d.blob()}
	case tagTrue, tagFals:
		return &types.AttributeValueMemberBOOL{Value: tag == tagTrue}
	case tagNull:
		return &types.AttributeValueMemberNULL{Value: true}
	case tagM:
		return &types.AttributeValueMemberM{Value: d.item(depth)}
	case tagL:
		return &types.AttributeValueMemberL{Value: d.list(depth)}
	case tagSS:
		return &types.AttributeValueMemberSS{Value: set(d, d.string)}
	case tagNS:
		return &types.AttributeValueMemberNS{Value: set(d, d.string)}
	case tagBS:
		return &types.AttributeValueMemberBS{Value: set(d, d.blob)}
	}
	d.fail()
	return nil
}
