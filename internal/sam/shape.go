package sam

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"evo/internal/cfn"
)

// shape says, to the bottom, what a property may hold. Only the newest SAM resources are checked like this; the messages are
// those of the validator that AWS's transform uses.
type shape struct {
	kind   shapeKind
	fields []shapeField // aStruct
	item   *shape       // aListOf, aDictOf, orIntrinsic
	either []*shape     // firstOf
	values []string     // anEnum
}

type shapeField struct {
	name     string
	required bool
	shape    *shape
}

type shapeKind uint8

const (
	anyShape shapeKind = iota
	aStruct
	aListOf
	aDictOf
	orIntrinsic
	firstOf
	aText
	anInteger
	aNumber
	aFlag
	anEnum
)

// shapeError is what is wrong at one place.
type shapeError struct {
	path    []string
	message string
	code    string
}

func (e shapeError) at() string { return strings.Join(e.path, ".") }

var (
	shapeAny     = &shape{}
	shapeText    = &shape{kind: aText}
	shapeFlag    = &shape{kind: aFlag}
	shapeInteger = &shape{kind: anInteger}
	shapeNumber  = &shape{kind: aNumber}
)

func structOf(fields ...shapeField) *shape  { return &shape{kind: aStruct, fields: fields} }
func must(name string, s *shape) shapeField { return shapeField{name, true, s} }
func may(name string, s *shape) shapeField  { return shapeField{name, false, s} }
func listShape(item *shape) *shape          { return &shape{kind: aListOf, item: item} }
func dictShape(item *shape) *shape          { return &shape{kind: aDictOf, item: item} }
func intrinsicOr(s *shape) *shape           { return &shape{kind: orIntrinsic, item: s} }
func inTurn(either ...*shape) *shape        { return &shape{kind: firstOf, either: either} }
func enumOf(values ...string) *shape        { return &shape{kind: anEnum, values: values} }

// check appends what is wrong with v, in the order in which the validator finds it.
func (s *shape) check(v *value, path []string, errs []shapeError) []shapeError {
	bad := func(message, code string) []shapeError {
		return append(errs, shapeError{append([]string{}, path...), message, code})
	}
	if v.isNone() && s.kind != anyShape {
		return bad("none is not an allowed value", "type_error.none.not_allowed")
	}
	switch s.kind {
	case aStruct:
		if v = v.dict(); v == nil {
			return bad("value is not a valid dict", "type_error.dict")
		}
		return s.checkFields(v, path, errs)
	case aListOf:
		if !v.isList() {
			return bad("value is not a valid list", "type_error.list")
		}
		for i, item := range v.items {
			errs = s.item.check(item, append(path, itoa(i)), errs)
		}
	case aDictOf:
		if v = v.dict(); v == nil {
			return bad("value is not a valid dict", "type_error.dict")
		}
		for _, e := range v.entries() {
			errs = s.item.check(e.value, append(path, e.key), errs)
		}
	case orIntrinsic:
		if v.dict() != nil || s.item.takes(v) {
			return errs
		}
		return s.item.check(v, path, bad("value is not a valid dict", "type_error.dict"))
	case firstOf:
		if s.first(v) != nil {
			return errs
		}
		for _, one := range s.either {
			errs = one.check(v, path, errs)
		}
	default:
		if message, code := s.checkScalar(v); message != "" {
			return bad(message, code)
		}
	}
	return errs
}

func (s *shape) takes(v *value) bool { return len(s.check(v, nil, nil)) == 0 }

// first is the shape that v has, of those that are tried in turn; nil if it has none.
func (s *shape) first(v *value) *shape {
	for _, one := range s.either {
		if one.takes(v) {
			return one
		}
	}
	return nil
}

func (s *shape) checkFields(v *value, path []string, errs []shapeError) []shapeError {
	known := map[string]bool{}
	for _, f := range s.fields {
		known[f.name] = true
		at := append(append([]string{}, path...), f.name)
		x := v.get(f.name)
		switch {
		case x == nil && f.required:
			errs = append(errs, shapeError{at, "field required", "value_error.missing"})
		case x.isNone() && !f.required:
		case x.isNone():
			errs = append(errs, shapeError{at, "none is not an allowed value", "type_error.none.not_allowed"})
		default:
			errs = f.shape.check(x, at, errs)
		}
	}
	for _, e := range sortedEntries(v) {
		if !known[e.key] {
			errs = append(errs, shapeError{append(append([]string{}, path...), e.key), "extra fields not permitted", "value_error.extra"})
		}
	}
	return errs
}

func (s *shape) checkScalar(v *value) (message, code string) {
	_, notNumber := strconv.ParseFloat(v.display(), 64)
	_, notInteger := strconv.Atoi(v.display())
	numeric := v.isNumber() || v.isBool()
	switch s.kind {
	case aText:
		if !v.isString() && !numeric {
			return "str type expected", "type_error.str"
		}
	case anInteger:
		if !numeric && (!v.isString() || notInteger != nil) {
			return "value is not a valid integer", "type_error.integer"
		}
	case aNumber:
		if !numeric && (!v.isString() || notNumber != nil) {
			return "value is not a valid float", "type_error.float"
		}
	case aFlag:
		if !v.isBool() && !oneOf(strings.ToLower(v.display()), "0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes") {
			return "value could not be parsed to a boolean", "type_error.bool"
		}
	case anEnum:
		if !oneOf(v.str(), s.values...) {
			return "unexpected value; permitted: '" + strings.Join(s.values, "', '") + "'", "value_error.const"
		}
	}
	return "", ""
}

