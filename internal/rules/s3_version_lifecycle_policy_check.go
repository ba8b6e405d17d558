package rules

var s3VersionLifecyclePolicyCheck = Rule{
	Name: "s3-version-lifecycle-policy-check", Identifier: "S3_VERSION_LIFECYCLE_POLICY_CHECK", Source: Managed,
	Summary: "a versioned bucket has an active lifecycle rule",
	Remedy:  "add a LifecycleConfiguration rule with NoncurrentVersionExpiration",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "bucketNames", Kind: CSVParameter, About: "only these buckets are judged"},
	},
	judge: judgeS3VersionLifecyclePolicyCheck,
}

func judgeS3VersionLifecyclePolicyCheck(s *subject) Verdict {
	if name, _ := s.name(); !s.arg("bucketNames").allows(string(name)) {
		return notApplicable(property{span: s.Span}, "only the given buckets are judged")
	}
	versioning := s.at("VersioningConfiguration.Status")
	switch versioning.oneOf("Enabled") {
	case no:
		return notApplicable(versioning, "the bucket is not versioned")
	case unknown:
		return unresolved(versioning)
	}
	rules := s.at("LifecycleConfiguration.Rules")
	if rules.open {
		return unresolved(rules)
	}
	active := no
	for i := range rules.len() {
		rule := rules.item(i)
		if rule.open {
			active = max(active, unknown)
			continue
		}
		active = max(active, rule.in("Status").oneOf("Enabled"))
	}
	switch active {
	case yes:
		return compliantBecause(rules, "the versioned bucket has an active lifecycle rule")
	case unknown:
		return unresolved(rules)
	}
	return nonCompliantBecause(rules, "the bucket is versioned, and LifecycleConfiguration.Rules has no active rule")
}
