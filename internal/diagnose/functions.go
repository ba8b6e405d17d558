package diagnose

import (
	"slices"
	"strconv"
	"strings"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/source"
)

// gives is what an intrinsic function gives, as far as its name tells.
type gives uint8

const (
	anything gives = iota
	aString
	aList
)

// function is what is known of an intrinsic function that gives a value. usage says what its argument is.
type function struct {
	gives     gives
	usage     string
	takes     func(c *checker, arg *cfn.Node) bool // whether the argument has the right form
	extension bool                                 // only with the language extensions
}

var functions = map[string]function{
	"Ref":           {anything, "the name of a parameter or resource", func(c *checker, arg *cfn.Node) bool { return arg.Is(cfn.String) }, false},
	"Fn::GetAtt":    {anything, "a resource's name and an attribute of it", takesAttribute, false},
	"Fn::Sub":       {aString, "a string, or a list of a string and a map of its variables", takesText, false},
	"Fn::Join":      {aString, "a list of two: the string to put in between, and a list or a function that gives one", takesJoin, false},
	"Fn::Split":     {aList, "a list of two: the string to split at, and the string to split", takesSplit, false},
	"Fn::Select":    {anything, "a list of two: a number, and a list or a function that gives one", takesSelect, false},
	"Fn::If":        {anything, "a list of three: a condition's name, the value if it holds, and the value if not", takesIf, false},
	"Fn::Base64":    {aString, "a string", takesOne, false},
	"Fn::GetAZs":    {aList, "a region, or an empty string for the stack's own", takesOne, false},
	"Fn::Cidr":      {aList, "a list: an address block, how many blocks to make of it, and the bits of each", takesCidr, false},
	"Fn::FindInMap": {anything, "a list of three: a mapping's name, a key in it, and a key in that", takesMapping, false},

	"Fn::ImportValue":  {anything, "the name of an export", takesOne, false},
	"Fn::Transform":    {anything, "a map with the Name of a macro", func(_ *checker, arg *cfn.Node) bool { return arg.Has("Name") }, false},
	"Fn::Length":       {aString, "a list", func(*checker, *cfn.Node) bool { return true }, true},
	"Fn::ToJsonString": {aString, "a map or a list", func(*checker, *cfn.Node) bool { return true }, true},
}

// conditionFunctions are those that say whether something holds. They stand in the section Conditions, and in Fn::If and each other.
var conditionFunctions = []string{"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"}

// pair reports whether arg is a list of n items.
func pair(arg *cfn.Node, n int) bool { return arg.Is(cfn.List) && len(arg.Items) == n }

// oneOf reports whether n is a function, or of one of the kinds.
func oneOf(n *cfn.Node, kinds ...cfn.Kind) bool {
	_, _, function := n.Intrinsic()
	return function || n != nil && slices.Contains(kinds, n.Kind)
}

var scalars = []cfn.Kind{cfn.String, cfn.Int, cfn.Float, cfn.Bool}

func takesOne(_ *checker, arg *cfn.Node) bool { return oneOf(arg, scalars...) }

func takesAttribute(_ *checker, arg *cfn.Node) bool {
	_, attribute, ok := cfn.GetAttArguments(arg)
	return ok && oneOf(attribute, cfn.String)
}

func takesText(_ *checker, arg *cfn.Node) bool {
	text, _ := cfn.SubArguments(arg)
	return text != nil
}

func takesJoin(_ *checker, arg *cfn.Node) bool {
	return pair(arg, 2) && arg.Items[0].Is(cfn.String) && oneOf(arg.Items[1], cfn.List)
}

func takesSplit(_ *checker, arg *cfn.Node) bool {
	return pair(arg, 2) && arg.Items[0].Str() != "" && oneOf(arg.Items[1], scalars...)
}

func takesSelect(_ *checker, arg *cfn.Node) bool {
	if !pair(arg, 2) || !oneOf(arg.Items[0], cfn.Int, cfn.String) || !oneOf(arg.Items[1], cfn.List) {
		return false
	}
	text, literal := arg.Items[0].Scalar()
	_, err := strconv.ParseUint(text, 10, 31)
	return !literal || err == nil
}

func takesIf(_ *checker, arg *cfn.Node) bool { return pair(arg, 3) && arg.Items[0].Is(cfn.String) }

func takesCidr(_ *checker, arg *cfn.Node) bool {
	return oneOf(arg) || pair(arg, 3) || pair(arg, 2)
}

func takesMapping(c *checker, arg *cfn.Node) bool {
	return pair(arg, 3) || pair(arg, 4) && c.extended()
}

// extended reports whether the template has the language extensions.
func (c *checker) extended() bool {
	names := c.authored.Get("Transform")
	return names.Str() == cfn.Extensions || slices.ContainsFunc(names.List(), func(n *cfn.Node) bool { return n.Str() == cfn.Extensions })
}

// function checks a call of an intrinsic function, n, where a value of a shape is wanted.
func (c *checker) function(s scope, name string, arg, n *cfn.Node, shape *spec.Shape) {
	f, ok := functions[name]
	switch {
	case slices.Contains(conditionFunctions, name):
		c.condition(s, n)
		return
	case !ok && s.free():
		c.inside(s, arg)
		return
	case !ok:
		d := c.fail(s, n, codeFunction, "there is no function %s", name)
		if plain := strings.TrimPrefix(name, "Fn::"); plain == "Ref" || plain == "Condition" {
			d.WithHint("it is %s, without Fn::", plain)
		}
		suggest(d, name, functionNames())
		return
	case f.extension && !c.extended():
		c.fail(s, n, codeFunction, "%s is one of the language extensions", name).WithHint("add the transform %s", cfn.Extensions)
		return
	case !f.takes(c, arg):
		d := c.fail(s, n, codeFunction, "%s takes %s", name, f.usage)
		if name == "Fn::GetAtt" && arg.Is(cfn.String) && !strings.Contains(arg.Text, ".") {
			d.WithHint("write %s.ATTRIBUTE", arg.Text)
		}
		return
	}
	c.refer(s, name, arg, n, shape)
	c.arguments(s, name, arg, shape)
	if wrong := unfit(f.gives, shape); wrong != "" {
		c.fail(s, n, codeValue, "%s must be %s, and %s gives a %s", s.name(), wrong, name, map[gives]string{aString: "string", aList: "list"}[f.gives])
	}
}

