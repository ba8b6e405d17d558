package rules

var s3BucketReplicationEnabled = Rule{
	Name: "s3-bucket-replication-enabled", Identifier: "S3_BUCKET_REPLICATION_ENABLED", Source: Managed,
	Summary: "objects are replicated to another bucket, and every replication rule is enabled",
	Remedy:  "add ReplicationConfiguration with a Role and Rules whose Status is Enabled; versioning must be on in both buckets",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{{Name: "ReplicationType", Allowed: []string{"CROSS-REGION", "SAME-REGION"}, About: "where all replicas must be"}},
	judge:      judgeS3BucketReplicationEnabled,
	registry:   &registryReading{judge: func(s *subject) Verdict { return s.wantSet("ReplicationConfiguration") }},
}

func judgeS3BucketReplicationEnabled(s *subject) Verdict {
	rules := s.at("ReplicationConfiguration.Rules")
	switch {
	case rules.open:
		return unresolved(rules)
	case rules.len() == 0:
		return nonCompliant(rules, "")
	}
	for i := range rules.len() {
		rule := rules.item(i)
		if rule.open {
			return unresolved(rule)
		}
		status := rule.in("Status")
		if v := verdictOf(status.oneOf("Enabled"), status, "should be Enabled"); v.Compliance != Compliant {
			return v
		}
	}
	if want := s.arg("ReplicationType"); want.set {
		return s.wantReplicas(rules, want.text == "CROSS-REGION")
	}
	return compliantBecause(rules, "every replication rule is enabled")
}

// wantReplicas asks where the destination buckets are. One in the same template is in the same region; of others only a live
// account knows.
func (s *subject) wantReplicas(rules property, cross bool) Verdict {
	regions := s.supplementary("ReplicationRegions")
	for i := range rules.len() {
		bucket := rules.item(i).in("Destination.Bucket")
		here := unknown
		if target, _ := s.set.target(bucket.node, []string{"AWS::S3::Bucket"}); target != nil && target.ID != s.ID {
			here = yes
		} else if regions.node.Is(cfnList) && i < regions.len() && s.set.Region != "" {
			here = regions.item(i).oneOf(s.set.Region)
		}
		switch {
		case here == unknown:
			return unknownFact("the region of " + bucket.path)
		case here == yes && cross:
			return nonCompliantBecause(bucket, bucket.path+" is in the same region")
		case here == no && !cross:
			return nonCompliantBecause(bucket, bucket.path+" is in another region")
		}
	}
	return compliantBecause(rules, "every replication rule is enabled, to the right region")
}
