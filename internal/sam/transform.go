// Package sam answers: which CloudFormation template does a SAM template stand for? It does what AWS's transform
// AWS::Serverless-2016-10-31 does, to the logical ids and the texts of errors, and keeps where in the user's file each value
// stands. It is pure: region, parameters, clock and look-ups are given to it.
//
// Transform reads from top to bottom: the template is checked and made ready (prepare.go: default and implicit API definitions,
// Globals, connectors), then each SAM resource becomes CloudFormation resources (a file a kind: function.go, api.go, …; event
// sources in event_*.go), then references to what SAM named are rewritten (resolve.go).
package sam

import (
	"slices"
	"strings"
	"time"

	"evo/internal/cfn"
)

// Options are what a transform depends on besides the template.
type Options struct {
	Region     string            // us-east-1 if empty; it decides the partition
	Parameters map[string]string // values of the template's parameters; those not given have their defaults

	// Now is the time for APIs that are to be deployed every time (AlwaysDeploy).
	Now time.Time
	// Toggles are features that AWS is rolling out, by name; nil for none.
	Toggles func(name string) bool
	// ManagedPolicies are ARNs of managed policies by name, besides those of AWS.
	ManagedPolicies map[string]string
	// Applications looks up AWS::Serverless::Application; nil if there is nothing to look them up in.
	Applications ApplicationRepository
	// LocalPaths takes templates that are not packaged yet: paths where places in S3 should be pass, and appear as
	// s3://local/PATH. It serves to check a template, not to deploy it.
	LocalPaths bool
	// PassMetadata copies the Metadata of a SAM resource to all that is made of it.
	PassMetadata bool
}

// IsSAM reports whether a template asks for the SAM transform.
func IsSAM(template *cfn.Node) bool {
	return namesTransform(template.Get("Transform"), "AWS::Serverless-2016-10-31")
}

// namesTransform reports whether a Transform section, or a list in it, has a name.
func namesTransform(section *cfn.Node, name string) bool {
	return section.Str() == name || slices.ContainsFunc(section.List(), func(n *cfn.Node) bool { return namesTransform(n, name) })
}

// Transform makes a CloudFormation template of a SAM template, which it leaves as it is. The error is an *Error, with all that
// is wrong with the template.
func Transform(template *cfn.Node, opts Options) (*cfn.Node, error) {
	if opts.Region == "" {
		opts.Region = "us-east-1"
	}
	var out *cfn.Node
	var t *transformer
	err := catchError(func() {
		t = newTransformer(fromNode(template), opts)
		t.run()
		out = t.out.node()
	})
	if e, ok := AsError(err); ok {
		e.explain(template, t)
	}
	if err == nil && namesTransform(template.Get("Transform"), cfn.Extensions) && cfn.UsesExtensions(out) {
		out.Set("Transform", cfn.Str(cfn.Extensions)) // functions that wait for resources
	}
	return out, err
}

// transformer is one run. Nothing of it outlives the run.
type transformer struct {
	opts      Options
	partition string
	source    *value // the template, as the preparation left it; resources find each other here
	out       *value // the template that is made
	causes    []*Cause

	params       *resolver
	mappings     *resolver
	applications applications
	deployments  deployments
	usagePlan    sharedUsagePlan
	recordSets   map[string]*resource // Route 53 record set groups, shared by domains
	names        map[string]string    // the names of the functions behind each API
	references   references
}

func newTransformer(template *value, opts Options) *transformer {
	if !template.isMap() {
		failDocument(templateCause("'Resources' section is required"))
	}
	return &transformer{
		opts: opts, partition: partitionOf(opts.Region), source: template,
		recordSets: map[string]*resource{}, names: map[string]string{},
		references: references{attributes: map[string]map[string]string{}, renamed: map[string]string{}},
	}
}

