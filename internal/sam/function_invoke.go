package sam

// eventInvokeConfig says what becomes of asynchronous invocations that succeed or fail. It returns the resources, and the
// policies that the function's role needs for its destinations.
func (f *function) eventInvokeConfig(alias string) (made []*resource, policies *value) {
	if !f.get("EventInvokeConfig").truthy() {
		return nil, nil
	}
	config := f.t.params.resolve(f.get("EventInvokeConfig"))
	id := f.id + "EventInvokeConfig"
	policies = list()
	destinations := object()
	if given := config.get("DestinationConfig"); given.truthy() {
		f.owner().expect(given, "EventInvokeConfig.DestinationConfig", aMap)
		for _, name := range []string{"OnSuccess", "OnFailure"} {
			d := given.given(name)
			if d == nil {
				continue
			}
			f.owner().expect(d, "EventInvokeConfig.DestinationConfig."+name, aMap)
			r, destination, policy := f.destination(d, id, id+name)
			destinations.set(name, object("Destination", orNone(destination)))
			// AWS's transform writes the destination back. Where Globals gave it to several functions, the first one's queue or
			// topic so becomes that of all.
			d.set("Destination", orNone(destination))
			if r != nil {
				made = append(made, r)
			}
			if policy != nil {
				policies.append(policy)
			}
		}
	}
	invoke := newResource(id, "AWS::Lambda::EventInvokeConfig", f.attributes).with("FunctionName", ref(f.id), "Qualifier", "$LATEST",
		"DestinationConfig", destinations, "MaximumEventAgeInSeconds", config.get("MaximumEventAgeInSeconds"),
		"MaximumRetryAttempts", config.get("MaximumRetryAttempts"))
	if alias != "" {
		invoke.set("Qualifier", str(alias))
	}
	if f.alias != nil {
		invoke.dependingOn(f.alias.id)
	}
	return append(made, invoke), policies
}

// destination is where one kind of result goes. A queue or topic is made if none is given, or if it is given only under a
// condition.
func (f *function) destination(config *value, configID, id string) (made *resource, destination, policy *value) {
	kind, given := config.get("Type"), config.given("Destination")
	if !oneOf(kind.str(), "SQS", "SNS", "EventBridge", "Lambda", "S3Bucket") {
		failResource(f.id, "'Type: %s' must be one of %s", kind.display(), quotedList("SQS", "SNS", "EventBridge", "Lambda", "S3Bucket"))
	}
	condition, otherwise := f.destinationCondition(given, configID)
	if given != nil && condition == nil {
		return nil, given, destinationPolicy(kind.text, given, id)
	}
	switch kind.text {
	case "SQS":
		made = newResource(id+"Queue", "AWS::SQS::Queue", f.passthrough())
		destination = made.arn()
	case "SNS":
		made = newResource(id+"Topic", "AWS::SNS::Topic", f.passthrough())
		destination = made.ref()
	default:
		failResource(f.id, "Destination is required if Type is not %s", quotedList("SQS", "SNS"))
	}
	if both := f.bothConditions(condition); both != nil {
		made.attributes.set("Condition", both)
	}
	if condition != nil {
		destination = ifElse(condition, destination, otherwise)
	}
	return made, destination, destinationPolicy(kind.text, destination, id)
}

// destinationCondition is the condition under which a destination is not given, and what it is otherwise; nil if it is given
// always.
func (f *function) destinationCondition(given *value, id string) (condition, otherwise *value) {
	if !isIf(given) {
		return nil, nil
	}
	args := given.get("Fn::If")
	if wrong := validIf(args); wrong != "" {
		failResource(id, "Malformed 'Destination' property: %s.", wrong)
	}
	then, els := args.items[1], args.items[2]
	switch {
	case isNoValue(then) && isNoValue(els):
		return nil, nil
	case isNoValue(then):
		return args.items[0], els
	case isNoValue(els):
		not := str(hashedID("NOT"+args.items[0].str(), str(id)))
		f.t.conditions().set(not.text, notCondition(args.items[0]))
		return not, then
	}
	return nil, nil
}

// bothConditions is the function's condition and another one.
func (f *function) bothConditions(other *value) *value {
	own := f.attributes.given("Condition")
	switch {
	case own == nil:
		return other
	case other == nil:
		return own
	}
	name := hashedID(own.str()+"AND"+other.str(), str(f.id))
	f.t.conditions().set(name, object("Fn::And", list(conditionRef(conditionRef(own)), conditionRef(conditionRef(other)))))
	return str(name)
}

// destinationPolicy lets the function send to a destination.
func destinationPolicy(kind string, destination *value, id string) *value {
	switch kind {
	case "SQS":
		return rolePolicy(id+"SQSPolicy", "sqs:SendMessage", destination)
	case "SNS":
		return rolePolicy(id+"SNSPolicy", "sns:publish", destination)
	case "EventBridge":
		return rolePolicy(id+"EventBridgePolicy", "events:PutEvents", destination)
	case "Lambda":
		return rolePolicy(id+"LambdaPolicy", "lambda:InvokeFunction", destination)
	}
	objects := object("Fn::Join", list(str("/"), list(destination, str("*"))))
	return object("PolicyName", id+"S3Policy", "PolicyDocument", object("Statement",
		list(allow("s3:PutObject", objects), allow("s3:ListBucket", destination))))
}
