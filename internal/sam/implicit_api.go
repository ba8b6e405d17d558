package sam

import (
	"cmp"
	"slices"
	"strings"
)

// apiPlan is how events of one type find, or bring about, their API.
type apiPlan struct {
	eventType    string
	apiType      string
	idProperty   string // of the event: its API
	implicitID   string // of the API for events that name none
	condition    string // of that API, if all its events are conditional
	newResource  func() *value
	wrapPaths    func(doc *value, wrap func(d *definition)) *value // of an API that SAM defines: nobody else has doc
	isDefinition func(doc *value) bool
}

var restAPIPlan = &apiPlan{
	eventType: "Api", apiType: apiType, idProperty: "RestApiId",
	implicitID: "ServerlessRestApi", condition: "ServerlessRestApiCondition",
	newResource: func() *value {
		return object("Type", apiType, "Properties", object("StageName", "Prod", "DefinitionBody", swaggerSkeleton(), managedFlag, true))
	},
	wrapPaths: func(doc *value, wrap func(*definition)) *value {
		s := openSwagger(doc.refill())
		wrap(&s.definition)
		return s.close().refill()
	},
	isDefinition: isSwagger,
}

var httpAPIPlan = &apiPlan{
	eventType: "HttpApi", apiType: httpAPIType, idProperty: "ApiId",
	implicitID: "ServerlessHttpApi", condition: "ServerlessHttpApiCondition",
	newResource: func() *value {
		return object("Type", httpAPIType, "Properties", object("DefinitionBody", openAPISkeleton(), managedFlag, true))
	},
	wrapPaths: func(doc *value, wrap func(*definition)) *value {
		o := openOpenAPI(doc.refill())
		wrap(&o.definition)
		return o.close().refill()
	},
	isDefinition: isOpenAPIDoc,
}

// implicit is what is learnt about APIs from their events.
type implicit struct {
	t    *transformer
	plan *apiPlan
	apis map[string]*apiUse
	from origin // of the implicit API: the first event that needs it
}

// apiUse is what the events of one API bring.
type apiUse struct {
	conditions            map[string]map[string]*value // by path and method; nil where there is none
	deletion, replacement []*value                     // policies of the resources that the events belong to
}

// addImplicitAPI gives events without an API the implicit one, and makes sure that each API that SAM defines has the paths of
// its events. The implicit API goes again if nothing uses it.
func (t *transformer) addImplicitAPI(plan *apiPlan) {
	p := &implicit{t: t, plan: plan, apis: map[string]*apiUse{}}
	resources := t.source.get("Resources")
	if !resources.has(plan.implicitID) && !resources.fields.tabular && !slices.ContainsFunc(p.callers(), p.callsAPI) {
		p.addPathConditions()
		return // in a table, that the API comes and goes shows in the order of the others
	}
	existing := resources.field(plan.implicitID)
	existing.value = existing.value.clone()
	resources.set(plan.implicitID, plan.newResource())
	var causes []*Cause
	for _, e := range p.callers() {
		if c := catch(func() { inResource(e.key, func() { p.addEvents(e) }) }); c != nil {
			if c.Event == "" {
				panic(c)
			}
			c.Span = cmp.Or(c.Span, e.value.at("Properties", "Events").keySpan(c.Event), e.span)
			causes = append(causes, c)
		}
	}
	resources.place(plan.implicitID, p.from)
	p.inheritAttributes(resources.get(plan.implicitID))
	p.addPathConditions()
	p.dropUnused(resources, existing)
	if len(causes) > 0 {
		panic(newError(causes))
	}
}

func (p *implicit) callers() []field { return samResources(p.t.source, functionType, stateMachineType) }

// callsAPI reports whether a function or state machine has an event of the plan's type.
func (p *implicit) callsAPI(e field) bool {
	return slices.ContainsFunc(e.value.at("Properties", "Events").entries(), p.isCall)
}

func (p *implicit) isCall(event field) bool {
	return event.value.isMap() && event.value.get("Type").isText(p.plan.eventType)
}

// addEvents adds the events of one function or state machine.
func (p *implicit) addEvents(e field) {
	events := e.value.at("Properties", "Events")
	chosen := newTable()
	for _, ev := range events.entries() {
		if p.isCall(ev) {
			chosen.setKey(ev)
		}
	}
	if chosen.len() == 0 {
		return
	}
	for _, ev := range chosen.entries() {
		p.addEvent(e, ev)
	}
	events.update(chosen)
}

