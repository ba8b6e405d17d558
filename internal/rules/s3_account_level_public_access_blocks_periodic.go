package rules

var s3AccountLevelPublicAccessBlocksPeriodic = Rule{
	Name: "s3-account-level-public-access-blocks-periodic", Identifier: "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", Source: Managed,
	Summary: "the account's own Block Public Access is as given",
	Remedy:  "switch Block Public Access on for the account",
	Trigger: Periodic, Scope: Live,
	Parameters: []Parameter{
		{Name: "IgnorePublicAcls", Kind: BooleanParameter, Default: "true", About: "as it must be"},
		{Name: "BlockPublicPolicy", Kind: BooleanParameter, Default: "true", About: "as it must be"},
		{Name: "BlockPublicAcls", Kind: BooleanParameter, Default: "true", About: "as it must be"},
		{Name: "RestrictPublicBuckets", Kind: BooleanParameter, Default: "true", About: "as it must be"},
	},
	judge: judgeS3AccountLevelPublicAccessBlocksPeriodic,
}

func judgeS3AccountLevelPublicAccessBlocksPeriodic(s *subject) Verdict {
	for _, flag := range []string{"IgnorePublicAcls", "BlockPublicPolicy", "BlockPublicAcls", "RestrictPublicBuckets"} {
		p, want := s.fact(flag), s.arg(flag).text
		if p.node == nil {
			return unknownFact("the account's " + flag)
		}
		if is := p.oneOf(want); is != yes {
			return verdictOf(is, p, "should be "+want)
		}
	}
	return compliantBecause(property{}, "the account's Block Public Access is as given")
}
