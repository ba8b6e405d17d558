package s3

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// grant is one line of an access control list: to a user by canonical id, or to a group by URI.
type grant struct {
	ID         string           `json:"id,omitempty"`
	URI        string           `json:"uri,omitempty"`
	Permission types.Permission `json:"perm"`
}

const (
	allUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	logDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

var ownersGrant = grant{ID: owner, Permission: types.PermissionFullControl}

// cannedACLs are the grants that a canned ACL adds to the owner's, by name.
type cannedACLs map[string][]grant

var (
	bucketACLs = cannedACLs{
		"private":            nil,
		"public-read":        {{URI: allUsers, Permission: types.PermissionRead}},
		"public-read-write":  {{URI: allUsers, Permission: types.PermissionRead}, {URI: allUsers, Permission: types.PermissionWrite}},
		"authenticated-read": {{URI: authenticatedUsers, Permission: types.PermissionRead}},
		"log-delivery-write": {{URI: logDelivery, Permission: types.PermissionWrite}, {URI: logDelivery, Permission: types.PermissionReadAcp}},
		// These name the bucket's owner, who is the object's too.
		"aws-exec-read":             nil,
		"bucket-owner-read":         nil,
		"bucket-owner-full-control": nil,
	}
	objectACLs = bucketACLs
)

// aclHeaders are a request's headers of access control.
type aclHeaders struct {
	canned                                      string
	fullControl, read, readACP, write, writeACP *string
}

func (h aclHeaders) granting() bool {
	return h.fullControl != nil || h.read != nil || h.readACP != nil || h.write != nil || h.writeACP != nil
}

func (h aclHeaders) none() bool { return h.canned == "" && !h.granting() }

// grants returns what the headers grant; nil: all to the owner, nothing to others.
func (h aclHeaders) grants(known cannedACLs) ([]grant, error) {
	if h.canned != "" && h.granting() {
		return nil, invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
	}
	if h.canned != "" {
		extra, ok := known[h.canned]
		if !ok {
			return nil, invalidArgument("x-amz-acl", h.canned, "")
		}
		if extra == nil {
			return nil, nil
		}
		return append([]grant{ownersGrant}, extra...), nil
	}
	var all []grant
	for _, g := range []struct {
		name       string
		value      *string
		permission types.Permission
	}{
		{"x-amz-grant-full-control", h.fullControl, types.PermissionFullControl},
		{"x-amz-grant-read", h.read, types.PermissionRead},
		{"x-amz-grant-read-acp", h.readACP, types.PermissionReadAcp},
		{"x-amz-grant-write", h.write, types.PermissionWrite},
		{"x-amz-grant-write-acp", h.writeACP, types.PermissionWriteAcp},
	} {
		if g.value == nil {
			continue
		}
		more, err := parseGrants(g.name, *g.value, g.permission)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// parseGrants reads a header like: id="…", uri="…".
func parseGrants(header, value string, permission types.Permission) ([]grant, error) {
	var grants []grant
	for item := range strings.SplitSeq(value, ",") {
		kind, who, ok := strings.Cut(strings.TrimSpace(item), "=")
		who = strings.Trim(who, `"`)
		if !ok {
			return nil, invalidArgument(header, value, "Argument format not recognized")
		}
		g := grant{Permission: permission}
		switch strings.ToLower(kind) {
		case "id":
			g.ID = who
		case "uri":
			g.URI = who
		case "emailaddress":
			return nil, failure(400, "UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record.")
		default:
			return nil, invalidArgument(header, value, "Argument format not recognized")
		}
		if err := g.check("id", "uri"); err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	return grants, nil
}

var canonicalID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })

// check refuses a grant to nobody that can be; the names are for the error.
func (g grant) check(idName, uriName string) error {
	switch {
	case g.URI != "" && !slices.Contains([]string{allUsers, authenticatedUsers, logDelivery}, g.URI):
		return invalidArgument(uriName, g.URI, "Invalid group uri")
	case g.URI == "" && !canonicalID().MatchString(g.ID):
		return invalidArgument(idName, g.ID, "Invalid id")
	}
	return nil
}

// anyPublic reports whether everybody, or everybody with an account, is granted something.
func anyPublic(grants []grant) bool {
	return slices.ContainsFunc(grants, func(g grant) bool { return g.URI == allUsers || g.URI == authenticatedUsers })
}

// parsePolicy reads the grants of an ACL given as a document.
func parsePolicy(p *types.AccessControlPolicy) ([]grant, error) {
	malformed := failure(400, "MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema")
	if p.Owner == nil || p.Owner.ID == nil {
		return nil, malformed
	}
	if *p.Owner.ID != owner {
		return nil, invalidArgument("CanonicalUser/ID", *p.Owner.ID, "Invalid id")
	}
	grants := []grant{}
	for _, g := range p.Grants {
		if g.Grantee == nil || !slices.Contains(g.Permission.Values(), g.Permission) {
			return nil, malformed
		}
		got := grant{Permission: g.Permission}
		switch g.Grantee.Type {
		case types.TypeCanonicalUser:
			got.ID = aws.ToString(g.Grantee.ID)
		case types.TypeGroup:
			got.URI = aws.ToString(g.Grantee.URI)
		default:
			return nil, malformed
		}
		if got.ID == "" && got.URI == "" {
			return nil, malformed
		}
		if err := got.check("CanonicalUser/ID", "Group/URI"); err != nil {
			return nil, err
		}
		grants = append(grants, got)
	}
	return grants, nil
}

// requested returns the grants of a PutBucketAcl or PutObjectAcl.
func requested(h aclHeaders, p *types.AccessControlPolicy, known cannedACLs) ([]grant, error) {
	switch {
	case p != nil && !h.none():
		return nil, failure(400, "UnexpectedContent", "This request does not support content")
	case p != nil:
		return parsePolicy(p)
	case h.none():
		return nil, failure(400, "MissingSecurityHeader", "Your request was missing a required header", "MissingHeaderName", "x-amz-acl")
	}
	return h.grants(known)
}

// admits checks that a bucket takes an ACL with these grants.
func (b *bucket) admits(h aclHeaders, grants []grant) error {
	if b.Ownership == types.ObjectOwnershipBucketOwnerEnforced && !ownersOnly(h, grants) {
		return failure(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	if b.PublicAccess != nil && aws.ToBool(b.PublicAccess.BlockPublicAcls) && anyPublic(grants) {
		return failure(403, "AccessDenied", "Access Denied")
	}
	return nil
}

// ownersOnly reports whether an ACL says what holds anyway where the bucket's owner owns everything.
func ownersOnly(h aclHeaders, grants []grant) bool {
	if h.canned != "" {
		return h.canned == "bucket-owner-full-control"
	}
	return len(grants) == 1 && grants[0] == ownersGrant
}

// objectACL returns the grants of an object that is written with these headers.
func (b *bucket) objectACL(h aclHeaders) ([]grant, error) {
	if h.none() {
		return nil, nil
	}
	grants, err := h.grants(objectACLs)
	if err != nil {
		return nil, err
	}
	return grants, b.admits(h, grants)
}

// answerGrants returns grants as they are answered.
func answerGrants(grants []grant) []types.Grant {
	if grants == nil {
		grants = []grant{ownersGrant}
	}
	answer := make([]types.Grant, 0, len(grants))
	for _, g := range grants {
		to := &types.Grantee{Type: types.TypeCanonicalUser, ID: optional(g.ID)}
		if g.URI != "" {
			to = &types.Grantee{Type: types.TypeGroup, URI: optional(g.URI)}
		}
		answer = append(answer, types.Grant{Grantee: to, Permission: g.Permission})
	}
	return answer
}

// PutBucketAcl implements the S3 operation.
func (s *Service) PutBucketAcl(ctx context.Context, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	h := aclHeaders{string(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP}
	return edit[s3.PutBucketAclOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) (err error) {
		if b.ACL, err = requested(h, in.AccessControlPolicy, bucketACLs); err != nil {
			return err
		}
		return b.admits(h, b.ACL)
	})
}

// GetBucketAcl implements the S3 operation.
func (s *Service) GetBucketAcl(_ context.Context, in *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketAclOutput{Owner: bucketOwner(), Grants: answerGrants(b.ACL)}, nil
}

// PutObjectAcl implements the S3 operation.
func (s *Service) PutObjectAcl(ctx context.Context, in *s3.PutObjectAclInput) (*s3.PutObjectAclOutput, error) {
	h := aclHeaders{string(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP}
	_, err := s.amend(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, "PUT", func(b *bucket, v *version) (err error) {
		if v.ACL, err = requested(h, in.AccessControlPolicy, objectACLs); err != nil {
			return err
		}
		return b.admits(h, v.ACL)
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectAclOutput{}, nil
}

// GetObjectAcl implements the S3 operation.
func (s *Service) GetObjectAcl(_ context.Context, in *s3.GetObjectAclInput) (out *s3.GetObjectAclOutput, err error) {
	s.db.View(func(tx *store.Tx) {
		var b *bucket
		var v *version
		if b, err = s.lookup(tx, in.Bucket, in.ExpectedBucketOwner); err != nil {
			return
		}
		key := aws.ToString(in.Key)
		if v, err = s.find(tx, b, key, in.VersionId); err != nil {
			return
		}
		switch {
		case v.Marker && in.VersionId == nil:
			err = noSuchKey(key)
		case v.Marker:
			err = methodNotAllowed("GET")
		default:
			out = &s3.GetObjectAclOutput{Owner: bucketOwner(), Grants: answerGrants(v.ACL)}
		}
	})
	return out, err
}
