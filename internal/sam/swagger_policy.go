package sam

import "strings"

// The resource policy of a REST API: which accounts, addresses and networks may call its paths.

const policyKey = "x-amazon-apigateway-policy"

// addResourcePolicy adds what a ResourcePolicy says about one path.
func (s *swagger) addResourcePolicy(policy *value, path, stage *value) {
	if policy.isNone() {
		return
	}
	needMap(policy, "Resource Policy is not a valid dictionary.")
	s.allowAccounts(policy.given("AwsAccountWhitelist"), "Allow", path, stage)
	s.allowAccounts(policy.given("AwsAccountBlacklist"), "Deny", path, stage)
	s.allowAddresses(policy.given("IpRangeWhitelist"), "NotIpAddress", path, stage)
	s.allowAddresses(policy.given("IpRangeBlacklist"), "IpAddress", path, stage)
	s.allowNetworks(policy, "Blacklist", "StringEquals", path, stage)
	s.allowNetworks(policy, "Whitelist", "StringNotEquals", path, stage)
	s.doc.set(policyKey, s.policy)
}

// addCustomStatements adds statements that the user wrote.
func (s *swagger) addCustomStatements(statements *value) {
	s.version()
	if s.policy.get("Statement").isNone() {
		s.policy.set("Statement", statements)
	} else {
		s.addStatements(asList(statements).items...)
	}
	s.doc.set(policyKey, s.policy)
}

func (s *swagger) version() {
	needMap(s.policy, policyKey+" must be a dictionary.").set("Version", str("2012-10-17"))
}

// addStatements appends the statements that are not there yet.
func (s *swagger) addStatements(statements ...*value) {
	all := concat(asList(s.policy.get("Statement")), nil)
	for _, st := range statements {
		if !all.contains(st) {
			all.append(st)
		}
	}
	s.policy.set("Statement", all)
}

func asList(v *value) *value {
	if v.isList() {
		return v
	}
	return list(v)
}

// invocations are the methods of a path, as resources of a policy.
func (s *swagger) invocations(path, stage *value) *value {
	uris := list()
	wild := path.like(restPathParameter().ReplaceAllString(path.str(), "*"))
	for _, item := range branches(s.paths.get(path.str())) {
		for _, key := range needPathItem(item, path.str()).keys() {
			method := key.like(strings.ToUpper(key.text))
			if lower := strings.ToLower(key.text); lower == anyMethod || lower == "any" {
				method = str("*")
			}
			uri := str("execute-api:/${__Stage__}/" + method.text + wild.text)
			uri.marked = method.marked || wild.marked
			uris.append(subLike(uri, "__Stage__", stage))
		}
	}
	return uris
}

func (s *swagger) allowAccounts(accounts *value, effect string, path, stage *value) {
	if accounts.isNone() {
		return
	}
	resources := s.invocations(path, stage)
	if !accounts.truthy() {
		return
	}
	if !accounts.isMap() && !accounts.isList() {
		failDocument(templateCause("Type of '%s' must be a list or dictionary", accounts.display()))
	}
	s.version()
	statement := tableOf("Effect", effect, "Action", "execute-api:Invoke", "Resource", resources,
		"Principal", tableOf("AWS", asList(accounts)))
	before := s.policy.get("Statement")
	if before.isNone() {
		s.policy.set("Statement", statement)
		return
	}
	s.policy.set("Statement", concat(asList(before), list(statement)))
}

func (s *swagger) allowAddresses(addresses *value, operator string, path, stage *value) {
	if addresses.truthy() {
		s.allowUnless(operator, object("aws:SourceIp", asList(addresses)), path, stage)
	}
}

// allowUnless allows everybody to call a path, and denies it where a condition holds.
func (s *swagger) allowUnless(operator string, condition, path, stage *value) {
	resources := s.invocations(path, stage)
	statement := func(effect string) *value {
		return tableOf("Effect", effect, "Action", "execute-api:Invoke", "Resource", resources, "Principal", "*")
	}
	deny := statement("Deny")
	deny.set("Condition", object(operator, condition))
	s.version()
	if s.policy.get("Statement").isNone() {
		s.policy.set("Statement", list())
	}
	s.addStatements(statement("Allow"), deny)
}

func (s *swagger) allowNetworks(policy *value, which, operator string, path, stage *value) {
	literal := policy.given("SourceVpc" + which)
	if literal != nil {
		for _, v := range asList(literal).items {
			if !v.isString() {
				failDocument(templateCause("SourceVpc%s must be a list of strings. Use IntrinsicVpc%s instead for values that use Intrinsic Functions",
					which, which))
			}
		}
	}
	networks, endpoints := list(), list()
	if literal != nil {
		for _, v := range asList(literal).items {
			switch {
			case strings.HasPrefix(v.text, "vpce-"):
				endpoints.append(v)
			case strings.HasPrefix(v.text, "vpc-"):
				networks.append(v)
			}
		}
	}
	networks = concat(networks, policy.given("IntrinsicVpc"+which))
	endpoints = concat(endpoints, policy.given("IntrinsicVpce"+which))
	condition := newTable()
	for _, c := range []struct {
		key string
		ids *value
	}{{"aws:SourceVpc", networks}, {"aws:SourceVpce", endpoints}} {
		if len(c.ids.items) > 0 {
			condition.set(c.key, c.ids)
		}
	}
	if condition.len() > 0 {
		s.allowUnless(operator, condition, path, stage)
	}
}
