package sam

// schedulerEvent is a schedule of EventBridge Scheduler, for a function or a state machine.
var schedulerEvent = &eventKind{
	properties: properties(
		optional(isStr, "PermissionsBoundary"), required(isStr, "ScheduleExpression"), optional(isDict, "FlexibleTimeWindow"),
		optional(isStr, "Name", "State", "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn",
			"Input", "RoleArn"), optional(isDict, "DeadLetterConfig", "RetryPolicy"), literal(isFlag, "OmitName"),
	),
	resources: (*event).schedulerResources,
}

func (e *event) schedulerResources() []*resource {
	schedule := e.schedule()
	made := []*resource{schedule}
	queue, newQueue := e.deadLetterArn()
	if newQueue != nil {
		made = append(made, newQueue)
	}
	role := e.get("RoleArn")
	if !role.truthy() {
		r := e.schedulerRole(queue)
		role = r.arn()
		made = append(made, r)
	}
	t := object("Arn", e.target.arn(), "RoleArn", role)
	if v := e.get("Input"); v != nil {
		t.set("Input", v)
	}
	if e.get("DeadLetterConfig") != nil {
		t.set("DeadLetterConfig", object("Arn", queue))
	}
	if v := e.get("RetryPolicy"); v != nil {
		t.set("RetryPolicy", v)
	}
	schedule.set("Target", t)
	return made
}

func (e *event) schedule() *resource {
	s := newResource(e.id, "AWS::Scheduler::Schedule", e.passthrough())
	for _, name := range []string{"ScheduleExpression", "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn"} {
		s.set(name, e.get(name))
	}
	if state := e.get("State"); state.truthy() {
		s.set("State", state)
	}
	name := e.get("Name")
	switch {
	case e.get("OmitName").truthy() && name.truthy():
		failEvent(e.id, "Name cannot be set when OmitName is True")
	case e.get("OmitName").truthy():
	case name.truthy():
		s.set("Name", name)
	default:
		s.set("Name", str(e.id))
	}
	window := e.get("FlexibleTimeWindow")
	if !window.truthy() {
		window = object("Mode", "OFF")
	}
	s.set("FlexibleTimeWindow", window)
	return s
}

func (e *event) schedulerRole(queue *value) *resource {
	policy := rolePolicy(e.id+"LambdaPolicy", "lambda:InvokeFunction", e.target.arn())
	if e.target.lambda == nil {
		policy = rolePolicy(e.id+"StartExecutionPolicy", "states:StartExecution", e.target.arn())
	}
	policies := list(policy)
	if queue.truthy() {
		policies.append(rolePolicy(e.id+"SQSPolicy", "sqs:SendMessage", queue))
	}
	role := newResource(e.id+"Role", "AWS::IAM::Role", e.passthrough()).with(
		"AssumeRolePolicyDocument", assumableBy("scheduler.amazonaws.com"), "Policies", policies)
	if b := e.get("PermissionsBoundary"); b.truthy() {
		role.set("PermissionsBoundary", b)
	}
	return role
}
