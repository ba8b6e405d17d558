package sam

import "evo/internal/cfn"

// s3Event calls the function when objects of a bucket change. The bucket must be in the template, as its notifications are its
// own property.
var s3Event = &eventKind{
	properties: properties(required(isStr, "Bucket"), []property{{name: "Events", check: strOrStrs, required: true, literal: true}},
		optional(dictOf(isStr), "Filter")),
	link: func(e *event) {
		bucket := e.get("Bucket")
		if bucket.has("Ref") && !bucket.get("Ref").isString() {
			e.fail("'Ref' value in S3 events is not a valid string.")
		}
		e.linkResource(bucket, "S3 events must reference an S3 bucket in the same template.")
	},
	resources: func(e *event) []*resource {
		permission := e.permission("s3.amazonaws.com", "SourceAccount", ref("AWS::AccountId"))
		if e.target.condition() != nil {
			e.tagDependency(permission)
		} else {
			e.dependOn(permission)
		}
		e.addNotifications()
		return []*resource{permission, e.existing("AWS::S3::Bucket")}
	},
}

// dependOn makes the bucket wait for the permission: S3 checks it when notifications are set.
func (e *event) dependOn(permission *resource) {
	before := e.linked.get("DependsOn")
	all := list()
	switch {
	case before.isString():
		all.append(before)
	case before.isList():
		for _, item := range before.items {
			if !item.isString() {
				failResource(e.id, "Invalid type for field 'DependsOn'. Expected a string or list of strings.")
			}
			if !all.contains(item) {
				all.append(item)
			}
		}
	}
	if !all.contains(str(permission.id)) {
		all.append(str(permission.id))
	}
	e.linked.set("DependsOn", all)
}

// tagDependency makes the bucket refer to a permission that there is only under a condition, which DependsOn cannot.
func (e *event) tagDependency(permission *resource) {
	props := e.linked.given("Properties")
	if props == nil {
		props = object()
		e.linked.set("Properties", props)
	}
	tags := props.given("Tags")
	if tags == nil {
		tags = list()
	}
	resourceOwner(e.linkedID).expect(tags, "Tags", aList)
	tag := object("Key", "sam:ConditionalDependsOn:"+permission.id,
		"Value", ifElse(e.target.condition(), permission.ref(), str("no dependency")))
	props.set("Tags", concat(tags, list(tag)))
}

func (e *event) addNotifications() {
	who := resourceOwner(e.linkedID)
	if p := e.linked.get("Properties"); e.linked.has("Properties") && !p.isMap() {
		who.fail(p, "", "Properties should be a map.")
	}
	props := propertiesOf(e.linked)
	config := child(props, "NotificationConfiguration", cfn.Map)
	who.expect(config, "NotificationConfiguration", aMap)
	lambdas := child(config, "LambdaConfigurations", cfn.List)
	if !lambdas.isList() {
		who.fail(lambdas, "NotificationConfiguration.LambdaConfigurations", "Invalid type for LambdaConfigurations. Must be a list.")
	}
	for _, kind := range asList(e.get("Events")).items {
		n := object("Function", e.target.arn())
		if filter := e.get("Filter"); filter != nil {
			n.set("Filter", filter)
		}
		n.set("Event", kind)
		if c := e.target.condition(); c != nil {
			n = onlyIf(c, n)
		}
		if !lambdas.contains(n) {
			lambdas.append(n)
		}
	}
}

// child is a map or list within a map, made if it is missing or null.
func child(parent *value, key string, kind cfn.Kind) *value {
	if v := parent.given(key); v != nil {
		return v
	}
	v := object()
	if kind == cfn.List {
		v = list()
	}
	parent.set(key, v)
	return v
}
