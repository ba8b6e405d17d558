package suitefile

import (
	"evo/internal/cfn"
)

// Schema is the JSON Schema of fitness.yaml, for editors.
func Schema() []byte {
	root := fileShape.schema()
	out := cfn.Obj(cfn.P("$schema", cfn.Str("https://json-schema.org/draft/2020-12/schema")), cfn.P("title", cfn.Str("fitness.yaml")))
	out.Pairs = append(out.Pairs, root.Pairs...)
	text, err := out.JSON()
	if err != nil {
		panic(err) // a tree of strings and literals always encodes
	}
	return text
}

// The texts that scalars may have; the reader uses its own parsers, and a test holds them to these.
const (
	dayPattern      = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	spanPattern     = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`
	quantityPattern = `^[0-9]*\.?[0-9]+ ?(ms|s|m|h|d|%|B|KB|MB|GB)?$`
)

func (s *shape) schema() *cfn.Node {
	n := cfn.Obj()
	if s.doc != "" {
		n.Set("description", cfn.Str(s.doc))
	}
	for _, p := range s.constraints() {
		n.Set(p.Key, p.Value)
	}
	return n
}

func typed(name string, more ...cfn.Pair) []cfn.Pair {
	return append([]cfn.Pair{cfn.P("type", cfn.Str(name))}, more...)
}

func (s *shape) constraints() []cfn.Pair {
	switch s.kind {
	case textKind:
		return typed("string", cfn.P("minLength", cfn.Integer(1)))
	case numberKind:
		return s.bounds()
	case flagKind:
		return typed("boolean")
	case wordKind:
		return []cfn.Pair{cfn.P("enum", cfn.From(s.words))}
	case severityKind:
		return []cfn.Pair{cfn.P("anyOf", cfn.Arr(cfn.Obj(cfn.P("enum", cfn.From(s.words))), cfn.Obj(typed("number", cfn.P("exclusiveMinimum", cfn.Integer(0)))...)))}
	case dayKind:
		return typed("string", cfn.P("pattern", cfn.Str(dayPattern)))
	case statKind:
		return typed("string", cfn.P("pattern", cfn.Str(statPattern)))
	case spanKind:
		return typed("string", cfn.P("pattern", cfn.Str(spanPattern)))
	case quantityKind:
		return []cfn.Pair{cfn.P("anyOf", cfn.Arr(quantitySchemas()...))}
	case targetKind:
		expression := cfn.Obj((&shape{kind: objectKind, fields: []field{{"expression", true, shape{kind: textKind, doc: "CEL over metrics, giving a number."}}}}).constraints()...)
		return []cfn.Pair{cfn.P("anyOf", cfn.Arr(append(quantitySchemas(), expression)...))}
	case objectKind:
		return s.objectConstraints()
	case mapKind:
		return []cfn.Pair{cfn.P("type", cfn.From([]string{"object", "null"})), cfn.P("additionalProperties", s.each.schema())}
	case listKind:
		return typed("array", cfn.P("items", s.each.schema()))
	}
	return nil
}

func quantitySchemas() []*cfn.Node {
	return []*cfn.Node{cfn.Obj(typed("number")...), cfn.Obj(typed("string", cfn.P("pattern", cfn.Str(quantityPattern)))...)}
}

func (s *shape) bounds() []cfn.Pair {
	pairs := typed("number")
	for _, b := range []struct{ name, text string }{{"minimum", s.least}, {"maximum", s.most}} {
		if b.text != "" {
			pairs = append(pairs, cfn.P(b.name, &cfn.Node{Kind: cfn.Float, Text: b.text}))
		}
	}
	return pairs
}

func (s *shape) objectConstraints() []cfn.Pair {
	properties, required := cfn.Obj(), cfn.Arr()
	for i := range s.fields {
		f := &s.fields[i]
		properties.Set(f.name, f.schema())
		if f.required {
			required.Items = append(required.Items, cfn.Str(f.name))
		}
	}
	pairs := []cfn.Pair{cfn.P("type", cfn.From([]string{"object", "null"})), cfn.P("properties", properties), cfn.P("additionalProperties", cfn.Boolean(false))}
	if len(required.Items) > 0 {
		pairs[0].Value = cfn.Str("object")
		pairs = append(pairs, cfn.P("required", required))
	}
	return pairs
}
