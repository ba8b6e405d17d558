// Package spec answers: what does CloudFormation know of a resource type? Its properties and their types, which of them are
// required, which replace the resource when they change, and which attributes Fn::GetAtt reads.
//
// The table holds every published type and is cut from AWS's own facts by gen. It is unpacked on first use, and a type's
// entry is read when somebody asks for that type.
package spec

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./gen

//go:embed types.gz
var packed []byte

// Type is what is known of one resource type.
type Type struct {
	Name       string
	Ref        []string // the properties or attributes that make what Ref returns
	Tags       string   // the property that holds tags; empty where the type has none
	ARN        string   // ARN's form, as arn:${Partition}:…; empty where none is published
	Properties map[string]Property
	Attributes map[string]Property

	defs map[string]map[string]Property
}

// Property is what is known of one property, of a resource or of a structure inside it.
type Property struct {
	Type        *Shape
	Required    bool
	Replacement Replacement
}

// Replacement tells whether a change of a property makes a new resource.
type Replacement uint8

// What the published facts say; Conditionally depends on the values.
const (
	Never Replacement = iota
	Conditionally
	Always
)

// String returns CloudFormation's word.
func (r Replacement) String() string { return [...]string{"Never", "Conditionally", "Always"}[r] }

// Kind is the kind of a Shape.
type Kind uint8

// The kinds of shapes. JSON takes anything; Structure has members; Union is any of several.
const (
	JSON Kind = iota
	String
	Integer
	Number
	Boolean
	Tag
	List
	Map
	Structure
	Union
)

// Shape is the type of a property.
type Shape struct {
	Kind     Kind
	Element  *Shape   // List, Map
	Name     string   // Structure: the key for Type.Members
	Variants []*Shape // Union
	Values   []string // String: the values that there are; nil if it may be any, or if that is not published
}

// Members returns a structure's properties, nil where its facts are not published.
func (t *Type) Members(s *Shape) map[string]Property {
	if s == nil || s.Kind != Structure {
		return nil
	}
	return t.defs[s.Name]
}

type table struct {
	published string
	lines     map[string][]byte
	names     []string
	mu        sync.Mutex
	types     map[string]*Type
}

var load = sync.OnceValue(func() *table {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(fmt.Sprintf("spec: the embedded table is broken: %v", err))
	}
	data, err := io.ReadAll(z)
	if err != nil {
		panic(fmt.Sprintf("spec: the embedded table is broken: %v", err))
	}
	t := &table{lines: map[string][]byte{}, types: map[string]*Type{}}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if err := json.Unmarshal(first, &struct{ Published *string }{&t.published}); err != nil {
		panic(fmt.Sprintf("spec: the embedded table is broken: %v", err))
	}
	for line := range bytes.Lines(rest) {
		// Each line begins {"t":"AWS::…",
		name, _, ok := strings.Cut(strings.TrimPrefix(string(line), `{"t":"`), `"`)
		if ok {
			t.lines[name] = line
			t.names = append(t.names, name)
		}
	}
	sort.Strings(t.names)
	return t
})

// Lookup returns the facts of a resource type.
func Lookup(name string) (*Type, bool) {
	tb := load()
	line, ok := tb.lines[name]
	if !ok {
		return nil, false
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if t, ok := tb.types[name]; ok {
		return t, true
	}
	t := parse(line)
	tb.types[name] = t
	return t, true
}

// Known reports whether name is a published resource type.
func Known(name string) bool {
	_, ok := load().lines[name]
	return ok
}

// Published is the day (YYYY-MM-DD) that the table is of. CloudFormation may know more by now.
func Published() string { return load().published }

// Names returns all type names, sorted; the slice is the caller's to read only.
func Names() []string { return load().names }

// entry is a line of the table. A property is written as its type (s, i, n, b, j, t; [x] list, {x} map, @Name; structure,
// (xy) union, e0; a string with the first of the entry's sets of values), then ! if it is required, and R or M if a change always or maybe replaces the resource.
type entry struct {
	Type       string                       `json:"t"`
	Identifier []string                     `json:"i"`
	Tags       string                       `json:"g"`
	ARN        string                       `json:"n"`
	Properties map[string]string            `json:"p"`
	Attributes map[string]string            `json:"a"`
	Defs       map[string]map[string]string `json:"d"`
	Enums      [][]string                   `json:"e"`
}

func parse(line []byte) *Type {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		panic(fmt.Sprintf("spec: the embedded table is broken: %v", err))
	}
	t := &Type{Name: e.Type, Ref: e.Identifier, Tags: e.Tags, ARN: e.ARN, defs: map[string]map[string]Property{}}
	t.Properties, t.Attributes = e.properties(e.Properties), e.properties(e.Attributes)
	for name, members := range e.Defs {
		t.defs[name] = e.properties(members)
	}
	return t
}

func (e *entry) properties(codes map[string]string) map[string]Property {
	ps := make(map[string]Property, len(codes))
	for name, code := range codes {
		shape, rest := e.decode(code)
		p := Property{Type: shape, Required: strings.Contains(rest, "!")}
		switch {
		case strings.Contains(rest, "R"):
			p.Replacement = Always
		case strings.Contains(rest, "M"):
			p.Replacement = Conditionally
		}
		ps[name] = p
	}
	return ps
}

var scalars = map[byte]*Shape{
	's': {Kind: String}, 'i': {Kind: Integer}, 'n': {Kind: Number}, 'b': {Kind: Boolean}, 'j': {Kind: JSON}, 't': {Kind: Tag},
}

// decode reads one type from the front of a code and returns what follows it.
func (e *entry) decode(code string) (*Shape, string) {
	switch code[0] {
	case '[', '{':
		kind := List
		if code[0] == '{' {
			kind = Map
		}
		el, rest := e.decode(code[1:])
		return &Shape{Kind: kind, Element: el}, rest[1:]
	case '@':
		name, rest, _ := strings.Cut(code[1:], ";")
		return &Shape{Kind: Structure, Name: name}, rest
	case 'e':
		number, rest, _ := strings.Cut(code[1:], ";")
		i, err := strconv.Atoi(number)
		if err != nil || i >= len(e.Enums) {
			panic("spec: the embedded table is broken: no set of values " + number)
		}
		return &Shape{Kind: String, Values: e.Enums[i]}, rest
	case '(':
		u := &Shape{Kind: Union}
		rest := code[1:]
		for rest[0] != ')' {
			var v *Shape
			v, rest = e.decode(rest)
			u.Variants = append(u.Variants, v)
		}
		return u, rest[1:]
	}
	return scalars[code[0]], code[1:]
}
