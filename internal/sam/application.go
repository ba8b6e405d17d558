package sam

import (
	"regexp"
	"sync"
)

// ApplicationRepository is where applications for AWS::Serverless::Application are looked up: the Serverless Application Repository.
type ApplicationRepository interface {
	// Template makes the template of an application's version available to CloudFormation. The error's text becomes that of
	// the transform.
	Template(applicationID, semanticVersion string) (ApplicationTemplate, error)
}

// ApplicationTemplate is a template that a repository made available.
type ApplicationTemplate struct {
	URL string
	// TimedOut is set if the template was not ready when the repository stopped waiting for it.
	TimedOut bool
}

// Unasked is a repository that takes every application as there, and names a URL of AWS's form that leads nowhere. It serves to
// check a template, and to show what becomes of it, not to deploy it. So an application that a parameter names whose value is
// not known is as good as another.
type Unasked struct{}

// Template implements ApplicationRepository.
func (Unasked) Template(string, string) (ApplicationTemplate, error) {
	return ApplicationTemplate{URL: "https://awsserverlessrepo-changesets-xxx.s3.amazonaws.com/signed-url"}, nil
}

// applications are the answers of the repository, by application and version.
type applications struct {
	answers map[[2]string]applicationAnswer
	waiting []string // applications whose templates did not get ready
}

type applicationAnswer struct {
	url     string
	failure *Cause
}

var applicationKind = &samKind{
	phase: otherPhase,
	properties: properties(
		required(strOrDict, "Location"), optional(isStr, "TemplateUrl"), optional(isDict, "Parameters"), optional(strsOrDict, "NotificationARNs"),
		optional(isDict, "Tags"), optional(isInt, "TimeoutInMinutes"),
	),
	prepare: (*transformer).locateApplication,
	transform: func(_ *transformer, m *model, _ *value) []*resource {
		stack := newResource(m.id, "AWS::CloudFormation::Stack", m.passthrough())
		stack.dependsOn = m.dependsOn
		for _, p := range []string{"Parameters", "NotificationARNs", "TimeoutInMinutes"} {
			stack.set(p, m.get(p))
		}
		location := m.get("Location")
		added := object()
		for _, tag := range [][2]string{{"ApplicationId", "serverlessrepo:applicationId"}, {"SemanticVersion", "serverlessrepo:semanticVersion"}} {
			if v := location.given(tag[0]); v != nil {
				added.set(tag[1], v)
			}
		}
		stack.set("Tags", m.tagsWith(added))
		url := m.get("TemplateUrl")
		if !url.truthy() {
			url = str("")
		}
		return []*resource{stack.with("TemplateURL", url)}
	},
}

// lookUpApplications asks the repository for the applications of the template, each once.
func (t *transformer) lookUpApplications() {
	mappings := newMapResolver(orEmpty(t.source, "Mappings"))
	t.applications.answers = map[[2]string]applicationAnswer{}
	for _, e := range samResources(t.source, applicationType) {
		location := e.value.get("Properties").get("Location")
		if location.given("ApplicationId") == nil || location.given("SemanticVersion") == nil {
			continue
		}
		for _, name := range []string{"ApplicationId", "SemanticVersion"} {
			location.set(name, mappings.resolve(t.params.resolve(location.get(name).clone())))
		}
		id, version := location.get("ApplicationId"), location.get("SemanticVersion")
		key := [2]string{id.display(), version.display()}
		if _, asked := t.applications.answers[key]; asked || id.isMap() || version.isMap() {
			continue
		}
		answer := applicationAnswer{}
		answer.failure = catch(func() { answer.url = t.lookUpApplication(e.key, id, version) })
		t.applications.answers[key] = answer
	}
}

var ssmReference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{resolve:ssm:[a-zA-Z0-9_.\-/]+(:\d+)?\}\}`) })

func (t *transformer) lookUpApplication(resource string, id, version *value) string {
	resourceOwner(resource).expect(id, "Location.ApplicationId", aString)
	resourceOwner(resource).expect(version, "Location.SemanticVersion", aString)
	if ssmReference().MatchString(id.text) {
		failResource(resource, "Serverless Application Repostiory does not support dynamic reference in 'ApplicationId' property.")
	}
	if t.opts.Applications == nil {
		unsupported(resource, "applications of the Serverless Application Repository ("+id.text+"), as there is no repository here to look them up in,")
	}
	found, err := t.opts.Applications.Template(id.text, version.text)
	if err != nil {
		failResource(resource, "%s", err)
	}
	if found.TimedOut {
		t.applications.waiting = append(t.applications.waiting, id.text)
	}
	return found.URL
}

// locateApplication sets the URL of an application's template.
func (t *transformer) locateApplication(id string, properties *value) {
	need := func(v *value, name string) {
		if !v.has(name) {
			failResource(id, "Resource is missing the required [%s] property.", name)
		}
	}
	need(properties, "Location")
	location := properties.get("Location")
	if !location.isMap() {
		properties.set("TemplateUrl", location)
		return
	}
	need(location, "ApplicationId")
	need(location, "SemanticVersion")
	app := resourceOwner(id).require(location.get("ApplicationId"), "ApplicationId")
	version := location.get("SemanticVersion")
	const unresolved = "Property '%s' cannot be resolved. Only FindInMap and Ref intrinsic functions are supported."
	if _, unasked := t.opts.Applications.(Unasked); unasked && (t.isParameter(app) || t.isParameter(version)) {
		found, _ := Unasked{}.Template("", "")
		properties.set("TemplateUrl", str(found.URL))
		return
	}
	if app.isMap() {
		failResource(id, unresolved, "ApplicationId")
	}
	if !version.truthy() {
		failResource(id, "Property 'SemanticVersion' cannot be blank.")
	}
	if version.isMap() {
		failResource(id, unresolved, "SemanticVersion")
	}
	answer := t.applications.answers[[2]string{app.display(), version.display()}]
	if answer.failure != nil {
		panic(answer.failure)
	}
	properties.set("TemplateUrl", str(answer.url))
}

// isParameter reports whether a value is that of a parameter of the template, which nothing is known of. A stack may have it.
func (t *transformer) isParameter(v *value) bool {
	name := v.get("Ref")
	return v.isMap() && name.isString() && t.source.get("Parameters").has(name.text)
}

// finishApplications fails if the repository did not get a template ready in time.
func (t *transformer) finishApplications() {
	if waiting := t.applications.waiting; len(waiting) > 0 {
		t.causes = append(t.causes, resourceCause(quotedList(waiting...), "Timed out waiting for nested stack templates to reach ACTIVE status."))
	}
}
