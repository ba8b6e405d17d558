package sam

import "strings"

// Event sources that Lambda reads from, through an event source mapping: streams, queues and brokers.

var pullProperties = properties(
	optional(isInt, "BatchSize"), literal(anything, "StartingPosition", "StartingPositionTimestamp"), optional(isFlag, "Enabled"),
	optional(isInt, "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts"), optional(isFlag, "BisectBatchOnFunctionError"),
	optional(isInt, "MaximumRecordAgeInSeconds"), optional(isDict, "DestinationConfig"), optional(isInt, "ParallelizationFactor"),
	optional(isArray, "Topics", "Queues", "SourceAccessConfigurations"), optional(isStr, "SecretsManagerKmsKeyId"),
	optional(isInt, "TumblingWindowInSeconds"), optional(isArray, "FunctionResponseTypes", "KafkaBootstrapServers"),
	optional(isDict, "FilterCriteria"), literal(anything, "KmsKeyArn"), optional(isStr, "ConsumerGroupId"),
	optional(isDict, "ScalingConfig", "ProvisionedPollerConfig", "SchemaRegistryConfig", "MetricsConfig", "LoggingConfig"),
)

// mappingProperties are those that the event source mapping has as they are.
var mappingProperties = []string{
	"StartingPosition", "StartingPositionTimestamp", "BatchSize", "Enabled", "MaximumBatchingWindowInSeconds",
	"MaximumRetryAttempts", "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "ParallelizationFactor", "Topics", "Queues",
	"SourceAccessConfigurations", "TumblingWindowInSeconds", "FunctionResponseTypes", "FilterCriteria", "KmsKeyArn", "ScalingConfig",
	"ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig",
}

// pullSource is how the sources differ.
type pullSource struct {
	arn      string                  // the property that names the source
	policy   string                  // the managed policy that reading needs, with its path
	config   string                  // the mapping's property for Kafka's settings
	policies func(e *event) []*value // further policies that reading needs
	extend   func(e *event, mapping *resource)
}

func pullEvent(s pullSource, more ...[]property) *eventKind {
	spec := pullProperties
	for _, m := range more {
		spec = overriding(spec, m)
	}
	return &eventKind{properties: spec, resources: func(e *event) []*resource { return e.pull(s) }}
}

