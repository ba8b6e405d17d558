package rules

var s3BucketDefaultLockEnabled = Rule{
	Name: "s3-bucket-default-lock-enabled", Identifier: "S3_BUCKET_DEFAULT_LOCK_ENABLED", Source: Managed,
	Summary: "object lock is on (in the given mode)",
	Remedy:  "set ObjectLockEnabled to true (this replaces the bucket)",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "mode", Allowed: []string{"GOVERNANCE", "COMPLIANCE"}, About: "the retention mode that must be the default"},
	},
	judge:    judgeS3BucketDefaultLockEnabled,
	registry: &registryReading{judge: func(s *subject) Verdict { return s.wantTrue("ObjectLockEnabled") }, alias: "S3_BUCKET_DEFAULT_LOCK_ENABLE"},
}

func judgeS3BucketDefaultLockEnabled(s *subject) Verdict {
	v := s.wantTrue("ObjectLockEnabled")
	if a := s.arg("mode"); a.set && v.Compliance == Compliant {
		return s.wantOneOf("ObjectLockConfiguration.Rule.DefaultRetention.Mode", a.text)
	}
	return v
}
