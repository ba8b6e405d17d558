package inventory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
)

const (
	bucketType       = "AWS::S3::Bucket"
	bucketPolicyType = "AWS::S3::BucketPolicy"
)

var onBucket = []string{"arn:${AWS::Partition}:s3:::${@}"}

var bucketParts = []part{
	{gives: []string{"BucketEncryption"}, actions: []string{"s3:GetEncryptionConfiguration"}, on: onBucket, read: readBucketEncryption},
	{gives: []string{"VersioningConfiguration"}, actions: []string{"s3:GetBucketVersioning"}, on: onBucket, read: readBucketVersioning, exists: true},
	{gives: []string{"PublicAccessBlockConfiguration"}, actions: []string{"s3:GetBucketPublicAccessBlock"}, on: onBucket, read: readPublicAccessBlock},
	{gives: []string{"AccessControl"}, actions: []string{"s3:GetBucketAcl"}, on: onBucket, read: readBucketACL},
	{gives: []string{"LoggingConfiguration"}, actions: []string{"s3:GetBucketLogging"}, on: onBucket, read: readBucketLogging},
	{gives: []string{"ReplicationConfiguration"}, actions: []string{"s3:GetReplicationConfiguration"}, on: onBucket, read: readBucketReplication},
	{gives: []string{"LifecycleConfiguration"}, actions: []string{"s3:GetLifecycleConfiguration"}, on: onBucket, read: readBucketLifecycle},
	{gives: []string{"OwnershipControls"}, actions: []string{"s3:GetBucketOwnershipControls"}, on: onBucket, read: readBucketOwnership},
	{gives: []string{"ObjectLockEnabled", "ObjectLockConfiguration"}, actions: []string{"s3:GetBucketObjectLockConfiguration"}, on: onBucket, read: readObjectLock},
	{gives: []string{"CorsConfiguration"}, actions: []string{"s3:GetBucketCORS"}, on: onBucket, read: readBucketCORS},
	{gives: []string{"WebsiteConfiguration"}, actions: []string{"s3:GetBucketWebsite"}, on: onBucket, read: readBucketWebsite},
	{gives: []string{"Tags"}, actions: []string{"s3:GetBucketTagging"}, on: onBucket, read: readBucketTags},
	{actions: []string{"s3:GetBucketPolicyStatus"}, on: onBucket, read: readPolicyStatus},
	{actions: []string{"s3:GetBucketPolicy"}, on: onBucket, wanted: (*run).lacksPolicy, read: readForeignPolicy, beside: unknownPolicy},
}

var bucketPolicyParts = []part{
	{gives: []string{"PolicyDocument"}, actions: []string{"s3:GetBucketPolicy"}, on: []string{"arn:${AWS::Partition}:s3:::${.Bucket}"}, exists: true, read: readBucketPolicy},
}

// given is an answer of one property; none if it is nil.
func given(name string, n *cfn.Node) answer {
	out := cfn.Obj()
	if n != nil {
		out.Set(name, n)
	}
	return answer{properties: out}
}

func readBucketEncryption(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("BucketEncryption", property(bucketType, "BucketEncryption", out.ServerSideEncryptionConfiguration, map[string]string{
		"BucketEncryption.ServerSideEncryptionConfiguration":                               "Rules",
		"BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
	})), nil
}

func readBucketVersioning(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	a := given("VersioningConfiguration", property(bucketType, "VersioningConfiguration", out, nil))
	a.supplementary = cfn.Obj(cfn.P("MFADelete", cfn.Boolean(out.MFADelete == types.MFADeleteStatusEnabled)))
	return a, nil
}

func readPublicAccessBlock(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("PublicAccessBlockConfiguration", property(bucketType, "PublicAccessBlockConfiguration", out.PublicAccessBlockConfiguration, nil)), nil
}

func readBucketACL(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	a := given("AccessControl", cfn.Str(accessControl(out.Grants)))
	a.supplementary = cfn.Obj(cfn.P("Grants", grantsToOthers(out)))
	return a, nil
}

// grantsToOthers are the ACL's grants but for the owner's: whom rules ask about. A group is named by the end of its URI.
func grantsToOthers(acl *s3.GetBucketAclOutput) *cfn.Node {
	grants := cfn.Arr()
	for _, g := range acl.Grants {
		if g.Grantee == nil || g.Grantee.ID != nil && acl.Owner != nil && *g.Grantee.ID == aws.ToString(acl.Owner.ID) {
			continue
		}
		to := cmp.Or(aws.ToString(g.Grantee.URI), aws.ToString(g.Grantee.ID))
		to = to[strings.LastIndexByte(to, '/')+1:]
		grants.Items = append(grants.Items, cfn.Obj(cfn.P("Grantee", cfn.Str(to)), cfn.P("Permission", cfn.Str(string(g.Permission)))))
	}
	return grants
}

