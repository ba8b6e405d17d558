package inventory

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
	"evo/internal/shape"
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
	return given("BucketEncryption", shape.Encryption(out.ServerSideEncryptionConfiguration)), nil
}

func readBucketVersioning(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	a := given("VersioningConfiguration", shape.Property(bucketType, "VersioningConfiguration", out, nil))
	a.supplementary = cfn.Obj(cfn.P("MFADelete", cfn.Boolean(out.MFADelete == types.MFADeleteStatusEnabled)))
	return a, nil
}

func readPublicAccessBlock(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("PublicAccessBlockConfiguration", shape.Property(bucketType, "PublicAccessBlockConfiguration", out.PublicAccessBlockConfiguration, nil)), nil
}

func readBucketACL(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	a := given("AccessControl", cfn.Str(shape.AccessControl(out.Grants)))
	a.supplementary = cfn.Obj(cfn.P("Grants", shape.Grants(out.Grants, out.Owner)))
	return a, nil
}

func readBucketLogging(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &it.PhysicalID})
	if err != nil || out.LoggingEnabled == nil {
		return answer{}, err
	}
	return given("LoggingConfiguration", shape.Logging(out.LoggingEnabled)), nil
}

func readBucketReplication(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("ReplicationConfiguration", shape.Replication(out.ReplicationConfiguration)), nil
}

func readBucketLifecycle(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &it.PhysicalID})
	if err != nil || len(out.Rules) == 0 {
		return answer{}, err
	}
	return given("LifecycleConfiguration", shape.Lifecycle(out.Rules)), nil
}

func readBucketOwnership(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("OwnershipControls", shape.Property(bucketType, "OwnershipControls", out.OwnershipControls, nil)), nil
}

func readObjectLock(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &it.PhysicalID})
	if err != nil || out.ObjectLockConfiguration == nil {
		return answer{}, err
	}
	a := given("ObjectLockConfiguration", shape.Property(bucketType, "ObjectLockConfiguration", out.ObjectLockConfiguration, nil))
	a.properties.Set("ObjectLockEnabled", cfn.Boolean(out.ObjectLockConfiguration.ObjectLockEnabled == types.ObjectLockEnabledEnabled))
	return a, nil
}

func readBucketCORS(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("CorsConfiguration", shape.CORS(out.CORSRules)), nil
}

func readBucketWebsite(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("WebsiteConfiguration", shape.Website(types.WebsiteConfiguration{IndexDocument: out.IndexDocument, ErrorDocument: out.ErrorDocument,
		RedirectAllRequestsTo: out.RedirectAllRequestsTo, RoutingRules: out.RoutingRules})), nil
}

func readBucketTags(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("Tags", shape.Tags(bucketType, "Tags", out.TagSet)), nil
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
	return given("PolicyDocument", shape.Document(aws.ToString(out.Policy))), nil
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
	return answer{beside: policyBeside(it, shape.Document(aws.ToString(out.Policy)))}, nil
}

func policyBeside(it *Item, policy *cfn.Node) []*Item {
	return []*Item{{ID: it.ID + "/Policy", Type: bucketPolicyType, PhysicalID: it.PhysicalID, Read: []string{"PolicyDocument"},
		Properties: cfn.Obj(cfn.P("Bucket", cfn.Str(it.PhysicalID)), cfn.P("PolicyDocument", policy))}}
}

func unknownPolicy(it *Item, reason string) []*Item { return policyBeside(it, Unknown(reason)) }
