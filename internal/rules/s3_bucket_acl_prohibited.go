package rules

var s3BucketACLProhibited = Rule{
	Name: "s3-bucket-acl-prohibited", Identifier: "S3_BUCKET_ACL_PROHIBITED", Source: Managed,
	Summary: "nobody gets access by ACL",
	Remedy:  "set OwnershipControls.Rules to ObjectOwnership: BucketOwnerEnforced and drop AccessControl",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	judge: judgeS3BucketACLProhibited,
}

// A bucket's ACL is private if AccessControl is not set; log delivery and EC2's bundle reading are grants to AWS, not to users.
func judgeS3BucketACLProhibited(s *subject) Verdict {
	acl := s.at("AccessControl")
	if acl.node == nil || s.aclsDisabled() == yes {
		return compliantBecause(acl, "AccessControl "+acl.shown()+", and nobody gets access by ACL")
	}
	grants := s.supplementary("Grants")
	for i := range grants.len() {
		if to := grants.item(i).in("Grantee"); to.oneOf("LogDelivery") == no {
			to.path = "AccessControl's grantee"
			return nonCompliant(to, "which gets access by ACL")
		}
	}
	if grants.node != nil {
		return compliantBecause(acl, "AccessControl "+acl.shown()+", and nobody gets access by ACL")
	}
	return verdictOf(acl.oneOf("Private", "LogDeliveryWrite", "AwsExecRead"), acl, "which gives access by ACL")
}
