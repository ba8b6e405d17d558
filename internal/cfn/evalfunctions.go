package cfn

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"evo/internal/source"
)

const supportedFunctions = "[Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, " +
	"Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Sub, Fn::Cidr]"

// call works out one intrinsic function; n is the whole of it.
func (e *Evaluator) call(name string, arg, n *Node) (*Node, error) {
	switch name {
	case "Ref":
		return e.callRef(arg, n)
	case "Fn::GetAtt":
		return e.callGetAtt(arg, n)
	case "Fn::Sub":
		return e.callSub(arg, n)
	case "Fn::If":
		return e.callIf(arg, n)
	case "Fn::FindInMap":
		return e.callFindInMap(arg, n)
	case "Fn::Join":
		return e.callJoin(arg, n)
	case "Fn::Select":
		return e.callSelect(arg, n)
	case "Fn::Split":
		return e.callSplit(arg, n)
	case "Fn::Base64":
		return e.onText(name, arg, n, func(s string) (*Node, error) { return Str(base64.StdEncoding.EncodeToString([]byte(s))), nil })
	case "Fn::GetAZs":
		return e.onText(name, arg, n, func(region string) (*Node, error) { return e.zones(region), nil })
	case "Fn::ImportValue":
		return e.onText(name, arg, n, func(export string) (*Node, error) {
			if e.env.Import == nil {
				return nil, nil
			}
			return e.env.Import(export)
		})
	case "Fn::Cidr":
		return e.callCidr(arg, n)
	case "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or":
		t, err := e.truth(n)
		if err != nil || !t.known {
			return n, err
		}
		return Boolean(t.value), nil
	case "Fn::Transform":
		return nil, source.Errorf(n.Span, "the transform %s is not supported yet", transformName(arg))
	case "Fn::Length", "Fn::ToJsonString":
		if e.t.HasTransform(Extensions) {
			return e.callExtension(name, arg, n)
		}
	}
	return nil, source.Errorf(n.Span, "Template format error: Template error: encountered unsupported function: %s Supported functions are: %s", name, supportedFunctions)
}

func transformName(arg *Node) string {
	if name := arg.Get("Name").Str(); name != "" {
		return name
	}
	return "without a name"
}

// keep is n with the arguments as far as they are known.
func keep(name string, arg, n *Node) *Node {
	return &Node{Kind: Map, Span: n.Span, Pairs: []Pair{{Key: name, KeySpan: n.Pairs[0].KeySpan, Value: arg}}}
}

func at(v *Node, n *Node) *Node {
	if v == absent || v.Span == n.Span {
		return v
	}
	c := *v
	c.Span = n.Span // what a value stands for is where it was asked for
	return &c
}

// onText works out a function of one string.
func (e *Evaluator) onText(name string, arg, n *Node, f func(string) (*Node, error)) (*Node, error) {
	v, err := e.eval(arg)
	if err != nil {
		return nil, err
	}
	if !Known(v) {
		return keep(name, v, n), nil
	}
	text, ok := v.Scalar()
	if !ok {
		return nil, source.Errorf(n.Span, "Template error: every %s object must have a String-typed value.", name)
	}
	out, err := f(text)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return keep(name, v, n), nil
	}
	return at(out, n), nil
}

func (e *Evaluator) callRef(arg, n *Node) (*Node, error) {
	if arg.Kind != String {
		return nil, source.Errorf(n.Span, "Template format error: Every Ref must be a string.")
	}
	v, err := e.ref(arg.Text, n)
	if err != nil || v == nil {
		return n, err
	}
	return at(v, n), nil
}

// GetAttArguments reads the argument of Fn::GetAtt, [id, attribute] or "id.attribute"; the attribute may be an intrinsic function.
func GetAttArguments(arg *Node) (id string, attribute *Node, ok bool) { return getAttArguments(arg) }

// getAttArguments reads [id, attribute], and "id.attribute".
func getAttArguments(arg *Node) (id string, attr *Node, ok bool) {
	if arg.Is(String) {
		id, name, found := strings.Cut(arg.Text, ".")
		return id, &Node{Kind: String, Text: name, Span: arg.Span}, found && id != "" && name != ""
	}
	items := arg.List()
	if len(items) < 2 || !items[0].Is(String) || items[0].Text == "" {
		return "", nil, false
	}
	if len(items) == 2 {
		a := items[1]
		return items[0].Text, a, !a.Is(String) || a.Text != ""
	}
	var parts []string // YAML's short form of a nested attribute
	for _, it := range items[1:] {
		parts = append(parts, it.Str())
	}
	return items[0].Text, &Node{Kind: String, Text: strings.Join(parts, "."), Span: arg.Span}, !slices.Contains(parts, "")
}

const getAttUsage = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"

func (e *Evaluator) callGetAtt(arg, n *Node) (*Node, error) {
	id, attr, ok := getAttArguments(arg)
	if !ok {
		return nil, source.Errorf(n.Span, "%s", getAttUsage)
	}
	name, err := e.eval(attr)
	if err != nil {
		return nil, err
	}
	if !Known(name) {
		return keep("Fn::GetAtt", Arr(Str(id), name), n), nil
	}
	if name.Str() == "" {
		return nil, source.Errorf(n.Span, "%s", getAttUsage)
	}
	v, err := e.attribute(id, name.Text)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return keep("Fn::GetAtt", Arr(Str(id), name), n), nil
	}
	return at(v, n), nil
}

