package sam

import (
	"iter"
	"regexp"
	"strings"
	"sync"
)

const (
	anyMethod     = "x-amazon-apigateway-any-method"
	integrationAt = "x-amazon-apigateway-integration"
	noAuthorizer  = "NONE"
	iamAuthorizer = "AWS_IAM"
)

// definition edits the definition of an API, OpenAPI or Swagger. An editor works on a copy, and hands out a copy when it is done: that
// shows in the order of its tables, and so in deployment ids. One that nobody else has is edited in place, which shows in the same way.
type definition struct {
	doc   *value
	paths *value
}

func newDefinition(doc *value) definition {
	return definition{doc: doc, paths: doc.get("paths")}
}

var openAPI3 = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\A3(\.\d)(\.\d)?$`) })

func isOpenAPI3(version *value) bool { return openAPI3().MatchString(version.display()) }

// branches are the values that v may have: v itself, or what Fn::If chooses between (except nothing).
func branches(v *value) []*value {
	if !v.has("Fn::If") {
		return []*value{v}
	}
	args := v.get("Fn::If")
	if !args.isList() {
		failDocument(templateCause("Value of Fn::If must be a list."))
	}
	var out []*value
	for i, branch := range args.items {
		if i > 0 && !isNoValue(branch) {
			out = append(out, branch)
		}
	}
	return out
}

// methodName is a method as definitions spell it. It keeps the mark of what was lower-cased.
func methodName(method *value) *value {
	if lower := strings.ToLower(method.str()); lower == "any" {
		return str(anyMethod)
	} else if lower != "" {
		return method.like(lower)
	}
	return method
}

func needMap(v *value, format string, args ...any) *value {
	if !v.isMap() {
		c := templateCause(format, args...)
		c.Span = v.where()
		failDocument(c)
	}
	return v
}

func needPathItem(v *value, path string) *value {
	return needMap(v, "Value of '%s' path must be a dictionary according to Swagger spec.", path)
}

func needMethod(v *value, path, method string) *value {
	return needMap(v, "Definition of method '%s' for path '%s' should be a map.", method, path)
}

func integrated(method *value) bool { return method.get(integrationAt).truthy() }

// hasMethod reports whether a path has a method, in all its branches.
func (d *definition) hasMethod(path string, method *value) bool {
	if !d.paths.has(path) {
		return false
	}
	for _, item := range branches(d.paths.get(path)) {
		if method.str() != "" && !item.has(method.text) {
			return false
		}
	}
	return true
}

// hasIntegration reports whether a method is integrated with something already.
func (d *definition) hasIntegration(path string, method *value) bool {
	method = methodName(method)
	if !d.hasMethod(path, method) {
		return false
	}
	for _, item := range branches(d.paths.get(path)) {
		m := needPathItem(item, path).get(method.str())
		if !m.isMap() || !anyIntegrated(m, path, method.str()) {
			return false
		}
	}
	return true
}

func anyIntegrated(method *value, path, name string) bool {
	for _, m := range branches(method) {
		if integrated(needMethod(m, path, name)) {
			return true
		}
	}
	return false
}

// addMethod makes sure that a path and a method of it are there.
func (d *definition) addMethod(path, method *value) {
	method = methodName(method)
	if !d.paths.has(path.str()) {
		d.paths.setLike(path, newTable())
	}
	item := needPathItem(d.paths.get(path.str()), path.str())
	for _, branch := range branches(item) {
		if branch.isMap() && !branch.has(method.str()) {
			branch.setLike(method, newTable())
		}
	}
}

// methods are the definitions of one method of a path, in all branches of both, that are integrated.
func (d *definition) methods(path string, method *value) iter.Seq[*value] {
	return func(yield func(*value) bool) {
		for _, item := range branches(d.paths.get(path)) {
			needPathItem(item, path)
			for _, m := range branches(item.get(methodName(method).str())) {
				if integrated(needMethod(m, path, method.str())) && !yield(m) {
					return
				}
			}
		}
	}
}

// allMethods are the integrated methods of a path with their names, in all branches. skipped are fields of a path that are no
// methods.
func (d *definition) allMethods(path string, skipped ...string) iter.Seq2[string, *value] {
	return func(yield func(string, *value) bool) {
		for _, item := range branches(d.paths.get(path)) {
			for _, e := range needPathItem(item, path).entries() {
				if oneOf(e.key, skipped...) {
					continue
				}
				for _, m := range branches(e.value) {
					if integrated(needMethod(m, path, e.key)) && !yield(methodName(str(e.key)).text, m) {
						return
					}
				}
			}
		}
	}
}

// makePathConditional wraps a path in a condition.
func (d *definition) makePathConditional(path string, condition *value) {
	d.paths.set(path, onlyIf(condition, d.paths.get(path)))
}

func (d *definition) setTimeout(path string, method, timeout *value) {
	for m := range d.methods(path, method) {
		m.get(integrationAt).set("timeoutInMillis", timeout)
	}
}

// securityOf is a method's security, which must be a list if it is there.
func securityOf(method *value, path, name string) *value {
	if !method.has("security") {
		return list()
	}
	s := method.get("security")
	if !s.isList() {
		failDocument(templateCause("Type of security for path %s method %s must be a list", path, name))
	}
	return s
}

var (
	restPathParameter = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([a-zA-Z0-9._-]+|[a-zA-Z0-9._-]+\+|proxy\+)\}`) })
	httpPathParameter = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([a-zA-Z0-9._-]+|proxy\+)\}`) })
)

// setDeep sets a value under keys within keys, and makes the maps on the way. Where one of them is no map, it says which.
func setDeep(doc *value, value *value, keys ...string) (failedAt string, ok bool) {
	for i, key := range keys[:len(keys)-1] {
		if !doc.isMap() {
			return strings.Join(keys[:i], "."), false
		}
		doc = doc.setDefault(key, object())
	}
	if !doc.isMap() {
		return strings.Join(keys[:len(keys)-1], "."), false
	}
	doc.set(keys[len(keys)-1], value)
	return "", true
}

// getDeep follows keys; what is missing or null on the way ends it with nil, what is no map is a mistake.
func getDeep(doc *value, keys ...string) (v *value, failedAt string, ok bool) {
	for i, key := range keys {
		if doc.isNone() {
			return nil, "", true
		}
		if !doc.isMap() {
			return nil, strings.Join(keys[:i], "."), false
		}
		doc = doc.get(key)
	}
	return doc, "", true
}

// shouldBeMap says which part of a definition should be a map.
func shouldBeMap(path string) string {
	if path == "" {
		return "It should be a map"
	}
	return "The value of '" + path + "' should be a map"
}
