package sam

// expandPolicyTemplates replaces the policy templates in a resource's Policies by the documents that they stand for.
func (t *transformer) expandPolicyTemplates(id string, properties *value) {
	entries := policyEntries(properties.get("Policies"))
	if len(entries) == 0 {
		return
	}
	expanded := list()
	expanded.span = properties.get("Policies").where()
	for _, policy := range entries {
		if typeOfPolicy(policy, true) == policyTemplate {
			policy = mapBranches(policy, func(v *value) *value { return expandPolicyTemplate(id, v) })
		}
		expanded.append(policy)
	}
	properties.set("Policies", expanded)
}

func expandPolicyTemplate(id string, policy *value) *value {
	name := policy.onlyKey()
	template, given := policyTemplates().get(name), policy.get(name)
	if !given.isMap() {
		resourceOwner(id).fail(policy, "Policies", "Must specify valid parameter values for policy template '"+name+"'")
	}
	var missing []string
	for _, p := range template.get("parameters").items {
		if !given.has(p.text) {
			missing = append(missing, p.text)
		}
	}
	if len(missing) > 0 {
		resourceOwner(id).fail(policy, "Policies", "Following required parameters of template '"+name+"' don't have values: "+quotedList(missing...))
	}
	document := template.get("document").clone()
	document.span = policy.span
	return fillIn(document, given)
}

// fillIn puts parameters in the place of references to them. What parameters hold is not looked into.
func fillIn(v, parameters *value) *value {
	if name := v.get("Ref"); v.onlyKey() == "Ref" && parameters.has(name.str()) {
		return parameters.get(name.text)
	}
	for i, item := range v.items {
		v.items[i] = fillIn(item, parameters)
	}
	if v.isMap() {
		for i := range v.fields.list {
			v.fields.list[i].value = fillIn(v.fields.list[i].value, parameters)
		}
	}
	return v
}
