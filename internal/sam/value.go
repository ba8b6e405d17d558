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
//
// What is no list and no map is never changed once it has been made, so that copies share it.
type value struct {
	text   string
	items  []*value
	fields *fields // maps only
	span   source.Span
	kind   cfn.Kind
	marked bool // strings only
}

// field is one entry of a map. The mark is that of its key.
type field struct {
	key    string
	value  *value
	span   source.Span
	marked bool
	bare   bool // a number or the like, without quotes
}

// fields hold a map's entries in the order of their insertion, and, for a table, the order in which it is visited.
type fields struct {
	list    []field
	at      map[string]int // positions, once one of many was asked for; a table knows them itself
	table   *table         // nil: the one that results from adding the list's entries to an empty one
	tabular bool           // visited as a table is
	shared  bool           // somebody visits list: it is copied before it is changed
}

// smallMap is the size up to which looking through a list is faster than a Go map.
const smallMap = 12

func (f *fields) find(key string) int {
	if f.table != nil && len(f.list) > smallMap {
		return int(f.table.find(f.list, key, hashKey(key)).at) - 1
	}
	if len(f.list) > smallMap {
		if f.at == nil {
			f.reindex()
		}
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
	if cap(f.list) == 0 {
		f.list = make([]field, 0, 4)
	}
	f.list = append(f.list, e)
	switch {
	case f.table != nil:
		f.table.add(f.list, hashKey(e.key))
	case f.tabular && len(f.list) > fewKeys:
		f.order()
	case f.at != nil:
		f.at[e.key] = len(f.list) - 1
	}
}

// order is the table that says in which order the entries are visited.
func (f *fields) order() *table {
	if f.table == nil {
		f.table = &table{slots: make([]slot, minSlots)}
		f.table.fill(f.list)
	}
	return f.table
}

// visit returns the entries in the order in which they are visited; fresh tells that the list is a new one.
func (f *fields) visit() (list []field, fresh bool) {
	if !f.tabular || len(f.list) < 2 {
		return f.list, false
	}
	if f.table != nil {
		return f.table.visit(f.list)
	}
	var slots [minSlots]slot
	few := table{slots: slots[:]}
	few.fill(f.list)
	return few.visit(f.list)
}

// own makes the list one that nobody visits.
func (f *fields) own() {
	if f.shared {
		f.list, f.shared = slices.Clone(f.list), false
	}
}

// put changes the value of an entry.
func (f *fields) put(i int, v *value) {
	f.own()
	f.list[i].value = v
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
func object(keysAndValues ...any) *value { return fill(newMap(), keysAndValues) }
func tableOf(keysAndValues ...any) *value {
	return fill(newTable(), keysAndValues)
}

func mapList[T any](items []T, f func(T) *value) *value {
	l := list()
	if len(items) > 0 {
		l.items = make([]*value, 0, len(items))
	}
	for _, item := range items {
		l.items = append(l.items, f(item))
	}
	return l
}

// newMap and newTable make empty maps.
func newMap() *value {
	m := &struct {
		value
		of fields
	}{value: value{kind: cfn.Map}}
	m.fields = &m.of
	return &m.value
}

func newTable() *value {
	m := newMap()
	m.fields.tabular = true
	return m
}

// fill sets keys and values given in turn. A value that is not there is left out.
func fill(m *value, keysAndValues []any) *value {
	m.fields.list = make([]field, 0, len(keysAndValues)/2)
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
		v.fields.put(i, e.value)
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
	if v.fields.tabular {
		v.fields.order().delete(i)
	}
	v.fields.own()
	v.fields.list = slices.Delete(v.fields.list, i, i+1)
	v.fields.at = nil
}

// entries are the entries of a map, in the order in which it is visited. The map may be changed meanwhile; the list that is
// returned must not be.
func (v *value) entries() []field {
	if !v.isMap() {
		return nil
	}
	entries, fresh := v.fields.visit()
	if !fresh && !v.fields.shared {
		v.fields.shared = true
	}
	return entries
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
	if v.fields.table != nil || v.fields.tabular && len(v.fields.list)+len(entries) > fewKeys {
		v.fields.order().reserve(len(entries))
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
		c.fields.tabular = v.fields.tabular
		c.update(v)
	}
	c.items = slices.Clone(v.items)
	return &c
}

// clone copies v and all in it. A table is filled anew, key by key, in the order in which it is visited; that can change the
// order, and shows in deployment ids.
func (v *value) clone() *value { return v.cloneWith((*value).clone) }

// cloneWith copies v, and in it what clone makes of its values.
func (v *value) cloneWith(clone func(*value) *value) *value {
	if !v.isList() && !v.isMap() {
		return v
	}
	if v.kind == cfn.List {
		c := *v
		c.items = make([]*value, len(v.items))
		for i, item := range v.items {
			c.items[i] = clone(item)
		}
		return &c
	}
	c := newMap()
	c.span, c.fields.tabular = v.span, v.fields.tabular
	entries, fresh := v.fields.visit()
	if !fresh {
		entries = slices.Clone(entries)
	}
	c.fields.list = entries
	if c.fields.tabular && len(entries) > fewKeys {
		c.fields.order()
	}
	for i := range c.fields.list {
		e := &c.fields.list[i]
		e.value = clone(e.value)
	}
	return c
}

// refill fills the tables in v anew, as clone does, but in place.
func (v *value) refill() *value {
	for _, item := range v.itemsOrNone() {
		item.refill()
	}
	if !v.isMap() {
		return v
	}
	if entries, fresh := v.fields.visit(); fresh {
		*v.fields = fields{list: entries, tabular: true}
		if len(entries) > fewKeys {
			v.fields.order()
		}
	}
	for i := range v.fields.list {
		v.fields.list[i].value.refill()
	}
	return v
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

// sortedEntries are the entries of a map, by key.
func sortedEntries(v *value) []field {
	entries := slices.Clone(v.entries())
	slices.SortFunc(entries, func(a, b field) int { return cmp.Compare(a.key, b.key) })
	return entries
}
