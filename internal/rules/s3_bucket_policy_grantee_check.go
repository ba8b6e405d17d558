package rules

import (
	"strings"

	"evo/internal/cfn"
	"evo/internal/rules/policy"
)

var s3BucketPolicyGranteeCheck = Rule{
	Name: "s3-bucket-policy-grantee-check", Identifier: "S3_BUCKET_POLICY_GRANTEE_CHECK", Source: Managed,
	Summary: "the bucket's policy lets in none but the given principals and networks",
	Remedy:  "name the principals in the bucket policy that the rule allows",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "awsPrincipals", Kind: CSVParameter, About: "ARNs and accounts"},
		{Name: "servicePrincipals", Kind: CSVParameter, About: "services"},
		{Name: "federatedUsers", Kind: CSVParameter, About: "identity providers"},
		{Name: "ipAddresses", Kind: CSVParameter, About: "CIDR ranges"},
		{Name: "vpcIds", Kind: CSVParameter, About: "VPCs"},
	},
	judge: judgeS3BucketPolicyGranteeCheck,
}

func judgeS3BucketPolicyGranteeCheck(s *subject) Verdict {
	v := s.wantNone(s.policies(bucketPolicies...), "lets in others than the given grantees", func(st policy.Statement) truth {
		allows := st.Allows()
		if allows == no {
			return no
		}
		return min(allows, s.strangers(st), s.fromGiven(st).Not())
	})
	if it := s.mayHave(bucketPolicies...); it != nil && v.Compliance == Compliant {
		return s.unresolvedTarget(it)
	}
	return v
}

// strangers tells whether the statement has a principal that no parameter lists.
func (s *subject) strangers(st policy.Statement) truth {
	principal := st.Node.Get("Principal")
	if isOpen(principal) {
		return unknown
	}
	if !principal.Is(cfn.Map) {
		return yes
	}
	worst := no
	for _, p := range principal.Pairs {
		list := map[string]string{"AWS": "awsPrincipals", "Service": "servicePrincipals", "Federated": "federatedUsers"}[p.Key]
		if list == "" {
			return yes
		}
		a := s.arg(list)
		names := property{node: p.Value}
		for i := range names.len() {
			one := names.item(i)
			if !a.set {
				worst = yes
			}
			worst = max(worst, one.oneOf(a.words...).Not())
		}
	}
	return worst
}

// fromGiven tells whether a condition holds the statement to the given networks.
func (s *subject) fromGiven(st policy.Statement) truth {
	best := no
	st.Conditions(func(c policy.Condition) bool {
		list := map[string]string{"aws:sourceip": "ipAddresses", "aws:sourcevpc": "vpcIds"}[strings.ToLower(c.Key)]
		positive := c.Operator == "IpAddress" || c.Operator == "StringEquals" || c.Operator == "StringLike"
		if list == "" || c.IfExists || !positive || !s.arg(list).set {
			return true
		}
		all := yes
		c.All(func(n *cfn.Node) bool {
			all = min(all, property{node: n, open: isOpen(n)}.oneOf(s.arg(list).words...))
			return true
		})
		best = max(best, all)
		return true
	})
	return best
}
