package sam

import "slices"

// Event sources that call the function themselves and need no more than a rule or subscription: Alexa, IoT, logs, Cognito.

var alexaEvent = &eventKind{
	properties: optional(isStr, "SkillId"),
	resources: func(e *event) []*resource {
		return []*resource{e.permission("alexa-appkit.amazon.com", "EventSourceToken", e.get("SkillId"))}
	},
}

var iotEvent = &eventKind{
	properties: properties(required(isStr, "Sql"), optional(isStr, "AwsIotSqlVersion")),
	resources: func(e *event) []*resource {
		permission := e.permission("iot.amazonaws.com",
			"SourceArn", sub(arn(e.t.partition, "iot", "rule/${RuleName}"), "RuleName", ref(e.id)), "SourceAccount", sub("${AWS::AccountId}"))
		payload := object("Sql", e.get("Sql"), "RuleDisabled", false,
			"Actions", list(object("Lambda", object("FunctionArn", e.target.arn()))))
		if v := e.get("AwsIotSqlVersion"); v.truthy() {
			payload.set("AwsIotSqlVersion", v)
		}
		return []*resource{permission, newResource(e.id, "AWS::IoT::TopicRule", e.passthrough()).with("TopicRulePayload", payload)}
	},
}

var logsEvent = &eventKind{
	properties: required(isStr, "LogGroupName", "FilterPattern"),
	resources: func(e *event) []*resource {
		permission := e.permission("logs.amazonaws.com", "SourceArn",
			sub(arn(e.t.partition, "logs", "log-group:${__LogGroupName__}:*"), "__LogGroupName__", e.get("LogGroupName")))
		filter := newResource(e.id, "AWS::Logs::SubscriptionFilter", e.passthrough()).dependingOn(permission.id).with(
			"LogGroupName", e.get("LogGroupName"), "FilterPattern", e.get("FilterPattern"), "DestinationArn", e.target.arn())
		return []*resource{permission, filter}
	},
}

var strOrStrs = either(isStr, listOf(isStr))

var cognitoEvent = &eventKind{
	properties: properties(required(isStr, "UserPool"), []property{{name: "Trigger", check: strOrStrs, required: true, literal: true}}),
	link: func(e *event) {
		pool := e.get("UserPool")
		if pool.has("Ref") && !pool.get("Ref").isString() {
			failEvent(e.id, "Ref in Userpool is not a string.")
		}
		e.linkResource(pool, "Cognito events must reference a Cognito UserPool in the same template.")
	},
	resources: func(e *event) []*resource {
		permission := e.permissionNamed(e.target.id()+"Cognito", "", "cognito-idp.amazonaws.com", "SourceArn", getAtt(e.linkedID, "Arn"))
		config := propertiesOf(e.linked).given("LambdaConfig")
		if config == nil {
			config = object()
			propertiesOf(e.linked).set("LambdaConfig", config)
		}
		resourceOwner(e.linkedID).expect(config, "LambdaConfig", aMap)
		for _, trigger := range asList(e.get("Trigger")).items {
			if config.has(trigger.text) {
				e.fail(`Cognito trigger "%s" defined multiple times.`, e.get("Trigger").display())
			}
			config.setLike(trigger, e.target.arn())
		}
		return []*resource{permission, e.existing("AWS::Cognito::UserPool")}
	},
}

// linkResource finds the resource that a Ref names.
func (e *event) linkResource(reference *value, otherwise string) {
	id := reference.get("Ref")
	if r := e.t.source.get("Resources").get(id.str()); id.isString() && r != nil {
		e.linked, e.linkedID = r, id.text
		return
	}
	e.who().failWithHint(reference, "", otherwise, didYouMean(id.str(), resourceIDs(e.t.source)))
}

// existing is the resource of the template that the event has changed, where it stands.
func (e *event) existing(kind string) *resource {
	id, dict := e.linkedID, e.linked
	if !dict.has("Type") {
		failResource(id, "Resource dict missing key 'Type'.")
	}
	if !dict.get("Type").isText(kind) {
		failResource(id, "Resource has incorrect Type; expected '%s', got '%s'", kind, dict.get("Type").display())
	}
	if p := dict.get("Properties"); dict.has("Properties") && !p.isMap() {
		failResource(id, "Properties of a resource must be an object.")
	}
	r := newResource(id, kind, object())
	r.origin = originOf(e.t.source.get("Resources").field(id))
	r.dependsOn = dict.get("DependsOn")
	for _, name := range supportedAttributes {
		if dict.has(name) {
			r.attributes.set(name, dict.get(name))
		}
	}
	for _, p := range dict.get("Properties").entries() {
		if !slices.Contains(existingProperties[kind], p.key) {
			panic(spanned(resourceCause(id, "property %s not defined for resource of type %s", p.key, kind), p))
		}
		if !p.value.isNone() {
			r.properties.setKey(p)
		}
	}
	return r
}

// existingProperties are the properties of the resources that events change, as far as AWS's transform knows them.
var existingProperties = map[string][]string{
	"AWS::S3::Bucket": {
		"AccessControl", "AccelerateConfiguration", "AnalyticsConfigurations", "BucketEncryption", "BucketName", "CorsConfiguration",
		"IntelligentTieringConfigurations", "InventoryConfigurations", "LifecycleConfiguration", "LoggingConfiguration",
		"MetricsConfigurations", "NotificationConfiguration", "ObjectLockConfiguration", "ObjectLockEnabled", "OwnershipControls",
		"PublicAccessBlockConfiguration", "ReplicationConfiguration", "Tags", "VersioningConfiguration", "WebsiteConfiguration",
	},
	"AWS::Cognito::UserPool": {
		"AccountRecoverySetting", "AdminCreateUserConfig", "AliasAttributes", "AutoVerifiedAttributes", "DeletionProtection",
		"DeviceConfiguration", "EmailAuthenticationMessage", "EmailAuthenticationSubject", "EmailConfiguration",
		"EmailVerificationMessage", "EmailVerificationSubject", "EnabledMfas", "LambdaConfig", "MfaConfiguration", "Policies",
		"Schema", "SmsAuthenticationMessage", "SmsConfiguration", "SmsVerificationMessage", "UserAttributeUpdateSettings",
		"UsernameAttributes", "UsernameConfiguration", "UserPoolAddOns", "UserPoolName", "UserPoolTags", "UserPoolTier",
		"VerificationMessageTemplate", "WebAuthnRelyingPartyID", "WebAuthnUserVerification",
	},
}
