package sam

var capacityProviderKind = &samKind{
	phase: otherPhase,
	properties: properties(
		literal(strOrDict, "CapacityProviderName"), each(property{check: isDict, required: true, literal: true}, []string{"VpcConfig"}),
		literal(strOrDict, "OperatorRole"), literal(isDict, "Tags"), literal(isFlag, "PropagateTags"),
		literal(isDict, "InstanceRequirements", "ScalingConfig"), literal(strOrDict, "KmsKeyArn"),
	),
	transform: func(t *transformer, m *model, _ *value) []*resource { return t.capacityProvider(m) },
}

var textList = intrinsicOr(listShape(intrinsicOr(shapeText)))

var capacityProviderShape = structOf(
	may("CapacityProviderName", shapeAny),
	must("VpcConfig", structOf(may("SecurityGroupIds", textList), must("SubnetIds", textList))),
	may("OperatorRole", shapeAny), may("Tags", dictShape(shapeAny)), may("PropagateTags", shapeFlag),
	may("InstanceRequirements", structOf(may("Architectures", textList), may("AllowedTypes", textList), may("ExcludedTypes", textList))),
	may("ScalingConfig", structOf(may("MaxVCpuCount", intrinsicOr(shapeInteger)), may("AverageCPUUtilization", intrinsicOr(shapeNumber)))),
	may("KmsKeyArn", shapeAny),
)

// capacityProvider makes machines on which functions run, and the role with which Lambda runs these.
func (t *transformer) capacityProvider(m *model) []*resource {
	m.failShape(capacityProviderShape.check(m.properties, nil, nil))
	m.properties = capacityProviderShape.read(m.properties)
	machines := m.get("InstanceRequirements")
	if machines.given("AllowedTypes") != nil && machines.given("ExcludedTypes") != nil {
		failResource(m.id, "Cannot specify 'InstanceRequirements.AllowedTypes' and 'InstanceRequirements.ExcludedTypes' together.")
	}
	var made []*resource
	role := m.get("OperatorRole")
	if !role.truthy() {
		r := newResource(m.id+"OperatorRole", "AWS::IAM::Role", m.passthrough()).with(
			"AssumeRolePolicyDocument", assumableBy("lambda.amazonaws.com"),
			"ManagedPolicyArns", strList(t.managedPolicy("AWSLambdaManagedEC2ResourceOperator")),
			"Tags", tagList(object("lambda:createdBy", "SAM")))
		role = r.arn()
		made = append(made, r)
	}
	tags := object()
	tags.update(m.get("Tags"))
	tags.set("lambda:createdBy", str("SAM"))
	provider := newResource(m.id, "AWS::Lambda::CapacityProvider", m.attributes).with(
		"VpcConfig", picked(m.get("VpcConfig"), "SubnetIds", "SubnetIds", "SecurityGroupIds", "SecurityGroupIds"),
		"PermissionsConfig", object("CapacityProviderOperatorRoleArn", role), "Tags", tagList(tags))
	provider.dependsOn = m.dependsOn
	for _, name := range []string{"CapacityProviderName", "KmsKeyArn"} {
		if v := m.get(name); v.truthy() {
			provider.set(name, v)
		}
	}
	if machines = picked(machines, "Architectures", "Architectures", "AllowedTypes", "AllowedInstanceTypes", "ExcludedTypes", "ExcludedInstanceTypes"); machines.len() > 0 {
		provider.set("InstanceRequirements", machines)
	}
	if scaling := m.get("ScalingConfig"); hasGiven(scaling) {
		provider.set("CapacityProviderScalingConfig", capacityScaling(scaling))
	}
	made = append(made, provider)
	if m.get("PropagateTags").truthy() {
		for _, r := range made {
			r.set("Tags", combineTags(r.get("Tags"), tagList(m.get("Tags"))))
		}
	}
	return made
}

// picked are some entries of a map under other names, given in turn; null ones are left out.
func picked(v *value, fromAndTo ...string) *value {
	out := object()
	for i := 0; i+1 < len(fromAndTo); i += 2 {
		if x := v.given(fromAndTo[i]); x != nil {
			out.set(fromAndTo[i+1], x)
		}
	}
	return out
}

// hasGiven reports whether a map has an entry that is not null.
func hasGiven(v *value) bool {
	for _, e := range v.entries() {
		if !e.value.isNone() {
			return true
		}
	}
	return false
}

func capacityScaling(config *value) *value {
	out := object()
	if most := config.given("MaxVCpuCount"); most != nil {
		out.set("MaxVCpuCount", most)
	}
	out.set("ScalingMode", str("Auto"))
	if usage := config.given("AverageCPUUtilization"); usage != nil {
		out.set("ScalingMode", str("Manual"))
		out.set("ScalingPolicies", list(object("PredefinedMetricType", "LambdaCapacityProviderAverageCPUUtilization", "TargetValue", usage)))
	}
	return out
}

// combineTags are the tags of both lists; of those with the same key, the last one.
func combineTags(a, b *value) *value {
	byKey := object()
	for _, tag := range concat(a, b).items {
		byKey.set(tag.get("Key").str(), tag.get("Value"))
	}
	return tagList(byKey)
}
