package sam

import (
	"cmp"
	"slices"
	"strings"
)

var functionKind = &samKind{
	phase: functionPhase,
	properties: properties(
		optional(strOrDict, "FunctionName"), literal(anything, "Handler", "Runtime", "CodeUri", "ImageUri", "PackageType", "InlineCode"),
		optional(isDict, "DeadLetterQueue"), literal(anything, "Description", "MemorySize", "Timeout", "VpcConfig"), optional(isStr, "Role"),
		optional(isDict, "AssumeRolePolicyDocument"), optional(either(isStr, isDict, strsOrDict), "Policies"), literal(anything, "RolePath"),
		optional(isStr, "PermissionsBoundary"), optional(dictOfDict, "Environment", "Events"), optional(isDict, "Tags"),
		optional(isFlag, "PropagateTags"), optional(either(isDict, isStr), "Tracing"), literal(anything, "KmsKeyArn"),
		optional(isDict, "DeploymentPreference"), literal(anything, "ReservedConcurrentExecutions"), optional(strsOrDict, "Layers"),
		optional(isDict, "EventInvokeConfig"), literal(anything, "EphemeralStorage"),
		optional(either(isStr), "AutoPublishAlias", "AutoPublishCodeSha256"), literal(isFlag, "AutoPublishAliasAllProperties"),
		literal(anything, "VersionDescription", "ProvisionedConcurrencyConfig", "FileSystemConfigs", "ImageConfig",
			"CodeSigningConfigArn", "Architectures"), optional(isDict, "SnapStart", "FunctionUrlConfig"),
		literal(anything, "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn"),
		optional(isDict, "CapacityProviderConfig", "FunctionScalingConfig"),
		optional(strEnum("Delete", "Retain"), "VersionDeletionPolicy"),
		literal(anything, "PublishToLatestPublished", "TenancyConfig"), optional(isDict, "DurableConfig"),
	),
	referable: map[string]string{
		"Alias": "AWS::Lambda::Alias", "Version": "AWS::Lambda::Version",
		"DestinationTopic": "AWS::SNS::Topic", "DestinationQueue": "AWS::SQS::Queue",
	},
	prepare: (*transformer).expandPolicyTemplates,
	transform: func(t *transformer, m *model, dict *value) []*resource {
		f := &function{model: m, t: t}
		inResource(m.id, func() { f.events = t.linkEvents(m, functionEvents) })
		t.noteFunctionName(dict)
		return f.resources()
	},
}

// function makes the resources of an AWS::Serverless::Function.
type function struct {
	*model
	t      *transformer
	events []*event

	lambda, version, alias, role *resource
}

// copied are the properties that the Lambda function has as they are.
var copied = []string{
	"Handler", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Role", "Environment", "KmsKeyArn",
	"ReservedConcurrentExecutions", "Layers", "FileSystemConfigs", "ImageConfig", "PackageType", "Architectures", "SnapStart",
	"EphemeralStorage", "CodeSigningConfigArn", "RuntimeManagementConfig", "LoggingConfig", "TenancyConfig", "RecursiveLoop",
	"DurableConfig", "PublishToLatestPublished",
}

func (f *function) resources() []*resource {
	f.checkCombinations()
	f.checkDeadLetterQueue()
	f.checkTenancy()
	f.lambda = f.lambdaFunction()
	made := []*resource{f.lambda}
	if f.get("ProvisionedConcurrencyConfig").truthy() && !f.get("AutoPublishAlias").truthy() {
		panic(resourceCause(f.id, "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function").withHint(needsAlias))
	}
	aliasName := ""
	if f.get("AutoPublishAlias").truthy() {
		aliasName = f.publish()
		made = append(made, comeFrom(f.originOf("AutoPublishAlias"), []*resource{f.version, f.alias})...)
	}
	made = append(made, comeFrom(f.originOf("FunctionUrlConfig"), f.url())...)
	f.addDeploymentPreference()
	destinations, policies := f.eventInvokeConfig(aliasName)
	made = append(made, comeFrom(f.originOf("EventInvokeConfig"), destinations)...)
	made = append(made, f.executionRole(policies)...)
	inResource(f.id, func() { made = append(made, f.eventResources()...) })
	propagateTags(made, f.get("Tags"), f.get("PropagateTags").truthy())
	return made
}