func (t *transformer) run() {
	if t.opts.LocalPaths {
		takeLocalPaths(t.source)
	}
	checkDatatypes(t.source)
	marked := markForHashes(t.source)
	t.params = newResolver(t.parameterValues(marked))
	t.prepare()
	t.addEmbeddedConnectors()

	t.out = t.outputBefore()
	t.mappings = newMapResolver(orEmpty(t.out, "Mappings"))
	for _, e := range t.resourcesInOrder() {
		t.within(e, func() {
			if c := catch(func() { t.transformResource(e) }); c != nil {
				t.blame(c, e)
			}
		})
	}
	t.addDeployments()
	t.finishApplications()
	t.out.delete("Transform")
	if len(t.causes) > 0 {
		panic(newError(t.causes))
	}
	t.references.rewrite(t.out)
}

// outputBefore is a copy of the template, to be changed into the output. What is in its sections and resources is not copied: what is
// made of SAM resources takes their places, and to the others nothing is done but in the end. Only connectors show in the dependencies of
// what they connect, and so of connectors that follow.
func (t *transformer) outputBefore() *value {
	resources, conditions := t.source.get("Resources"), t.source.get("Conditions")
	connected := slices.ContainsFunc(resources.entries(), func(e field) bool { return e.value.get("Type").isText(connectorType) })
	return t.source.cloneWith(func(section *value) *value {
		switch section {
		case conditions:
			return section.cloneWith(itself)
		case resources:
			return section.cloneWith(func(r *value) *value {
				if kind := r.get("Type").str(); connected && (samKinds[kind] == nil || kind == connectorType) {
					return r.clone()
				}
				return r
			})
		}
		return section
	})
}

func itself(v *value) *value { return v }

// parameterValues are the given values, the defaults of the others, and the pseudo parameters that are known.
func (t *transformer) parameterValues(marked bool) *value {
	values := object()
	for name, text := range t.opts.Parameters {
		values.set(name, &value{kind: cfn.String, text: text, marked: marked})
	}
	for _, e := range t.source.get("Parameters").entries() {
		if !values.has(e.key) && e.value.has("Default") {
			values.set(e.key, e.value.get("Default"))
		}
	}
	values.setDefault("AWS::Region", str(t.opts.Region))
	values.setDefault("AWS::Partition", str(t.partition))
	return values
}

// orEmpty is a section of the template, or an empty one if it is missing (not if it is null).
func orEmpty(template *value, section string) *value {
	if template.has(section) {
		return template.get(section)
	}
	return object()
}

