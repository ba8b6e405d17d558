package sam

import (
	"iter"
	"strings"
)

// resolver replaces references to parameters (Ref, and the placeholders of Fn::Sub) by their values, or Fn::FindInMap by
// what the mappings hold. It changes values in place, and returns what stands in the place of the one that it is given.
type resolver struct {
	parameters *value
	mappings   *value // nil: this resolver does not look up mappings
	budget     int    // values that may still be put in the place of references
}

// maxResolved bounds what references may stand for in all: a parameter's value can hold references again.
const maxResolved = 100_000

func newResolver(parameters *value) *resolver {
	return &resolver{parameters: parameters, budget: maxResolved}
}

func newMapResolver(mappings *value) *resolver {
	if !mappings.isMap() {
		failDocument(templateCause("'Mappings' or 'Parameters' is either null or not a valid dictionary."))
	}
	return &resolver{mappings: mappings, budget: maxResolved}
}

func (r *resolver) resolve(v *value) *value {
	if r.mappings != nil && r.mappings.len() == 0 {
		return v
	}
	return r.walk(v, 0)
}

func (r *resolver) walk(v *value, depth int) *value {
	if depth > maxNesting {
		failDocument(templateCause("References to parameters are nested too deep."))
	}
	v = r.replace(v)
	switch {
	case v.isMap():
		for i := range v.fields.list {
			before := v.fields.list[i].value
			if after := r.walk(before, depth+1); after != before {
				v.fields.put(i, after)
			}
		}
	case v.isList():
		for i := range v.items {
			v.items[i] = r.walk(v.items[i], depth+1)
		}
	}
	return v
}

// maxNesting bounds how deep a transformed value may be.
const maxNesting = 400

func (r *resolver) replace(v *value) *value {
	switch key := v.onlyKey(); {
	case r.mappings != nil && key == "Fn::FindInMap":
		return r.findInMap(v)
	case r.mappings != nil:
		return v
	case key == "Ref":
		return r.parameter(v.get("Ref"), v)
	case key == "Fn::Sub":
		substitute(v, r.parameterText)
	}
	return v
}

// parameter is a copy of a parameter's value, or otherwise.
func (r *resolver) parameter(name, otherwise *value) *value {
	p := r.parameters.get(name.str())
	if !name.isString() || p == nil || strings.HasPrefix(p.str(), "{{IntrinsicFunction:") {
		return otherwise
	}
	if p.isMap() || p.isList() {
		p = p.clone()
		if r.budget -= 1 + p.len(); r.budget < 0 {
			failDocument(templateCause("References to parameters stand for too much."))
		}
	}
	return p
}

// parameterText is what a placeholder in a text stands for.
func (r *resolver) parameterText(name, placeholder string) string {
	v := r.parameter(str(name), str(placeholder))
	if !v.isString() {
		failDocument(templateCause("Invalid Fn::Sub variable value %s. Fn::Sub expects all variables to be strings.", v.display()).at(v))
	}
	return v.text
}

// placeholders gives the names in the placeholders of a text for Fn::Sub, ids and attributes and pseudo parameters (AWS::Region), and
// each placeholder.
func placeholders(text string) iter.Seq2[string, string] {
	return func(yield func(name, placeholder string) bool) {
		for at := strings.Index(text, "${"); at >= 0; at = strings.Index(text, "${") {
			rest := text[at+2:]
			if name, _, closed := strings.Cut(rest, "}"); closed && isPlaceholder(name) && !yield(name, text[at:at+len(name)+3]) {
				return
			}
			text = rest
		}
	}
}