// overriding puts properties in the place of those of the same name, or after all.
func overriding(spec, with []property) []property {
	out := properties(spec)
next:
	for _, p := range with {
		for i := range out {
			if out[i].name == p.name {
				out[i] = p
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

func requiredLiteral(names ...string) []property {
	return each(property{check: anything, required: true, literal: true}, names)
}

var (
	kinesisEvent = pullEvent(pullSource{arn: "Stream", policy: "service-role/AWSLambdaKinesisExecutionRole"},
		requiredLiteral("Stream", "StartingPosition"))
	dynamoDBEvent = pullEvent(pullSource{arn: "Stream", policy: "service-role/AWSLambdaDynamoDBExecutionRole"},
		requiredLiteral("Stream", "StartingPosition"))
	sqsEvent = pullEvent(pullSource{arn: "Queue", policy: "service-role/AWSLambdaSQSQueueExecutionRole"}, requiredLiteral("Queue"))
	mskEvent = pullEvent(pullSource{arn: "Stream", policy: "service-role/AWSLambdaMSKExecutionRole",
		config: "AmazonManagedKafkaEventSourceConfig", policies: (*event).mskPolicies}, requiredLiteral("Stream", "StartingPosition"))
	mqEvent = pullEvent(pullSource{arn: "Broker", policies: (*event).mqPolicies},
		requiredLiteral("Broker"), literal(isFlag, "DynamicPolicyName"))
	kafkaEvent      = pullEvent(pullSource{config: "SelfManagedKafkaEventSourceConfig", policies: (*event).kafkaPolicies})
	documentDBEvent = pullEvent(pullSource{arn: "Cluster", policies: (*event).documentDBPolicies, extend: (*event).extendDocumentDB},
		requiredLiteral("Cluster", "DatabaseName"), literal(anything, "CollectionName", "FullDocument"))
)

func (e *event) pull(s pullSource) []*resource {
	m := newResource(e.id, "AWS::Lambda::EventSourceMapping", e.passthrough()).with("FunctionName", e.target.name())
	if s.arn != "" {
		m.set("EventSourceArn", e.get(s.arn))
	}
	for _, name := range mappingProperties {
		m.set(name, e.get(name))
	}
	e.checkFilter()
	if servers := e.get("KafkaBootstrapServers"); servers.truthy() {
		m.set("SelfManagedEventSource", object("Endpoints", object("KafkaBootstrapServers", servers)))
	}
	e.setKafkaConfig(m, s)
	failure := e.failurePolicy(m)
	if s.extend != nil {
		s.extend(e, m)
	}
	var policies []*value
	if s.policies != nil {
		policies = s.policies(e)
	}
	managed := ""
	if s.policy != "" {
		managed = e.t.managedPolicy(s.policy)
	}
	e.linkPolicies(managed, append(policies, failure))
	return []*resource{m}
}

func (e *event) checkFilter() {
	filter := e.get("FilterCriteria")
	if filter.truthy() && !isIntrinsic(filter) && (filter.len() != 1 || !filter.has("Filters")) {
		e.fail("FilterCriteria field has a wrong format")
	}
}

// setKafkaConfig sets what only Kafka knows: the consumer group, and the registry of the messages' schemas.
func (e *event) setKafkaConfig(m *resource, s pullSource) {
	config := object()
	if group := e.get("ConsumerGroupId"); group.truthy() {
		if s.config == "" {
			failEvent(e.id, "Property ConsumerGroupId not defined for resource of type %s.", e.model.kind)
		}
		config.set("ConsumerGroupId", group)
	}
	if registry := e.get("SchemaRegistryConfig"); registry.truthy() {
		config.set("SchemaRegistryConfig", registry)
	}
	if s.config != "" && config.len() > 0 {
		m.set(s.config, config)
	}
}

// failurePolicy sends what cannot be processed to a destination, and is the policy that this needs; nil if there is none.
func (e *event) failurePolicy(m *resource) *value {
	config := e.get("DestinationConfig")
	if !config.truthy() {
		return nil
	}
	failure := eventOwner(e.id).expect(config.get("OnFailure"), "DestinationConfig.OnFailure", aMap)
	m.set("DestinationConfig", config)
	kind := failure.get("Type")
	if !kind.truthy() {
		return nil
	}
	failure.delete("Type")
	if !oneOf(kind.str(), "SQS", "SNS", "S3", "Kafka") {
		failEvent(e.id, "The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'")
	}
	if kind.text == "Kafka" {
		return nil
	}
	return destinationPolicy(kind.text, orNone(failure.get("Destination")), e.id)
}

// linkPolicies gives the function's role the policies that an event needs, each once. nil is none.
func (e *event) linkPolicies(managed string, policies []*value) {
	if e.role == nil {
		return
	}
	if arns := e.role.get("ManagedPolicyArns"); managed != "" && arns.isList() && !arns.contains(str(managed)) {
		arns.append(str(managed))
	}
	for _, p := range policies {
		if p == nil {
			continue
		}
		if e.role.get("Policies") == nil {
			e.role.set("Policies", list())
		}
		all := e.role.get("Policies")
		known := false
		for _, other := range all.items {
			known = known || other.get("PolicyDocument").equal(p.get("PolicyDocument"))
		}
		if !known {
			all.append(p)
		}
	}
}

func secretOf(uri *value) *value { return allow(strList("secretsmanager:GetSecretValue"), uri) }

// networkAccess lets Lambda work in the VPC of a broker.
func networkAccess() *value {
	return allow(strList("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface", "ec2:DescribeVpcs",
		"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"), str("*"))
}

// decryptSecret lets Lambda decrypt the broker's secret, if its key is given.
func (e *event) decryptSecret(action any) []*value {
	key := e.get("SecretsManagerKmsKeyId")
	if !key.truthy() {
		return nil
	}
	e.who().expect(key, "SecretsManagerKmsKeyId", aString)
	return []*value{allow(action, sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/"+key.text))}
}

func statements(name string, items ...*value) *value {
	return object("PolicyName", name, "PolicyDocument", object("Statement", list(items...)))
}

func (e *event) mskPolicies() []*value {
	all := e.registryStatements()
	for _, c := range e.accessConfigurations() {
		if c.get("Type").isText("CLIENT_CERTIFICATE_TLS_AUTH") && c.get("URI").truthy() {
			all = append(all, secretOf(c.get("URI")))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []*value{statements("MSKExecutionRolePolicy", all...)}
}

func (e *event) accessConfigurations() []*value {
	if c := e.get("SourceAccessConfigurations"); c.isList() {
		return c.items
	}
	return nil
}

func (e *event) mqPolicies() []*value {
	uri := e.basicAuth("BASIC_AUTH", "VIRTUAL_HOST")
	name := "SamAutoGeneratedAMQPolicy"
	if e.get("DynamicPolicyName").truthy() {
		name = e.id + "AMQPolicy"
	}
	all := []*value{secretOf(uri), allow(strList("mq:DescribeBroker"), e.get("Broker"))}
	return []*value{statements(name, append(all, e.decryptSecret("kms:Decrypt")...)...)}
}

// basicAuth is the secret with the user and password of a broker or database. supported are the types of access that it knows,
// beginning with the one that must be there.
func (e *event) basicAuth(supported ...string) *value {
	config := e.get("SourceAccessConfigurations")
	if !config.truthy() {
		e.fail("No SourceAccessConfigurations for Amazon %s event provided.", e.model.kind)
	}
	if !config.isList() {
		e.fail("Provided SourceAccessConfigurations cannot be parsed into a list.")
	}
	var found *value
	for i, c := range config.items {
		at := "SourceAccessConfigurations[" + itoa(i) + "]"
		e.who().expect(c, at, aMap)
		kind := e.who().expect(c.get("Type"), at+".Type", aString)
		if !oneOf(kind.text, supported...) {
			e.fail("Invalid property Type specified in SourceAccessConfigurations. The supported values are: %s.", quotedList(supported...))
		}
		if kind.text != supported[0] {
			continue
		}
		if found != nil {
			e.fail("Multiple %s properties specified in SourceAccessConfigurations.", kind.text)
		}
		if found = c.get("URI"); !found.truthy() {
			e.fail("No %s URI property specified in SourceAccessConfigurations.", kind.text)
		}
	}
	if found == nil {
		e.fail("No %s property specified in SourceAccessConfigurations.", supported[0])
	}
	return found
}

func (e *event) documentDBPolicies() []*value {
	uri := e.basicAuth("BASIC_AUTH")
	rds := func(action, resource string) *value {
		return allow(strList("rds:"+action), sub("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:"+resource))
	}
	all := []*value{secretOf(uri), rds("DescribeDBClusterParameters", "cluster-pg:*"), rds("DescribeDBSubnetGroups", "subgrp:*"),
		allow(strList("rds:DescribeDBClusters"), e.get("Cluster")), networkAccess()}
	return []*value{statements("SamAutoGeneratedDocumentDBPolicy", append(all, e.decryptSecret(strList("kms:Decrypt"))...)...)}
}

func (e *event) extendDocumentDB(m *resource) {
	config := object("DatabaseName", e.get("DatabaseName"))
	for _, name := range []string{"CollectionName", "FullDocument"} {
		if v := e.get(name); v.truthy() {
			config.set(name, v)
		}
	}
	m.set("DocumentDBEventSourceConfig", config)
}

func (e *event) kafkaPolicies() []*value {
	if !e.get("KafkaBootstrapServers").truthy() {
		e.fail("No KafkaBootstrapServers provided for self managed kafka as an event source")
	}
	topics := e.get("Topics")
	if !topics.truthy() {
		e.fail("No Topics provided for self managed kafka as an event source")
	}
	if topics.len() != 1 {
		e.fail("Topics for self managed kafka only supports single configuration entry.")
	}
	if !e.get("SourceAccessConfigurations").truthy() {
		e.fail("No SourceAccessConfigurations for self managed kafka event provided.")
	}
	secret, certificate, network := e.kafkaAccess()
	var all []*value
	if secret != nil {
		all = append(all, secretOf(secret))
	}
	if certificate {
		// The statement for the certificate names the other secret, as AWS's does.
		all = append(all, secretOf(orNone(secret)))
	}
	if network {
		all = append(all, networkAccess())
	}
	all = append(all, e.decryptSecret(strList("kms:Decrypt"))...)
	all = append(all, e.registryStatements()...)
	return []*value{object("PolicyDocument", object("Statement", list(all...), "Version", "2012-10-17"), "PolicyName", "SelfManagedKafkaExecutionRolePolicy")}
}

// kafkaAccess reads how Lambda reaches a cluster: with which secret, whether with a certificate, and whether within a VPC.
func (e *event) kafkaAccess() (secret *value, certificate, network bool) {
	config := e.get("SourceAccessConfigurations")
	if !config.isList() {
		e.fail("SourceAccessConfigurations for self managed kafka event should be a list.")
	}
	var subnet, group bool
	for _, c := range config.items {
		resourceOwner(e.relativeID).expect(c, "SourceAccessConfigurations", aMap)
		uri := c.get("URI")
		switch kind := c.get("Type").str(); kind {
		case "VPC_SUBNET":
			e.checkURI(uri, kind)
			subnet = true
		case "VPC_SECURITY_GROUP":
			e.checkURI(uri, kind)
			group = true
		case "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH":
			if secret != nil {
				e.fail("Multiple auth mechanism properties specified in SourceAccessConfigurations for self managed kafka event.")
			}
			e.checkURI(uri, "auth mechanism")
			secret = uri
		case "SERVER_ROOT_CA_CERTIFICATE":
			e.checkURI(uri, kind)
			certificate = true
		default:
			e.fail("Invalid SourceAccessConfigurations Type provided for self managed kafka event.")
		}
	}
	if subnet != group {
		e.fail("VPC_SUBNET and VPC_SECURITY_GROUP in SourceAccessConfigurations for SelfManagedKafka must be both provided.")
	}
	return secret, certificate, subnet
}

func (e *event) checkURI(uri *value, what string) {
	if !uri.truthy() {
		e.fail("No %s URI property specified in SourceAccessConfigurations for self managed kafka event.", what)
	}
	if !uri.isString() && !isIntrinsic(uri) {
		e.fail("Wrong Type for %s URI property specified in SourceAccessConfigurations for self managed kafka event.", what)
	}
}

// registryStatements let Lambda read the schemas of Kafka's messages.
func (e *event) registryStatements() []*value {
	config := e.get("SchemaRegistryConfig")
	if !config.truthy() {
		return nil
	}
	e.checkRegistry(config)
	var all []*value
	for _, c := range config.get("AccessConfigs").itemsOrNone() {
		all = append(all, secretOf(c.get("URI")))
	}
	uri := config.get("SchemaRegistryURI")
	arn := uri
	if uri.isMap() {
		arn = e.t.params.resolve(uri.clone()).get("Fn::Sub")
	}
	parts := strings.Split(arn.str(), ":")
	if len(parts) < 6 || !strings.HasPrefix(arn.str(), "arn") {
		return all
	}
	name, ok := strings.CutPrefix(parts[5], "registry/")
	if !ok {
		return all
	}
	return append(all, allow(strList("glue:GetRegistry"), uri), allow(strList("glue:GetSchemaVersion"),
		list(sub("arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:schema/"+name+"/*"))))
}

func (v *value) itemsOrNone() []*value {
	if v.isList() {
		return v.items
	}
	return nil
}

func (e *event) checkRegistry(config *value) {
	e.who().expect(config, "SchemaRegistryConfig", aMap)
	for _, name := range []string{"SchemaRegistryURI", "EventRecordFormat", "SchemaValidationConfigs"} {
		if !config.has(name) {
			e.fail("Missing required field %s in SchemaRegistryConfig", name)
		}
	}
	if !oneOf(config.get("EventRecordFormat").str(), "JSON", "SOURCE") {
		e.fail("EventRecordFormat in SchemaRegistryConfig must be either 'JSON' or 'SOURCE'")
	}
	if !config.get("SchemaValidationConfigs").isList() {
		e.fail("SchemaValidationConfigs must be a list")
	}
	access := config.get("AccessConfigs")
	if access.truthy() && !access.isList() {
		e.fail("AccessConfigs in SchemaRegistryConfig must be a list")
	}
	for _, c := range access.itemsOrNone() {
		if !c.has("Type") || !c.has("URI") {
			e.fail("Each AccessConfig must be a dict with 'Type' and 'URI' fields")
		}
	}
}
