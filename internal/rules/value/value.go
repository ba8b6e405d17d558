// Package value answers: what is known of a template's value that may still hold intrinsic functions?
//
// A value is read as a text in which each reference stands as a mark, so that two mentions of one thing compare equal though
// nobody knows yet what it will be: !Sub "table/${Orders}" and !Join ["/", [table, !Ref Orders]] are the same text.
package value

import (
	"strings"

	"evo/internal/cfn"
)

// Mark surrounds a reference within a Text. Templates cannot hold this character.
const Mark = "\x00"

// Text is a value as a string: literal parts, and references between two Marks: the logical id or parameter's name, and after
// a dot the attribute. A pseudo parameter is written with one colon less twice over (AWS.Region), so that colons only separate.
type Text string

// Of reads n as a text. It fails for what is no string, number or boolean, and no function that makes one of references
// alone (Ref, Fn::GetAtt, Fn::Sub, Fn::Join): nothing is known of such a value.
func Of(n *cfn.Node) (Text, bool) {
	if n == nil {
		return "", false
	}
	if text, ok := n.Scalar(); ok {
		return Text(text), !strings.Contains(text, dynamic)
	}
	var b strings.Builder
	ok := write(&b, n, 0)
	return Text(b.String()), ok
}

// dynamic begins a reference to Parameter Store or Secrets Manager.
const dynamic = "{{resolve:"

// maxDepth of functions within functions that is read.
const maxDepth = 20

func write(b *strings.Builder, n *cfn.Node, depth int) bool {
	if n == nil || depth > maxDepth {
		return false
	}
	if text, ok := n.Scalar(); ok {
		b.WriteString(text)
		return !strings.Contains(text, dynamic)
	}
	name, arg, ok := n.Intrinsic()
	if !ok {
		return false
	}
	switch name {
	case "Ref":
		return mark(b, arg.Str())
	case "Fn::GetAtt":
		return mark(b, attribute(arg))
	case "Fn::Sub":
		return writeSub(b, arg, depth)
	case "Fn::Join":
		return writeJoin(b, arg, depth)
	}
	return false
}

func mark(b *strings.Builder, reference string) bool {
	if reference == "" {
		return false
	}
	b.WriteString(Mark)
	if rest, ok := strings.CutPrefix(reference, "AWS::"); ok {
		b.WriteString("AWS.")
		reference = rest
	}
	b.WriteString(reference)
	b.WriteString(Mark)
	return true
}

// attribute is Fn::GetAtt's argument as Resource.Attribute; empty if it is none.
func attribute(arg *cfn.Node) string {
	if arg.Is(cfn.String) {
		return arg.Text
	}
	items := arg.List()
	if len(items) < 2 {
		return ""
	}
	parts := make([]string, len(items))
	for i, item := range items {
		if parts[i] = item.Str(); parts[i] == "" {
			return ""
		}
	}
	return strings.Join(parts, ".")
}

func writeJoin(b *strings.Builder, arg *cfn.Node, depth int) bool {
	items := arg.List()
	if len(items) != 2 || !items[0].Is(cfn.String) || !items[1].Is(cfn.List) {
		return false
	}
	for i, part := range items[1].Items {
		if i > 0 {
			b.WriteString(items[0].Text)
		}
		if !write(b, part, depth+1) {
			return false
		}
	}
	return true
}

func writeSub(b *strings.Builder, arg *cfn.Node, depth int) bool {
	var vars *cfn.Node
	if items := arg.List(); len(items) == 2 {
		arg, vars = items[0], items[1]
	}
	if !arg.Is(cfn.String) {
		return false
	}
	for rest := arg.Text; ; {
		before, after, found := strings.Cut(rest, "${")
		name, next, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(rest)
			return true
		}
		b.WriteString(before)
		rest = next
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			b.WriteString("${" + literal + "}")
			continue
		}
		name = strings.TrimSpace(name)
		if v := vars.Get(name); v != nil {
			if !write(b, v, depth+1) {
				return false
			}
		} else if !mark(b, name) {
			return false
		}
	}
}

// Literal reports whether t holds no reference.
func (t Text) Literal() bool { return !strings.Contains(string(t), Mark) }

// References calls f with every reference in t, in order, until f returns false.
func (t Text) References(f func(name, attribute string) bool) {
	rest := string(t)
	for {
		_, after, found := strings.Cut(rest, Mark)
		reference, next, closed := strings.Cut(after, Mark)
		if !found || !closed {
			return
		}
		name, attr, _ := strings.Cut(reference, ".")
		if !f(name, attr) {
			return
		}
		rest = next
	}
}

// Plain is t's literal parts, the references left out.
func (t Text) Plain() string {
	if t.Literal() {
		return string(t)
	}
	var b strings.Builder
	for i, part := range strings.Split(string(t), Mark) {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// String is t for a person: references as in Fn::Sub.
func (t Text) String() string {
	if t.Literal() {
		return string(t)
	}
	var b strings.Builder
	for i, part := range strings.Split(string(t), Mark) {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		if rest, ok := strings.CutPrefix(part, "AWS."); ok {
			part = "AWS::" + rest
		}
		b.WriteString("${" + part + "}")
	}
	return b.String()
}

// IsNoValue reports whether n is {"Ref": "AWS::NoValue"}: a value that is as good as not there.
func IsNoValue(n *cfn.Node) bool {
	name, arg, ok := n.Intrinsic()
	return ok && name == "Ref" && arg.Str() == "AWS::NoValue"
}

// Open reports whether n as a whole is not known: an intrinsic function, or a dynamic reference.
func Open(n *cfn.Node) bool {
	if n.Is(cfn.String) {
		return strings.Contains(n.Text, dynamic)
	}
	name, _, ok := n.Intrinsic()
	return ok && name != "Condition"
}

// Unreadable is the function that stands in the place of a live value that could not be read. Its argument is the reason.
const Unreadable = "Fn::Unknown"

// Shown is n in a few words, for a reason.
func Shown(n *cfn.Node) string {
	if n.IsNull() {
		return "nothing"
	}
	switch n.Kind {
	case cfn.List:
		return "a list"
	case cfn.Map:
		if text, ok := Of(n); ok {
			return text.String()
		}
		switch name, arg, ok := n.Intrinsic(); {
		case ok && name == Unreadable:
			return arg.Str()
		case ok:
			return name
		}
		return "a map"
	}
	const most = 60
	if r := []rune(n.Text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return n.Text
}
