package codec

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"

	"evo/internal/cloud/model"
)

// An element is one of an XML document, or a node of a Query form, in which every name is a path of names.
type element struct {
	name  string
	attrs []xml.Attr
	text  string
	kids  []*element
}

func (e *element) kid(name string) *element {
	for _, k := range e.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// ErrNotXML is a body that is no XML document.
var ErrNotXML = errors.New("the body is not a well-formed XML document")

// DecodeXML reads a document, whose root may have any name, into v. An empty document sets nothing.
func (p *Plan) DecodeXML(data []byte, v reflect.Value) error {
	root, err := parseXML(data)
	if err != nil || root == nil {
		return err
	}
	return p.decodeElement(root, v, model.DefaultFormat)
}

// parseXML reads a document into elements, names without their prefixes.
func parseXML(data []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	var root *element
	var open []*element
	var text strings.Builder
	for {
		tok, err := d.Token()
		if err == io.EOF && len(open) == 0 {
			return root, nil
		}
		if err != nil {
			return nil, ErrNotXML
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(open) >= maxDepth || len(open) == 0 && root != nil {
				return nil, ErrNotXML
			}
			e := &element{name: tok.Name.Local, attrs: tok.Attr}
			if len(open) > 0 {
				parent := open[len(open)-1]
				parent.kids = append(parent.kids, e)
			} else {
				root = e
			}
			open = append(open, e)
			text.Reset()
		case xml.EndElement:
			e := open[len(open)-1]
			if len(e.kids) == 0 {
				e.text = text.String()
			}
			text.Reset()
			open = open[:len(open)-1]
		case xml.CharData:
			text.Write(tok)
		}
	}
}

func (p *Plan) decodeElement(e *element, v reflect.Value, f model.TimestampFormat) error {
	switch p.Shape.Kind {
	case model.Structure, model.Union:
		return p.decodeMembers(e, v)
	case model.List:
		return p.decodeList(e.kids, v)
	case model.Map:
		return p.decodeEntries(e.kids, v)
	}
	return p.ParseText(e.text, v)
}

func (p *Plan) decodeMembers(e *element, v reflect.Value) error {
	for i := range p.Fields {
		f := &p.Fields[i]
		m := f.Member
		if m.Attribute {
			for _, a := range e.attrs {
				if _, local, ok := strings.Cut(m.XML(), ":"); a.Name.Local == m.XML() || ok && a.Name.Local == local {
					if err := f.Plan.ParseText(a.Value, f.slot(v.Field(f.index))); err != nil {
						return err
					}
				}
			}
			continue
		}
		var found []*element
		for _, k := range e.kids {
			if k.name == m.XML() {
				found = append(found, k)
			}
		}
		if len(found) == 0 {
			continue
		}
		if err := f.decodeElements(p, found, v); err != nil {
			return err
		}
	}
	return nil
}

// decodeElements reads all the elements that bear the member's name.
func (f *Field) decodeElements(p *Plan, found []*element, v reflect.Value) error {
	var to reflect.Value
	if f.wrapper != nil {
		if !v.IsNil() {
			return errUnionTwice
		}
		to = f.choose(v)
	} else {
		to = f.slot(v.Field(f.index))
	}
	if f.Member.Flattened {
		switch f.Plan.Shape.Kind {
		case model.List:
			return f.Plan.decodeList(found, to)
		case model.Map:
			return f.Plan.decodeEntries(found, to)
		}
	}
	return f.Plan.decodeElement(found[len(found)-1], to, f.Member.Timestamp)
}

func (p *Plan) decodeList(items []*element, v reflect.Value) error {
	return p.readList(p.decodeMember, items, v)
}

func (p *Plan) decodeEntries(entries []*element, v reflect.Value) error {
	return p.readMap(p.decodeMember, entries, v)
}

// decodeMember reads an element of a list, or the value of a map's entry, by the plan for it.
func (p *Plan) decodeMember(elem *Plan, e *element, v reflect.Value) error {
	return elem.decodeElement(e, v, p.elem.Member.Timestamp)
}

// reader reads an element by a plan into a value.
type reader func(p *Plan, e *element, v reflect.Value) error

func (p *Plan) readList(read reader, items []*element, v reflect.Value) error {
	s := reflect.MakeSlice(p.Type, len(items), len(items))
	for i, e := range items {
		if err := read(p.elem.Plan, e, p.elem.slot(s.Index(i))); err != nil {
			return err
		}
	}
	v.Set(s)
	return nil
}

func (p *Plan) readMap(read reader, entries []*element, v reflect.Value) error {
	m := reflect.MakeMapWithSize(p.Type, len(entries))
	for _, e := range entries {
		k, val := e.kid(orName(p.Shape.Key, "key")), e.kid(orName(p.Shape.Elem, "value"))
		if k == nil {
			return errorf("a map's entry without a key")
		}
		key := reflect.New(p.Type.Key()).Elem()
		key.SetString(k.text)
		elem := reflect.New(p.Type.Elem()).Elem()
		if val != nil {
			if err := read(p.elem.Plan, val, p.elem.slot(elem)); err != nil {
				return err
			}
		}
		m.SetMapIndex(key, elem)
	}
	v.Set(m)
	return nil
}

// orName is the name of a collection's member in XML: the model's, or what the protocol says.
func orName(m *model.Member, name string) string {
	if m.XMLName != "" {
		return m.XMLName
	}
	return name
}
