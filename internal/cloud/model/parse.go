package model

import (
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
)

// mustParse is for the embedded tables only: one that does not parse is a defect that a test finds.
func mustParse(info Info, table string) *Service {
	s, err := Parse(info, table)
	if err != nil {
		panic(fmt.Sprintf("model: the table of %s: %v", info.Name, err))
	}
	return s
}

// Parse reads a table.
func Parse(info Info, table string) (*Service, error) {
	p := &parser{service: &Service{Info: info, Operations: map[string]*Operation{}, Shapes: map[string]*Shape{}}}
	for n := 1; table != ""; n++ {
		var line string
		line, table, _ = strings.Cut(table, "\n")
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for name, s := range p.service.Shapes {
		if s.Kind == undefined {
			return nil, fmt.Errorf("shape %s is named but not defined", name)
		}
	}
	return p.service, nil
}

// undefined marks a shape that a member named before its record came.
const undefined Kind = 255

var baseKinds = map[string]Kind{
	"string": String, "number": Number, "boolean": Boolean, "blob": Blob, "stream": Blob, "timestamp": Timestamp, "document": Document,
}

var plain = func() map[string]*Shape {
	out := map[string]*Shape{}
	for name, kind := range baseKinds {
		base := &Shape{Name: name, Kind: kind, Streaming: name == "stream"}
		out[name] = base
		out["["+name] = &Shape{Kind: List, Elem: &Member{Name: "member", Target: base}}
	}
	for name := range baseKinds {
		out["{"+name] = &Shape{Kind: Map, Key: &Member{Name: "key", Target: out["string"]}, Elem: &Member{Name: "value", Target: out[name]}}
	}
	return out
}()

type parser struct {
	service *Service
	shape   *Shape // whose members the next lines are
}

func (p *parser) line(line string) error {
	if rest, ok := strings.CutPrefix(line, "\t"); ok {
		return p.member(rest)
	}
	kind, rest, _ := strings.Cut(line, " ")
	name, rest, _ := strings.Cut(rest, " ")
	switch kind {
	case "o":
		return p.operation(name, rest)
	case "s", "e":
		p.define(name, Structure)
		if kind == "e" {
			p.shape.Error = new(Error)
		}
	case "u":
		p.define(name, Union)
	case "l":
		p.define(name, List)
	case "m":
		p.define(name, Map)
	case "v":
		base, more, _ := strings.Cut(rest, " ")
		k, ok := baseKinds[base]
		if !ok {
			return fmt.Errorf("no base type %q", base)
		}
		rest = more
		p.define(name, k)
		p.shape.Streaming = base == "stream"
	default:
		return fmt.Errorf("no record %q", kind)
	}
	return p.traits(rest)
}

func (p *parser) define(name string, kind Kind) {
	p.shape = p.lookup(name)
	p.shape.Kind = kind
}

// lookup returns the shape of a target, which its record may define only later.
func (p *parser) lookup(target string) *Shape {
	if s, ok := plain[target]; ok {
		return s
	}
	s, ok := p.service.Shapes[target]
	if !ok {
		s = &Shape{Name: target, Kind: undefined}
		p.service.Shapes[target] = s
	}
	return s
}

func (p *parser) operation(name, rest string) error {
	f := strings.Split(rest, " ")
	if len(f) < 5 {
		return fmt.Errorf("operation %s: %d fields", name, len(f))
	}
	status, err := strconv.Atoi(f[2])
	if err != nil {
		return fmt.Errorf("operation %s: status: %w", name, err)
	}
	op := &Operation{Name: name, Method: f[0], URI: f[1], Status: status}
	if f[3] != "-" {
		op.Input = p.lookup(f[3])
	}
	if f[4] != "-" {
		op.Output = p.lookup(f[4])
	}
	if len(f) > 5 {
		op.HostPrefix = f[5]
	}
	p.service.Operations[name] = op
	return nil
}

// traits reads a shape's traits and constraints.
func (p *parser) traits(rest string) error {
	s := p.shape
	for rest != "" {
		var word string
		if pat, ok := strings.CutPrefix(rest, "pat="); ok {
			pattern, err := strconv.Unquote(pat)
			if err != nil {
				return fmt.Errorf("shape %s: pattern: %w", s.Name, err)
			}
			s.constraint().Pattern = pattern
			return nil
		}
		word, rest, _ = strings.Cut(rest, " ")
		if err := s.trait(word); err != nil {
			return fmt.Errorf("shape %s: %w", s.Name, err)
		}
	}
	return nil
}

func (s *Shape) constraint() *Constraint {
	if s.Constraint == nil {
		s.Constraint = new(Constraint)
	}
	return s.Constraint
}

func (s *Shape) trait(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch {
	case key == "x":
		s.XMLName = value
	case key == "sparse":
		s.Sparse = true
	case key == "streaming":
		s.Streaming = true
	case key == "min":
		c := s.constraint()
		c.HasMin = true
		c.Min, err = strconv.ParseFloat(value, 64)
	case key == "max":
		c := s.constraint()
		c.HasMax = true
		c.Max, err = strconv.ParseFloat(value, 64)
	case s.Error == nil:
		return fmt.Errorf("no trait %q", word)
	case key == "status":
		s.Error.Status, err = strconv.Atoi(value)
	case key == "code":
		s.Error.QueryCode = value
	case key == "qstatus":
		s.Error.QueryStatus, err = strconv.Atoi(value)
	case key == "server":
		s.Error.Server = true
	default:
		return fmt.Errorf("no trait %q", word)
	}
	return err
}

func (p *parser) member(line string) error {
	f := strings.Split(line, " ")
	if p.shape == nil || len(f) < 2 {
		return fmt.Errorf("a member without a shape or a target: %q", line)
	}
	m := &Member{Name: f[0], Target: p.lookup(f[1])}
	for _, word := range f[2:] {
		if err := m.trait(word); err != nil {
			return fmt.Errorf("member %s: %w", m.Name, err)
		}
	}
	switch {
	case p.shape.Kind == Map && m.Name == "key":
		p.shape.Key = m
	case p.shape.Kind == Map, p.shape.Kind == List:
		p.shape.Elem = m
	default:
		p.shape.Members = append(p.shape.Members, m)
	}
	return nil
}

func (m *Member) trait(word string) error {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "req":
		m.Required = true
	case "label":
		m.Label = true
	case "payload":
		m.Payload = true
	case "code":
		m.StatusCode = true
	case "params":
		m.QueryParams = true
	case "token":
		m.IdempotencyToken = true
	case "secret":
		m.Sensitive = true
	case "hostlabel":
		m.HostLabel = true
	case "flat":
		m.Flattened = true
	case "attr":
		m.Attribute = true
	case "event":
		m.EventPayload = true
	case "h":
		m.Header = textproto.CanonicalMIMEHeaderKey(value) // so that looking it up costs nothing more
	case "ph":
		m.PrefixHeader = value
	case "q":
		m.Query = value
	case "j":
		m.JSONName = value
	case "x":
		m.XMLName = value
	case "ns":
		m.XMLPrefix, m.XMLNamespace, _ = strings.Cut(value, ",")
	case "ts":
		m.Timestamp = map[string]TimestampFormat{"iso": ISO8601, "http": HTTPDate, "epoch": EpochSeconds}[value]
	default:
		return fmt.Errorf("no trait %q", word)
	}
	return nil
}
