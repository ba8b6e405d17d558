package sam

import "slices"

// sharedUsagePlan is the usage plan, with its API key, that the APIs of a template share if they ask for it.
type sharedUsagePlan struct {
	dependsOn, apiStages, stageKeys *value

	conditions            []*value
	always                bool // an API without a condition shares it
	deletion, replacement *value
}

const sharedPlanCondition = "SharedUsagePlanCondition"

// usagePlan makes the API's usage plan, or adds the API to the shared one.
func (a *restAPI) usagePlan(stage *resource) []*resource {
	config := a.get("Auth").given("UsagePlan")
	if config == nil {
		return nil
	}
	if !config.isMap() {
		a.owner().fail(config, "Auth.UsagePlan", "'UsagePlan' must be a dictionary")
	}
	for _, e := range config.entries() {
		if !oneOf(e.key, "CreateUsagePlan", "Description", "Quota", "Tags", "Throttle", "UsagePlanName") {
			panic(spanned(resourceCause(a.id, "Invalid property for 'UsagePlan'"), e))
		}
	}
	create := config.get("CreateUsagePlan")
	if create.isNone() {
		failResource(a.id, "'CreateUsagePlan' is a required field for UsagePlan.")
	}
	var plan []*resource
	switch create.str() {
	case "NONE":
		return nil
	case "PER_API":
		plan = a.ownUsagePlan(stage)
	case "SHARED":
		plan = a.t.usagePlan.add(a, stage)
	default:
		failResource(a.id, "'CreateUsagePlan' accepts one of %s.", quotedList("SHARED", "PER_API", "NONE"))
	}
	for _, name := range []string{"UsagePlanName", "Description", "Quota", "Tags", "Throttle"} {
		if v := config.get(name); v.truthy() {
			plan[0].set(name, v)
		}
	}
	return plan
}

func (a *restAPI) ownUsagePlan(stage *resource) []*resource {
	return usagePlanResources(a.id+"UsagePlan", a.id+"ApiKey", a.id+"UsagePlanKey", strList(a.id),
		list(object("ApiId", ref(a.id), "Stage", stage.ref())),
		list(object("RestApiId", ref(a.id), "StageName", stage.ref())), a.passthrough)
}

// usagePlanResources are a usage plan, an API key, and what connects the two.
func usagePlanResources(plan, key, planKey string, dependsOn, stages, stageKeys *value, attributes func() *value) []*resource {
	p := newResource(plan, "AWS::ApiGateway::UsagePlan", attributes()).with("ApiStages", stages)
	p.dependsOn = dependsOn
	k := newResource(key, "AWS::ApiGateway::ApiKey", attributes()).with("Enabled", true, "StageKeys", stageKeys).dependingOn(plan)
	c := newResource(planKey, "AWS::ApiGateway::UsagePlanKey", attributes()).dependingOn(key)
	c.with("KeyId", k.ref(), "KeyType", "API_KEY", "UsagePlanId", p.ref())
	return []*resource{p, k, c}
}

func (s *sharedUsagePlan) add(a *restAPI, stage *resource) []*resource {
	addOnce := func(to **value, v *value) {
		if *to == nil {
			*to = list()
		}
		if !(*to).contains(v) {
			(*to).append(v)
		}
	}
	addOnce(&s.dependsOn, str(a.id))
	addOnce(&s.apiStages, object("ApiId", ref(a.id), "Stage", stage.ref()))
	addOnce(&s.stageKeys, object("RestApiId", ref(a.id), "StageName", stage.ref()))
	return usagePlanResources("ServerlessUsagePlan", "ServerlessApiKey", "ServerlessUsagePlanKey",
		s.dependsOn, s.apiStages, s.stageKeys, func() *value { return s.attributes(a) })
}

// attributes are those of all APIs that share the plan: their strongest policies, and a condition if all have one.
func (s *sharedUsagePlan) attributes(a *restAPI) *value {
	own := a.passthrough()
	s.deletion = strongerPolicy(s.deletion, own.get("DeletionPolicy"), "Retain")
	s.replacement = strongerPolicy(s.replacement, own.get("UpdateReplacePolicy"), "Retain", "Snapshot")
	s.addCondition(a, own.given("Condition"))
	out := object()
	if s.deletion != nil {
		out.set("DeletionPolicy", s.deletion)
	}
	if s.replacement != nil {
		out.set("UpdateReplacePolicy", s.replacement)
	}
	if len(s.conditions) > 0 && !s.always {
		out.set("Condition", str(sharedPlanCondition))
	}
	return out
}

// strongerPolicy is the policy that comes first in the ranking; one that is not ranked gives way.
func strongerPolicy(current, other *value, ranking ...string) *value {
	switch {
	case !other.truthy():
		return current
	case current == nil:
		return other
	}
	rank := func(v *value) int {
		if i := slices.Index(ranking, v.str()); i >= 0 {
			return i
		}
		return len(ranking)
	}
	if rank(other) < rank(current) {
		return other
	}
	return current
}

func (s *sharedUsagePlan) addCondition(a *restAPI, condition *value) {
	section := a.t.out.get("Conditions")
	switch {
	case s.always || condition != nil && slices.ContainsFunc(s.conditions, condition.equal):
	case condition == nil:
		s.always = true
		section.delete(sharedPlanCondition)
	case section.isNone():
		failTemplate("Can't have condition without having 'Conditions' section in the template")
	default:
		s.conditions = append(s.conditions, condition)
		if len(s.conditions) == 1 {
			section.set(sharedPlanCondition, condition)
			return
		}
		section.set(sharedPlanCondition, object("Fn::Or", mapList(s.conditions, conditionRef)))
	}
}