// read is v, which check let pass, as the validator hands it on: in the types that are asked for.
func (s *shape) read(v *value) *value {
	if v.isNone() {
		return v
	}
	switch s.kind {
	case aStruct:
		return s.readFields(v.dict())
	case aListOf:
		out := v.copy()
		for i, item := range v.items {
			out.items[i] = s.item.read(item)
		}
		return out
	case aDictOf:
		out := v.dict().copy()
		for _, e := range out.entries() {
			out.set(e.key, s.item.read(e.value))
		}
		return out
	case orIntrinsic:
		if d := v.dict(); d != nil {
			return d
		}
		return s.item.read(v)
	case firstOf:
		return s.first(v).read(v)
	}
	return s.readScalar(v)
}

func (s *shape) readFields(v *value) *value {
	out := v.copy()
	for _, f := range s.fields {
		if x := v.given(f.name); x != nil {
			out.set(f.name, f.shape.read(x))
		}
	}
	return out
}

func (s *shape) readScalar(v *value) *value {
	switch s.kind {
	case aText:
		if !v.isString() {
			return v.like(v.display())
		}
	case anInteger:
		n, _ := strconv.ParseFloat(v.digits(), 64)
		return &value{kind: cfn.Int, text: strconv.FormatFloat(math.Trunc(n), 'f', -1, 64), span: v.span}
	case aNumber:
		return &value{kind: cfn.Float, text: v.digits(), span: v.span}
	case aFlag:
		return boolean(oneOf(strings.ToLower(v.display()), "1", "1.0", "on", "t", "true", "y", "yes"))
	}
	return v
}

// dict is the map for which the validator takes v: a map as it is, what is empty, and a list of pairs. It is nil if there is none.
func (v *value) dict() *value {
	switch {
	case v.isMap():
		return v
	case !v.isList() && !v.isText(""):
		return nil
	}
	out := object()
	for _, item := range v.itemsOrNone() {
		key, x := item.pair()
		if !key.isString() {
			return nil
		}
		out.set(key.text, x)
	}
	return out
}

// pair are the two parts of which Python makes an entry: of a list of two, of a map its two keys, of a text its two characters.
func (v *value) pair() (key, x *value) {
	parts := v.itemsOrNone()
	switch letters := []rune(v.str()); {
	case v.isMap():
		parts = v.keys()
	case len(letters) == 2:
		return str(string(letters[0])), str(string(letters[1]))
	}
	if len(parts) != 2 {
		return nil, nil
	}
	return parts[0], parts[1]
}

// digits are those of the number that v stands for.
func (v *value) digits() string {
	switch {
	case v.isTrue():
		return "1"
	case v.isBool():
		return "0"
	}
	return v.text
}

// failShape fails with all that is wrong, one sentence a place.
func (m *model) failShape(errs []shapeError) {
	if len(errs) == 0 {
		return
	}
	words := []struct{ in, words string }{
		{"not a valid dict", "dictionary"}, {"not a valid int", "integer"}, {"not a valid float", "number"}, {"not a valid list", "list"},
	}
	var order []string
	types, first := map[string][]string{}, map[string]shapeError{}
	for _, e := range errs {
		at := e.at()
		if _, ok := first[at]; !ok {
			first[at] = e
			order = append(order, at)
		}
		for _, w := range words {
			if strings.Contains(e.message, w.in) && !oneOf(w.words, types[at]...) {
				types[at] = append(types[at], w.words)
			}
		}
	}
	var parts []part
	for _, at := range order {
		e := first[at]
		switch {
		case len(types[at]) > 1:
			parts = append(parts, part{path: at, text: fmt.Sprintf("Property '%s' value must be %s.", at, strings.Join(types[at], " or "))})
		case e.code == "value_error.missing":
			parts = append(parts, part{path: at, text: fmt.Sprintf("Property '%s' is required.", at)})
		case e.code == "value_error.extra":
			parts = append(parts, part{path: at, text: fmt.Sprintf("Property '%s' is an invalid property.", at)})
		default:
			parts = append(parts, part{path: at, text: fmt.Sprintf("Property '%s' %s.", at, e.message)})
		}
	}
	sentences := make([]string, len(parts))
	for i := range parts {
		sentences[i] = parts[i].text
	}
	c := resourceCause(m.id, "%s", strings.Join(sentences, " "))
	c.path, c.parts = order[0], parts
	panic(c)
}

// report lists what is wrong as the validator prints it.
func report(name string, errs []shapeError) string {
	s := "s"
	if len(errs) == 1 {
		s = ""
	}
	lines := []string{fmt.Sprintf("%d validation error%s for %s", len(errs), s, name)}
	for _, e := range errs {
		lines = append(lines, strings.Join(e.path, " -> "), fmt.Sprintf("  %s (type=%s)", e.message, e.code))
	}
	return strings.Join(lines, "\n")
}
