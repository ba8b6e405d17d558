package shape

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
)

const bucketType = "AWS::S3::Bucket"

// Encryption is a bucket's BucketEncryption.
func Encryption(c *types.ServerSideEncryptionConfiguration) *cfn.Node {
	return Property(bucketType, "BucketEncryption", c, map[string]string{
		"BucketEncryption.ServerSideEncryptionConfiguration":                               "Rules",
		"BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
	})
}

// Logging is a bucket's LoggingConfiguration.
func Logging(l *types.LoggingEnabled) *cfn.Node {
	return Property(bucketType, "LoggingConfiguration", l, map[string]string{
		"LoggingConfiguration.DestinationBucketName": "TargetBucket",
		"LoggingConfiguration.LogFilePrefix":         "TargetPrefix",
	})
}

// Replication is a bucket's ReplicationConfiguration.
func Replication(c *types.ReplicationConfiguration) *cfn.Node {
	return Property(bucketType, "ReplicationConfiguration", c, map[string]string{
		"ReplicationConfiguration.Rules.Filter.TagFilter":      "Tag",
		"ReplicationConfiguration.Rules.Filter.And.TagFilters": "Tags",
	})
}

// CORS is a bucket's CorsConfiguration.
func CORS(rules []types.CORSRule) *cfn.Node {
	return Property(bucketType, "CorsConfiguration", types.CORSConfiguration{CORSRules: rules}, map[string]string{
		"CorsConfiguration.CorsRules": "CORSRules", "CorsConfiguration.CorsRules.ExposedHeaders": "ExposeHeaders",
		"CorsConfiguration.CorsRules.MaxAge": "MaxAgeSeconds",
	})
}

// Website is a bucket's WebsiteConfiguration.
func Website(c types.WebsiteConfiguration) *cfn.Node {
	n := Property(bucketType, "WebsiteConfiguration", c, map[string]string{
		"WebsiteConfiguration.IndexDocument": "-", "WebsiteConfiguration.ErrorDocument": "-",
		"WebsiteConfiguration.RoutingRules.RedirectRule": "Redirect", "WebsiteConfiguration.RoutingRules.RoutingRuleCondition": "Condition",
	})
	if n == nil {
		n = cfn.Obj()
	}
	if c.IndexDocument != nil {
		n.Set("IndexDocument", cfn.Str(text(c.IndexDocument.Suffix)))
	}
	if c.ErrorDocument != nil {
		n.Set("ErrorDocument", cfn.Str(text(c.ErrorDocument.Key)))
	}
	return n
}

// Lifecycle is a bucket's LifecycleConfiguration.
func Lifecycle(rules []types.LifecycleRule) *cfn.Node {
	n := Property(bucketType, "LifecycleConfiguration", types.BucketLifecycleConfiguration{Rules: rules}, map[string]string{
		"LifecycleConfiguration.Rules.Transitions.TransitionInDays":                  "Days",
		"LifecycleConfiguration.Rules.Transitions.TransitionDate":                    "Date",
		"LifecycleConfiguration.Rules.NoncurrentVersionTransitions.TransitionInDays": "NoncurrentDays",
	})
	for i, rule := range rules {
		flatten(n.Get("Rules").Items[i], rule)
	}
	return n
}

// flatten adds what the API nests and CloudFormation does not.
func flatten(n *cfn.Node, rule types.LifecycleRule) {
	if e := rule.Expiration; e != nil {
		if e.Days != nil {
			n.Set("ExpirationInDays", cfn.Integer(int64(*e.Days)))
		}
		if e.Date != nil {
			n.Set("ExpirationDate", cfn.Str(e.Date.UTC().Format(time.RFC3339)))
		}
		if e.ExpiredObjectDeleteMarker != nil && *e.ExpiredObjectDeleteMarker {
			n.Set("ExpiredObjectDeleteMarker", cfn.Boolean(true))
		}
	}
	f := rule.Filter
	if f == nil {
		return
	}
	all := types.LifecycleRuleAndOperator{Prefix: f.Prefix, ObjectSizeGreaterThan: f.ObjectSizeGreaterThan, ObjectSizeLessThan: f.ObjectSizeLessThan}
	if f.Tag != nil {
		all.Tags = []types.Tag{*f.Tag}
	}
	if f.And != nil {
		all = *f.And
	}
	if prefix := text(all.Prefix); prefix != "" {
		n.Set("Prefix", cfn.Str(prefix))
	}
	if all.ObjectSizeGreaterThan != nil {
		n.Set("ObjectSizeGreaterThan", cfn.Integer(*all.ObjectSizeGreaterThan))
	}
	if all.ObjectSizeLessThan != nil {
		n.Set("ObjectSizeLessThan", cfn.Integer(*all.ObjectSizeLessThan))
	}
	if t := Property(bucketType, "Tags", all.Tags, nil); t != nil {
		n.Set("TagFilters", t)
	}
}

// Grants are an ACL's grants but for the owner's: whom rules ask about. A group is named by the end of its URI.
func Grants(acl []types.Grant, owner *types.Owner) *cfn.Node {
	grants := cfn.Arr()
	for _, g := range acl {
		if g.Grantee == nil || g.Grantee.ID != nil && owner != nil && *g.Grantee.ID == text(owner.ID) {
			continue
		}
		to := cmp.Or(text(g.Grantee.URI), text(g.Grantee.ID))
		to = to[strings.LastIndexByte(to, '/')+1:]
		grants.Items = append(grants.Items, cfn.Obj(cfn.P("Grantee", cfn.Str(to)), cfn.P("Permission", cfn.Str(string(g.Permission)))))
	}
	return grants
}

// AccessControl is the canned ACL whose grants to groups come nearest, and never less open.
func AccessControl(grants []types.Grant) string {
	granted := func(group string, permissions ...types.Permission) bool {
		return slices.ContainsFunc(grants, func(g types.Grant) bool {
			return g.Grantee != nil && strings.HasSuffix(text(g.Grantee.URI), "/"+group) &&
				(len(permissions) == 0 || slices.Contains(permissions, g.Permission))
		})
	}
	change := []types.Permission{types.PermissionWrite, types.PermissionFullControl, types.PermissionWriteAcp}
	switch {
	case granted("AllUsers", change...), granted("AuthenticatedUsers", change...):
		return "PublicReadWrite"
	case granted("AllUsers"):
		return "PublicRead"
	case granted("AuthenticatedUsers"):
		return "AuthenticatedRead"
	case granted("LogDelivery"):
		return "LogDeliveryWrite"
	}
	return "Private"
}

// text is what p points to, "" if that is nothing.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
