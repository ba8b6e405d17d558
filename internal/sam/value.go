package sam

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"evo/internal/cfn"
	"evo/internal/source"
)

// value is one value while a template is transformed. It is a cfn.Node that can be changed, and that also knows two things
// which show in the ids of API deployments and nowhere else: whether a string is marked, and in what order a map is visited
// (see table). All methods take a nil value for one that is not there.
type value struct {
	kind   cfn.Kind
	text   string
	marked bool // strings only
	items  []*value
	fields *fields // maps only
	span   source.Span
}

// field is one entry of a map. The mark is that of its key.
type field struct {
	key    string
	marked bool
	bare   bool // a number or the like, without quotes
	span   source.Span
	value  *value
}

// fields hold a map's entries in the order of their insertion, and, for a table, the order in which it is visited.
type fields struct {
	list  []field
	at    map[string]int // positions, once there are many; a table knows them itself
	table *table         // nil: visited in the order of insertion
}

// smallMap is the size up to which looking through a list is faster than a Go map.
const smallMap = 12

func (f *fields) find(key string) int {
	if f.table != nil && len(f.list) > smallMap {
		return int(f.table.find(f.list, key, hashKey(key)).at) - 1
	}
	if f.at != nil {
		if i, ok := f.at[key]; ok {
			return i
		}
		return -1
	}
	for i := range f.list {
		if f.list[i].key == key {
			return i
		}
	}
	return -1
}

func (f *fields) add(e field) {
	f.list = append(f.list, e)
	switch {
	case f.table != nil:
		f.table.add(f.list, hashKey(e.key))
	case f.at != nil:
		f.at[e.key] = len(f.list) - 1
	case len(f.list) > smallMap:
		f.reindex()
	}
}

func (f *fields) reindex() {
	f.at = make(map[string]int, len(f.list))
	for i := range f.list {
		f.at[f.list[i].key] = i
	}
}

// str, integer, boolean, list, object and tableOf make values.
func str(text string) *value             { return &value{kind: cfn.String, text: text} }
func markedStr(text string) *value       { return &value{kind: cfn.String, text: text, marked: true} }
func integer(n int) *value               { return &value{kind: cfn.Int, text: strconv.Itoa(n)} }
func boolean(b bool) *value              { return &value{kind: cfn.Bool, text: strconv.FormatBool(b)} }
func list(items ...*value) *value        { return &value{kind: cfn.List, items: items} }
func null() *value                       { return &value{} }
func strList(texts ...string) *value     { return mapList(texts, str) }
func newMap() *value                     { return &value{kind: cfn.Map, fields: &fields{}} }
func newTable() *value                   { return &value{kind: cfn.Map, fields: &fields{table: newKeyTable()}} }
func object(keysAndValues ...any) *value { return fill(newMap(), keysAndValues) }
func tableOf(keysAndValues ...any) *value {
	return fill(newTable(), keysAndValues)
}

func mapList[T any](items []T, f func(T) *value) *value {
	l := list()
	for _, item := range items {
		l.items = append(l.items, f(item))
	}
	return l
}

// fill sets keys and values given in turn. A value that is not there is left out.
func fill(m *value, keysAndValues []any) *value {
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		if v := valueOf(keysAndValues[i+1]); v != nil {
			m.set(keysAndValues[i].(string), v)
		}
	}
	return m
}

func valueOf(v any) *value {
	switch v := v.(type) {
	case *value:
		return v
	case string:
		return str(v)
	case bool:
		return boolean(v)
	case int:
		return integer(v)
	case []string:
		return strList(v...)
	}
	panic(fmt.Sprintf("sam: a %T is not a value", v))
}

// like makes a string that keeps v's mark and place.
func (v *value) like(text string) *value {
	return &value{kind: cfn.String, text: text, marked: v.marked, span: v.span}
}

func (v *value) is(kind cfn.Kind) bool { return v != nil && v.kind == kind }
func (v *value) isNone() bool          { return v == nil || v.kind == cfn.Null }
func (v *value) isMap() bool           { return v.is(cfn.Map) }
func (v *value) isList() bool          { return v.is(cfn.List) }
func (v *value) isString() bool        { return v.is(cfn.String) }
func (v *value) isBool() bool          { return v.is(cfn.Bool) }
func (v *value) isTrue() bool          { return v.is(cfn.Bool) && v.text == "true" }
func (v *value) isText(text string) bool {
	return v.isString() && v.text == text
}

// str is the text of a string, "" for anything else.
func (v *value) str() string {
	if v.isString() {
		return v.text
	}
	return ""
}

