package vtl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Values are nil, bool, int64, float64, string, *List, *Map and Object.

// List is a list that a template can change.
type List struct{ Items []any }

// Map is a map that a template can change; it keeps the order in which keys came.
type Map struct {
	keys   []string
	values map[string]any
}

// Object is a value with methods and properties of its own, as $input and $util are.
type Object interface {
	// Get returns a property; false if there is none.
	Get(name string) (any, bool)
	// Call calls a method. ErrNoMethod says that there is none.
	Call(name string, args []any) (any, error)
}

// ErrNoMethod says that a method does not exist.
var ErrNoMethod = errors.New("no such method")

// NewMap returns a map with entries from pairs: key, value, key, value.
func NewMap(pairs ...any) *Map {
	m := &Map{values: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Put(pairs[i].(string), pairs[i+1])
	}
	return m
}

// Get returns the value of a key.
func (m *Map) Get(key string) (any, bool) {
	v, ok := m.values[key]
	return v, ok
}

// Put sets the value of a key.
func (m *Map) Put(key string, v any) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = v
}

// Keys returns the keys in the order in which they came.
func (m *Map) Keys() []string { return m.keys }

func (m *Map) remove(key string) any {
	v, ok := m.values[key]
	if !ok {
		return nil
	}
	delete(m.values, key)
	for i, k := range m.keys {
		if k == key {
			m.keys = append(m.keys[:i:i], m.keys[i+1:]...)
			break
		}
	}
	return v
}

// maxShown is how deeply a value that is shown may be nested; a template can put a list into itself.
const maxShown = 100

// Text returns a value as a template writes it: maps in Java's way, lists in JSON's.
func Text(v any) string { return show(v, 0) }

func show(v any, depth int) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return number(v)
	case *List:
		return jsonText(v, depth)
	case *Map:
		if depth > maxShown {
			return "…"
		}
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = k + "=" + show(v.values[k], depth+1)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}

// number writes a number as Java does, which JSON takes as well: 1.0, 0.001, 1.0E7, 1.5E-4.
func number(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
		n, _ := strconv.Atoi(exponent)
		return decimal(digits) + "E" + strconv.Itoa(n)
	}
	return decimal(strconv.FormatFloat(f, 'f', -1, 64))
}

func decimal(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".0"
}

// JSON returns a value as JSON.
func JSON(v any) string { return jsonText(v, 0) }

func jsonText(v any, depth int) string {
	var b strings.Builder
	writeJSON(&b, v, depth)
	return b.String()
}

func writeJSON(b *strings.Builder, v any, depth int) {
	if depth > maxShown {
		b.WriteString("null")
		return
	}
	switch v := v.(type) {
	case string:
		writeString(b, v)
	case *List:
		b.WriteByte('[')
		for i, x := range v.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, x, depth+1)
		}
		b.WriteByte(']')
	case *Map:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, k)
			b.WriteByte(':')
			writeJSON(b, v.values[k], depth+1)
		}
		b.WriteByte('}')
	case bool, int64, float64:
		b.WriteString(Text(v))
	default:
		b.WriteString("null")
	}
}

func writeString(b *strings.Builder, s string) {
	e := json.NewEncoder(&noNewline{b})
	e.SetEscapeHTML(false)
	e.Encode(s)
}

// noNewline takes off the newline that json.Encoder adds.
type noNewline struct{ b *strings.Builder }

func (w *noNewline) Write(p []byte) (int, error) {
	w.b.WriteString(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// ParseJSON reads a JSON text, keeping the order of keys.
func ParseJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return v, nil
}

// parseValue reads one value. json.Decoder itself refuses what is nested too deeply.
func parseValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return parseList(d)
		}
		return parseMap(d)
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n, nil
		}
		f, err := t.Float64()
		return f, err
	}
	return t, nil
}

func parseList(d *json.Decoder) (any, error) {
	l := &List{Items: []any{}}
	for d.More() {
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, v)
	}
	_, err := d.Token()
	return l, err
}

func parseMap(d *json.Decoder) (any, error) {
	m := NewMap()
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok {
			return nil, fmt.Errorf("key %v is not a string", k)
		}
		m.Put(key, v)
	}
	_, err := d.Token()
	return m, err
}

// Path follows a JSONPath from a value: $, .name, ['name'], [0], [*] and .* are there.
func Path(v any, path string) (any, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(path), "$")
	if !ok {
		rest = "." + rest
	}
	for rest != "" {
		key, after, err := pathStep(rest)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", path, err)
		}
		if key == "*" {
			return every(v, after)
		}
		v, rest = child(v, key), after
	}
	return v, nil
}

// pathStep cuts the first step off a path.
func pathStep(path string) (key, rest string, err error) {
	switch {
	case strings.HasPrefix(path, ".."):
		return "", "", errors.New("descent by .. is not there")
	case path[0] == '.':
		end := strings.IndexAny(path[1:], ".[")
		if end < 0 {
			end = len(path) - 1
		}
		return path[1 : 1+end], path[1+end:], nil
	case path[0] == '[':
		key, rest, ok := strings.Cut(path[1:], "]")
		if !ok || strings.ContainsAny(key, "?:,(") {
			return "", "", errors.New("filters, slices and unions are not there")
		}
		return strings.Trim(key, `'" `), rest, nil
	}
	return "", "", errors.New("not a JSONPath")
}

func child(v any, key string) any {
	switch v := v.(type) {
	case *Map:
		return v.values[key]
	case *List:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v.Items) {
			return v.Items[i]
		}
	}
	return nil
}

func every(v any, rest string) (any, error) {
	out := &List{Items: []any{}}
	var all []any
	switch v := v.(type) {
	case *List:
		all = v.Items
	case *Map:
		for _, k := range v.keys {
			all = append(all, v.values[k])
		}
	}
	for _, x := range all {
		y, err := Path(x, "$"+rest)
		if err != nil {
			return nil, err
		}
		if y != nil {
			out.Items = append(out.Items, y)
		}
	}
	return out, nil
}
