package codec

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"evo/internal/cloud/model"
)

// DecodeQuery reads a form, in which names are paths (Tags.member.1.Key), into v, a structure.
func (p *Plan) DecodeQuery(form url.Values, v reflect.Value) error {
	root := new(element)
	index := map[*element]map[string]*element{}
	for _, name := range sortedKeys(form) {
		e := root
		parts := strings.Split(name, ".")
		if len(parts) > maxDepth {
			return errorf("the parameter's name is nested too deeply")
		}
		for _, part := range parts {
			next := index[e][part]
			if next == nil {
				next = &element{name: part}
				e.kids = append(e.kids, next)
				if index[e] == nil {
					index[e] = map[string]*element{}
				}
				index[e][part] = next
			}
			e = next
		}
		e.text = form.Get(name)
	}
	return p.queryMembers(root, v)
}

func sortedKeys(form url.Values) []string {
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (p *Plan) queryMembers(e *element, v reflect.Value) error {
	for i := range p.Fields {
		f := &p.Fields[i]
		kid := e.kid(f.Member.XML())
		if kid == nil && f.Member.Flattened && f.Plan.elem != nil {
			kid = e.kid(f.Plan.elem.Member.XML())
		}
		if kid == nil {
			continue
		}
		if f.wrapper != nil {
			if !v.IsNil() {
				return errUnionTwice
			}
			return f.Plan.query(kid, f.choose(v))
		}
		if err := f.Plan.query(kid, f.slot(v.Field(f.index))); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) query(e *element, v reflect.Value) error {
	switch p.Shape.Kind {
	case model.Structure, model.Union:
		return p.queryMembers(e, v)
	case model.List:
		if len(e.kids) == 0 && e.text == "" { // Name= says that the list is there, and empty
			v.Set(reflect.MakeSlice(p.Type, 0, 0))
			return nil
		}
		items, err := numbered(e)
		if err != nil {
			return err
		}
		return p.readList((*Plan).query, items, v)
	case model.Map:
		items, err := numbered(e)
		if err != nil {
			return err
		}
		return p.readMap((*Plan).query, items, v)
	}
	return p.ParseText(e.text, v)
}

// numbered returns the elements under e, or under e's only child (member, entry, or the list's own name), by their numbers.
func numbered(e *element) ([]*element, error) {
	if len(e.kids) == 1 && !isNumber(e.kids[0].name) {
		e = e.kids[0]
	}
	for _, k := range e.kids {
		if !isNumber(k.name) {
			return nil, errorf("%s is not the number of a list's element", k.name)
		}
	}
	if len(e.kids) == 0 && e.text != "" {
		return []*element{e}, nil
	}
	items := slices.Clone(e.kids)
	slices.SortFunc(items, func(a, b *element) int {
		x, _ := strconv.Atoi(a.name)
		y, _ := strconv.Atoi(b.name)
		return x - y
	})
	return items, nil
}

func isNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0
}
