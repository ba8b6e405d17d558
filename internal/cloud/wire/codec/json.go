package codec

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"evo/internal/cloud/model"
)

// DecodeJSON reads a document into v, which is of the plan's type and can be set. The values it sets share no memory with
// data.
func (p *Plan) DecodeJSON(data []byte, v reflect.Value) error {
	d := jsonDecoder{data: data}
	if err := d.value(p, model.DefaultFormat, v); err != nil {
		return err
	}
	if d.peek() != 0 || d.pos < len(d.data) {
		return errUnexpected
	}
	return nil
}

var errUnexpected = errorf("Unexpected token received from parser")

type jsonDecoder struct {
	data  []byte
	pos   int
	depth int
}

// peek returns the next byte that is not space, without taking it; 0 at the end.
func (d *jsonDecoder) peek() byte {
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

func (d *jsonDecoder) expect(c byte) error {
	if d.peek() != c {
		return errUnexpected
	}
	d.pos++
	return nil
}

func (d *jsonDecoder) literal(s string) error {
	if len(d.data)-d.pos < len(s) || string(d.data[d.pos:d.pos+len(s)]) != s {
		return errUnexpected
	}
	d.pos += len(s)
	return nil
}

// null takes a null, if there is one.
func (d *jsonDecoder) null() (bool, error) {
	if d.peek() != 'n' {
		return false, nil
	}
	return true, d.literal("null")
}

func (d *jsonDecoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return errorf("the document is nested too deeply")
	}
	return nil
}

func (d *jsonDecoder) value(p *Plan, f model.TimestampFormat, v reflect.Value) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	switch p.Shape.Kind {
	case model.Structure:
		return d.structure(p, v)
	case model.Union:
		return d.union(p, v)
	case model.List:
		return d.list(p, v)
	case model.Map:
		return d.mapping(p, v)
	case model.String:
		s, err := d.stringFor("String")
		v.SetString(s)
		return err
	case model.Boolean:
		return d.boolean(v)
	case model.Number:
		return d.number(v)
	case model.Timestamp:
		return d.timestamp(v)
	case model.Blob:
		return d.blob(v)
	}
	return d.skip()
}

// wrongKind says that what comes next cannot be what is wanted, in AWS's words.
func (d *jsonDecoder) wrongKind(want string) error {
	switch c := d.peek(); {
	case c == '{':
		return errorf("Start of structure or map found where not expected.")
	case c == '[':
		return errorf("Start of list found where not expected.")
	case c == '"':
		return errorf("STRING_VALUE cannot be converted to %s", want)
	case c == 't':
		return errorf("TRUE_VALUE cannot be converted to %s", want)
	case c == 'f':
		return errorf("FALSE_VALUE cannot be converted to %s", want)
	case c == '-' || '0' <= c && c <= '9':
		return errorf("NUMBER_VALUE cannot be converted to %s", want)
	}
	return errUnexpected
}

// members calls f for each member of an object, with the name's bytes, which are valid only during the call.
func (d *jsonDecoder) members(f func(name []byte) error) error {
	if d.peek() != '{' {
		if d.peek() == 0 {
			return errUnexpected
		}
		if d.peek() == '[' {
			return errorf("Start of list found where not expected.")
		}
		return errUnexpected
	}
	if err := d.enter(); err != nil {
		return err
	}
	d.pos++
	if d.peek() == '}' {
		d.pos++
		d.depth--
		return nil
	}
	for {
		if d.peek() != '"' {
			return errUnexpected
		}
		name, err := d.text()
		if err != nil {
			return err
		}
		if err := d.expect(':'); err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
		switch d.peek() {
		case ',':
			d.pos++
		case '}':
			d.pos++
			d.depth--
			return nil
		default:
			return errUnexpected
		}
	}
}

func (d *jsonDecoder) elements(f func() error) error {
	if d.peek() != '[' {
		if d.peek() == '{' {
			return errorf("Start of structure or map found where not expected.")
		}
		return errUnexpected
	}
	if err := d.enter(); err != nil {
		return err
	}
	d.pos++
	if d.peek() == ']' {
		d.pos++
		d.depth--
		return nil
	}
	for {
		if err := f(); err != nil {
			return err
		}
		switch d.peek() {
		case ',':
			d.pos++
		case ']':
			d.pos++
			d.depth--
			return nil
		default:
			return errUnexpected
		}
	}
}

