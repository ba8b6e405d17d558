package rules

import (
	"strings"

	"evo/internal/rules/policy"
	"evo/internal/rules/value"
)

var s3BucketBlacklistedActionsProhibited = Rule{
	Name: "s3-bucket-blacklisted-actions-prohibited", Identifier: "S3_BUCKET_BLACKLISTED_ACTIONS_PROHIBITED", Source: Managed,
	Summary: "the bucket's policy allows none of the given actions to other accounts",
	Remedy:  "take the actions out of the bucket policy, or the principals of other accounts",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "blacklistedActionPattern", Kind: CSVParameter, Required: true, About: "actions, with wildcards"},
	},
	judge: judgeS3BucketBlacklistedActionsProhibited,
}

func judgeS3BucketBlacklistedActionsProhibited(s *subject) Verdict {
	patterns := s.arg("blacklistedActionPattern").words
	v := s.wantNone(s.policies(bucketPolicies...), "allows another account a forbidden action", func(st policy.Statement) truth {
		t := min(st.Allows(), st.Reaches(patterns...))
		if t == no {
			return no
		}
		return min(t, s.forOtherAccount(st))
	})
	if it := s.mayHave(bucketPolicies...); it != nil && v.Compliance == Compliant {
		return s.unresolvedTarget(it)
	}
	return v
}

// forOtherAccount tells whether a statement's principals are, or may be, those of another account than the bucket's.
func (s *subject) forOtherAccount(st policy.Statement) truth {
	if st.Everyone(s.isResource) == yes {
		return yes
	}
	own, _ := s.fact("AccountId").text()
	worst := no
	principal := st.Node.Get("Principal")
	if isOpen(principal) {
		return unknown
	}
	names := property{node: principal.Get("AWS")}
	for i := range names.len() {
		text, ok := value.Of(names.item(i).node)
		resource := false
		text.References(func(name, attr string) bool {
			resource = s.isResource(name) || name == "AWS" && attr == "AccountId"
			return !resource
		})
		switch {
		case resource, own != "" && strings.Contains(string(text), own):
		case !ok || own == "" || !text.Literal():
			worst = max(worst, unknown)
		default:
			worst = yes
		}
	}
	return worst
}
