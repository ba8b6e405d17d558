package sam

import "strings"

// allow is a statement that lets somebody do something with something.
func allow(action any, resource any) *value {
	return object("Action", action, "Effect", "Allow", "Resource", resource)
}

// rolePolicy is a policy with one statement.
func rolePolicy(name, action string, resource *value) *value {
	return object("PolicyName", name, "PolicyDocument", object("Statement", list(allow(action, resource))))
}

// assumableBy is the trust policy of a role for an AWS service.
func assumableBy(service string) *value {
	return object("Version", "2012-10-17", "Statement", list(
		object("Action", strList("sts:AssumeRole"), "Effect", "Allow", "Principal", object("Service", strList(service)))))
}

// policyType tells what one entry of Policies is.
type policyType uint8

const (
	unknownPolicy policyType = iota
	managedPolicyName
	policyDocument
	policyTemplate
)

// typeOfPolicy tells what an entry of Policies is; templates are told apart only where they are still to be expanded.
func typeOfPolicy(policy *value, templates bool) policyType {
	switch {
	case policy.isString():
		return managedPolicyName
	case isIf(policy):
		return typeOfIf(policy.get("Fn::If"), templates)
	case isIntrinsic(policy):
		return managedPolicyName
	case policy.has("Statement"):
		return policyDocument
	case templates && policyTemplates().has(policy.onlyKey()):
		return policyTemplate
	}
	return unknownPolicy
}

func typeOfIf(args *value, templates bool) policyType {
	if wrong := validIf(args); wrong != "" {
		failTemplate("%s", wrong)
	}
	then, els := typeOfPolicy(args.items[1], templates), typeOfPolicy(args.items[2], templates)
	switch {
	case then == els, isNoValue(args.items[2]):
		return then
	case isNoValue(args.items[1]):
		return els
	}
	failTemplate("Different policy types within the same Fn::If statement is unsupported. Separate different policy types into different Fn::If statements")
	return unknownPolicy
}

// policyEntries are the entries of Policies, which may be one entry without a list.
func policyEntries(policies *value) []*value {
	if !policies.truthy() {
		return nil
	}
	return asList(policies).items
}

// roleConfig is what a generated role is made of.
type roleConfig struct {
	owner     *model
	trust     *value
	policies  *value // as in the template
	managed   *value // ARNs that it always has
	documents *value // policies that it always has
	path      *value
	boundary  *value
	tags      *value
}

// makeRole makes the role of a function or state machine.
func (t *transformer) makeRole(c roleConfig) *resource {
	role := newResource(c.owner.id+"Role", "AWS::IAM::Role", c.owner.passthrough())
	managed, documents := concat(c.managed, nil), concat(c.documents, nil)
	for i, policy := range policyEntries(c.policies) {
		name := role.id + "Policy" + itoa(i)
		document := func(v *value) *value { return object("PolicyName", name, "PolicyDocument", v) }
		switch typeOfPolicy(policy, false) {
		case policyDocument:
			documents.append(mapBranches(policy, document))
		case managedPolicyName:
			arn := mapBranches(policy, t.managedPolicyArn)
			if !managed.contains(arn) {
				managed.append(arn)
			}
		default:
			panic(unknownPolicyCause(c.owner.owner(), i, policy))
		}
	}
	role.with("AssumeRolePolicyDocument", c.trust, "ManagedPolicyArns", managed, "Path", c.path, "PermissionsBoundary", c.boundary, "Tags", c.tags)
	if len(documents.items) > 0 {
		role.set("Policies", documents)
	}
	return role
}

// mapBranches applies f to v, or to the two values that Fn::If chooses between.
func mapBranches(v *value, f func(*value) *value) *value {
	if !isIf(v) {
		return f(v)
	}
	args := v.get("Fn::If").items
	branch := func(b *value) *value {
		if isNoValue(b) {
			return b
		}
		return f(b)
	}
	return ifElse(args[0], branch(args[1]), branch(args[2]))
}

// managedPolicyArn is the ARN of a policy that the user names.
func (t *transformer) managedPolicyArn(name *value) *value {
	if !name.isString() {
		return name
	}
	if path := managedPolicyPath(t.partition, name.text); path != "" {
		return name.like(t.managedPolicy(path))
	}
	if strings.HasPrefix(name.text, "arn:") {
		return name
	}
	if arn := t.opts.ManagedPolicies[name.text]; arn != "" {
		return name.like(arn)
	}
	return name
}

// executionRole makes the function's role, unless the template gives one.
func (f *function) executionRole(policies *value) []*resource {
	f.role = f.newRole(policies)
	given := f.lambda.get("Role")
	switch {
	case given == nil:
		f.lambda.set("Role", f.role.arn())
		return []*resource{f.role}
	case isIf(given):
		return f.conditionalRole(f.t.params.resolve(given))
	}
	return nil
}

func (f *function) newRole(policies *value) *resource {
	trust := f.get("AssumeRolePolicyDocument")
	if trust == nil {
		trust = assumableBy("lambda.amazonaws.com")
	}
	basic := "service-role/AWSLambdaBasicExecutionRole"
	if f.get("DurableConfig").truthy() {
		basic = "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
	}
	managed := strList(f.t.managedPolicy(basic))
	if f.traces() {
		managed.append(str(f.t.managedPolicy(f.t.xrayPolicy())))
	}
	if f.get("VpcConfig").truthy() {
		managed.append(str(f.t.managedPolicy("service-role/AWSLambdaVPCAccessExecutionRole")))
	}
	documents := list()
	if queue := f.get("DeadLetterQueue"); queue.truthy() {
		statement := allow(deadLetterActions[queue.get("Type").str()], queue.get("TargetArn"))
		documents.append(object("PolicyName", "DeadLetterQueuePolicy",
			"PolicyDocument", object("Version", "2012-10-17", "Statement", list(statement))))
	}
	return f.t.makeRole(roleConfig{
		owner: f.model, trust: trust, policies: f.get("Policies"), managed: managed, documents: concat(documents, policies),
		path: f.get("RolePath"), boundary: f.get("PermissionsBoundary"), tags: f.tags(),
	})
}

// xrayPolicy is the policy that lets a role write traces.
func (t *transformer) xrayPolicy() string {
	if t.partition == "aws" {
		return "AWSXrayWriteOnlyAccess"
	}
	return "AWSXRayDaemonWriteAccess"
}

// conditionalRole makes the role for the branch of Fn::If in which the template gives none.
func (f *function) conditionalRole(given *value) []*resource {
	args := given.get("Fn::If")
	if wrong := validIf(args); wrong != "" {
		f.owner().fail(given, "Role", "Malformed 'Role' property: "+wrong+".")
	}
	condition, then, els := args.items[0], args.items[1], args.items[2]
	switch {
	case isNoValue(then) && isNoValue(els):
		f.lambda.set("Role", f.role.arn())
	case isNoValue(then):
		f.lambda.set("Role", ifElse(condition, f.role.arn(), els))
		f.role.attributes.set("Condition", condition)
	case isNoValue(els):
		not := "NOT" + condition.display()
		f.lambda.set("Role", ifElse(condition, then, f.role.arn()))
		f.role.attributes.set("Condition", str(not))
		f.t.conditions().set(not, notCondition(condition))
	default:
		return nil
	}
	return []*resource{f.role}
}
