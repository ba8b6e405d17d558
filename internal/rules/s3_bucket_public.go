package rules

import (
	"strings"

	"evo/internal/rules/policy"
)

// access is one way to use a bucket, as bucket policies and ACLs word it.
type access struct {
	verb    string
	actions []string // patterns, in lower case
	acls    []string // canned ACLs that let everybody, or everybody with an AWS account, do it
	grants  []string // permissions in ACLs that let those do it whom they are granted to
}

var (
	reading = access{"read", []string{"s3:get*", "s3:list*"}, []string{"PublicRead", "PublicReadWrite", "AuthenticatedRead"}, []string{"READ", "READ_ACP", "FULL_CONTROL"}}
	writing = access{"write", []string{"s3:put*", "s3:delete*", "s3:create*", "s3:abort*", "s3:restore*", "s3:replicate*", "s3:update*",
		"s3:bypass*", "s3:initiate*", "s3:objectowneroverridetobucketowner", "s3:tag*", "s3:untag*"}, []string{"PublicReadWrite"}, []string{"WRITE", "WRITE_ACP", "FULL_CONTROL"}}
)

var bucketPolicies = []string{"AWS::S3::BucketPolicy"}

// wantNotPublic is the logic of the two public access rules: neither the bucket's policy nor its ACL lets the public in, unless
// the bucket's own Block Public Access takes that away. Of its four flags RestrictPublicBuckets and IgnorePublicAcls do so; the
// other two only refuse later changes.
func (s *subject) wantNotPublic(a access) Verdict {
	byPolicy := s.wantNoPublicPolicy(a)
	byACL := s.wantNoPublicACL(a)
	if byACL.Compliance > byPolicy.Compliance {
		return byACL
	}
	return byPolicy
}

func (s *subject) wantNoPublicPolicy(a access) Verdict {
	restricted := s.at("PublicAccessBlockConfiguration.RestrictPublicBuckets")
	blocked := restricted.isTrue()
	if blocked == yes {
		return compliant(restricted)
	}
	if public := s.supplementary("PolicyIsPublic"); public.node != nil && public.isTrue() == no {
		return compliantBecause(public, "S3 finds nothing public in the bucket's policy")
	}
	v := s.wantNone(s.policies(bucketPolicies...), "lets everyone "+a.verb, func(st policy.Statement) truth {
		return st.Public(s.isResource, a.actions...)
	})
	if v.Compliance == Compliant {
		if it := s.mayHave(bucketPolicies...); it != nil {
			return s.unresolvedTarget(it)
		}
	}
	if v.Compliance == NonCompliant && blocked == unknown {
		return unresolved(restricted)
	}
	return v
}

func (s *subject) wantNoPublicACL(a access) Verdict {
	acl, public := s.publicACL(a)
	if public == no {
		return compliant(acl)
	}
	ignored := s.at("PublicAccessBlockConfiguration.IgnorePublicAcls")
	switch max(ignored.isTrue(), s.aclsDisabled()) {
	case yes:
		return compliantBecause(acl, acl.path+" "+acl.shown()+", and public ACLs have no effect")
	case unknown:
		return unresolved(ignored)
	}
	return verdictOf(public.Not(), acl, "which lets everyone "+a.verb)
}

// publicACL tells whether the bucket's ACL lets the public do something, and by what: the grants where they are known, else the canned ACL,
// which may stand for fewer or more than there are.
func (s *subject) publicACL(a access) (property, truth) {
	grants := s.supplementary("Grants")
	if grants.node == nil {
		acl := s.at("AccessControl")
		return acl, acl.oneOf(a.acls...)
	}
	for i := range grants.len() {
		g := grants.item(i)
		if min(g.in("Grantee").oneOf("AllUsers", "AuthenticatedUsers"), g.in("Permission").oneOf(a.grants...)) == yes {
			granted := g.in("Permission")
			granted.path = "AccessControl's grant to " + g.in("Grantee").node.Str()
			return granted, yes
		}
	}
	return s.at("AccessControl"), no
}

// aclsDisabled tells whether the bucket's owner owns everything in it, so that ACLs have no effect.
func (s *subject) aclsDisabled() truth {
	rules := s.at("OwnershipControls.Rules")
	disabled := no
	for i := range rules.len() {
		rule := rules.item(i)
		if !rule.open {
			rule = rule.in("ObjectOwnership")
		}
		disabled = max(disabled, rule.oneOf("BucketOwnerEnforced"))
	}
	return disabled
}

// wantBlocked is how the registry reads the rules about public access: all four flags are on.
func (s *subject) wantBlocked() Verdict {
	for _, flag := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if v := s.wantTrue("PublicAccessBlockConfiguration." + flag); v.Compliance != Compliant {
			return v
		}
	}
	return compliantBecause(s.at("PublicAccessBlockConfiguration"), "all four settings of PublicAccessBlockConfiguration are on")
}

// bucketName is the text of the subject's name, or the reference by which others write it.
func (s *subject) bucketName() string {
	name, ok := s.name()
	if name != "" && ok {
		return string(name)
	}
	return mark + s.ID + mark
}

// asARN brings a resource that a policy names into the form in which the bucket's own ARN is arn:aws:s3:::NAME.
func (s *subject) asARN(text string) string {
	name := s.bucketName()
	text = strings.ReplaceAll(text, mark+s.ID+".Arn"+mark, "arn:aws:s3:::"+name)
	text = strings.ReplaceAll(text, mark+s.ID+mark, name)
	for _, partition := range []string{mark + "AWS.Partition" + mark, "aws-cn", "aws-us-gov"} {
		if rest, ok := strings.CutPrefix(text, "arn:"+partition+":"); ok {
			return "arn:aws:" + rest
		}
	}
	return text
}
