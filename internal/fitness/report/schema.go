package report

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
)

// Schema is the JSON Schema of reports, made of the report's type, so that the two cannot tell different things.
func Schema() []byte {
	d := &describer{definitions: cfn.Obj(), names: map[string]reflect.Type{}}
	root := d.object(reflect.TypeFor[Report]())
	root.Get("properties").Set("version", cfn.Obj(cfn.P("const", cfn.Integer(Version))))
	out := cfn.Obj(cfn.P("$schema", cfn.Str("https://json-schema.org/draft/2020-12/schema")), cfn.P("title", cfn.Str("evo release report")))
	out.Pairs = append(out.Pairs, root.Pairs...)
	out.Set("$defs", d.definitions)
	text, err := out.JSON()
	if err != nil {
		panic(err) // a tree of strings and literals always encodes
	}
	return text
}

// describer describes types; those that are structs are defined once, by their names.
type describer struct {
	definitions *cfn.Node
	names       map[string]reflect.Type
}

// scalars are the types that encode otherwise than their kinds do.
var scalars = map[reflect.Type]*cfn.Node{
	reflect.TypeFor[exact.Decimal](): cfn.Obj(cfn.P("type", cfn.Str("number"))),
	reflect.TypeFor[exact.Rat](): cfn.Obj(cfn.P("type", cfn.Str("string")), cfn.P("pattern", cfn.Str(`^-?[0-9]+(/[0-9]+)?$`)),
		cfn.P("description", cfn.Str("An exact fraction in lowest terms."))),
	reflect.TypeFor[time.Time]():    cfn.Obj(cfn.P("type", cfn.Str("string")), cfn.P("format", cfn.Str("date-time"))),
	reflect.TypeFor[fitness.Date](): cfn.Obj(cfn.P("type", cfn.Str("string")), cfn.P("format", cfn.Str("date"))),
}

// words are the types whose values are a few words.
var words = map[reflect.Type][]string{
	reflect.TypeFor[fitness.Breadth]():         {string(fitness.Atomic), string(fitness.Holistic)},
	reflect.TypeFor[fitness.Target]():          {string(fitness.Static), string(fitness.Dynamic)},
	reflect.TypeFor[fitness.Cadence]():         {string(fitness.Triggered), string(fitness.Continual)},
	reflect.TypeFor[fitness.Invocation]():      {string(fitness.Automated), string(fitness.Manual)},
	reflect.TypeFor[fitness.Policy]():          {string(fitness.Improve), string(fitness.Hold), string(fitness.Off)},
	reflect.TypeFor[fitness.Additions]():       {string(fitness.Average), string(fitness.Clean)},
	reflect.TypeFor[fitness.Regressions]():     {string(fitness.Deny), string(fitness.Compensate), string(fitness.Allow)},
	reflect.TypeFor[fitness.ReferencePolicy](): {string(fitness.LastSucceeded), string(fitness.Best)},
	reflect.TypeFor[fitness.UnknownPolicy]():   {string(fitness.AcceptWithWarning), string(fitness.Fail)},
	reflect.TypeFor[fitness.ChangeKind]():      {string(fitness.Kept), string(fitness.Added), string(fitness.Removed)},
	reflect.TypeFor[fitness.Decision]():        {string(fitness.Accepted), string(fitness.Rejected), string(fitness.Inconclusive)},
	reflect.TypeFor[fitness.Check]():           {string(fitness.Gate), string(fitness.Floor), string(fitness.Coverage), string(fitness.Regression), string(fitness.Descent)},
	reflect.TypeFor[fitness.LinkReason](): {string(fitness.FirstRelease), string(fitness.Requested), string(fitness.RequirementsChanged),
		string(fitness.SizeChanged), string(fitness.NewCharacteristic)},
	reflect.TypeFor[fitness.Dimension](): dimensions(),
}

func dimensions() []string {
	var out []string
	for _, d := range fitness.Dimensions {
		out = append(out, string(d))
	}
	return out
}

func (d *describer) describe(t reflect.Type) *cfn.Node {
	if n, ok := scalars[t]; ok {
		return n.Clone()
	}
	if w, ok := words[t]; ok {
		return cfn.Obj(cfn.P("enum", cfn.From(w)))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.describe(t.Elem())
	case reflect.Struct:
		return d.reference(t)
	case reflect.Slice:
		return cfn.Obj(cfn.P("type", cfn.From([]string{"array", "null"})), cfn.P("items", d.describe(t.Elem())))
	case reflect.Array:
		n := cfn.Integer(int64(t.Len()))
		return cfn.Obj(cfn.P("type", cfn.Str("array")), cfn.P("items", d.describe(t.Elem())), cfn.P("minItems", n), cfn.P("maxItems", n.Clone()))
	case reflect.Map:
		return cfn.Obj(cfn.P("type", cfn.From([]string{"object", "null"})), cfn.P("additionalProperties", d.describe(t.Elem())))
	case reflect.Bool:
		return cfn.Obj(cfn.P("type", cfn.Str("boolean")))
	case reflect.Int, reflect.Int64:
		return cfn.Obj(cfn.P("type", cfn.Str("integer")))
	case reflect.String:
		return cfn.Obj(cfn.P("type", cfn.Str("string")))
	}
	panic(fmt.Sprintf("the report has a %s, which no schema has been thought of for", t))
}

// reference names a struct, and defines it when it is first named.
func (d *describer) reference(t reflect.Type) *cfn.Node {
	if other, ok := d.names[t.Name()]; ok && other != t {
		panic(fmt.Sprintf("the report has two types of the name %s", t.Name()))
	}
	if _, ok := d.names[t.Name()]; !ok {
		d.names[t.Name()] = t
		at := cfn.Obj()
		d.definitions.Set(t.Name(), at) // takes its place before those that it names
		*at = *d.object(t)
	}
	return cfn.Obj(cfn.P("$ref", cfn.Str("#/$defs/"+t.Name())))
}

func (d *describer) object(t reflect.Type) *cfn.Node {
	properties, required := cfn.Obj(), cfn.Arr()
	d.fields(t, properties, required)
	return cfn.Obj(cfn.P("type", cfn.Str("object")), cfn.P("properties", properties), cfn.P("required", required), cfn.P("additionalProperties", cfn.Boolean(false)))
}

func (d *describer) fields(t reflect.Type, properties, required *cfn.Node) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			d.fields(f.Type, properties, required)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		properties.Set(name, d.describe(f.Type))
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required.Items = append(required.Items, cfn.Str(name))
		}
	}
}
