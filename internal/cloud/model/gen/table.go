package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A table collects the records of one service: one an operation, one a shape.
type table struct {
	schemas map[string]any
	old     *api2
	oldName map[string]string // the older model's name of an operation's input or output, where it differs
	records map[string]string // by shape name
	ops     map[string]string
}

func newTable(schemas map[string]any, old *api2) *table {
	old.correct()
	t := &table{schemas: schemas, old: old, oldName: map[string]string{}, records: map[string]string{}, ops: map[string]string{}}
	for _, v := range schemas {
		if s, ok := v.([]any); ok && num(s[0]) == 9 {
			op := old.Operations[s[2].(string)]
			t.oldName[t.name(s[4])] = op.Input.name()
			t.oldName[t.name(s[5])] = op.Output.name()
		}
	}
	for _, v := range schemas {
		s, ok := v.([]any)
		if !ok {
			continue // another name for a base type
		}
		switch num(s[0]) {
		case 9:
			t.operation(s)
		case -3:
			if !strings.HasPrefix(s[1].(string), "smithy.ts.sdk.synthetic") {
				t.define(s, s[2].(string))
			}
		}
	}
	return t
}

// targetPrefix is left out where no client sends it: two services that speak REST would claim each other's.
func targetPrefix(service, prefix string) string {
	if service == "cloudwatch" {
		return "GraniteServiceVersion20100801"
	}
	return prefix
}

func (t *table) text() []byte {
	var b bytes.Buffer
	for _, m := range []map[string]string{t.ops, t.records} {
		var names []string
		for n := range m {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			b.WriteString(m[n])
		}
	}
	return b.Bytes()
}

func num(v any) int {
	f, ok := v.(float64)
	if !ok {
		return -1000
	}
	return int(f)
}

// resolve follows a reference to a schema.
func (t *table) resolve(v any) any {
	if m, ok := v.(map[string]any); ok {
		if r, ok := m["$ref"].(string); ok {
			return t.resolve(t.schemas[r])
		}
	}
	return v
}

func (t *table) name(v any) string {
	if s, ok := t.resolve(v).([]any); ok {
		return s[2].(string)
	}
	return ""
}

func traits(v any) map[string]any {
	m, _ := v.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	if bits := num(v); bits > 0 {
		for i, n := range []string{"httpLabel", "idempotent", "idempotencyToken", "sensitive", "httpPayload", "httpResponseCode", "httpQueryParams"} {
			if bits>>i&1 == 1 {
				m[n] = 1.0
			}
		}
	}
	return m
}

func (t *table) operation(s []any) {
	name := s[2].(string)
	method, uri, status := "POST", "/", 200
	if h, ok := traits(s[3])["http"].([]any); ok {
		method, uri, status = h[0].(string), h[1].(string), num(h[2])
	}
	line := fmt.Sprintf("o %s %s %s %d %s %s", name, method, uri, status,
		t.structure(s[4], t.old.Operations[name].Input.name()), t.structure(s[5], t.old.Operations[name].Output.name()))
	if e, ok := traits(s[3])["endpoint"].([]any); ok {
		line += " " + e[0].(string)
	}
	t.ops[name] = line + "\n"
}

// structure writes the shape of an operation's side; the unit shape is "-".
func (t *table) structure(v any, old string) string {
	s, ok := t.resolve(v).([]any)
	if !ok || s[2] == "Unit" {
		return "-"
	}
	return t.define(s, old)
}

// define writes the record of a named schema, and of all it refers to, once.
func (t *table) define(s []any, old string) string {
	name := s[2].(string)
	if _, ok := t.records[name]; ok {
		return name
	}
	t.records[name] = "" // breaks recursion
	if old == "" {
		old = name
	}
	if o := t.oldName[name]; o != "" {
		old = o
	}
	was := t.old.shape(old)
	var b strings.Builder
	switch num(s[0]) {
	case 1:
		fmt.Fprintf(&b, "l %s%s%s\n", name, shapeTraits(s[3]), constraints(was))
		b.WriteString(t.member("member", s[4], was.Member.name(), false))
	case 2:
		fmt.Fprintf(&b, "m %s%s%s\n", name, shapeTraits(s[3]), constraints(was))
		b.WriteString(t.member("key", s[4], was.Key.name(), false))
		b.WriteString(t.member("value", s[5], was.Value.name(), false))
	case 3, -3, 4:
		kind := map[int]string{3: "s", -3: "e", 4: "u"}[num(s[0])]
		fmt.Fprintf(&b, "%s %s%s", kind, name, shapeTraits(s[3]))
		if name == "NotFound" && kind == "e" && !strings.Contains(shapeTraits(s[3]), "status=") {
			b.WriteString(" status=404") // S3's answer to HEAD, whose status the schemas leave to the client
		}
		b.WriteString("\n")
		required := 0
		if len(s) > 6 {
			required = num(s[6])
		}
		for i, m := range s[4].([]any) {
			n := m.(string)
			b.WriteString(t.member(n, s[5].([]any)[i], was.Members[n].name(), i < required))
		}
	}
	t.records[name] = b.String()
	return name
}