func (d *jsonDecoder) structure(p *Plan, v reflect.Value) error {
	return d.members(func(name []byte) error {
		i, ok := p.byJSON[string(name)]
		if !ok {
			return d.skip()
		}
		return d.field(&p.Fields[i], v.Field(p.Fields[i].index))
	})
}

// field decodes into a struct's field, a list's element or a map's value; null leaves it as it is.
func (d *jsonDecoder) field(f *Field, v reflect.Value) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	return d.value(f.Plan, f.Member.Timestamp, f.slot(v))
}

func (d *jsonDecoder) union(p *Plan, v reflect.Value) error {
	err := d.members(func(name []byte) error {
		i, ok := p.byJSON[string(name)]
		if null, err := d.null(); null || err != nil {
			return err
		}
		if !ok {
			return d.skip()
		}
		if !v.IsNil() {
			return errUnionTwice
		}
		f := &p.Fields[i]
		return d.value(f.Plan, f.Member.Timestamp, f.choose(v))
	})
	if err == nil && v.IsNil() {
		return errUnionEmpty
	}
	return err
}

// A union has one member. The texts are DynamoDB's: nobody else has a union that a person writes.
var (
	errUnionTwice = &Error{Path: "union", Message: "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"}
	errUnionEmpty = &Error{Path: "union", Message: "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"}
)

func (d *jsonDecoder) list(p *Plan, v reflect.Value) error {
	v.Set(reflect.MakeSlice(p.Type, 0, 4))
	return d.elements(func() error {
		if p.elem.Plan.Shape.Kind == model.Union && d.peek() == 'n' {
			return errUnionEmpty
		}
		return d.field(p.elem, grow(v))
	})
}

// grow adds an element to slice v, and returns it.
func grow(v reflect.Value) reflect.Value {
	n := v.Len()
	if n == v.Cap() {
		v.Grow(1)
	}
	v.SetLen(n + 1)
	return v.Index(n)
}

func (d *jsonDecoder) mapping(p *Plan, v reflect.Value) error {
	if m, ok := stringMap(v); ok {
		return d.stringMapping(m)
	}
	m := reflect.MakeMap(p.Type)
	v.Set(m)
	key := reflect.New(p.Type.Key()).Elem()
	elem := reflect.New(p.Type.Elem()).Elem()
	return d.members(func(name []byte) error {
		key.SetString(string(name))
		elem.SetZero()
		if p.elem.Plan.Shape.Kind == model.Union && d.peek() == 'n' {
			return errUnionEmpty
		}
		if null, err := d.null(); err != nil || null && !p.Shape.Sparse {
			return err
		} else if !null {
			if err := d.field(p.elem, elem); err != nil {
				return err
			}
		}
		m.SetMapIndex(key, elem)
		return nil
	})
}

// stringMap returns where v, if it is a plain map of strings, lies.
func stringMap(v reflect.Value) (*map[string]string, bool) {
	if !v.CanAddr() {
		return nil, false
	}
	m, ok := v.Addr().Interface().(*map[string]string)
	return m, ok
}

func (d *jsonDecoder) stringMapping(to *map[string]string) error {
	m := map[string]string{}
	*to = m
	return d.members(func(name []byte) error {
		key := string(name)
		if null, err := d.null(); null || err != nil {
			return err
		}
		s, err := d.stringFor("String")
		m[key] = s
		return err
	})
}

func (d *jsonDecoder) stringFor(want string) (string, error) {
	if d.peek() != '"' {
		return "", d.wrongKind(want)
	}
	b, err := d.text()
	return string(b), err
}

func (d *jsonDecoder) boolean(v reflect.Value) error {
	switch d.peek() {
	case 't':
		v.SetBool(true)
		return d.literal("true")
	case 'f':
		v.SetBool(false)
		return d.literal("false")
	}
	return d.wrongKind("Boolean")
}

