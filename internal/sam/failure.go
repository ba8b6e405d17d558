package sam

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"strings"

	"evo/internal/cfn"
	"evo/internal/source"
)

// Error says why a template cannot be transformed. Its text is AWS's.
type Error struct {
	Causes []*Cause // in the order of the text

	template *cfn.Node
	problems source.Diagnostics // what the tables of properties find, the causes' own among them
	hidden   []*Cause           // what else is wrong, for which the run did not get far enough
}

// Cause is one thing that is wrong.
type Cause struct {
	Resource string // the logical id that it is about; may be empty
	Event    string // the event that it is about; may be empty
	Detail   string // what is wrong, without saying where
	Span     source.Span
	Defect   bool // evo itself failed on this, which no template should bring about

	prefix string // says where: AWS's sentence before Detail
	path   string // the property's path within the resource, if Detail is about one
	hint   string // what to do about it
	code   string // the kind of problem, if the tables of properties find it too
	parts  []part // what Detail says of several places, one by one
}

// part is what a cause says of one property.
type part struct {
	path, text string
	span       source.Span
}

func (c *Cause) Error() string { return c.prefix + c.Detail }

func (e *Error) Error() string {
	texts := make([]string, len(e.Causes))
	for i, c := range e.Causes {
		texts[i] = " " + c.Error()
	}
	return fmt.Sprintf("Invalid Serverless Application Specification document. Number of errors found: %d.%s",
		len(e.Causes), strings.Join(texts, ""))
}

// newError sorts causes by resource, event or text, and counts those that say the same once.
func newError(causes []*Cause) *Error {
	seen := map[string]int{}
	var unique []*Cause
	for _, c := range causes {
		if i, ok := seen[c.Error()]; ok {
			unique[i] = c
			continue
		}
		seen[c.Error()] = len(unique)
		unique = append(unique, c)
	}
	sort.SliceStable(unique, func(i, j int) bool { return unique[i].sortKey() < unique[j].sortKey() })
	return &Error{Causes: unique}
}

func (c *Cause) sortKey() string {
	switch {
	case c.Resource != "":
		return c.Resource
	case c.Event != "":
		return c.Event
	}
	return c.Error()
}

// While a resource is transformed, what is wrong with it is a panic with a *Cause, which the loop over the resources collects;
// then the next resource follows. A *Error ends the run. Panics keep some hundred checks from being passed up by hand through
// every maker of a resource; none leaves this package.

func resourceCause(id, format string, args ...any) *Cause {
	return &Cause{Resource: id, Detail: fmt.Sprintf(format, args...), prefix: "Resource with id [" + id + "] is invalid. "}
}

func eventCause(id, format string, args ...any) *Cause {
	return &Cause{Event: id, Detail: fmt.Sprintf(format, args...), prefix: "Event with id [" + id + "] is invalid. "}
}

func templateCause(format string, args ...any) *Cause {
	return &Cause{Detail: fmt.Sprintf(format, args...), prefix: "Structure of the SAM template is invalid. "}
}

func duplicateCause(id, duplicate, kind string) *Cause {
	return &Cause{Resource: id, Detail: fmt.Sprintf("Transforming resource with id [%s] attempts to create a new resource with id [%s] and type %q. "+
		"A resource with that id already exists within this template. Please use a different id for that resource.", id, duplicate, kind)}
}

// at makes c point at v.
func (c *Cause) at(v *value) *Cause {
	c.Span = v.where()
	return c
}

func (c *Cause) withHint(hint string) *Cause {
	c.hint = hint
	return c
}

func failResource(id, format string, args ...any) { panic(resourceCause(id, format, args...)) }
func failEvent(id, format string, args ...any)    { panic(eventCause(id, format, args...)) }
func failTemplate(format string, args ...any)     { panic(templateCause(format, args...)) }

// failDocument ends the whole run with one cause.
func failDocument(c *Cause) { panic(newError([]*Cause{c})) }

// unsupported answers for what SAM has and this package does not.
func unsupported(id, what string) {
	failResource(id, "evo cannot transform %s yet.", what)
}

// catch runs f and returns the cause that it fails with, if any.
func catch(f func()) (failure *Cause) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Cause:
			failure = r
		case runtime.Error:
			failure = defect(r)
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// defect is the cause when evo itself fails, so that one odd resource does not take a whole process down.
func defect(err runtime.Error) *Cause {
	c := templateCause("evo failed to transform it (%v). This is a defect of evo: please report it with the template.", err)
	c.Defect = true
	return c
}

