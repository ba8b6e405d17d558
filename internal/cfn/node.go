// Package cfn answers: what does a CloudFormation template say? It reads templates (YAML 1.1 with CloudFormation's tags, or
// JSON) into trees that know where each value stands, evaluates intrinsics and conditions, orders resources by what they
// refer to, and tells two templates apart.
package cfn

import (
	"fmt"
	"sort"
	"strconv"

	"evo/internal/source"
)

// Kind tells what a Node is.
type Kind uint8

// The kinds of nodes. Int and Float keep the number as it was written.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

func (k Kind) String() string {
	names := [...]string{"null", "boolean", "integer", "number", "string", "list", "map"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Node is one value of a template. Short-form tags are read as the long form that they stand for ({"Fn::Sub": …}).
// A Node in a parsed template is never changed once it has been shared; Clone it to change it. All methods take a nil Node
// for a value that is not there.
type Node struct {
	Kind  Kind
	Text  string  // Bool: "true" or "false"; Int, Float: the literal; String: the text
	Items []*Node // List
	Pairs []Pair  // Map, in the order of the file; keys are unique
	Span  source.Span
}

// Pair is one entry of a Map.
type Pair struct {
	Key     string
	KeySpan source.Span
	Value   *Node

	// Bare is set for a YAML key without quotes that is no string to YAML, such as 200 or yes.
	Bare bool
}

// Str makes a string.
func Str(text string) *Node { return &Node{Kind: String, Text: text} }

// Integer makes a whole number.
func Integer(n int64) *Node { return &Node{Kind: Int, Text: strconv.FormatInt(n, 10)} }

// Boolean makes true or false.
func Boolean(v bool) *Node { return &Node{Kind: Bool, Text: strconv.FormatBool(v)} }

// Arr makes a list.
func Arr(items ...*Node) *Node { return &Node{Kind: List, Items: items} }

// P makes an entry for Obj.
func P(key string, value *Node) Pair { return Pair{Key: key, Value: value} }

// Obj makes a map with its entries in the given order.
func Obj(pairs ...Pair) *Node { return &Node{Kind: Map, Pairs: pairs} }

// Ref makes {"Ref": name}.
func Ref(name string) *Node { return Obj(P("Ref", Str(name))) }

// From makes a node of plain Go values: nil, bool, string, integers, float64, []any, []string, map[string]any (keys
// sorted), and nodes themselves. It panics on any other type, which is a mistake in the program, not in a template.
func From(v any) *Node {
	switch v := v.(type) {
	case nil:
		return &Node{}
	case *Node:
		return v
	case bool:
		return Boolean(v)
	case string:
		return Str(v)
	case int:
		return Integer(int64(v))
	case int64:
		return Integer(v)
	case float64:
		return &Node{Kind: Float, Text: strconv.FormatFloat(v, 'g', -1, 64)}
	case []any:
		return fromList(v)
	case []string:
		return fromList(v)
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		n := Obj()
		for _, k := range keys {
			n.Set(k, From(v[k]))
		}
		return n
	}
	panic(fmt.Sprintf("cfn.From: a %T is not a template value", v))
}

func fromList[T any](items []T) *Node {
	n := Arr()
	for _, item := range items {
		n.Items = append(n.Items, From(item))
	}
	return n
}

// Get is the value of a key; nil if n is not a map or has no such key.
func (n *Node) Get(key string) *Node {
	if i := n.index(key); i >= 0 {
		return n.Pairs[i].Value
	}
	return nil
}

// At follows keys from map to map: n.At("Properties", "Code") is n.Get("Properties").Get("Code").
func (n *Node) At(keys ...string) *Node {
	for _, k := range keys {
		n = n.Get(k)
	}
	return n
}

// Has reports whether n is a map with the key, even if its value is null.
func (n *Node) Has(key string) bool { return n.index(key) >= 0 }

// KeySpan is where a key stands.
func (n *Node) KeySpan(key string) source.Span {
	if i := n.index(key); i >= 0 {
		return n.Pairs[i].KeySpan
	}
	return source.Span{}
}

func (n *Node) index(key string) int {
	if n != nil && n.Kind == Map {
		for i := range n.Pairs {
			if n.Pairs[i].Key == key {
				return i
			}
		}
	}
	return -1
}

// Keys are a map's keys, in order.
func (n *Node) Keys() []string {
	if n == nil || n.Kind != Map {
		return nil
	}
	keys := make([]string, len(n.Pairs))
	for i := range n.Pairs {
		keys[i] = n.Pairs[i].Key
	}
	return keys
}

// Set gives a key its value, in its place if it is there, else at the end. n must be a map.
func (n *Node) Set(key string, value *Node) {
	if i := n.index(key); i >= 0 {
		n.Pairs[i].Value = value
		return
	}
	n.Pairs = append(n.Pairs, Pair{Key: key, Value: value})
}

// Delete removes a key and reports whether it was there.
func (n *Node) Delete(key string) bool {
	i := n.index(key)
	if i < 0 {
		return false
	}
	n.Pairs = append(n.Pairs[:i:i], n.Pairs[i+1:]...)
	return true
}

// Is reports whether n is there and of the kind.
func (n *Node) Is(k Kind) bool { return n != nil && n.Kind == k }

// IsNull reports whether n is missing or null.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Null }

// Str is the text of a string; empty if n is anything else.
func (n *Node) Str() string {
	if n.Is(String) {
		return n.Text
	}
	return ""
}

// Scalar is the text of a string, number or boolean, as CloudFormation turns them into strings.
func (n *Node) Scalar() (string, bool) {
	if n == nil {
		return "", false
	}
	switch n.Kind {
	case String, Bool, Int, Float:
		return n.Text, true
	}
	return "", false
}

// Bool is the value of a boolean, or of the strings "true" and "false", which CloudFormation takes as well.
func (n *Node) Bool() (value, ok bool) {
	text, _ := n.Scalar()
	if n.Is(Int) || n.Is(Float) || text != "true" && text != "false" {
		return false, false
	}
	return text == "true", true
}

// Int is the value of a whole number, also of one in a string.
func (n *Node) Int() (int64, bool) {
	text, _ := n.Scalar()
	v, err := strconv.ParseInt(text, 10, 64)
	return v, err == nil
}

// Float is the value of a number, also of one in a string.
func (n *Node) Float() (float64, bool) {
	text, _ := n.Scalar()
	if n.Is(Bool) {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// List is the items of a list; nil if n is anything else.
func (n *Node) List() []*Node {
	if n.Is(List) {
		return n.Items
	}
	return nil
}

// Entries are the entries of a map; nil if n is anything else.
func (n *Node) Entries() []Pair {
	if n.Is(Map) {
		return n.Pairs
	}
	return nil
}

// Where is where n stands; the zero span if nobody wrote it.
func (n *Node) Where() source.Span {
	if n == nil {
		return source.Span{}
	}
	return n.Span
}

// Clone copies the whole tree.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	if n.Items != nil {
		c.Items = make([]*Node, len(n.Items))
		for i, item := range n.Items {
			c.Items[i] = item.Clone()
		}
	}
	if n.Pairs != nil {
		c.Pairs = make([]Pair, len(n.Pairs))
		for i, p := range n.Pairs {
			p.Value = p.Value.Clone()
			c.Pairs[i] = p
		}
	}
	return &c
}

// Equal reports whether two values are the same, wherever they stand and however their keys are ordered. Numbers are equal
// by value; a number never equals a string.
func (n *Node) Equal(m *Node) bool {
	if n.IsNull() || m.IsNull() {
		return n.IsNull() && m.IsNull()
	}
	if isNumber(n) && isNumber(m) {
		return equalNumbers(n.Text, m.Text)
	}
	if n.Kind != m.Kind || n.Text != m.Text || len(n.Items) != len(m.Items) || len(n.Pairs) != len(m.Pairs) {
		return false
	}
	for i, item := range n.Items {
		if !item.Equal(m.Items[i]) {
			return false
		}
	}
	for i, p := range n.Pairs {
		other := m.Pairs[i]
		if other.Key != p.Key {
			at := m.index(p.Key)
			if at < 0 {
				return false
			}
			other = m.Pairs[at]
		}
		if !p.Value.Equal(other.Value) {
			return false
		}
	}
	return true
}

func isNumber(n *Node) bool { return n.Kind == Int || n.Kind == Float }

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && x == y
}

// Walk calls visit for n and everything in it, in the order of the file, as long as visit says to go into what it was given.
// The path holds the keys and (in decimal) the list positions that lead there; it is reused after visit returns.
func (n *Node) Walk(visit func(path []string, n *Node) (into bool)) {
	n.walk(nil, visit)
}

func (n *Node) walk(path []string, visit func([]string, *Node) bool) {
	if n == nil || !visit(path, n) {
		return
	}
	for i, item := range n.Items {
		item.walk(append(path, strconv.Itoa(i)), visit)
	}
	for _, p := range n.Pairs {
		p.Value.walk(append(path, p.Key), visit)
	}
}

// Intrinsic tells whether n calls an intrinsic function: a map with the one key Ref, Condition or Fn::Something. (Condition
// is one only with a string.)
func (n *Node) Intrinsic() (name string, arg *Node, ok bool) {
	if !n.Is(Map) || len(n.Pairs) != 1 {
		return "", nil, false
	}
	p := n.Pairs[0]
	switch {
	case p.Key == "Ref", len(p.Key) > 4 && p.Key[:4] == "Fn::":
		return p.Key, p.Value, true
	case p.Key == "Condition" && p.Value.Is(String):
		return p.Key, p.Value, true
	}
	return "", nil, false
}
