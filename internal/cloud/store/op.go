package store

import (
	"encoding/binary"
	"errors"
)

// A record's payload is a row of operations. Each is a byte for its kind, the table's name, the key and the value, the last
// two as far as the kind has them; each of these is its length (a uvarint) and its bytes.

type opKind byte

const (
	opPut    opKind = 'p'
	opDelete opKind = 'd'
	opDrop   opKind = 'x'
)

type op struct {
	kind       opKind
	table, key string
	value      []byte
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendPut appends a put whose value is what encode appends. The value's length takes four bytes, since it is known only
// afterwards.
func appendPut(b []byte, table, key string, encode func([]byte) ([]byte, error)) ([]byte, error) {
	b = append(b, byte(opPut))
	b = appendString(appendString(b, table), key)
	at := len(b)
	b, err := encode(append(b, 0, 0, 0, 0))
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b, nil
}

func appendDelete(b []byte, table, key string) []byte {
	return appendString(appendString(append(b, byte(opDelete)), table), key)
}

func appendDrop(b []byte, table string) []byte {
	return appendString(append(b, byte(opDrop)), table)
}

var errOp = errors.New("a record does not hold operations")

// eachOp gives f the operations of a payload. The values that f gets are copies.
func eachOp(b []byte, f func(op)) error {
	for len(b) > 0 {
		o := op{kind: opKind(b[0])}
		var ok bool
		if o.table, b, ok = cutString(b[1:]); !ok {
			return errOp
		}
		if o.kind == opPut || o.kind == opDelete {
			if o.key, b, ok = cutString(b); !ok {
				return errOp
			}
		} else if o.kind != opDrop {
			return errOp
		}
		if o.kind == opPut {
			if o.value, b, ok = cutValue(b); !ok {
				return errOp
			}
		}
		f(o)
	}
	return nil
}

func cutString(b []byte) (string, []byte, bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	return string(b[size : size+int(n)]), b[size+int(n):], true
}

func cutValue(b []byte) ([]byte, []byte, bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return append([]byte(nil), b[4:4+n]...), b[4+n:], true
}