// checkCombinations checks which properties exclude or need each other.
func (f *function) checkCombinations() {
	var wrong []string
	both := func(a, b string) bool { return f.get(a) != nil && f.get(b) != nil }
	for _, other := range []string{"ProvisionedConcurrencyConfig", "VpcConfig"} {
		if both("CapacityProviderConfig", other) {
			wrong = append(wrong, "Cannot specify 'CapacityProviderConfig' and '"+other+"' together.")
		}
	}
	for _, need := range [][2]string{{"FunctionScalingConfig", "CapacityProviderConfig"}, {"VersionDeletionPolicy", "AutoPublishAlias"}} {
		if f.get(need[0]) != nil && f.get(need[1]) == nil {
			wrong = append(wrong, "'"+need[0]+"' requires '"+need[1]+"'.")
		}
	}
	if len(wrong) > 0 {
		failResource(f.id, "%s", joinLines(wrong))
	}
}

func (f *function) checkTenancy() {
	if !f.get("TenancyConfig").truthy() {
		return
	}
	for _, other := range [][2]string{
		{"ProvisionedConcurrencyConfig", "Provisioned concurrency"}, {"FunctionUrlConfig", "Function URL"}, {"SnapStart", "SnapStart"},
	} {
		if f.get(other[0]).truthy() {
			failResource(f.id, "%s is not supported for functions enabled with tenancy configuration.", other[1])
		}
	}
	for _, e := range f.get("Events").entries() {
		if kind := e.value.get("Type"); !oneOf(kind.str(), "Api", "HttpApi") {
			failResource(f.id, "Event source '%s' is not supported for functions enabled with tenancy configuration. "+
				"Only Api and HttpApi event sources are supported.", kind.display())
		}
	}
}

// deadLetterActions are what a function may do with its dead letter queue, by the queue's type.
var deadLetterActions = map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}

func (f *function) checkDeadLetterQueue() {
	queue := f.get("DeadLetterQueue")
	if !queue.truthy() {
		return
	}
	kind := queue.get("Type")
	if !kind.truthy() || !queue.get("TargetArn").truthy() {
		f.owner().fail(queue, "DeadLetterQueue", "'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
	}
	f.owner().expect(kind, "DeadLetterQueue.Type", aString)
	if deadLetterActions[kind.text] == "" {
		f.owner().fail(kind, "DeadLetterQueue.Type", "'DeadLetterQueue' requires Type of "+quotedList("SQS", "SNS"))
	}
}

func (f *function) lambdaFunction() *resource {
	l := newResource(f.id, "AWS::Lambda::Function", f.attributes)
	l.dependsOn = f.dependsOn
	if name := f.get("FunctionName"); name.truthy() {
		l.set("FunctionName", name)
	}
	for _, name := range copied {
		l.set(name, f.get(name))
	}
	l.set("Code", f.code())
	l.set("Tags", f.tags())
	if f.traces() {
		l.set("TracingConfig", object("Mode", f.get("Tracing")))
	}
	if queue := f.get("DeadLetterQueue"); queue.truthy() {
		l.set("DeadLetterConfig", object("TargetArn", queue.get("TargetArn")))
	}
	if config := f.get("CapacityProviderConfig"); config.truthy() {
		l.set("CapacityProviderConfig", f.capacityProvider(config))
	}
	if config := f.get("FunctionScalingConfig"); config.truthy() {
		l.set("FunctionScalingConfig", config)
	}
	f.checkPackageType(l)
	return l
}

// traces reports whether X-Ray traces the function.
func (f *function) traces() bool {
	tracing := f.get("Tracing")
	if !tracing.truthy() {
		return false
	}
	return !f.t.params.resolve(tracing).isText("Disabled")
}

func (f *function) tags() *value { return f.tagsWith(nil) }

// tagsWith are the tags of a resource, with those that SAM adds.
func (m *model) tagsWith(additional *value) *value {
	tags := m.get("Tags")
	for _, reserved := range []string{"lambda:createdBy", "serverlessrepo:applicationId", "serverlessrepo:semanticVersion"} {
		if tags.has(reserved) {
			m.owner().fail(tags, "Tags", reserved+" is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.")
		}
	}
	return concat(concat(tagList(object("lambda:createdBy", "SAM")), tagList(additional)), tagList(tags))
}

func (f *function) checkPackageType(l *resource) {
	kind := f.get("PackageType")
	given := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return l.get(n).truthy() })
	}
	image := l.get("Code").get("ImageUri").truthy()
	switch {
	case !kind.truthy() || kind.isText("Zip"):
		if missing := slices.DeleteFunc([]string{"Runtime", "Handler"}, func(n string) bool { return given(n) }); len(missing) > 0 {
			panic(resourceCause(f.id, "Runtime and Handler needs to be present when PackageType is of type `Zip`").
				inShort("the function has no " + strings.Join(missing, " and no ") + ", and is no image"))
		}
		if image || given("ImageConfig") {
			failResource(f.id, "ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`")
		}
	case kind.isText("Image"):
		if given("Handler", "Runtime", "Layers") {
			failResource(f.id, "Runtime, Handler, Layers cannot be present when PackageType is of type `Image`")
		}
		if !image {
			failResource(f.id, "ImageUri needs to be present when PackageType is of type `Image`")
		}
	default:
		failResource(f.id, "PackageType needs to be `Zip` or `Image`")
	}
}