func (d *jsonDecoder) number(v reflect.Value) error {
	c := d.peek()
	if c == '"' { // NaN and the infinities are strings
		start := d.pos
		b, err := d.text()
		if err != nil {
			return err
		}
		if s := string(b); v.CanFloat() && (s == "NaN" || s == "Infinity" || s == "-Infinity") {
			return parseNumber(s, v)
		}
		d.pos = start
	}
	if c != '-' && (c < '0' || c > '9') {
		return d.wrongKind(numberName(v))
	}
	return parseNumber(string(d.digits()), v)
}

func numberName(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Int64:
		return "Long"
	case reflect.Float64:
		return "Double"
	case reflect.Float32:
		return "Float"
	}
	return "Integer"
}

// digits takes what looks like a number; whether it is one, the parser of numbers says.
func (d *jsonDecoder) digits() []byte {
	start := d.pos
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case '0' <= c && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			d.pos++
		default:
			return d.data[start:d.pos]
		}
	}
	return d.data[start:d.pos]
}

func (d *jsonDecoder) timestamp(v reflect.Value) error {
	c := d.peek()
	var s string
	switch {
	case c == '"':
		b, err := d.text()
		if err != nil {
			return err
		}
		s = string(b)
	case c == '-' || '0' <= c && c <= '9':
		s = string(d.digits())
	default:
		return d.wrongKind("Timestamp")
	}
	t, err := ParseTime(s)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func (d *jsonDecoder) blob(v reflect.Value) error {
	if d.peek() != '"' {
		return d.wrongKind("a Blob")
	}
	b, err := d.text()
	if err != nil {
		return err
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Decode(out, b)
	if err != nil {
		return errorf("the value is not valid base64")
	}
	v.SetBytes(out[:n])
	return nil
}

// skip reads over a value of any kind.
func (d *jsonDecoder) skip() error {
	switch c := d.peek(); {
	case c == '{':
		return d.members(func([]byte) error { return d.skip() })
	case c == '[':
		return d.elements(d.skip)
	case c == '"':
		_, err := d.text()
		return err
	case c == 't':
		return d.literal("true")
	case c == 'f':
		return d.literal("false")
	case c == 'n':
		return d.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		_, err := strconv.ParseFloat(string(d.digits()), 64)
		if err != nil && err.(*strconv.NumError).Err != strconv.ErrRange {
			return errUnexpected
		}
		return nil
	}
	return errUnexpected
}

// text takes a string and returns its bytes, which lie in the document unless something was escaped.
func (d *jsonDecoder) text() ([]byte, error) {
	d.pos++ // the quote
	start, ascii := d.pos, true
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; {
		case c == '"':
			b := d.data[start:d.pos]
			d.pos++
			if !ascii && !utf8.Valid(b) {
				return []byte(string([]rune(string(b)))), nil // each bad byte becomes U+FFFD
			}
			return b, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return nil, errUnexpected
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errUnexpected
}

// escaped takes the rest of a string from its first backslash on.
func (d *jsonDecoder) escaped(start int) ([]byte, error) {
	out := append([]byte(nil), d.data[start:d.pos]...)
	for d.pos < len(d.data) {
		c := d.data[d.pos]
		d.pos++
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				out = []byte(string([]rune(string(out))))
			}
			return out, nil
		case c < ' ':
			return nil, errUnexpected
		case c != '\\':
			out = append(out, c)
			continue
		}
		if d.pos >= len(d.data) {
			break
		}
		c = d.data[d.pos]
		d.pos++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, err := d.rune()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
		default:
			return nil, errUnexpected
		}
	}
	return nil, errUnexpected
}

// rune takes the digits of a \u escape, and the second half of a surrogate pair.
func (d *jsonDecoder) rune() (rune, error) {
	r, ok := d.hex()
	if !ok {
		return 0, errUnexpected
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if d.pos+1 < len(d.data) && d.data[d.pos] == '\\' && d.data[d.pos+1] == 'u' {
		mark := d.pos
		d.pos += 2
		low, ok := d.hex()
		if !ok {
			return 0, errUnexpected
		}
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			return both, nil
		}
		d.pos = mark
	}
	return utf8.RuneError, nil
}

func (d *jsonDecoder) hex() (rune, bool) {
	if d.pos+4 > len(d.data) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.data[d.pos:d.pos+4]), 16, 32)
	d.pos += 4
	return rune(n), err == nil
}