func shapeTraits(v any) string {
	out := ""
	tr := traits(v)
	if n, ok := tr["xmlName"].(string); ok {
		out += " x=" + n
	}
	if s, ok := tr["httpError"]; ok {
		out += fmt.Sprintf(" status=%d", num(s))
	}
	if q, ok := tr["awsQueryError"].([]any); ok {
		out += fmt.Sprintf(" code=%s qstatus=%d", q[0], num(q[1]))
	}
	if f, ok := tr["error"].(string); ok && f == "server" {
		out += " server"
	}
	if _, ok := tr["sparse"]; ok {
		out += " sparse"
	}
	if _, ok := tr["streaming"]; ok {
		out += " streaming"
	}
	return out
}

// constraints come last in a record, the pattern last of them, since it may hold spaces.
func constraints(s *shape) string {
	out := ""
	if s.Min != nil {
		out += " min=" + strconv.FormatFloat(*s.Min, 'g', -1, 64)
	}
	if s.Max != nil {
		out += " max=" + strconv.FormatFloat(*s.Max, 'g', -1, 64)
	}
	if s.Pattern != "" {
		out += " pat=" + strconv.Quote(s.Pattern)
	}
	return out
}

// member writes the record of a member, whose schema may be [schema, traits].
func (t *table) member(name string, v any, old string, required bool) string {
	var tr map[string]any
	if p, ok := v.([]any); ok && len(p) == 2 {
		v, tr = p[0], traits(p[1])
	} else {
		tr = map[string]any{}
	}
	target, format := t.target(v, old, tr)
	out := "\t" + name + " " + target + format
	if required {
		out += " req"
	}
	return out + memberTraits(name, tr) + "\n"
}

func memberTraits(name string, tr map[string]any) string {
	out := ""
	for _, f := range []struct{ trait, key string }{
		{"httpLabel", "label"}, {"httpPayload", "payload"}, {"httpResponseCode", "code"}, {"httpQueryParams", "params"},
		{"idempotencyToken", "token"}, {"sensitive", "secret"}, {"hostLabel", "hostlabel"}, {"xmlFlattened", "flat"},
		{"xmlAttribute", "attr"}, {"eventPayload", "event"},
	} {
		if _, ok := tr[f.trait]; ok {
			out += " " + f.key
		}
	}
	for _, f := range []struct{ trait, key string }{
		{"httpHeader", "h"}, {"httpPrefixHeaders", "ph"}, {"httpQuery", "q"}, {"jsonName", "j"}, {"xmlName", "x"},
	} {
		if s, ok := tr[f.trait].(string); ok {
			if name == "ExpiresString" { // the JavaScript client's own way to show the header unparsed
				s = "Expires"
			}
			out += " " + f.key + "=" + s
		}
	}
	if ns, ok := tr["xmlNamespace"].([]any); ok {
		out += fmt.Sprintf(" ns=%s,%s", ns[0], ns[1])
	}
	return out
}

// target names what a schema is: a shape with a record of its own, a base type, or, after "[" or "{", a plain list or map
// of that. The second result is the timestamp format, where it is not the protocol's own.
func (t *table) target(v any, old string, tr map[string]any) (name, format string) {
	v = t.resolve(v)
	if s, ok := v.([]any); ok {
		if num(s[0]) == 0 { // a simple shape with traits
			for k, x := range traits(s[3]) {
				if k != "mediaType" {
					tr[k] = x
				}
			}
			return t.target(s[4], old, tr)
		}
		return t.define(s, old), ""
	}
	was := t.old.shape(old)
	if was.Sensitive {
		tr["sensitive"] = 1.0
	}
	code := num(v)
	switch code &^ 63 {
	case 64:
		return t.collection("list", code-64, old, was), ""
	case 128:
		return t.collection("map", code-128, old, was), ""
	}
	base := map[int]string{0: "string", 1: "number", 2: "boolean", 4: "timestamp", 5: "timestamp", 6: "timestamp", 7: "timestamp",
		15: "document", 17: "number", 19: "number", 21: "blob", 42: "stream"}[code]
	format = map[int]string{5: " ts=iso", 6: " ts=http", 7: " ts=epoch"}[code]
	if was.constrained() && (base == "string" || base == "number" || base == "blob") {
		if _, ok := t.records[old]; !ok {
			t.records[old] = "v " + old + " " + base + constraints(was) + "\n"
		}
		return old, format
	}
	return base, format
}

// collection names a list or map of simple values. It gets a record only if the older model knows constraints for it.
func (t *table) collection(kind string, code int, old string, was *shape) string {
	if was.Type != kind {
		elem, _ := t.target(float64(code), "", map[string]any{})
		return map[string]string{"list": "[", "map": "{"}[kind] + elem
	}
	s := []any{1.0, "", old, 0.0, float64(code)}
	if kind == "map" {
		s = []any{2.0, "", old, 0.0, 0.0, float64(code)}
	}
	return t.define(s, old)
}