func (p *implicit) addEvent(e, ev field) {
	props := ev.value.get("Properties")
	isHTTP := p.plan == httpAPIPlan
	if !isHTTP && !props.truthy() {
		return
	}
	if props == nil {
		props = object()
		ev.value.set("Properties", props)
	}
	if !props.isMap() {
		failEvent(ev.key, "Properties should be a map.")
	}
	p.inheritTags(e, props)
	if !props.has(p.plan.idProperty) {
		props.set(p.plan.idProperty, ref(p.plan.implicitID))
	}
	if isHTTP && !props.get("Path").truthy() && !props.get("Method").truthy() {
		props.set("Path", str(defaultPath))
		props.set("Method", str(anyMethod))
	}
	id, path, method := p.checkEvent(ev.key, props)
	if id.text == p.plan.implicitID && !p.from.isValid() {
		p.from = originOf(ev)
	}
	p.note(e, id, path, method)
	p.addPath(ev.key, id, path, method)
	if isHTTP && props.has("RouteSettings") {
		p.addRouteSettings(e, ev.key, id, props)
	}
}

// apiReference is the API that an event names: Ref's argument, or the value as it is.
func apiReference(v *value) *value {
	if v.has("Ref") {
		return v.get("Ref")
	}
	return v
}

func (p *implicit) checkEvent(id string, props *value) (api, path, method *value) {
	who := eventOwner(id)
	path, method = who.require(props.get("Path"), "Path"), who.require(props.get("Method"), "Method")
	api = who.expect(apiReference(props.get(p.plan.idProperty)), p.plan.idProperty, aString)
	return api, who.expect(path, "Path", aString), who.expect(method, "Method", aString)
}

func (p *implicit) note(e field, api, path, method *value) {
	use := p.apis[api.text]
	if use == nil {
		use = &apiUse{conditions: map[string]map[string]*value{}}
		p.apis[api.text] = use
	}
	if use.conditions[path.text] == nil {
		use.conditions[path.text] = map[string]*value{}
	}
	condition := e.value.get("Condition")
	if condition.isNone() {
		condition = nil
	}
	use.conditions[path.text][method.text] = condition
	use.deletion = append(use.deletion, e.value.get("DeletionPolicy"))
	use.replacement = append(use.replacement, e.value.get("UpdateReplacePolicy"))
}

func (p *implicit) addPath(eventID string, api, path, method *value) {
	resource := p.t.source.get("Resources").get(api.text)
	if !resource.isMap() || p.plan.apiType == apiType && resource.get("Type").isText(httpAPIType) {
		panic(eventCause(eventID, "%s must be a valid reference to an '%s' resource in same template.", p.plan.idProperty, p.plan.apiType).
			at(api).withHint(didYouMean(api.text, resourceIDs(p.t.source, p.plan.apiType))))
	}
	props := resource.get("Properties")
	if !props.get(managedFlag).truthy() || !p.plan.isDefinition(props.get("DefinitionBody")) {
		return
	}
	props.set("DefinitionBody", p.plan.wrapPaths(props.get("DefinitionBody"), func(d *definition) { d.addMethod(path, method) }))
}

// inheritTags gives the implicit API the tags of what uses it, if these are to be propagated.
func (p *implicit) inheritTags(e field, eventProps *value) {
	if eventProps.has(p.plan.idProperty) {
		return
	}
	globals := p.t.source.get("Globals").get(strings.TrimPrefix(e.value.get("Type").str(), "AWS::Serverless::"))
	own := e.value.get("Properties")
	pick := func(name string) *value {
		if v := own.get(name); v.truthy() {
			return v
		}
		return globals.get(name)
	}
	tags := pick("Tags")
	if !tags.truthy() || !pick("PropagateTags").truthy() {
		return
	}
	props := p.t.source.get("Resources").get(p.plan.implicitID).get("Properties")
	if all := props.setDefault("Tags", object()); all.isMap() {
		all.update(tags)
	}
	props.set("PropagateTags", boolean(true))
}

