// Command gen cuts AWS's published facts on CloudFormation resource types (the npm package @aws-cdk/aws-service-spec,
// Apache-2.0) down to the table that package spec reads. Run it with go generate in the package's folder; it needs npm.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// source is the version of the package that the committed table was cut from, and published the day on which it came out.
const (
	source    = "@aws-cdk/aws-service-spec@0.1.216"
	published = "2026-09-29"
)

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "spec")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := fetch(dir)
	if err != nil {
		log.Fatalf("fetching %s: %v", source, err)
	}
	table, n, err := cut(db)
	if err != nil {
		log.Fatalf("cutting %s: %v", source, err)
	}
	if err := write("types.gz", table); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d resource types, %d bytes before compression\n", n, len(table))
}

func fetch(dir string) ([]byte, error) {
	for _, args := range [][]string{{"npm", "pack", "--silent", source}, {"tar", "xzf"}} {
		if args[0] == "tar" {
			tgz, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
			args = append(args, tgz...)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(filepath.Join(dir, "package", "db.json.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func write(name string, table []byte) error {
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if _, err := z.Write(table); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(name, buf.Bytes(), 0o644)
}

type database struct {
	Schema struct {
		Resource       struct{ Entities []resource }
		TypeDefinition struct{ Entities []definition }
	}
}

type resource struct {
	Type       string   `json:"cloudFormationType"`
	Identifier []string `json:"primaryIdentifier"`
	Ref        []string `json:"cfnRefIdentifier"`
	Attributes map[string]property
	Properties map[string]property
	Tags       struct {
		Property string `json:"tagPropertyName"`
	} `json:"tagInformation"`
	ARN         string   `json:"arnTemplate"`
	Replacement []string `json:"-"`
}

type definition struct {
	ID         string `json:"$id"`
	Name       string
	Properties map[string]property
}

type property struct {
	Type     typ
	Required bool
	Replace  string `json:"causesReplacement"`
}

type typ struct {
	Type      string
	Element   *typ
	Types     []typ
	Allowed   []string `json:"-"` // of strings
	Reference struct {
		Ref string `json:"$ref"`
	}
}

// entry is a line of the table: package spec explains its members.
type entry struct {
	Type       string                       `json:"t"`
	Identifier []string                     `json:"i,omitempty"`
	Tags       string                       `json:"g,omitempty"`
	ARN        string                       `json:"n,omitempty"`
	Properties map[string]string            `json:"p,omitempty"`
	Attributes map[string]string            `json:"a,omitempty"`
	Defs       map[string]map[string]string `json:"d,omitempty"`
	Enums      [][]string                   `json:"e,omitempty"`
}

// UnmarshalJSON reads a type. Only strings' values are kept: those of numbers are written as numbers.
func (t *typ) UnmarshalJSON(data []byte) error {
	type plain typ
	if err := json.Unmarshal(data, (*plain)(t)); err != nil || t.Type != "string" {
		return err
	}
	var values struct{ AllowedValues []string }
	err := json.Unmarshal(data, &values)
	t.Allowed = values.AllowedValues
	return err
}

func cut(data []byte) ([]byte, int, error) {
	var db database
	if err := json.Unmarshal(data, &db); err != nil {
		return nil, 0, err
	}
	defs := map[string]definition{}
	for _, d := range db.Schema.TypeDefinition.Entities {
		defs[d.ID] = d
	}
	rs := db.Schema.Resource.Entities
	sort.Slice(rs, func(i, j int) bool { return rs[i].Type < rs[j].Type })
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]string{"published": published}); err != nil {
		return nil, 0, err
	}
	for _, r := range rs {
		c := cutter{defs: defs, names: map[string]string{}, taken: map[string]bool{}}
		e := entry{Type: r.Type, Identifier: r.Identifier, Tags: r.Tags.Property, ARN: r.ARN}
		if len(r.Ref) > 0 {
			e.Identifier = r.Ref
		}
		e.Properties, e.Attributes = c.members(r.Properties), c.members(r.Attributes)
		e.Defs, e.Enums = c.out, c.enums
		if err := enc.Encode(e); err != nil {
			return nil, 0, err
		}
	}
	return out.Bytes(), len(rs), nil
}

// cutter gathers the definitions that one resource type reaches.
type cutter struct {
	defs  map[string]definition
	names map[string]string // definition id to its name within the resource type
	taken map[string]bool
	out   map[string]map[string]string
	enums [][]string
}

func (c *cutter) members(ps map[string]property) map[string]string {
	keys := make([]string, 0, len(ps))
	for k := range ps {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make(map[string]string, len(ps))
	for _, k := range keys {
		p := ps[k]
		s := c.code(p.Type)
		if p.Required {
			s += "!"
		}
		switch p.Replace {
		case "yes":
			s += "R"
		case "maybe":
			s += "M"
		}
		out[k] = s
	}
	return out
}

func (c *cutter) code(t typ) string {
	if len(t.Allowed) > 0 {
		return fmt.Sprintf("e%d;", c.enum(t.Allowed))
	}
	switch t.Type {
	case "string", "integer", "number", "boolean", "json":
		return t.Type[:1]
	case "tag":
		return "t"
	case "array":
		return "[" + c.code(*t.Element) + "]"
	case "map":
		return "{" + c.code(*t.Element) + "}"
	case "ref":
		return "@" + c.ref(t.Reference.Ref) + ";"
	case "union":
		parts := make([]string, len(t.Types))
		for i, u := range t.Types {
			parts[i] = c.code(u)
		}
		return "(" + strings.Join(parts, "") + ")"
	}
	return "j" // dates and what may come: anything goes
}

// enum is the number of a set of values within the resource type.
func (c *cutter) enum(values []string) int {
	for i, known := range c.enums {
		if slices.Equal(known, values) {
			return i
		}
	}
	c.enums = append(c.enums, values)
	return len(c.enums) - 1
}

func (c *cutter) ref(id string) string {
	if n, ok := c.names[id]; ok {
		return n
	}
	d := c.defs[id]
	name := d.Name
	for i := 2; c.taken[name]; i++ {
		name = fmt.Sprintf("%s%d", d.Name, i)
	}
	c.names[id], c.taken[name] = name, true
	if c.out == nil {
		c.out = map[string]map[string]string{}
	}
	c.out[name] = nil // a definition may refer to itself
	c.out[name] = c.members(d.Properties)
	return name
}
