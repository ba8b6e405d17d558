package sam

// Rules of EventBridge: schedules, and patterns of events, for functions and state machines.

var ruleProperties = properties(
	optional(isStr, "EventBusName", "RuleName"), optional(isDict, "Pattern", "DeadLetterConfig", "RetryPolicy"),
	optional(isStr, "Input", "InputPath"), optional(isDict, "Target"), optional(isStr, "State"), optional(isDict, "InputTransformer"),
)

var scheduleProperties = properties(
	required(isStr, "Schedule"), optional(isStr, "Input"), optional(isFlag, "Enabled"), optional(isStr, "State", "Name", "Description"),
	optional(isDict, "DeadLetterConfig", "RetryPolicy"),
)

var (
	scheduleEvent = &eventKind{
		properties: properties(scheduleProperties, optional(isStr, "RuleName")),
		resources:  func(e *event) []*resource { return e.forFunction(e.scheduleRule()) },
	}
	ruleEvent = &eventKind{
		properties: properties(ruleProperties, optional(isFlag, "Enabled")),
		resources:  func(e *event) []*resource { return e.forFunction(e.patternRule()) },
	}
	stateMachineScheduleEvent = &eventKind{
		properties: properties(scheduleProperties, literal(isDict, "Target"), literal(isStr, "RoleArn")),
		resources:  func(e *event) []*resource { return e.forStateMachine(e.scheduleRule()) },
	}
	stateMachineRuleEvent = &eventKind{
		properties: ruleProperties,
		resources:  func(e *event) []*resource { return e.forStateMachine(e.patternRule()) },
	}
)

func (e *event) scheduleRule() *resource {
	rule := newResource(e.id, "AWS::Events::Rule", e.passthrough()).with(
		"ScheduleExpression", e.get("Schedule"), "Name", e.get("Name"), "Description", e.get("Description"))
	e.setState(rule)
	return rule
}

func (e *event) patternRule() *resource {
	rule := newResource(e.id, "AWS::Events::Rule", e.passthrough()).with(
		"EventBusName", e.get("EventBusName"), "EventPattern", e.get("Pattern"), "Name", e.get("RuleName"))
	e.setState(rule)
	return rule
}

func (e *event) setState(rule *resource) {
	state, enabled := e.get("State"), e.get("Enabled")
	if state.truthy() && enabled != nil {
		e.fail("State and Enabled Properties cannot both be specified.")
	}
	if state.truthy() {
		rule.set("State", state)
	}
	if enabled != nil {
		rule.set("State", str(map[bool]string{true: "ENABLED", false: "DISABLED"}[enabled.truthy()]))
	}
}

// forFunction completes a rule that calls a function.
func (e *event) forFunction(rule *resource) []*resource {
	queue, more := e.deadLetterQueue(rule)
	suffix := "LambdaTarget"
	rule.set("Targets", list(e.ruleTarget(suffix, nil, queue)))
	return append(append([]*resource{rule}, more...), e.permission("events.amazonaws.com", "SourceArn", rule.arn()))
}

// forStateMachine completes a rule that starts a state machine, with a role of its own.
func (e *event) forStateMachine(rule *resource) []*resource {
	made := []*resource{rule}
	role := e.get("RoleArn")
	if role == nil {
		r := e.eventRole()
		role = r.arn()
		made = append(made, r)
	}
	queue, more := e.deadLetterQueue(rule)
	rule.set("Targets", list(e.ruleTarget("StepFunctionsTarget", role, queue)))
	return append(made, more...)
}

func (e *event) ruleTarget(suffix string, role, queue *value) *value {
	id := str(targetID(e.id, suffix))
	// A schedule of a function has no Target.
	if own := e.get("Target"); own.has("Id") {
		id = own.get("Id")
	}
	t := object("Arn", e.target.arn(), "Id", id, "RoleArn", role)
	for _, name := range []string{"Input", "InputPath"} {
		if v := e.get(name); v != nil {
			t.set(name, v)
		}
	}
	if e.get("DeadLetterConfig") != nil {
		t.set("DeadLetterConfig", object("Arn", queue))
	}
	for _, name := range []string{"RetryPolicy", "InputTransformer"} {
		if v := e.get(name); v != nil {
			t.set(name, v)
		}
	}
	return t
}

// targetID is the id of a rule's target, which EventBridge allows 64 characters.
func targetID(id, suffix string) string {
	const most = 64
	return id[:min(len(id), most-len(suffix))] + suffix
}

// deadLetterQueue is the queue for events that cannot be delivered: one of the user's, or one that is made with a policy that lets
// the rule send to it.
func (e *event) deadLetterQueue(rule *resource) (arn *value, made []*resource) {
	arn, queue := e.deadLetterArn()
	if queue == nil {
		return arn, nil
	}
	policy := newResource(e.id+"QueuePolicy", "AWS::SQS::QueuePolicy", e.passthrough()).with(
		"PolicyDocument", queuePolicy(object("Service", "events.amazonaws.com"), queue.arn(), rule.arn()), "Queues", list(queue.ref()))
	return arn, []*resource{queue, policy}
}

// queuePolicy lets somebody send to a queue on behalf of a source.
func queuePolicy(principal, queue, source *value) *value {
	return object("Version", "2012-10-17", "Statement", list(object("Action", "sqs:SendMessage", "Effect", "Allow",
		"Principal", principal, "Resource", queue, "Condition", object("ArnEquals", object("aws:SourceArn", source)))))
}

// deadLetterArn is the ARN of the queue that DeadLetterConfig names, or of one that is made.
func (e *event) deadLetterArn() (arn *value, made *resource) {
	config := e.get("DeadLetterConfig")
	if config == nil {
		return nil, nil
	}
	hasArn, hasType := config.has("Arn"), config.has("Type")
	switch {
	case hasArn && hasType:
		failEvent(e.id, "You can either define 'Arn' or 'Type' property of DeadLetterConfig.")
	case hasType && !config.get("Type").isText("SQS"):
		failEvent(e.id, "The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.")
	case !hasArn && !hasType:
		failEvent(e.id, "No 'Arn' or 'Type' property provided for DeadLetterConfig.")
	}
	if arn := config.given("Arn"); arn != nil {
		return arn, nil
	}
	id := config.given("QueueLogicalId")
	if id != nil && !id.isString() {
		failEvent(e.id, "QueueLogicalId must be a string")
	}
	name := e.id + "Queue"
	if id.truthy() {
		name = id.text
	}
	queue := newResource(name, "AWS::SQS::Queue", e.passthrough())
	return queue.arn(), queue
}
