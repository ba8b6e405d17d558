package rules

var s3BucketLevelPublicAccessProhibited = Rule{
	Name: "s3-bucket-level-public-access-prohibited", Identifier: "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", Source: Managed,
	Summary: "the bucket's own Block Public Access is on, all four settings of it",
	Remedy:  "set all four flags of PublicAccessBlockConfiguration to true",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "excludedPublicBuckets", Kind: CSVParameter, About: "names of buckets that may be public"},
	},
	judge:    judgeS3BucketLevelPublicAccessProhibited,
	registry: &registryReading{},
}

func judgeS3BucketLevelPublicAccessProhibited(s *subject) Verdict {
	if a := s.arg("excludedPublicBuckets"); a.set {
		if name, ok := s.name(); ok && a.allows(string(name)) {
			return compliantBecause(property{path: "BucketName", span: s.Span}, string(name)+" may be public")
		}
	}
	return s.wantBlocked()
}
