package sam

import (
	"strings"

	"evo/internal/cfn"
)

// ref, getAtt, sub, ifElse make calls of intrinsic functions. Their maps are visited in the order of insertion.
func ref(id string) *value               { return object("Ref", id) }
func getAtt(id, attribute string) *value { return object("Fn::GetAtt", strList(id, attribute)) }
func noValue() *value                    { return ref("AWS::NoValue") }

// sub makes Fn::Sub, with variables given as keys and values in turn.
func sub(text string, variables ...any) *value { return subLike(str(text), variables...) }

func subLike(text *value, variables ...any) *value {
	if len(variables) == 0 {
		return object("Fn::Sub", text)
	}
	return object("Fn::Sub", list(text, object(variables...)))
}

func ifElse(condition, then, otherwise *value) *value {
	return object("Fn::If", list(condition, then, otherwise))
}

// onlyIf is v under a condition, and nothing otherwise.
func onlyIf(condition, v *value) *value { return ifElse(condition, v, noValue()) }

func conditionRef(name *value) *value { return object("Condition", name) }

func notCondition(name *value) *value { return object("Fn::Not", list(conditionRef(name))) }

// isIntrinsic reports whether v calls an intrinsic function.
func isIntrinsic(v *value) bool {
	key := v.onlyKey()
	return key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::")
}

func isIf(v *value) bool { return v.onlyKey() == "Fn::If" }

func isNoValue(v *value) bool { return v.onlyKey() == "Ref" && v.get("Ref").isText("AWS::NoValue") }

// validIf says what is wrong with the arguments of Fn::If; "" if nothing is.
func validIf(args *value) string {
	if !args.isList() || len(args.items) != 3 {
		return "Fn::If requires 3 arguments"
	}
	return ""
}

// referredID is the logical id that Ref or Fn::GetAtt names, or "".
func referredID(v *value) string {
	if !isIntrinsic(v) {
		return ""
	}
	if id := v.get("Ref"); id.isString() {
		return id.text
	}
	switch att := v.get("Fn::GetAtt"); {
	case att.isList() && len(att.items) == 2:
		return att.items[0].str()
	case att.isString() && strings.Count(att.text, ".") == 1:
		return att.text[:strings.Index(att.text, ".")]
	}
	return ""
}

// shorthand is a reference as it stands within Fn::Sub: ${Id} or ${Id.Attribute}.
func shorthand(v *value) string {
	if id := v.get("Ref"); id != nil {
		return "${" + id.str() + "}"
	}
	var parts []string
	for _, p := range v.get("Fn::GetAtt").items {
		parts = append(parts, p.str())
	}
	return "${" + strings.Join(parts, ".") + "}"
}

// combineConditions makes conditions that hold when any of names does. Fn::Or takes ten at most, so more make several, of which
// the last has the name.
func combineConditions(names []*value, name string) *value {
	const most = 10
	if len(names) < 2 {
		return nil
	}
	made := object()
	for more := (len(names) - 2) / (most - 1); len(names) > 1; more-- {
		current := name
		if more > 0 {
			current += itoa(more)
		}
		head := names[:min(most, len(names))]
		made.set(current, object("Fn::Or", mapList(head, conditionRef)))
		names = append(append([]*value{}, names[len(head):]...), str(current))
	}
	return made
}

func itoa(n int) string { return integer(n).text }

// isDynamicReference reports whether v is {{resolve:…}}.
func isDynamicReference(v *value) bool {
	rest, ok := strings.CutPrefix(v.str(), "{{resolve:")
	if !ok || !strings.HasSuffix(rest, "}}") {
		return false
	}
	service, what, ok := strings.Cut(strings.TrimSuffix(rest, "}}"), ":")
	return ok && service != "" && what != "" && strings.Trim(service, "abcdefghijklmnopqrstuvwxyz-") == ""
}

// tagList makes tags of a map, with null as the empty string.
func tagList(tags *value) *value {
	l := list()
	for _, e := range tags.entries() {
		v := e.value
		if v.isNone() {
			v = str("")
		}
		l.append(object("Key", &value{kind: cfn.String, text: e.key, marked: e.marked, span: e.span}, "Value", v))
	}
	return l
}
