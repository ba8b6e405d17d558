package sam

import (
	"slices"
)

// Security of REST APIs: who may call a method, said in the definition. Two entries are no authorizers but remarks of the
// events: NONE means that the default authorizer is not wanted, api_key_false that no API key is.

// pathFields are fields of a path that are no methods.
var pathFields = []string{"summary", "description", "parameters"}

func (s *swagger) security() *value {
	if !s.securityDefinitions.isMap() {
		failTemplate("securityDefinitions must be a dictionary.")
	}
	return s.securityDefinitions
}

func (s *swagger) addAuthorizers(authorizers []*authorizer, partition string) {
	for _, a := range authorizers {
		s.security().setLike(a.name, a.definition(partition))
	}
}

func (s *swagger) addIAMSecurity() {
	if !s.security().has(iamAuthorizer) {
		s.security().update(tableOf(iamAuthorizer, tableOf("x-amazon-apigateway-authtype", "awsSigv4", "type", "apiKey",
			"name", "Authorization", "in", "header")))
	}
}

func (s *swagger) addAPIKeySecurity() {
	if !s.security().has("api_key") {
		s.security().update(tableOf("api_key", tableOf("type", "apiKey", "name", "x-api-key", "in", "header")))
	}
}

// splitSecurity parts a method's security into what has one of the names and what has not.
func splitSecurity(security *value, path, method string, names []string) (with, without *value) {
	with, without = list(), list()
	for _, s := range security.items {
		needMap(s, "%s in Security for path %s method %s is not a valid dictionary.", s.display(), path, method)
		if slices.ContainsFunc(s.keys(), func(k *value) bool { return oneOf(k.text, names...) }) {
			with.append(s)
		} else {
			without.append(s)
		}
	}
	return with, without
}

// removeFirst takes the first entry with a key out of a security list, and reports whether there was one.
func removeFirst(security *value, key string) bool {
	i := slices.IndexFunc(security.items, func(s *value) bool { return s.has(key) })
	if i >= 0 {
		security.items = slices.Delete(security.items, i, i+1)
	}
	return i >= 0
}

// setDefaultAuthorizer lets the methods of a path be called through an authorizer, unless they say otherwise.
func (s *swagger) setDefaultAuthorizer(path string, name *value, authorizers []*authorizer, preflight bool) {
	names := []string{iamAuthorizer}
	for _, a := range authorizers {
		names = append(names, a.name.text)
	}
	for method, m := range s.allMethods(path, pathFields...) {
		if method == "options" && !preflight {
			continue
		}
		own, others := splitSecurity(securityOf(m, path, method), path, method, names)
		var chosen *value
		switch {
		case removeFirst(others, noAuthorizer):
		case len(own.items) > 0:
			chosen = own
		default:
			entry := newTable()
			entry.setLike(name, scopesOf(authorizers, name.text))
			chosen = list(entry)
		}
		s.setSecurity(m, concat(others, chosen))
	}
}

func scopesOf(authorizers []*authorizer, name string) *value {
	for _, a := range authorizers {
		if a.name.text == name && !a.scopes.isNone() {
			return a.scopes
		}
	}
	return list()
}

func (s *swagger) setSecurity(method, security *value) {
	if len(security.items) == 0 {
		return
	}
	method.set("security", security)
	if security.items[0].has(iamAuthorizer) {
		s.addIAMSecurity()
	}
}

// requireAPIKey asks for an API key on the methods of a path, unless they say otherwise.
func (s *swagger) requireAPIKey(path string, preflight bool) {
	for method, m := range s.allMethods(path, pathFields...) {
		before := securityOf(m, path, method)
		own, others := splitSecurity(before, path, method, []string{"api_key", "api_key_false"})
		after := others
		if !removeFirst(own, "api_key_false") && (method != "options" || preflight) {
			after = concat(others, list(tableOf("api_key", list())))
		}
		if !after.equal(before) {
			m.set("security", after)
		}
	}
}

// methodAuth is what an event says about who may call its method.
type methodAuth struct {
	authorizer *value
	scopes     *value
	apiKey     *value
}

// addMethodAuth adds an event's own authorizer and API key to its method.
func (s *swagger) addMethodAuth(path string, method *value, auth methodAuth, api *value) {
	if auth.authorizer.truthy() {
		s.addMethodAuthorizer(path, method, auth, api.at("Auth", "Authorizers"))
	}
	if auth.apiKey.isNone() {
		return
	}
	for m := range s.methods(path, method) {
		key := "api_key_false"
		if auth.apiKey.truthy() {
			key = "api_key"
			s.addAPIKeySecurity()
		}
		m.set("security", concat(securityOf(m, path, method.str()), list(tableOf(key, list()))))
	}
}

func (s *swagger) addMethodAuthorizer(path string, method *value, auth methodAuth, authorizers *value) {
	for m := range s.methods(path, method) {
		security := securityOf(m, path, method.str())
		scopes := list()
		name := auth.authorizer
		if name.str() != noAuthorizer && authorizers.truthy() {
			a := authorizers.get(name.str())
			if a != nil && !a.isMap() {
				failDocument(templateCause("Type of authorizer '%s' must be a dictionary", name.str()))
			}
			own := a.given("AuthorizationScopes")
			if !auth.scopes.isNone() {
				own = auth.scopes
			}
			if !a.isNone() && own != nil {
				scopes = own
			}
		}
		entry := newTable()
		entry.setLike(name, scopes)
		s.setSecurity(m, concat(security, list(entry)))
	}
}