// eventResources makes the resources of the events, sorted by their paths, or their ids where they have none.
func (f *function) eventResources() []*resource {
	target := &target{model: f.model, lambda: f.lambda, alias: f.alias}
	sorted := slices.Clone(f.events)
	slices.SortStableFunc(sorted, func(a, b *event) int { return cmp.Compare(a.sortKey(), b.sortKey()) })
	var made []*resource
	for _, e := range sorted {
		e.t, e.target, e.role = f.t, target, f.role
		made = append(made, e.make()...)
	}
	return made
}

// noteFunctionName remembers under which names functions stand behind an API: a new name must deploy the API again.
func (t *transformer) noteFunctionName(dict *value) {
	props := dict.get("Properties")
	for _, e := range props.get("Events").entries() {
		api := apiReference(e.value.at("Properties", "RestApiId"))
		if !e.value.get("Type").isText("Api") || !api.isString() {
			continue
		}
		if name := t.params.resolve(props.get("FunctionName").clone()); name.truthy() {
			t.names[api.text] += name.textOrSelf()
		}
	}
}

// textOrSelf is v as str() of Python: a string as it is, else its printed form with marks.
func (v *value) textOrSelf() string {
	if v.isString() {
		return v.text
	}
	return v.textForm(withMarks)
}

// propagateTags gives tags to all resources of types that have them, in the place of their own.
func propagateTags(resources []*resource, tags *value, propagate bool) {
	if !propagate || !tags.truthy() {
		return
	}
	for _, r := range resources {
		switch style := tagStyles[r.kind]; style {
		case taggedByList:
			r.set("Tags", tagList(tags))
		case taggedByMap:
			r.set("Tags", tags)
		}
	}
}

type tagStyle uint8

const (
	untagged tagStyle = iota
	taggedByList
	taggedByMap
)

// tagStyles are the resource types that SAM propagates tags to.
var tagStyles = map[string]tagStyle{
	"AWS::Lambda::Function": taggedByList, "AWS::IAM::Role": taggedByList, "AWS::SQS::Queue": taggedByList,
	"AWS::SNS::Topic": taggedByList, "AWS::S3::Bucket": taggedByList, "AWS::IoT::TopicRule": taggedByList,
	"AWS::ApiGateway::RestApi": taggedByList, "AWS::ApiGateway::Stage": taggedByList, "AWS::ApiGateway::DomainName": taggedByList,
	"AWS::ApiGateway::DomainNameV2": taggedByList, "AWS::ApiGateway::UsagePlan": taggedByList, "AWS::ApiGateway::ApiKey": taggedByList,
	"AWS::ApiGateway::DomainNameAccessAssociation": taggedByList, "AWS::StepFunctions::StateMachine": taggedByList,
	"AWS::DynamoDB::Table": taggedByList, "AWS::CloudFormation::Stack": taggedByList, "AWS::AppSync::GraphQLApi": taggedByList,
	"AWS::CodeDeploy::Application": taggedByList, "AWS::CodeDeploy::DeploymentGroup": taggedByList,
	"AWS::Lambda::CapacityProvider": taggedByList,
	"AWS::ApiGatewayV2::Stage":      taggedByMap, "AWS::ApiGatewayV2::DomainName": taggedByMap, "AWS::ApiGatewayV2::Api": taggedByMap,
}
