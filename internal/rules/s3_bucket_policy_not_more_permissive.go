package rules

import (
	"evo/internal/cfn"
	"evo/internal/rules/policy"
)

var s3BucketPolicyNotMorePermissive = Rule{
	Name: "s3-bucket-policy-not-more-permissive", Identifier: "S3_BUCKET_POLICY_NOT_MORE_PERMISSIVE", Source: Managed,
	Summary: "the bucket's policy allows no more than the control policy",
	Remedy:  "take out of the bucket policy what the control policy does not allow",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "controlPolicy", Required: true, About: "a policy document, as JSON"},
	},
	judge: judgeS3BucketPolicyNotMorePermissive,
}

func judgeS3BucketPolicyNotMorePermissive(s *subject) Verdict {
	control := policy.Document(cfn.Str(s.arg("controlPolicy").text))
	v := s.wantNone(s.policies(bucketPolicies...), "allows more than the control policy", func(st policy.Statement) truth {
		allows := st.Allows()
		if allows == no {
			return no
		}
		within := no
		policy.Statements(control, func(_ int, c policy.Statement) bool {
			if c.Allows() == yes {
				within = max(within, st.Within(c))
			}
			return within != yes
		})
		return min(allows, within.Not())
	})
	if it := s.mayHave(bucketPolicies...); it != nil && v.Compliance == Compliant {
		return s.unresolvedTarget(it)
	}
	return v
}