func (e *Evaluator) callIf(arg, n *Node) (*Node, error) {
	if len(arg.List()) != 3 || !arg.Items[0].Is(String) {
		return nil, source.Errorf(n.Span, "Template error: Fn::If requires a list argument with the first element being a condition")
	}
	t, err := e.condition(arg.Items[0].Text, arg.Items[0])
	switch {
	case err != nil:
		return nil, err
	case !t.known:
		return n, nil // a branch that will not be taken may well be wrong
	case t.value:
		return e.eval(arg.Items[1])
	}
	return e.eval(arg.Items[2])
}

func (e *Evaluator) callFindInMap(arg, n *Node) (*Node, error) {
	items := arg.List()
	if len(items) != 3 && !(len(items) == 4 && e.t.HasTransform(Extensions)) {
		return nil, source.Errorf(n.Span, "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value")
	}
	var keys [3]string
	known := true
	evaluated := Arr()
	for i, it := range items[:3] {
		v, err := e.eval(it)
		if err != nil {
			return nil, err
		}
		evaluated.Items = append(evaluated.Items, v)
		if !Known(v) {
			known = false
			continue
		}
		text, ok := v.Scalar()
		if !ok {
			return nil, source.Errorf(it.Span, "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value")
		}
		keys[i] = text
	}
	if !known {
		evaluated.Items = append(evaluated.Items, items[3:]...)
		return keep("Fn::FindInMap", evaluated, n), nil
	}
	if v := e.t.Mappings.At(keys[0], keys[1], keys[2]); v != nil {
		return at(v, n), nil
	}
	if len(items) == 4 && items[3].Has("DefaultValue") {
		return e.eval(items[3].Get("DefaultValue"))
	}
	return nil, source.Errorf(n.Span, "Template error: Unable to get mapping for %s::%s::%s", keys[0], keys[1], keys[2])
}

const joinUsage = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."

func (e *Evaluator) callJoin(arg, n *Node) (*Node, error) {
	if len(arg.List()) != 2 || !arg.Items[0].Is(String) {
		return nil, source.Errorf(n.Span, "%s", joinUsage)
	}
	list, err := e.eval(arg.Items[1])
	if err != nil {
		return nil, err
	}
	if _, _, unknown := list.Intrinsic(); unknown {
		return keep("Fn::Join", Arr(arg.Items[0], list), n), nil
	}
	if !list.Is(List) {
		return nil, source.Errorf(n.Span, "%s", joinUsage)
	}
	var parts []string
	for _, it := range list.Items {
		if !Known(it) {
			return keep("Fn::Join", Arr(arg.Items[0], list), n), nil
		}
		text, ok := it.Scalar()
		if !ok {
			return nil, source.Errorf(n.Span, "%s", joinUsage)
		}
		parts = append(parts, text)
	}
	return at(Str(strings.Join(parts, arg.Items[0].Text)), n), nil
}

const selectUsage = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"

func (e *Evaluator) callSelect(arg, n *Node) (*Node, error) {
	if len(arg.List()) != 2 {
		return nil, source.Errorf(n.Span, selectUsage)
	}
	index, err := e.eval(arg.Items[0])
	if err != nil {
		return nil, err
	}
	list, err := e.eval(arg.Items[1])
	if err != nil {
		return nil, err
	}
	if _, _, unknown := list.Intrinsic(); unknown || !Known(index) {
		return keep("Fn::Select", Arr(index, list), n), nil
	}
	text, _ := index.Scalar()
	i, convErr := strconv.Atoi(text)
	if convErr != nil || !list.Is(List) {
		return nil, source.Errorf(n.Span, selectUsage)
	}
	if i < 0 || i >= len(list.Items) {
		return nil, source.Errorf(n.Span, "Template error: Fn::Select cannot select nonexistent value at index %d", i)
	}
	return list.Items[i], nil
}

const splitUsage = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."

func (e *Evaluator) callSplit(arg, n *Node) (*Node, error) {
	if len(arg.List()) != 2 || arg.Items[0].Str() == "" {
		return nil, source.Errorf(n.Span, "%s", splitUsage)
	}
	v, err := e.eval(arg.Items[1])
	if err != nil {
		return nil, err
	}
	if !Known(v) {
		return keep("Fn::Split", Arr(arg.Items[0], v), n), nil
	}
	text, ok := v.Scalar()
	if !ok {
		return nil, source.Errorf(n.Span, "%s", splitUsage)
	}
	return at(From(strings.Split(text, arg.Items[0].Text)), n), nil
}

func (e *Evaluator) zones(region string) *Node {
	if region == "" {
		region = e.env.Region
	}
	if region == "" {
		return nil
	}
	if e.env.Zones != nil {
		return From(e.env.Zones(region))
	}
	return From([]string{region + "a", region + "b", region + "c"})
}

// callExtension works out the functions of the language extensions.
func (e *Evaluator) callExtension(name string, arg, n *Node) (*Node, error) {
	v, err := e.eval(arg)
	if err != nil {
		return nil, err
	}
	if !Known(v) {
		return keep(name, v, n), nil
	}
	if name == "Fn::Length" {
		if !v.Is(List) {
			return nil, source.Errorf(n.Span, "Template error: Fn::Length requires a list.")
		}
		return at(Integer(int64(len(v.Items))), n), nil
	}
	if !v.Is(List) && !v.Is(Map) {
		return nil, source.Errorf(n.Span, "Template error: Fn::ToJsonString requires an object or an array.")
	}
	text, err := v.MarshalJSON()
	if err != nil {
		return nil, source.Errorf(n.Span, "Template error: Fn::ToJsonString: %v", err)
	}
	return at(Str(string(text)), n), nil
}