func (p *implicit) addRouteSettings(e field, eventID string, api, eventProps *value) {
	props := p.t.source.get("Resources").get(api.text).get("Properties")
	path, method := eventProps.get("Path").str(), eventProps.get("Method").str()
	route := strings.ToUpper(method) + " " + path
	if method == anyMethod {
		route = path
	}
	all := props.get("RouteSettings")
	if all == nil {
		all = object()
	}
	resourceOwner(api.text).expect(all, "RouteSettings", aMap)
	settings := eventProps.get("RouteSettings")
	if c := e.value.get("Condition"); c.truthy() {
		settings = onlyIf(c, settings)
	}
	eventOwner(eventID).expect(settings, "RouteSettings", aMap)
	if r := all.setDefault(route, object()); r.isMap() {
		r.update(settings)
	}
	props.set("RouteSettings", all)
}

// inheritAttributes gives the implicit API a condition, if all that use it have one, and their strongest policies.
func (p *implicit) inheritAttributes(resource *value) {
	use := p.apis[p.plan.implicitID]
	if use == nil {
		return
	}
	var methods []*value
	for _, byMethod := range use.conditions {
		for _, c := range byMethod {
			methods = append(methods, c)
		}
	}
	if condition := p.commonCondition(methods, p.plan.condition); condition != nil {
		resource.set("Condition", condition)
	}
	for _, a := range []struct {
		name   string
		given  []*value
		ranked []string
	}{
		{"DeletionPolicy", use.deletion, []string{"Retain", "Delete"}},
		{"UpdateReplacePolicy", use.replacement, []string{"Retain", "Snapshot", "Delete"}},
	} {
		for _, policy := range a.ranked {
			if slices.ContainsFunc(a.given, func(v *value) bool { return v.isText(policy) }) {
				resource.set(a.name, str(policy))
				break
			}
		}
	}
}

// commonCondition is a condition that holds when any of conditions does; nil if one of them is nil, and so always holds. Where
// there are several, a condition with the name is added to the template.
func (p *implicit) commonCondition(conditions []*value, name string) *value {
	var distinct []*value
	for _, c := range conditions {
		if c == nil {
			return nil
		}
		if !slices.ContainsFunc(distinct, c.equal) {
			distinct = append(distinct, c)
		}
	}
	switch len(distinct) {
	case 0:
		return nil
	case 1:
		return distinct[0]
	}
	slices.SortFunc(distinct, func(a, b *value) int { return cmp.Compare(a.text, b.text) })
	section := p.t.source.setDefault("Conditions", object())
	needMap(section, "'Conditions' must be a dictionary.").update(combineConditions(distinct, name))
	return str(name)
}

// addPathConditions makes a path conditional if all events on it are.
func (p *implicit) addPathConditions() {
	for _, e := range samResources(p.t.source, p.plan.apiType) {
		props := e.value.get("Properties")
		if !props.get(managedFlag).truthy() || e.key == p.plan.implicitID && p.apis[e.key] == nil {
			continue // an implicit API that nothing uses goes again
		}
		props.set("DefinitionBody", p.plan.wrapPaths(props.get("DefinitionBody"), func(d *definition) {
			for _, path := range d.paths.entries() {
				p.wrapPath(d, e.key, path.key)
			}
		}))
	}
}

// pathWords write a path in letters.
var pathWords = strings.NewReplacer("/", "SLASH", "{", "OB", "}", "CB")

func (p *implicit) wrapPath(d *definition, api, path string) {
	use := p.apis[api]
	if use == nil {
		return
	}
	var methods []*value
	for _, c := range use.conditions[path] {
		methods = append(methods, c)
	}
	name := api + pathWords.Replace(path) + "PathCondition"
	if condition := p.commonCondition(methods, name); condition != nil {
		d.makePathConditional(path, condition)
	}
}

// dropUnused removes the implicit API if it has no paths, and brings back what had its id.
func (p *implicit) dropUnused(resources *value, existing field) {
	api := resources.get(p.plan.implicitID)
	if api.at("Properties", "DefinitionBody", "paths").len() > 0 {
		return
	}
	if existing.value != nil {
		resources.set(p.plan.implicitID, existing.value)
		resources.place(p.plan.implicitID, originOf(existing))
	} else {
		resources.delete(p.plan.implicitID)
	}
}
