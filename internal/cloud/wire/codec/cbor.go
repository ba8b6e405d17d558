package codec

import (
	"encoding/binary"
	"math"
	"reflect"

	"evo/internal/cloud/model"
)

// The major types of CBOR.
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborOther
)

var errCBOR = errorf("the body is not a well-formed CBOR document")

// DecodeCBOR reads a document into v. The values it sets share no memory with data.
func (p *Plan) DecodeCBOR(data []byte, v reflect.Value) error {
	d := cborDecoder{data: data}
	if err := d.value(p, v); err != nil {
		return err
	}
	if d.pos != len(d.data) {
		return errCBOR
	}
	return nil
}

type cborDecoder struct {
	data  []byte
	pos   int
	depth int
}

// A head is the start of a data item: its major type, and its argument; indefinite where that has none.
type head struct {
	major      byte
	info       byte // the argument's form, which tells the kinds of cborOther apart
	arg        uint64
	indefinite bool
}

func (d *cborDecoder) head() (head, error) {
	if d.pos >= len(d.data) {
		return head{}, errCBOR
	}
	c := d.data[d.pos]
	d.pos++
	h := head{major: c >> 5, info: c & 31}
	switch {
	case h.info < 24:
		h.arg = uint64(h.info)
	case h.info < 28:
		n := 1 << (h.info - 24)
		if len(d.data)-d.pos < n {
			return head{}, errCBOR
		}
		var b [8]byte
		copy(b[8-n:], d.data[d.pos:d.pos+n])
		h.arg = binary.BigEndian.Uint64(b[:])
		d.pos += n
	case h.info == 31:
		h.indefinite = true
	default:
		return head{}, errCBOR
	}
	return h, nil
}

func (d *cborDecoder) peekBreak() bool {
	return d.pos < len(d.data) && d.data[d.pos] == 0xff
}

// each calls f for the items of an array or the pairs of a map.
func (d *cborDecoder) each(h head, f func() error) error {
	if d.depth++; d.depth > maxDepth {
		return errorf("the document is nested too deeply")
	}
	defer func() { d.depth-- }()
	if h.indefinite {
		for !d.peekBreak() {
			if err := f(); err != nil {
				return err
			}
		}
		d.pos++
		return nil
	}
	for range h.arg {
		if err := f(); err != nil { // a false count ends at the data's end
			return err
		}
	}
	return nil
}

func (d *cborDecoder) string(h head) ([]byte, error) {
	if h.indefinite {
		var out []byte
		for !d.peekBreak() {
			part, err := d.head()
			if err != nil || part.major != h.major || part.indefinite {
				return nil, errCBOR
			}
			b, err := d.string(part)
			if err != nil {
				return nil, err
			}
			out = append(out, b...)
		}
		d.pos++
		return out, nil
	}
	if h.arg > uint64(len(d.data)-d.pos) {
		return nil, errCBOR
	}
	b := d.data[d.pos : d.pos+int(h.arg)]
	d.pos += int(h.arg)
	return b, nil
}

func (h head) null() bool { return h.major == cborOther && (h.info == 22 || h.info == 23) }

func (d *cborDecoder) value(p *Plan, v reflect.Value) error {
	h, err := d.head()
	if err != nil {
		return err
	}
	return d.after(h, p, v)
}

// after decodes the rest of an item whose head is read.
func (d *cborDecoder) after(h head, p *Plan, v reflect.Value) error {
	if h.null() {
		return nil
	}
	switch kind := p.Shape.Kind; {
	case kind == model.Structure && h.major == cborMap:
		return d.structure(h, p, v)
	case kind == model.Union && h.major == cborMap:
		return d.union(h, p, v)
	case kind == model.List && h.major == cborArray:
		return d.list(h, p, v)
	case kind == model.Map && h.major == cborMap:
		return d.mapping(h, p, v)
	case kind == model.String && h.major == cborText:
		b, err := d.string(h)
		v.SetString(string(b))
		return err
	case kind == model.Blob && h.major == cborBytes:
		b, err := d.string(h)
		v.SetBytes(append([]byte{}, b...))
		return err
	case kind == model.Boolean && h.major == cborOther && (h.info == 20 || h.info == 21):
		v.SetBool(h.info == 21)
		return nil
	case kind == model.Number:
		return d.number(h, v)
	case kind == model.Timestamp:
		return d.timestamp(h, v)
	}
	return errorf("a value of an unexpected type for %s", p.Shape.Name)
}

