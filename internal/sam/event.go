package sam

import "cmp"

// event is one event source of a function or state machine.
type event struct {
	*model
	t      *transformer
	kind   *eventKind
	origin origin
	target *target
	role   *resource // the function's role; nil if the template gives one

	api                *value // properties of the API that the event adds to
	apiID, stage       string // its logical id, and the name of its stage as part of ids
	linked             *value // the bucket or user pool that the event changes
	linkedID           string
	permissionBoundary *value // of the roles that a state machine's events get
}

// eventKind is a type of event source.
type eventKind struct {
	properties []property
	// link finds what the event refers to in the template, before anything is made.
	link      func(e *event)
	resources func(e *event) []*resource
}

// target is what an event calls: a function, its alias, or a state machine.
type target struct {
	model  *model
	lambda *resource
	alias  *resource
}

func (t *target) id() string {
	if t.alias != nil {
		return t.alias.id
	}
	return t.model.id
}

// arn and name are how the target is referred to. An alias, and a state machine, refer to their ARNs.
func (t *target) arn() *value {
	if t.alias != nil || t.lambda == nil {
		return ref(t.id())
	}
	return t.lambda.arn()
}

func (t *target) name() *value { return ref(t.id()) }

// condition is the condition under which there is a target, or nil.
func (t *target) condition() *value { return t.model.attributes.given("Condition") }

// make makes the event's resources.
func (e *event) make() []*resource { return comeFrom(e.origin, e.kind.resources(e)) }

func (e *event) passthrough() *value { return e.target.model.passthrough() }

func (e *event) fail(format string, args ...any) { failEvent(e.relativeID, format, args...) }

func (e *event) who() owner { return eventOwner(e.relativeID) }

// sortKey orders the events of a function: by path, or by id for those without.
func (e *event) sortKey() string {
	if path := e.properties.get("Path"); path.isString() {
		return path.text
	}
	return e.relativeID
}

// linkEvents reads the events of a function or state machine, and finds what they refer to.
func (t *transformer) linkEvents(m *model, kinds map[string]*eventKind) []*event {
	var events []*event
	for _, ev := range m.get("Events").entries() {
		if !ev.value.isMap() {
			c := eventCause(ev.key, "'%s' object has no attribute 'get'", pythonType(ev.value))
			c.Span, c.code = ev.value.where(), codeUnknownEvent
			panic(c)
		}
		name := ev.value.get("Type")
		kind := kinds[name.str()]
		if kind == nil {
			c := eventCause(ev.key, "Resource dict has missing or invalid value for key Type. Event Type is: %s.", name.display())
			c.Span, c.code = cmp.Or(name.where(), ev.span), codeUnknownEvent
			panic(c)
		}
		var model *model
		if c := catch(func() { model = newModel(m.id+ev.key, ev.key, name.text, ev.value, kind.properties, nil) }); c != nil {
			if !c.Span.IsValid() {
				c.Span = ev.span
			}
			panic(c)
		}
		e := &event{model: model, t: t, kind: kind, origin: originOf(ev)}
		if kind.link != nil {
			kind.link(e)
		}
		events = append(events, e)
	}
	return events
}

// functionEvents and stateMachineEvents are the event sources that each can have.
var functionEvents = map[string]*eventKind{
	"Api": apiEvent, "HttpApi": httpAPIEvent, "Schedule": scheduleEvent, "ScheduleV2": schedulerEvent,
	"CloudWatchEvent": ruleEvent, "EventBridgeRule": ruleEvent, "S3": s3Event, "SNS": snsEvent, "Cognito": cognitoEvent,
	"AlexaSkill": alexaEvent, "IoTRule": iotEvent, "CloudWatchLogs": logsEvent,
	"Kinesis": kinesisEvent, "DynamoDB": dynamoDBEvent, "SQS": sqsEvent, "MSK": mskEvent, "MQ": mqEvent,
	"SelfManagedKafka": kafkaEvent, "DocumentDB": documentDBEvent,
}

var stateMachineEvents = map[string]*eventKind{
	"Api": stateMachineAPIEvent, "Schedule": stateMachineScheduleEvent, "ScheduleV2": schedulerEvent,
	"CloudWatchEvent": stateMachineRuleEvent, "EventBridgeRule": stateMachineRuleEvent,
}

// permission lets a service call the function. details are further properties.
func (e *event) permission(principal string, details ...any) *resource {
	return e.permissionNamed(e.id, "", principal, details...)
}

func (e *event) permissionNamed(prefix, suffix, principal string, details ...any) *resource {
	return newResource(suffixedID(prefix+"Permission", suffix), "AWS::Lambda::Permission", e.passthrough()).with(
		"Action", "lambda:InvokeFunction", "FunctionName", e.target.name(), "Principal", principal).with(details...)
}

// eventRole is a role with which a service starts the state machine.
func (e *event) eventRole() *resource {
	id := e.id + "Role"
	role := newResource(id, "AWS::IAM::Role", e.passthrough()).with(
		"AssumeRolePolicyDocument", assumableBy(map[bool]string{true: "apigateway.amazonaws.com", false: "events.amazonaws.com"}[e.model.kind == "Api"]),
		"Policies", list(rolePolicy(id+"StartExecutionPolicy", "states:StartExecution", e.target.arn())))
	if e.permissionBoundary.truthy() {
		role.set("PermissionsBoundary", e.permissionBoundary)
	}
	return role
}
