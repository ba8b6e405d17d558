package sam

import (
	"cmp"
	"slices"
)

// deployments are the deployment preferences of a template's functions. They share one CodeDeploy application and role.
type deployments struct {
	preferences []*preference
}

// preference is how one function's alias goes from version to version.
type preference struct {
	function  *function
	config    *value
	condition *value // that the group inherits; nil for none
	tags      *value // that the group inherits; nil for none
}

const (
	deploymentApplication = "ServerlessDeploymentApplication"
	deploymentRole        = "CodeDeployServiceRole"
	deploymentCondition   = "ServerlessCodeDeployCondition"
)

// predefined are the deployment configurations of CodeDeploy that preferences name in short.
var predefined = []string{
	"Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes",
	"Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes",
	"AllAtOnce",
}

// addDeploymentPreference notes the function's preference, and lets its alias be updated by CodeDeploy.
func (f *function) addDeploymentPreference() {
	config := f.get("DeploymentPreference")
	if !config.truthy() {
		return
	}
	lookUp := func(v *value) *value { return f.t.mappings.resolve(f.t.params.resolve(v)) }
	for _, name := range []string{"Enabled", "Type"} {
		if config.has(name) {
			config.set(name, lookUp(config.get(name)))
		}
	}
	pass := f.t.toggled("deployment_preference_condition_fix")
	if config.has("PassthroughCondition") {
		pass = f.passthroughCondition(lookUp(config.get("PassthroughCondition")))
	}
	enabled := config.get("Enabled")
	if config.has("Enabled") && (!enabled.truthy() || enabled.isText("false") || enabled.isText("False")) {
		return
	}
	p := &preference{function: f, config: config}
	if pass {
		p.condition = f.attributes.given("Condition")
	}
	if tags := f.get("Tags"); tags.truthy() && f.get("PropagateTags").truthy() {
		p.tags = tags
	}
	f.checkPreference(config)
	f.t.deployments.preferences = append(f.t.deployments.preferences, p)
	if f.alias == nil {
		c := resourceCause(f.id, "'DeploymentPreference' requires AutoPublishAlias property to be specified.").withHint(needsAlias)
		c.path, c.code = "DeploymentPreference", codeMissingProperty
		panic(c)
	}
	f.alias.attributes.set("UpdatePolicy", object("CodeDeployLambdaAliasUpdate", p.updatePolicy()))
}

func (f *function) passthroughCondition(v *value) bool {
	text := v.str()
	switch {
	case v.isTrue(), oneOf(text, "true", "True"):
		return true
	case v.isBool(), oneOf(text, "false", "False"):
		return false
	case isIntrinsic(v):
		failResource(f.id, "Unsupported intrinsic: the only intrinsic functions supported for property PassthroughCondition are FindInMap and parameter Refs.")
	}
	failResource(f.id, "Invalid value for property PassthroughCondition.")
	return false
}

func (f *function) checkPreference(config *value) {
	if !config.has("Type") {
		f.owner().fail(config, "DeploymentPreference", "'DeploymentPreference' is missing required Property 'Type'")
	}
	if hooks := config.get("Hooks"); config.has("Hooks") && !hooks.isMap() {
		f.owner().fail(hooks, "DeploymentPreference.Hooks", "'Hooks' property of 'DeploymentPreference' must be a dictionary")
	}
}

// updatePolicy tells CloudFormation to let CodeDeploy update the alias, with the hooks around the traffic.
func (p *preference) updatePolicy() *value {
	policy := object("ApplicationName", ref(deploymentApplication), "DeploymentGroupName", ref(p.groupID()))
	for _, h := range [][2]string{{"PreTraffic", "BeforeAllowTrafficHook"}, {"PostTraffic", "AfterAllowTrafficHook"}} {
		hook := p.config.get("Hooks").given(h[0])
		if hook != nil && !(hook.onlyKey() == "Ref" && hook.get("Ref").isNone()) {
			policy.set(h[1], hook)
		}
	}
	return policy
}

// origin is where the preference stands: in its function, or, if Globals has it, where the function does.
func (p *preference) origin() origin {
	if o := p.function.originOf("DeploymentPreference"); o.isValid() {
		return o
	}
	return originOf(p.function.t.source.get("Resources").field(p.function.id))
}

func (p *preference) groupID() string { return p.function.id + "DeploymentGroup" }

// addDeployments adds what the preferences share, and each one's deployment group.
func (t *transformer) addDeployments() {
	d := &t.deployments
	if len(d.preferences) == 0 {
		return
	}
	d.order(t.source.get("Resources"))
	add := func(p *preference, r *resource) {
		for _, r := range comeFrom(p.origin(), []*resource{r}) {
			t.out.get("Resources").setKey(r.entry())
		}
	}
	first := d.preferences[0]
	condition := d.sharedCondition(t)
	add(first, newResource(deploymentApplication, "AWS::CodeDeploy::Application", condition).with("ComputePlatform", "Lambda", "Tags", d.tags()))
	if slices.ContainsFunc(d.preferences, func(p *preference) bool { return !p.config.get("Role").truthy() }) {
		add(first, d.role(t, condition))
	}
	for _, p := range d.preferences {
		if c := catch(func() { add(p, p.group()) }); c != nil {
			t.blame(c, t.source.get("Resources").field(p.function.id))
		}
	}
}

