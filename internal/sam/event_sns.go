package sam

// snsEvent calls the function for the messages of a topic, directly or through a queue.
var snsEvent = &eventKind{
	properties: properties(required(isStr, "Topic"), optional(isStr, "Region"), literal(anything, "FilterPolicy", "FilterPolicyScope"),
		optional(either(isFlag, isDict), "SqsSubscription"), optional(isDict, "RedrivePolicy")),
	resources: (*event).snsResources,
}

func (e *event) snsResources() []*resource {
	config := e.get("SqsSubscription")
	switch {
	case !config.truthy():
		return []*resource{
			e.permission("sns.amazonaws.com", "SourceArn", e.get("Topic")), e.subscription("lambda", e.target.arn())}
	case config.isBool():
		queue := newResource(e.id+"Queue", "AWS::SQS::Queue", e.passthrough())
		if fifo := e.fifoTopic(); fifo.truthy() {
			queue.set("FifoQueue", fifo)
		}
		mapping := e.queueMapping(queue.arn(), nil)
		return []*resource{mapping, queue, e.topicPolicy(e.id+"QueuePolicy", queue.arn(), queue.ref()), e.subscription("sqs", queue.arn())}
	}
	e.who().expect(config, "SqsSubscription", aMap)
	arn, url := config.get("QueueArn"), config.get("QueueUrl")
	if !arn.truthy() || !url.truthy() {
		e.fail("No QueueARN or QueueURL provided.")
	}
	id := e.id + "QueuePolicy"
	if own := config.get("QueuePolicyLogicalId"); own.truthy() {
		id = own.display()
	}
	return []*resource{e.queueMapping(arn, config.get("BatchSize")), e.topicPolicy(id, arn, url), e.subscription("sqs", arn)}
}

func (e *event) subscription(protocol string, endpoint *value) *resource {
	s := newResource(e.id, "AWS::SNS::Subscription", e.passthrough()).with("Protocol", protocol, "Endpoint", endpoint, "TopicArn", e.get("Topic"))
	for _, name := range []string{"Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"} {
		s.set(name, e.get(name))
	}
	return s
}

// fifoTopic tells whether the topic, if it is in the template, keeps its messages in order: then the queue must too.
func (e *event) fifoTopic() *value {
	topic := e.t.source.get("Resources").get(referredID(e.get("Topic")))
	return e.t.params.resolve(topic.get("Properties").get("FifoTopic").clone())
}

// topicPolicy lets the topic send to the queue.
func (e *event) topicPolicy(id string, arn, url *value) *resource {
	return newResource(id, "AWS::SQS::QueuePolicy", e.passthrough()).with(
		"PolicyDocument", queuePolicy(str("*"), arn, e.get("Topic")), "Queues", list(url))
}

// queueMapping lets Lambda take messages from the queue.
func (e *event) queueMapping(arn, batchSize *value) *resource {
	if !batchSize.truthy() {
		batchSize = integer(10)
	}
	e.linkPolicies(e.t.managedPolicy("service-role/AWSLambdaSQSQueueExecutionRole"), nil)
	return newResource(e.id+"EventSourceMapping", "AWS::Lambda::EventSourceMapping", e.passthrough()).with(
		"FunctionName", e.target.name(), "EventSourceArn", arn, "BatchSize", batchSize, "Enabled", true)
}
