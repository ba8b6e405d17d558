package expression

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

const (
	rankProjectionReserved = iota
	rankProjectionUndefined
	rankProjectionOverlap
	rankProjectionConflict
)

// Projection is a choice of an item's parts. A nil one is all of it.
type Projection struct {
	root branch
	tops []string
}

// branch is what is chosen of a value: all of it, or of a map some members, or of a list some elements.
type branch struct {
	whole    bool
	members  map[string]*branch
	elements []element // by index
}

type element struct {
	index int
	part  *branch
}

// ParseProjection parses a ProjectionExpression.
func ParseProjection(text string, params *Params) (*Projection, error) {
	p := newParser("ProjectionExpression", text, params)
	paths := []Path{p.path(rankProjectionReserved, rankProjectionUndefined)}
	for p.accept(",") {
		paths = append(paths, p.path(rankProjectionReserved, rankProjectionUndefined))
	}
	if p.syntax == nil {
		p.checkClashes(paths, rankProjectionOverlap, rankProjectionConflict)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return Project(paths), nil
}

// Project returns the projection onto the paths.
func Project(paths []Path) *Projection {
	p := new(Projection)
	for _, path := range paths {
		if !slices.Contains(p.tops, path[0].Name) {
			p.tops = append(p.tops, path[0].Name)
		}
		b := &p.root
		for _, s := range path {
			b = b.grow(s)
		}
		b.whole = true
	}
	return p
}

// ProjectNames returns the projection onto the attributes.
func ProjectNames(names []string) *Projection {
	paths := make([]Path, len(names))
	for i, name := range names {
		paths[i] = Top(name)
	}
	return Project(paths)
}

func (b *branch) grow(s Step) *branch {
	if !s.isIndex() {
		if b.members == nil {
			b.members = map[string]*branch{}
		}
		if b.members[s.Name] == nil {
			b.members[s.Name] = new(branch)
		}
		return b.members[s.Name]
	}
	i, found := slices.BinarySearchFunc(b.elements, s.Index, func(e element, index int) int { return e.index - index })
	if !found {
		b.elements = slices.Insert(b.elements, i, element{s.Index, new(branch)})
	}
	return b.elements[i].part
}

// Attributes returns the names of the attributes of which a part is chosen.
func (p *Projection) Attributes() []string { return p.tops }

// Of returns the chosen parts of the item, never nil unless the item is.
func (p *Projection) Of(it item.Item) item.Item {
	if p == nil || it == nil {
		return it
	}
	return p.root.ofMap(it)
}

func (b *branch) ofMap(m item.Item) item.Item {
	out := make(item.Item, min(len(b.members), len(m)))
	for name, part := range b.members {
		if v := part.of(m[name]); v != nil {
			out[name] = v
		}
	}
	return out
}

// of returns the chosen part of v, or nil if v has none of it.
func (b *branch) of(v item.Value) item.Value {
	if b.whole || v == nil {
		return v
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		if m := b.ofMap(v.Value); len(m) > 0 {
			return &types.AttributeValueMemberM{Value: m}
		}
	case *types.AttributeValueMemberL:
		var list []item.Value
		for _, e := range b.elements {
			if e.index >= len(v.Value) {
				break
			}
			if part := e.part.of(v.Value[e.index]); part != nil {
				list = append(list, part)
			}
		}
		if list != nil {
			return &types.AttributeValueMemberL{Value: list}
		}
	}
	return nil
}
