package executeapi

import (
	"strconv"

	"evo/internal/cloud/jsontext"
)

// Events are written by hand: they are the larger part of what a request costs, and their shape is fixed.

// object appends members to a JSON object one after the other.
type object struct {
	b     []byte
	first bool
}

func newObject(b []byte) object { return object{append(b, '{'), true} }

func (o *object) key(name string) {
	if !o.first {
		o.b = append(o.b, ',')
	}
	o.first = false
	o.b = append(jsontext.AppendString(o.b, name), ':')
}

func (o *object) str(name, value string) {
	o.key(name)
	o.b = jsontext.AppendString(o.b, value)
}

func (o *object) strs(name string, values []string) {
	o.key(name)
	o.b = append(o.b, '[')
	for i, v := range values {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = jsontext.AppendString(o.b, v)
	}
	o.b = append(o.b, ']')
}

func (o *object) raw(name, json string) {
	o.key(name)
	o.b = append(o.b, json...)
}

func (o *object) int(name string, v int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) end() []byte { return append(o.b, '}') }

// texts appends a map of strings, or null if it is empty.
func (o *object) texts(name string, pairs []pair) {
	o.key(name)
	if len(pairs) == 0 {
		o.b = append(o.b, "null"...)
		return
	}
	in := newObject(o.b)
	for _, p := range pairs {
		in.str(p.name, p.value)
	}
	o.b = in.end()
}