// where is the place of v in the template.
func (v *value) where() source.Span {
	if v == nil {
		return source.Span{}
	}
	return v.span
}

// truthy reports whether v counts as given: not null, false, zero or empty.
func (v *value) truthy() bool {
	if v == nil {
		return false
	}
	switch v.kind {
	case cfn.Bool:
		return v.text == "true"
	case cfn.Int, cfn.Float:
		n, err := strconv.ParseFloat(v.text, 64)
		return err != nil || n != 0
	case cfn.String:
		return v.text != ""
	case cfn.List:
		return len(v.items) > 0
	case cfn.Map:
		return v.len() > 0
	}
	return false
}

// len counts the entries of a map or the items of a list.
func (v *value) len() int {
	switch {
	case v.isMap():
		return len(v.fields.list)
	case v.isList():
		return len(v.items)
	}
	return 0
}

// get is the value of a key; nil if v is no map, or has no such key.
func (v *value) get(key string) *value {
	if v.isMap() {
		if i := v.fields.find(key); i >= 0 {
			return v.fields.list[i].value
		}
	}
	return nil
}

// at follows keys from map to map.
func (v *value) at(keys ...string) *value {
	for _, k := range keys {
		v = v.get(k)
	}
	return v
}

// given is the value of a key, or nil if it is null.
func (v *value) given(key string) *value {
	if x := v.get(key); !x.isNone() {
		return x
	}
	return nil
}

func (v *value) has(key string) bool { return v.isMap() && v.fields.find(key) >= 0 }

// field is the entry of a key, the zero field if there is none.
func (v *value) field(key string) field {
	if v.isMap() {
		if i := v.fields.find(key); i >= 0 {
			return v.fields.list[i]
		}
	}
	return field{}
}

// keySpan is where a key of v stands.
func (v *value) keySpan(key string) source.Span { return v.field(key).span }

// place sets where an entry stands.
func (v *value) place(key string, o origin) {
	if i := v.fields.find(key); i >= 0 {
		v.fields.list[i].span = o.key
		v.fields.list[i].value.span = o.body
	}
}

// set gives a plain key its value. A key that is there keeps its mark and place.
func (v *value) set(key string, x *value) { v.setKey(field{key: key, value: x}) }

func (v *value) setKey(e field) {
	if !v.isMap() {
		misplaced(v, cfn.Map)
	}
	if i := v.fields.find(e.key); i >= 0 {
		v.fields.list[i].value = e.value
		return
	}
	v.fields.add(e)
}

// setLike sets a key that is marked as the string k is.
func (v *value) setLike(k *value, x *value) {
	v.setKey(field{key: k.text, marked: k.marked, span: k.span, value: x})
}

// setDefault gives a key its value unless it is there, and returns the value that is then there.
func (v *value) setDefault(key string, x *value) *value {
	if !v.has(key) {
		v.set(key, x)
	}
	return v.get(key)
}

func (v *value) delete(key string) {
	if !v.isMap() {
		return
	}
	i := v.fields.find(key)
	if i < 0 {
		return
	}
	if v.fields.table != nil {
		v.fields.table.delete(i)
	}
	v.fields.list = slices.Delete(v.fields.list, i, i+1)
	if v.fields.at != nil {
		v.fields.reindex()
	}
}

// entries are the entries of a map, in the order in which it is visited. The map may be changed meanwhile.
func (v *value) entries() []field {
	if !v.isMap() {
		return nil
	}
	if v.fields.table == nil {
		return slices.Clone(v.fields.list)
	}
	out := make([]field, 0, len(v.fields.list))
	for _, s := range v.fields.table.slots {
		if s.at > 0 {
			out = append(out, v.fields.list[s.at-1])
		}
	}
	return out
}

// keys are the keys of a map as strings, in the order in which it is visited.
func (v *value) keys() []*value {
	entries := v.entries()
	keys := make([]*value, len(entries))
	for i, e := range entries {
		keys[i] = &value{kind: cfn.String, text: e.key, marked: e.marked, span: e.span}
	}
	return keys
}

// onlyKey is the key of a map that has one; "" for anything else.
func (v *value) onlyKey() string {
	if v.isMap() && len(v.fields.list) == 1 {
		return v.fields.list[0].key
	}
	return ""
}

// update sets all entries of other, after making room for them.
func (v *value) update(other *value) {
	entries := other.entries()
	if v.fields.table != nil {
		v.fields.table.reserve(len(entries))
	}
	for _, e := range entries {
		v.setKey(e)
	}
}

