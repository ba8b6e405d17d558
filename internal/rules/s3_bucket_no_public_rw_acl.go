package rules

import "evo/internal/cfn"

var s3BucketNoPublicRWACL = Rule{
	Name: "s3-bucket-no-public-rw-acl", Identifier: "S3_BUCKET_NO_PUBLIC_RW_ACL", Source: Registry,
	Summary: "the ACL does not let everyone write",
	Remedy:  "drop AccessControl: PublicReadWrite",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	judge:    judgeS3BucketNoPublicRWACL,
	registry: &registryReading{nag: []string{"F14"}, judge: registryS3BucketNoPublicRWACL},
}

func judgeS3BucketNoPublicRWACL(s *subject) Verdict {
	acl := s.at("AccessControl")
	return verdictOf(acl.oneOf("PublicReadWrite").Not(), acl, "which lets everyone write")
}

// registryS3BucketNoPublicRWACL also fails a bucket that does not state its ACL, or refers to it: what Guard cannot compare fails.
func registryS3BucketNoPublicRWACL(s *subject) Verdict {
	if acl := s.at("AccessControl"); !acl.node.Is(cfn.String) || acl.node.Text == "PublicReadWrite" {
		return nonCompliant(acl, "so it may let everyone write")
	}
	return compliant(s.at("AccessControl"))
}