func (d *cborDecoder) name() (string, error) {
	h, err := d.head()
	if err != nil || h.major != cborText {
		return "", errCBOR
	}
	b, err := d.string(h)
	return string(b), err
}

func (d *cborDecoder) structure(h head, p *Plan, v reflect.Value) error {
	return d.each(h, func() error {
		name, err := d.name()
		if err != nil {
			return err
		}
		i, ok := p.byName[name]
		if !ok {
			return d.skip()
		}
		return d.field(&p.Fields[i], v.Field(p.Fields[i].index))
	})
}

func (d *cborDecoder) field(f *Field, v reflect.Value) error {
	h, err := d.head()
	if err != nil || h.null() {
		return err
	}
	return d.after(h, f.Plan, f.slot(v))
}

func (d *cborDecoder) union(h head, p *Plan, v reflect.Value) error {
	err := d.each(h, func() error {
		name, err := d.name()
		if err != nil {
			return err
		}
		i, ok := p.byName[name]
		if !ok {
			return d.skip()
		}
		if !v.IsNil() {
			return errUnionTwice
		}
		return d.value(p.Fields[i].Plan, p.Fields[i].choose(v))
	})
	if err == nil && v.IsNil() {
		return errUnionEmpty
	}
	return err
}

func (d *cborDecoder) list(h head, p *Plan, v reflect.Value) error {
	v.Set(reflect.MakeSlice(p.Type, 0, 0))
	return d.each(h, func() error { return d.field(p.elem, grow(v)) })
}

func (d *cborDecoder) mapping(h head, p *Plan, v reflect.Value) error {
	m := reflect.MakeMap(p.Type)
	v.Set(m)
	return d.each(h, func() error {
		name, err := d.name()
		if err != nil {
			return err
		}
		key := reflect.New(p.Type.Key()).Elem()
		key.SetString(name)
		elem := reflect.New(p.Type.Elem()).Elem()
		if err := d.field(p.elem, elem); err != nil {
			return err
		}
		m.SetMapIndex(key, elem)
		return nil
	})
}

func (d *cborDecoder) number(h head, v reflect.Value) error {
	f, n, isInt, err := d.numeric(h)
	if err != nil {
		return err
	}
	if v.CanFloat() {
		v.SetFloat(f)
		return nil
	}
	if !isInt {
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return errorf("%v is not an integer", f)
		}
		n = int64(f)
	}
	if v.OverflowInt(n) {
		return errorf("%d is out of range", n)
	}
	v.SetInt(n)
	return nil
}

// numeric reads an integer or a float; an integer comes both ways.
func (d *cborDecoder) numeric(h head) (f float64, n int64, isInt bool, err error) {
	switch {
	case h.indefinite:
		return 0, 0, false, errCBOR
	case h.major <= cborNegative && h.arg > math.MaxInt64:
		return 0, 0, false, errorf("an integer is out of range")
	case h.major == cborUint:
		return float64(h.arg), int64(h.arg), true, nil
	case h.major == cborNegative:
		return float64(-1 - int64(h.arg)), -1 - int64(h.arg), true, nil
	case h.major == cborOther && h.info == 25:
		return halfFloat(uint16(h.arg)), 0, false, nil
	case h.major == cborOther && h.info == 26:
		return float64(math.Float32frombits(uint32(h.arg))), 0, false, nil
	case h.major == cborOther && h.info == 27:
		return math.Float64frombits(h.arg), 0, false, nil
	}
	return 0, 0, false, errorf("a value of an unexpected type where a number is expected")
}

func halfFloat(bits uint16) float64 {
	exp, frac := int(bits>>10&31), float64(bits&1023)
	f := math.Ldexp(1024+frac, exp-25)
	switch {
	case exp == 0:
		f = math.Ldexp(frac, -24)
	case exp == 31 && frac == 0:
		f = math.Inf(1)
	case exp == 31:
		f = math.NaN()
	}
	if bits>>15 == 1 {
		return -f
	}
	return f
}