// misplaced fails as v is of another kind than it must be where it stands.
func misplaced(v *value, want cfn.Kind) {
	kind := cfn.Null
	if v != nil {
		kind = v.kind
	}
	c := templateCause("A %s is needed where the template has a %s.", want, kind)
	c.Span = v.where()
	panic(c)
}

// catchError runs f and returns the error that ends the run, if any. Causes that nothing collected end it as well.
func catchError(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			err = r
		case *Cause:
			err = newError([]*Cause{r})
		case runtime.Error:
			err = newError([]*Cause{defect(r)})
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// inResource runs f; what is wrong with an event in it becomes wrong with the resource.
func inResource(id string, f func()) {
	if c := catch(f); c != nil {
		if !strings.HasPrefix(c.prefix, "Event ") { // its id may be empty
			panic(c)
		}
		panic(&Cause{Resource: id, Event: c.Event, Detail: c.Error(), Span: c.Span, path: c.path, hint: c.hint, code: c.code,
			prefix: "Resource with id [" + id + "] is invalid. "})
	}
}

// didYouMean is the hint for a name that is near one of names, "" if it is near none.
func didYouMean(name string, names []string) string {
	if near, ok := source.Nearest(name, names); ok {
		return "did you mean " + near + "?"
	}
	return ""
}

// resourceIDs are the logical ids of the template's resources of the types, of all if none are given.
func resourceIDs(template *value, types ...string) []string {
	var ids []string
	for _, e := range template.get("Resources").entries() {
		if len(types) == 0 || oneOf(e.value.get("Type").str(), types...) {
			ids = append(ids, e.key)
		}
	}
	return ids
}

// keysOf are the keys of a map.
func keysOf(v *value) []string {
	var keys []string
	for _, e := range v.entries() {
		keys = append(keys, e.key)
	}
	return keys
}

// owner is who a check blames: a resource or an event.
type owner struct {
	id      string
	isEvent bool
}

func resourceOwner(id string) owner { return owner{id: id} }
func eventOwner(id string) owner    { return owner{id: id, isEvent: true} }

func (o owner) fail(v *value, path, message string) { o.failWithHint(v, path, message, "") }

func (o owner) failWithHint(v *value, path, message, hint string) {
	panic(o.cause(v, path, message).withHint(hint))
}

func (o owner) cause(v *value, path, message string) *Cause {
	c := resourceCause(o.id, "%s", message)
	if o.isEvent {
		c = eventCause(o.id, "%s", message)
	}
	c.path, c.Span = path, v.where()
	return c
}

// packageFirst is the hint for a path where a place in S3 should be.
const packageFirst = "a path on this machine becomes a place in S3 when the template is packaged: evo package, or evo deploy, does that"

// expectation is a kind of value, with the words that AWS's messages have for it.
type expectation struct {
	words string
	holds func(*value) bool
}

var (
	aMap     = expectation{"map", (*value).isMap}
	aList    = expectation{"list", (*value).isList}
	aString  = expectation{"string", (*value).isString}
	aBoolean = expectation{"boolean", (*value).isBool}
)

// expect checks that v is what it should be, and returns it.
func (o owner) expect(v *value, path string, want expectation) *value {
	if !want.holds(v) {
		c := o.cause(v, path, fmt.Sprintf("Property '%s' should be a %s.", path, want.words))
		c.code = codeWrongType
		panic(c)
	}
	return v
}

// require checks that v is given.
func (o owner) require(v *value, path string) *value {
	if v.isNone() {
		c := o.cause(v, path, fmt.Sprintf("Property '%s' is required.", path))
		c.code = codeMissingProperty
		panic(c)
	}
	return v
}

// expectList checks that v is a list whose items are all of one kind.
func (o owner) expectList(v *value, path string, want expectation) *value {
	o.expect(v, path, aList)
	for i, item := range v.items {
		o.expect(item, fmt.Sprintf("%s[%d]", path, i), want)
	}
	return v
}

// expectAttribute checks that a resource's attribute is a map.
func expectAttribute(v *value, id, path string) *value {
	if !v.isMap() {
		c := resourceCause(id, "Attribute '%s' should be a map.", path)
		c.Span = v.where()
		panic(c)
	}
	return v
}

// quotedList is a list of names as messages show it: ['A', 'B'].
func quotedList(names ...string) string { return strList(names...).textForm(plainText) }

// AsError finds the *Error in err.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

func oneOf(s string, names ...string) bool { return slices.Contains(names, s) }
