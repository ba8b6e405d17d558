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
		expanded.append(expandPolicy(id, policy))
	}
	properties.set("Policies", expanded)
}

// expandPolicy is an entry of Policies with the document instead of the policy template, if it is one.
func expandPolicy(id string, policy *value) *value {
	if typeOfPolicy(policy, true) != policyTemplate {
		return policy
	}
	return mapBranches(policy, func(v *value) *value { return expandPolicyTemplate(id, v) })
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
		c := resourceOwner(id).cause(policy, "Policies", "Following required parameters of template '"+name+"' don't have values: "+quotedList(missing...))
		for _, g := range given.entries() {
			if hint := didYouMean(g.key, missing); hint != "" && !template.get("parameters").contains(str(g.key)) {
				spanned(c, g).withHint(hint)
			}
		}
		panic(c)
	}
	document := template.get("document").clone()
	document.span = policy.span
	return fillIn(document, given)
}

// unknownPolicyCause blames an entry of Policies, the one at index i, that is none of what it may be.
func unknownPolicyCause(o owner, i int, policy *value) *Cause {
	return o.cause(policy, "Policies", "Policy at index "+itoa(i)+" in the 'Policies' property is not valid").
		withHint(didYouMean(policy.onlyKey(), keysOf(policyTemplates())))
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