// copy is a map with the same entries, of the same kind.
func (v *value) copy() *value {
	c := *v
	if v.isMap() {
		c.fields = &fields{}
		if v.fields.table != nil {
			c.fields.table = newKeyTable()
		}
		c.update(v)
	}
	c.items = slices.Clone(v.items)
	return &c
}

// clone copies v and all in it. A table is filled anew, key by key, in the order in which it is visited; that can change the
// order, and shows in deployment ids.
func (v *value) clone() *value {
	if v == nil {
		return nil
	}
	c := *v
	switch v.kind {
	case cfn.List:
		c.items = make([]*value, len(v.items))
		for i, item := range v.items {
			c.items[i] = item.clone()
		}
	case cfn.Map:
		c.fields = &fields{list: v.entries()}
		for i := range c.fields.list {
			c.fields.list[i].value = c.fields.list[i].value.clone()
		}
		if v.fields.table != nil {
			c.fields.table = v.fields.table.cloned()
		} else if len(c.fields.list) > smallMap {
			c.fields.reindex()
		}
	}
	return &c
}

// size counts the values in v, v included.
func (v *value) size() int {
	if v == nil {
		return 0
	}
	n := 1
	for _, item := range v.items {
		n += item.size()
	}
	if v.isMap() {
		for i := range v.fields.list {
			n += v.fields.list[i].value.size()
		}
	}
	return n
}

// equal compares by value: keys in any order, numbers as numbers; marks and places do not count.
func (v *value) equal(w *value) bool {
	if v.isNone() || w.isNone() {
		return v.isNone() && w.isNone()
	}
	if v.isNumber() && w.isNumber() {
		a, errA := strconv.ParseFloat(v.text, 64)
		b, errB := strconv.ParseFloat(w.text, 64)
		return v.text == w.text || errA == nil && errB == nil && a == b
	}
	if v.kind != w.kind || v.text != w.text || v.len() != w.len() {
		return false
	}
	for i, item := range v.items {
		if !item.equal(w.items[i]) {
			return false
		}
	}
	if v.isMap() {
		for _, e := range v.fields.list {
			if !w.has(e.key) || !e.value.equal(w.get(e.key)) {
				return false
			}
		}
	}
	return true
}

func (v *value) isNumber() bool { return v.is(cfn.Int) || v.is(cfn.Float) }

// contains reports whether a list holds a value equal to x.
func (v *value) contains(x *value) bool {
	return v != nil && slices.ContainsFunc(v.items, x.equal)
}

func (v *value) append(items ...*value) {
	if !v.isList() {
		misplaced(v, cfn.List)
	}
	v.items = append(v.items, items...)
}

// concat is a new list of the items of two.
func concat(a, b *value) *value {
	l := list()
	if a != nil {
		l.append(a.items...)
	}
	if b != nil {
		l.append(b.items...)
	}
	return l
}

// fromNode makes values of a template's nodes.
func fromNode(n *cfn.Node) *value {
	if n == nil {
		return nil
	}
	v := &value{kind: n.Kind, text: n.Text, span: n.Span}
	switch n.Kind {
	case cfn.List:
		v.items = make([]*value, len(n.Items))
		for i, item := range n.Items {
			v.items[i] = fromNode(item)
		}
	case cfn.Map:
		v.fields = &fields{list: make([]field, len(n.Pairs))}
		for i := range n.Pairs {
			p := &n.Pairs[i]
			v.fields.list[i] = field{key: p.Key, bare: p.Bare, span: p.KeySpan, value: fromNode(p.Value)}
		}
		if len(n.Pairs) > smallMap {
			v.fields.reindex()
		}
	}
	return v
}

// node makes nodes of values, in the order of insertion.
func (v *value) node() *cfn.Node {
	if v == nil {
		return &cfn.Node{}
	}
	n := &cfn.Node{Kind: v.kind, Text: v.text, Span: v.span}
	switch v.kind {
	case cfn.List:
		n.Items = make([]*cfn.Node, len(v.items))
		for i, item := range v.items {
			n.Items[i] = item.node()
		}
	case cfn.Map:
		n.Pairs = make([]cfn.Pair, len(v.fields.list))
		for i, e := range v.fields.list {
			n.Pairs[i] = cfn.Pair{Key: e.key, KeySpan: e.span, Value: e.value.node()}
		}
	}
	return n
}

// sortedEntries are the entries of a map, by key.
func sortedEntries(v *value) []field {
	entries := v.entries()
	slices.SortFunc(entries, func(a, b field) int { return cmp.Compare(a.key, b.key) })
	return entries
}
