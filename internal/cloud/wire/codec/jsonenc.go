package codec

import (
	"math"
	"reflect"
	"slices"
	"strconv"

	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/jsontext"
	"evo/internal/cloud/model"
)

// AppendJSON writes v, of the plan's type.
func (p *Plan) AppendJSON(b []byte, v reflect.Value) []byte {
	return p.appendJSON(b, v, model.DefaultFormat)
}

func (p *Plan) appendJSON(b []byte, v reflect.Value, f model.TimestampFormat) []byte {
	switch p.Shape.Kind {
	case model.Structure:
		b = append(b, '{')
		return append(p.AppendJSONMembers(b, v, nil), '}')
	case model.Union:
		return p.appendJSONUnion(b, v)
	case model.List:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = p.elem.appendJSON(b, v.Index(i))
		}
		return append(b, ']')
	case model.Map:
		return p.appendJSONMap(b, v)
	case model.String:
		return jsontext.AppendString(b, v.String())
	case model.Boolean:
		return strconv.AppendBool(b, v.Bool())
	case model.Number:
		return appendJSONNumber(b, v)
	case model.Timestamp:
		return appendJSONTime(b, v, f)
	case model.Blob:
		return appendBase64(b, v.Bytes())
	}
	return append(b, "null"...)
}

// AppendJSONMembers writes the members of structure v that are set, without the braces; only those for which keep says so,
// if it is not nil.
func (p *Plan) AppendJSONMembers(b []byte, v reflect.Value, keep func(*model.Member) bool) []byte {
	first := true
	for i := range p.Fields {
		f := &p.Fields[i]
		if keep != nil && !keep(f.Member) {
			continue
		}
		fv, ok := f.set(v.Field(f.index))
		if !ok {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = jsontext.AppendString(b, f.Member.JSON())
		b = append(b, ':')
		b = f.Plan.appendJSON(b, fv, f.Member.Timestamp)
	}
	return b
}

// appendJSON writes an element of a list or map, null if it is not set.
func (f *Field) appendJSON(b []byte, v reflect.Value) []byte {
	if f.pointer {
		if v.IsNil() {
			return append(b, "null"...)
		}
		v = v.Elem()
	}
	return f.Plan.appendJSON(b, v, f.Member.Timestamp)
}

func (p *Plan) appendJSONUnion(b []byte, v reflect.Value) []byte {
	f, mv := p.member(v)
	if f == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	b = jsontext.AppendString(b, f.Member.JSON())
	b = append(b, ':')
	b = f.appendJSON(b, mv)
	return append(b, '}')
}

func (p *Plan) appendJSONMap(b []byte, v reflect.Value) []byte {
	if p.Type == itemType {
		return appendItem(b, v.Interface().(map[string]dynamodb.AttributeValue))
	}
	return p.appendMapByReflection(b, v)
}

func (p *Plan) appendMapByReflection(b []byte, v reflect.Value) []byte {
	b = append(b, '{')
	for i, e := range sortedEntries(v) {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, e.key)
		b = append(b, ':')
		b = p.elem.appendJSON(b, e.value)
	}
	return append(b, '}')
}

type mapEntry struct {
	key   string
	value reflect.Value
}

// sortedEntries lists a map by its keys, so that the same value is always the same bytes.
func sortedEntries(v reflect.Value) []mapEntry {
	out := make([]mapEntry, v.Len())
	// Room for one key, and for all values at once: an iterator's Key and Value would allocate for each of them.
	key := reflect.New(v.Type().Key()).Elem()
	values := reflect.MakeSlice(reflect.SliceOf(v.Type().Elem()), len(out), len(out))
	it := v.MapRange()
	for i := 0; it.Next(); i++ {
		key.SetIterKey(it)
		value := values.Index(i)
		value.SetIterValue(it)
		out[i] = mapEntry{key.String(), value}
	}
	slices.SortFunc(out, func(a, b mapEntry) int {
		if a.key < b.key {
			return -1
		}
		return 1
	})
	return out
}

func appendJSONNumber(b []byte, v reflect.Value) []byte {
	if v.CanFloat() {
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			b = append(b, '"')
			b = appendNumber(b, v)
			return append(b, '"')
		}
	}
	return appendNumber(b, v)
}

func appendJSONTime(b []byte, v reflect.Value, f model.TimestampFormat) []byte {
	if f == model.DefaultFormat || f == model.EpochSeconds {
		return appendEpoch(b, timeOf(v))
	}
	b = append(b, '"')
	b = AppendTime(b, timeOf(v), f)
	return append(b, '"')
}