// free reports whether maps that look like functions may be the business of whoever reads the resource.
func (s scope) free() bool { return s.typ == nil && s.resource != nil }

func functionNames() []string {
	var names []string
	for name := range functions {
		names = append(names, name)
	}
	names = append(names, conditionFunctions...)
	slices.Sort(names)
	return names
}

// unfit is what a property must be, if what a function gives is something else.
func unfit(g gives, shape *spec.Shape) string {
	if g == anything || shape == nil {
		return ""
	}
	switch shape.Kind {
	case spec.String, spec.Integer, spec.Number, spec.Boolean:
		if g == aList {
			return kindWord(shape.Kind)
		}
	case spec.List:
		if g == aString {
			return "a list"
		}
	case spec.Structure, spec.Map, spec.Tag, spec.JSON, spec.Union:
		// A string may hold JSON.
	}
	return ""
}

// arguments checks what stands in a function's argument.
func (c *checker) arguments(s scope, name string, arg *cfn.Node, shape *spec.Shape) {
	switch name {
	case "Ref":
	case "Fn::If":
		for i, branch := range arg.Items[1:] {
			c.value(s.in("[Fn::If "+[]string{"then", "else"}[i]+"]", branch.Span), branch, shape)
		}
	case "Fn::GetAtt":
		if _, attribute, _ := cfn.GetAttArguments(arg); !attribute.Is(cfn.String) {
			c.value(s, attribute, nil)
		}
	case "Fn::Sub":
		_, vars := cfn.SubArguments(arg)
		c.inside(s, vars)
	case "Fn::Join":
		c.value(s, arg.Items[1], &spec.Shape{Kind: spec.List, Element: &spec.Shape{Kind: spec.String}})
	case "Fn::Split":
		c.value(s, arg.Items[1], &spec.Shape{Kind: spec.String})
	case "Fn::Select":
		c.value(s, arg.Items[0], nil)
		c.value(s, arg.Items[1], &spec.Shape{Kind: spec.List})
	default:
		if _, _, function := arg.Intrinsic(); function {
			c.value(s, arg, nil)
			return
		}
		c.inside(s, arg)
	}
}

// condition checks what says whether something holds.
func (c *checker) condition(s scope, n *cfn.Node) {
	name, arg, ok := n.Intrinsic()
	s = s.at(n.Where())
	switch {
	case !ok && len(n.Entries()) == 1 && n.Get("Condition").Is(cfn.Map):
		c.condition(s, n.Get("Condition")) // SAM writes this, and CloudFormation takes it
	case !ok:
		if _, isBool := n.Bool(); !isBool {
			c.fail(s, n, codeFunction, "a condition is one of %s, or Condition", strings.Join(conditionFunctions, ", "))
		}
	case name == "Condition":
		c.named(s, arg.Text)
	case name == "Fn::Equals":
		if !pair(arg, 2) {
			c.fail(s, n, codeFunction, "Fn::Equals takes a list of the two values to compare")
			return
		}
		c.inside(s, arg)
	case name == "Fn::Not" && !pair(arg, 1):
		c.fail(s, n, codeFunction, "Fn::Not takes a list of one condition")
	case (name == "Fn::And" || name == "Fn::Or") && (len(arg.List()) < 2 || len(arg.List()) > 10):
		c.fail(s, n, codeFunction, "%s takes a list of 2 to 10 conditions", name)
	case slices.Contains(conditionFunctions, name):
		for _, it := range arg.Items {
			c.condition(s, it)
		}
	case s.block == "Conditions" && name != "Fn::If" && s.path != "":
		if _, isValue := functions[name]; isValue && !c.extended() {
			c.fail(s, n, codeFunction, "a condition is one of %s, or Condition, and not %s", strings.Join(conditionFunctions, ", "), name)
			return
		}
		c.value(s, n, nil)
	default:
		c.value(s, n, nil)
	}
}

// named checks that a condition's name is one.
func (c *checker) named(s scope, name string) {
	if name == "" || c.loops || slices.ContainsFunc(c.t.Conditions, func(x *cfn.Condition) bool { return x.Name == name }) {
		return
	}
	names := make([]string, len(c.t.Conditions))
	for i, x := range c.t.Conditions {
		names[i] = x.Name
	}
	suggest(c.fail(s, nil, codeCondition, "there is no condition %s", name), name, names)
}

// within is the place of a word inside a string of the template, where it can be found there, else the whole string's.
func (c *checker) within(span source.Span, word string) source.Span {
	text := c.o.Text
	if !span.IsValid() || int(span.End.Offset) > len(text) {
		return span
	}
	i := strings.Index(string(text[span.Start.Offset:span.End.Offset]), word)
	if i < 0 {
		return span
	}
	if c.lines == nil {
		c.lines = source.NewLines(text)
	}
	start := int(span.Start.Offset) + i
	return c.lines.Span(start, start+len(word))
}
