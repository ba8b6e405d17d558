package expression

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/item"
)

// Step leads from a map to its member Name or, where Name is empty, from a list to its element Index.
type Step struct {
	Name  string
	Index int
}

func (s Step) isIndex() bool { return s.Name == "" }

// Path leads from an item to a value in it. Its first step is a name.
type Path []Step

// Top returns the path of an attribute.
func Top(name string) Path { return Path{{Name: name}} }

// String writes the path as AWS's messages do.
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if s.isIndex() {
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		} else {
			b.WriteString(s.Name)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Find returns the value that the path leads to, or nil.
func (p Path) Find(it item.Item) item.Value {
	v := it[p[0].Name]
	for _, s := range p[1:] {
		if v = s.from(v); v == nil {
			return nil
		}
	}
	return v
}

func (s Step) from(v item.Value) item.Value {
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		if !s.isIndex() {
			return v.Value[s.Name]
		}
	case *types.AttributeValueMemberL:
		if s.isIndex() && s.Index < len(v.Value) {
			return v.Value[s.Index]
		}
	}
	return nil
}

// clash says how two paths may not stand together: one leads through the other's end, or they disagree whether something is
// a list or a map.
func clash(a, b Path) (overlap, conflict bool) {
	for i := range min(len(a), len(b)) {
		if a[i].isIndex() != b[i].isIndex() {
			return false, true
		}
		if a[i] != b[i] {
			return false, false
		}
	}
	return true, false
}

// checkClashes reports the first two paths that may not stand together.
func (p *parser) checkClashes(paths []Path, overlapRank, conflictRank int) {
	for i, b := range paths {
		for _, a := range paths[:i] {
			overlap, conflict := clash(a, b)
			if overlap {
				p.report(overlapRank, "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", a, b)
			}
			if conflict {
				p.report(conflictRank, "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", a, b)
			}
		}
	}
}