func (d *cborDecoder) timestamp(h head, v reflect.Value) error {
	if h.major == cborTag {
		if h.arg != 1 {
			return errorf("a timestamp with a tag other than 1")
		}
		var err error
		if h, err = d.head(); err != nil {
			return err
		}
	}
	f, _, _, err := d.numeric(h)
	if err != nil {
		return err
	}
	t, err := epoch(f)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

// skip reads over an item of any kind.
func (d *cborDecoder) skip() error {
	h, err := d.head()
	if err != nil {
		return err
	}
	switch h.major {
	case cborBytes, cborText:
		_, err = d.string(h)
		return err
	case cborArray:
		return d.each(h, d.skip)
	case cborMap:
		return d.each(h, func() error {
			if err := d.skip(); err != nil {
				return err
			}
			return d.skip()
		})
	case cborTag:
		if d.depth++; d.depth > maxDepth {
			return errCBOR
		}
		defer func() { d.depth-- }()
		return d.skip()
	}
	if h.indefinite { // a break where none can be
		return errCBOR
	}
	return nil
}

// AppendCBOR writes v, of the plan's type.
func (p *Plan) AppendCBOR(b []byte, v reflect.Value) []byte {
	switch p.Shape.Kind {
	case model.Structure:
		b = append(b, 0xbf)
		b = p.AppendCBORMembers(b, v)
		return append(b, 0xff)
	case model.Union:
		f, mv := p.member(v)
		if f == nil {
			return append(b, 0xf6)
		}
		b = AppendCBORText(append(b, 0xa1), f.Member.Name)
		return f.appendCBOR(b, mv)
	case model.List:
		b = appendCBORHead(b, cborArray, uint64(v.Len()))
		for i := range v.Len() {
			b = p.elem.appendCBOR(b, v.Index(i))
		}
		return b
	case model.Map:
		b = appendCBORHead(b, cborMap, uint64(v.Len()))
		for _, e := range sortedEntries(v) {
			b = p.elem.appendCBOR(AppendCBORText(b, e.key), e.value)
		}
		return b
	case model.String:
		return AppendCBORText(b, v.String())
	case model.Boolean:
		if v.Bool() {
			return append(b, 0xf5)
		}
		return append(b, 0xf4)
	case model.Number:
		return appendCBORNumber(b, v)
	case model.Timestamp:
		b = append(b, 0xc1, 0xfb)
		return binary.BigEndian.AppendUint64(b, math.Float64bits(float64(timeOf(v).UnixMilli())/1000))
	case model.Blob:
		b = appendCBORHead(b, cborBytes, uint64(v.Len()))
		return append(b, v.Bytes()...)
	}
	return append(b, 0xf6)
}

// AppendCBORMembers writes the members of structure v that are set, as pairs of a map that the caller opens and closes.
func (p *Plan) AppendCBORMembers(b []byte, v reflect.Value) []byte {
	for i := range p.Fields {
		f := &p.Fields[i]
		if fv, ok := f.set(v.Field(f.index)); ok {
			b = f.Plan.AppendCBOR(AppendCBORText(b, f.Member.Name), fv)
		}
	}
	return b
}

func (f *Field) appendCBOR(b []byte, v reflect.Value) []byte {
	if f.pointer {
		if v.IsNil() {
			return append(b, 0xf6)
		}
		v = v.Elem()
	}
	return f.Plan.AppendCBOR(b, v)
}

func appendCBORHead(b []byte, major byte, n uint64) []byte {
	m := major << 5
	switch {
	case n < 24:
		return append(b, m|byte(n))
	case n <= math.MaxUint8:
		return append(b, m|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, m|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, m|27), n)
}

// AppendCBORText writes s as a text string.
func AppendCBORText(b []byte, s string) []byte {
	return append(appendCBORHead(b, cborText, uint64(len(s))), s...)
}

func appendCBORNumber(b []byte, v reflect.Value) []byte {
	switch {
	case v.Kind() == reflect.Float32:
		return binary.BigEndian.AppendUint32(append(b, 0xfa), math.Float32bits(float32(v.Float())))
	case v.CanFloat():
		return binary.BigEndian.AppendUint64(append(b, 0xfb), math.Float64bits(v.Float()))
	case v.Int() < 0:
		return appendCBORHead(b, cborNegative, uint64(-1-v.Int()))
	}
	return appendCBORHead(b, cborUint, uint64(v.Int()))
}