func isPlaceholder(name string) bool {
	if pseudo, ok := strings.CutPrefix(name, "AWS::"); ok {
		return pseudo != "" && 'A' <= pseudo[0] && pseudo[0] <= 'Z' && strings.Trim(pseudo, letters) == ""
	}
	return name != "" && strings.Trim(name, letters+"0123456789.") == ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// substitute puts other text in the place of the placeholders in a call of Fn::Sub, whose argument is a string or a list that
// begins with one.
func substitute(call *value, replacement func(name, placeholder string) string) {
	arg := call.get("Fn::Sub")
	switch {
	case arg.isString():
		if to := substituted(arg, replacement); to != arg {
			call.set("Fn::Sub", to)
		}
	case arg.isList() && len(arg.items) > 0 && arg.items[0].isString():
		arg.items[0] = substituted(arg.items[0], replacement)
	}
}

// substituted is text itself where nothing in it changes.
func substituted(text *value, replacement func(name, placeholder string) string) *value {
	out := text.text
	for name, placeholder := range placeholders(text.text) {
		if to := replacement(name, placeholder); to != placeholder {
			out = strings.Replace(out, placeholder, to, 1)
		}
	}
	if out == text.text {
		return text
	}
	return text.like(out)
}

func (r *resolver) findInMap(v *value) *value {
	args := v.get("Fn::FindInMap")
	if !args.isList() || len(args.items) != 3 {
		failDocument(templateCause("Invalid FindInMap value %s. FindInMap expects an array with 3 values.", args.display()).at(args))
	}
	found := r.mappings
	for depth, arg := range args.items {
		arg = r.replace(arg)
		if !arg.isString() {
			return v
		}
		if !found.isMap() {
			failDocument(templateCause("Cannot use Fn::FindInMap on Mapping '%s' which is not a a two-level map.", args.items[0].str()))
		}
		if !found.has(arg.text) {
			return v
		}
		if found = found.get(arg.text); depth == 2 {
			found = found.clone()
		}
	}
	return found
}

// references rewrites what the template refers to after the transform: attributes that SAM gives its resources (Fn.Version,
// Api.Stage), and ids of resources that were renamed.
type references struct {
	attributes map[string]map[string]string // SAM resource, attribute -> generated resource
	renamed    map[string]string
}

func (r *references) attribute(id, name string) string { return r.attributes[id][name] }

func (r *references) rewrite(v *value) {
	switch v.onlyKey() {
	case "Ref":
		if to := r.rewriteRef(v.get("Ref").str()); to != "" {
			v.set("Ref", str(to))
		}
	case "Fn::Sub":
		substitute(v, r.rewriteIDInSub)
		substitute(v, r.rewriteSub)
	case "Fn::GetAtt":
		r.rewriteGetAtt(v)
	}
	if v.isMap() {
		for _, e := range v.fields.list {
			r.rewrite(e.value)
		}
		r.rewriteDependsOn(v)
		return
	}
	if v.isList() {
		for _, item := range v.items {
			r.rewrite(item)
		}
	}
}

func (r *references) rewriteRef(name string) string {
	id, attribute, ok := strings.Cut(name, ".")
	if !ok {
		return r.renamed[name]
	}
	return r.attribute(id, attribute)
}

func (r *references) rewriteIDInSub(name, text string) string {
	id, _, _ := strings.Cut(name, ".")
	if to := r.renamed[id]; to != "" {
		return strings.ReplaceAll(text, id, to)
	}
	return text
}

func (r *references) rewriteSub(name, text string) string {
	id, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return text
	}
	attribute, _, _ := strings.Cut(rest, ".")
	if to := r.attribute(id, attribute); to != "" {
		return strings.ReplaceAll(text, id+"."+attribute, to)
	}
	return text
}

func (r *references) rewriteGetAtt(v *value) {
	args := v.get("Fn::GetAtt")
	if !args.isList() || len(args.items) < 2 {
		return
	}
	if id, _, _ := strings.Cut(args.items[0].str(), "."); r.renamed[id] == "" && r.attributes[id] == nil {
		return
	}
	var joined []string
	for _, item := range args.items {
		if !item.isString() {
			return
		}
		joined = append(joined, item.text)
	}
	parts := strings.Split(strings.Join(joined, "."), ".")
	if to := r.renamed[parts[0]]; to != "" {
		parts[0] = to
		v.set("Fn::GetAtt", strList(parts...))
	}
	if to := r.attribute(parts[0], parts[1]); to != "" {
		v.set("Fn::GetAtt", strList(append([]string{to}, parts[2:]...)...))
	}
}

func (r *references) rewriteDependsOn(v *value) {
	on := v.get("DependsOn")
	if to := r.renamed[on.str()]; to != "" {
		v.set("DependsOn", str(to))
	}
	if !on.isList() {
		return
	}
	for i, item := range on.items {
		if to := r.renamed[item.str()]; to != "" {
			on.items[i] = str(to)
		}
	}
}