// accessControl is the canned ACL whose grants to groups come nearest, and never less open. The grants themselves are in Supplementary.
func accessControl(grants []types.Grant) string {
	granted := func(group string, permissions ...types.Permission) bool {
		return slices.ContainsFunc(grants, func(g types.Grant) bool {
			return g.Grantee != nil && strings.HasSuffix(aws.ToString(g.Grantee.URI), "/"+group) &&
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

func readBucketLogging(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &it.PhysicalID})
	if err != nil || out.LoggingEnabled == nil {
		return answer{}, err
	}
	return given("LoggingConfiguration", property(bucketType, "LoggingConfiguration", out.LoggingEnabled, map[string]string{
		"LoggingConfiguration.DestinationBucketName": "TargetBucket",
		"LoggingConfiguration.LogFilePrefix":         "TargetPrefix",
	})), nil
}

func readBucketReplication(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("ReplicationConfiguration", property(bucketType, "ReplicationConfiguration", out.ReplicationConfiguration, map[string]string{
		"ReplicationConfiguration.Rules.Filter.TagFilter":      "Tag",
		"ReplicationConfiguration.Rules.Filter.And.TagFilters": "Tags",
	})), nil
}

func readBucketLifecycle(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &it.PhysicalID})
	if err != nil || len(out.Rules) == 0 {
		return answer{}, err
	}
	n := property(bucketType, "LifecycleConfiguration", out, map[string]string{
		"LifecycleConfiguration.Rules.Transitions.TransitionInDays":                  "Days",
		"LifecycleConfiguration.Rules.Transitions.TransitionDate":                    "Date",
		"LifecycleConfiguration.Rules.NoncurrentVersionTransitions.TransitionInDays": "NoncurrentDays",
	})
	for i, rule := range out.Rules {
		flatten(n.Get("Rules").Items[i], rule)
	}
	return given("LifecycleConfiguration", n), nil
}

// flatten adds what the API nests and CloudFormation does not.
func flatten(n *cfn.Node, rule types.LifecycleRule) {
	if e := rule.Expiration; e != nil {
		if e.Days != nil {
			n.Set("ExpirationInDays", cfn.Integer(int64(*e.Days)))
		}
		if e.Date != nil {
			n.Set("ExpirationDate", cfn.Str(e.Date.UTC().Format("2006-01-02T15:04:05Z")))
		}
		if aws.ToBool(e.ExpiredObjectDeleteMarker) {
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
	if prefix := aws.ToString(all.Prefix); prefix != "" {
		n.Set("Prefix", cfn.Str(prefix))
	}
	if all.ObjectSizeGreaterThan != nil {
		n.Set("ObjectSizeGreaterThan", cfn.Integer(*all.ObjectSizeGreaterThan))
	}
	if all.ObjectSizeLessThan != nil {
		n.Set("ObjectSizeLessThan", cfn.Integer(*all.ObjectSizeLessThan))
	}
	if t := property(bucketType, "Tags", all.Tags, nil); t != nil {
		n.Set("TagFilters", t)
	}
}

func readBucketOwnership(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("OwnershipControls", property(bucketType, "OwnershipControls", out.OwnershipControls, nil)), nil
}

func readObjectLock(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &it.PhysicalID})
	if err != nil || out.ObjectLockConfiguration == nil {
		return answer{}, err
	}
	a := given("ObjectLockConfiguration", property(bucketType, "ObjectLockConfiguration", out.ObjectLockConfiguration, nil))
	a.properties.Set("ObjectLockEnabled", cfn.Boolean(out.ObjectLockConfiguration.ObjectLockEnabled == types.ObjectLockEnabledEnabled))
	return a, nil
}

func readBucketCORS(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("CorsConfiguration", property(bucketType, "CorsConfiguration", out, map[string]string{
		"CorsConfiguration.CorsRules": "CORSRules", "CorsConfiguration.CorsRules.ExposedHeaders": "ExposeHeaders",
		"CorsConfiguration.CorsRules.MaxAge": "MaxAgeSeconds",
	})), nil
}

func readBucketWebsite(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := property(bucketType, "WebsiteConfiguration", out, map[string]string{
		"WebsiteConfiguration.IndexDocument": "-", "WebsiteConfiguration.ErrorDocument": "-",
		"WebsiteConfiguration.RoutingRules.RedirectRule": "Redirect", "WebsiteConfiguration.RoutingRules.RoutingRuleCondition": "Condition",
	})
	if n == nil {
		n = cfn.Obj()
	}
	if out.IndexDocument != nil {
		n.Set("IndexDocument", cfn.Str(aws.ToString(out.IndexDocument.Suffix)))
	}
	if out.ErrorDocument != nil {
		n.Set("ErrorDocument", cfn.Str(aws.ToString(out.ErrorDocument.Key)))
	}
	return given("WebsiteConfiguration", n), nil
}

func readBucketTags(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("Tags", tags(bucketType, "Tags", out.TagSet)), nil
}

func readBucketPolicy(ctx context.Context, now *run, it *Item) (answer, error) {
	bucket := it.text("Bucket")
	if bucket == "" {
		return answer{}, errUnnamed
	}
	out, err := now.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
	if err != nil {
		return answer{}, err
	}
	return given("PolicyDocument", document(aws.ToString(out.Policy))), nil
}

// readPolicyStatus asks S3 what it makes of the policy, whose conditions it knows best.
func readPolicyStatus(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: &it.PhysicalID})
	if err != nil || out.PolicyStatus == nil || out.PolicyStatus.IsPublic == nil {
		return answer{}, err
	}
	return answer{supplementary: cfn.Obj(cfn.P("PolicyIsPublic", cfn.Boolean(*out.PolicyStatus.IsPublic)))}, nil
}

// lacksPolicy reports that no item is the bucket's policy.
func (now *run) lacksPolicy(it *Item) bool {
	return !slices.ContainsFunc(now.items, func(p *Item) bool { return p.Type == bucketPolicyType && p.text("Bucket") == it.PhysicalID })
}

func readForeignPolicy(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return answer{beside: policyBeside(it, document(aws.ToString(out.Policy)))}, nil
}

func policyBeside(it *Item, policy *cfn.Node) []*Item {
	return []*Item{{ID: it.ID + "/Policy", Type: bucketPolicyType, PhysicalID: it.PhysicalID, Read: []string{"PolicyDocument"},
		Properties: cfn.Obj(cfn.P("Bucket", cfn.Str(it.PhysicalID)), cfn.P("PolicyDocument", policy))}}
}

func unknownPolicy(it *Item, reason string) []*Item { return policyBeside(it, Unknown(reason)) }