// resourcesInOrder are the SAM resources in the order in which they are transformed: what has events goes before the APIs that
// these add to, and connectors go last, when all they may connect is there.
func (t *transformer) resourcesInOrder() []field {
	groups := make([][]field, 5)
	for _, e := range t.source.get("Resources").entries() {
		kind, ok := samKinds[e.value.get("Type").str()]
		if ok {
			groups[kind.phase] = append(groups[kind.phase], e)
		}
	}
	var all []field
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func (t *transformer) transformResource(e field) {
	name := e.value.get("Type").str()
	kind := samKinds[name]
	if e.bare {
		failResource(e.key, "Logical ids must be alphanumeric.")
	}
	m := newModel(e.key, "", name, e.value, kind.properties, func(properties *value) {
		if kind.prepare != nil {
			kind.prepare(t, e.key, properties)
		}
	})
	made := kind.transform(t, m, e.value)
	t.addReferences(m, kind, made)
	if m.id != e.key {
		t.references.renamed[e.key] = m.id
	}
	resources := t.out.get("Resources")
	resources.delete(e.key)
	for _, r := range comeFrom(originOf(e), made) {
		if !t.mayReplace(r) {
			t.blame(duplicateCause(e.key, r.id, r.kind), e)
			continue
		}
		entry := r.entry()
		if t.opts.PassMetadata && e.value.get("Metadata").truthy() && !resources.has(r.id) {
			entry.value.set("Metadata", e.value.get("Metadata"))
		}
		resources.setKey(entry)
	}
}

// addReferences notes what the template may refer to as Resource.Attribute.
func (t *transformer) addReferences(m *model, kind *samKind, made []*resource) {
	byType := map[string]string{}
	for _, r := range made {
		byType[r.kind] = r.id
	}
	for attribute, cfnType := range kind.referable {
		id, ok := byType[cfnType]
		if !ok {
			continue
		}
		if t.references.attributes[m.id] == nil {
			t.references.attributes[m.id] = map[string]string{}
		}
		t.references.attributes[m.id][attribute] = id
	}
}

// mayReplace reports whether a made resource may have its id: no resource of the template has it, but the one that it comes from.
func (t *transformer) mayReplace(r *resource) bool {
	existing := t.source.get("Resources").get(r.id)
	return existing == nil || oneOf(existing.get("Type").str(), replaces[r.kind]...)
}

// replaces tells, for a CloudFormation type, of which types it may take the place. Buckets, topics and user pools are changed
// by events.
var replaces = map[string][]string{
	"AWS::Lambda::Function":              {"AWS::Serverless::Function"},
	"AWS::Lambda::LayerVersion":          {"AWS::Serverless::LayerVersion"},
	"AWS::Lambda::CapacityProvider":      {"AWS::Serverless::CapacityProvider"},
	"AWS::ApiGateway::RestApi":           {"AWS::Serverless::Api"},
	"AWS::ApiGatewayV2::Api":             {"AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"},
	"AWS::S3::Bucket":                    {"AWS::S3::Bucket"},
	"AWS::SNS::Topic":                    {"AWS::SNS::Topic"},
	"AWS::DynamoDB::Table":               {"AWS::Serverless::SimpleTable"},
	"AWS::CloudFormation::Stack":         {"AWS::Serverless::Application"},
	"AWS::Cognito::UserPool":             {"AWS::Cognito::UserPool"},
	"AWS::ApiGateway::DomainName":        {"AWS::ApiGateway::DomainName"},
	"AWS::ApiGateway::BasePathMapping":   {"AWS::ApiGateway::BasePathMapping"},
	"AWS::ApiGateway::DomainNameV2":      {"AWS::ApiGateway::DomainNameV2"},
	"AWS::ApiGateway::BasePathMappingV2": {"AWS::ApiGateway::BasePathMappingV2"},
	"AWS::StepFunctions::StateMachine":   {"AWS::Serverless::StateMachine"},
	"AWS::AppSync::GraphQLApi":           {"AWS::Serverless::GraphQLApi"},
}

// conditions is the section Conditions of the made template, made on first need.
func (t *transformer) conditions() *value {
	c := t.out.get("Conditions")
	if !c.isMap() {
		c = object()
		t.out.set("Conditions", c)
	}
	return c
}

func (t *transformer) toggled(name string) bool {
	return t.opts.Toggles != nil && t.opts.Toggles(name)
}

// partitionOf is the partition of a region.
func partitionOf(region string) string {
	prefixes := [][2]string{
		{"cn-", "aws-cn"}, {"us-iso-", "aws-iso"}, {"us-isob", "aws-iso-b"}, {"us-gov", "aws-us-gov"},
		{"eu-isoe", "aws-iso-e"}, {"us-isof", "aws-iso-f"}, {"eusc-", "aws-eusc"},
	}
	for _, p := range prefixes {
		if strings.HasPrefix(strings.ToLower(region), p[0]) {
			return p[1]
		}
	}
	return "aws"
}

// arn is the ARN of what a service holds in the stack's region and account, as text for Fn::Sub.
func arn(partition, service, resource string) string {
	return "arn:" + partition + ":" + service + ":${AWS::Region}:${AWS::AccountId}:" + resource
}

// invocationsOf is the URI with which API Gateway calls a function whose ARN the variable stands for.
func invocationsOf(partition, variable string) string {
	return "arn:" + partition + ":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + variable + "}/invocations"
}

// stackPartition is the partition as a placeholder, where AWS's transform leaves it open.
const stackPartition = "${AWS::Partition}"

// managedPolicy is the ARN of a policy of AWS, with its path.
func (t *transformer) managedPolicy(path string) string {
	return "arn:" + t.partition + ":iam::aws:policy/" + path
}
