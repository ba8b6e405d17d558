package codec

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"evo/internal/cloud/model"
)

// AppendXML writes v as an element of that name; namespace may be empty.
func (p *Plan) AppendXML(b []byte, name, namespace string, v reflect.Value) []byte {
	attrs := ""
	if namespace != "" {
		attrs = ` xmlns="` + namespace + `"`
	}
	return p.appendElement(b, name, attrs, v, model.DefaultFormat)
}

// AppendXMLMembers writes the members of structure v that are set and for which keep says so, without an element around.
func (p *Plan) AppendXMLMembers(b []byte, v reflect.Value, keep func(*model.Member) bool) []byte {
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Member.Attribute || keep != nil && !keep(f.Member) {
			continue
		}
		if fv, ok := f.set(v.Field(f.index)); ok {
			b = f.appendMember(b, fv)
		}
	}
	return b
}

func (f *Field) appendMember(b []byte, v reflect.Value) []byte {
	m, p := f.Member, f.Plan
	name := m.XML()
	if m.Flattened {
		switch p.Shape.Kind {
		case model.List:
			for i := range v.Len() {
				b = p.elem.appendItem(b, name, v.Index(i))
			}
			return b
		case model.Map:
			return p.appendEntries(b, name, v)
		}
	}
	attrs := ""
	if m.XMLNamespace != "" {
		attrs = " xmlns"
		if m.XMLPrefix != "" {
			attrs += ":" + m.XMLPrefix
		}
		attrs += `="` + m.XMLNamespace + `"`
	}
	return p.appendElement(b, name, attrs, v, m.Timestamp)
}

func (p *Plan) appendElement(b []byte, name, attrs string, v reflect.Value, f model.TimestampFormat) []byte {
	b = append(b, '<')
	b = append(b, name...)
	b = append(b, attrs...)
	b = p.appendAttributes(b, v)
	b = append(b, '>')
	b = p.appendContent(b, v, f)
	b = append(b, '<', '/')
	b = append(b, name...)
	return append(b, '>')
}

func (p *Plan) appendAttributes(b []byte, v reflect.Value) []byte {
	if p.Shape.Kind != model.Structure {
		return b
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		if !f.Member.Attribute {
			continue
		}
		if fv, ok := f.set(v.Field(f.index)); ok {
			b = append(b, ' ')
			b = append(b, f.Member.XML()...)
			b = append(b, '=', '"')
			b = appendXMLText(b, string(f.Plan.AppendText(nil, fv, f.Member.Timestamp)))
			b = append(b, '"')
		}
	}
	return b
}

func (p *Plan) appendContent(b []byte, v reflect.Value, f model.TimestampFormat) []byte {
	switch p.Shape.Kind {
	case model.Structure:
		return p.AppendXMLMembers(b, v, nil)
	case model.Union:
		if f, mv := p.member(v); f != nil {
			b = f.appendMember(b, mv)
		}
		return b
	case model.List:
		name := orName(p.Shape.Elem, "member")
		for i := range v.Len() {
			b = p.elem.appendItem(b, name, v.Index(i))
		}
		return b
	case model.Map:
		return p.appendEntries(b, "entry", v)
	case model.String:
		return appendXMLText(b, v.String())
	}
	return p.AppendText(b, v, f)
}

// appendItem writes an element of a list or map.
func (f *Field) appendItem(b []byte, name string, v reflect.Value) []byte {
	if f.pointer {
		if v.IsNil() {
			return append(append(append(b, '<'), name...), '/', '>')
		}
		v = v.Elem()
	}
	attrs := ""
	if f.Member.XMLNamespace != "" {
		attrs = " xmlns" + strings.TrimSuffix(":"+f.Member.XMLPrefix, ":") + `="` + f.Member.XMLNamespace + `"`
	}
	return f.Plan.appendElement(b, name, attrs, v, f.Member.Timestamp)
}

func (p *Plan) appendEntries(b []byte, name string, v reflect.Value) []byte {
	for _, e := range sortedEntries(v) {
		b = append(append(append(b, '<'), name...), '>')
		key := orName(p.Shape.Key, "key")
		b = append(append(append(b, '<'), key...), '>')
		b = appendXMLText(b, e.key)
		b = append(append(append(b, '<', '/'), key...), '>')
		b = p.elem.appendItem(b, orName(p.Shape.Elem, "value"), e.value)
		b = append(append(append(b, '<', '/'), name...), '>')
	}
	return b
}

// AppendXMLText writes s escaped, for content and attributes.
func AppendXMLText(b []byte, s string) []byte { return appendXMLText(b, s) }

// appendXMLText escapes what XML reserves, and what it would normalise; what it cannot hold becomes U+FFFD.
func appendXMLText(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '\r':
			b = append(b, "&#xD;"...)
		case r < ' ' && r != '\n' && r != '\t', r == 0xfffe, r == 0xffff:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