// order sorts the preferences as their functions stand in the template.
func (d *deployments) order(resources *value) {
	at := map[string]int{}
	for i, e := range resources.entries() {
		at[e.key] = i
	}
	slices.SortStableFunc(d.preferences, func(a, b *preference) int { return cmp.Compare(at[a.function.id], at[b.function.id]) })
}

// sharedCondition is the condition of what the preferences share, as attributes: any of their conditions, if all have one.
func (d *deployments) sharedCondition(t *transformer) *value {
	var names []*value
	for _, p := range d.preferences {
		if p.condition == nil {
			return object()
		}
		if !slices.ContainsFunc(names, p.condition.equal) {
			names = append(names, p.condition)
		}
	}
	if len(names) == 1 {
		return object("Condition", names[0])
	}
	t.conditions().update(combineConditions(names, deploymentCondition))
	return object("Condition", deploymentCondition)
}

func (d *deployments) tags() *value {
	all := object()
	for _, p := range d.preferences {
		if p.tags != nil {
			all.update(p.tags)
		}
	}
	if all.len() == 0 {
		return nil
	}
	return tagList(all)
}

func (d *deployments) role(t *transformer, condition *value) *resource {
	policy := "service-role/AWSCodeDeployRoleForLambda"
	if oneOf(t.partition, "aws-iso", "aws-iso-b") {
		policy += "Limited"
	}
	return newResource(deploymentRole, "AWS::IAM::Role", condition).with(
		"AssumeRolePolicyDocument", assumableBy("codedeploy.amazonaws.com"),
		"ManagedPolicyArns", strList(t.managedPolicy(policy)), "Tags", d.tags())
}

func (p *preference) group() *resource {
	g := newResource(p.groupID(), "AWS::CodeDeploy::DeploymentGroup", object())
	if p.condition != nil {
		g.attributes.set("Condition", p.condition)
	}
	role := getAtt(deploymentRole, "Arn")
	if own := p.config.get("Role"); own.truthy() {
		role = own
	}
	g.with("AlarmConfiguration", p.alarms(), "ApplicationName", ref(deploymentApplication),
		"AutoRollbackConfiguration", object("Enabled", true,
			"Events", strList("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")),
		"DeploymentConfigName", configName(p.config.get("Type").clone(), ""),
		"DeploymentStyle", object("DeploymentType", "BLUE_GREEN", "DeploymentOption", "WITH_TRAFFIC_CONTROL"),
		"ServiceRoleArn", role)
	if triggers := p.config.get("TriggerConfigurations"); triggers.truthy() {
		g.set("TriggerConfigurations", triggers)
	}
	if p.tags != nil {
		g.set("Tags", tagList(p.tags))
	}
	return g
}

// alarms are the alarms that stop the deployment. Fn::If chooses between two lists of them.
func (p *preference) alarms() *value {
	alarms := p.config.get("Alarms")
	if !alarms.truthy() || isNoValue(alarms) {
		return nil
	}
	if !isIf(alarms) {
		return p.alarmConfiguration(alarms)
	}
	args := alarms.get("Fn::If")
	if wrong := validIf(args); wrong != "" {
		failResource(p.function.id, "%s", wrong)
	}
	return ifElse(args.items[0], p.alarmConfiguration(args.items[1]), p.alarmConfiguration(args.items[2]))
}

func (p *preference) alarmConfiguration(alarms *value) *value {
	if !alarms.isList() {
		p.function.owner().fail(alarms, "DeploymentPreference.Alarms", "Alarms must be a list")
	}
	if len(alarms.items) == 0 || isNoValue(alarms.items[0]) {
		return object()
	}
	return object("Enabled", true, "Alarms", mapList(alarms.items, func(a *value) *value { return object("Name", a) }))
}

// configName spells out the names of CodeDeploy's own configurations, also within intrinsic functions (key is the one that v
// is the argument of).
func configName(v *value, key string) *value {
	switch {
	case v.isList():
		for i := range v.items {
			v.items[i] = configName(v.items[i], "")
		}
	case isIntrinsic(v):
		k := v.onlyKey()
		v.set(k, configName(v.get(k), k))
	case oneOf(v.str(), predefined...):
		named := sub("CodeDeployDefault.Lambda${ConfigName}", "ConfigName", v)
		named.span = v.span
		if key == "Fn::Sub" {
			return named.get("Fn::Sub")
		}
		return named
	}
	return v
}
