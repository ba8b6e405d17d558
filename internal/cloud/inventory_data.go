package cloud

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
	"evo/internal/cloud/configservice"
	s3svc "evo/internal/cloud/s3"
	"evo/internal/shape"
)

// Buckets, tables and what scales them, for AWS Config.

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

const bucketType = "AWS::S3::Bucket"

func (i inventory) buckets(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(token *string) ([]s3types.Bucket, *string, error) {
		out, err := i.s3.ListBuckets(ctx, &s3.ListBucketsInput{BucketRegion: &i.name, ContinuationToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Buckets, out.ContinuationToken, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(b s3types.Bucket) (configservice.Resource, error) { return i.bucket(ctx, b) })
}

// bucketNamed describes one bucket of the region.
func (i inventory) bucketNamed(ctx context.Context, name string) (configservice.Resource, error) {
	if s3svc.OfAWS(name) {
		return configservice.Resource{}, nil
	}
	head, err := i.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name})
	if err != nil || aws.ToString(head.BucketRegion) != i.name {
		return configservice.Resource{}, err
	}
	return i.bucket(ctx, s3types.Bucket{Name: &name, BucketArn: head.BucketArn, CreationDate: aws.Time(i.s3.Created(name))})
}

// bucketView gathers what is known of a bucket, for both readers.
type bucketView struct {
	r   *configservice.Resource
	err error
}

// document adds one of a bucket's documents: as configuration items have it, and as a property of the template's.
func (v *bucketView) document(err error, name string, held any, property string, templated func() *cfn.Node) {
	switch {
	case v.err != nil || gone(err):
		return
	case err != nil:
		v.err = err
		return
	}
	if n := described(held); n != nil && len(n.Pairs) > 0 {
		v.r.Supplementary.Set(name, n)
	}
	if property == "" {
		return
	}
	if n := templated(); n != nil {
		v.r.Properties.Set(property, n)
	}
}

// bucket describes a bucket with its documents.
func (i inventory) bucket(ctx context.Context, b s3types.Bucket) (configservice.Resource, error) {
	name := aws.ToString(b.Name)
	r := configservice.Resource{Type: bucketType, ID: name, Name: name, ARN: aws.ToString(b.BucketArn), Created: aws.ToTime(b.CreationDate),
		Configuration: cfn.Obj(cfn.P("name", cfn.Str(name)), cfn.P("region", cfn.Str(i.name)),
			cfn.P("creationDate", cfn.Str(aws.ToTime(b.CreationDate).UTC().Format(time.RFC3339)))),
		Supplementary: cfn.Obj(), Properties: cfn.Obj(cfn.P("BucketName", cfn.Str(name))),
		Facts: cfn.Obj(cfn.P("MFADelete", cfn.Boolean(false)))} // there are no MFA devices
	v := &bucketView{r: &r}
	i.bucketSettings(ctx, b.Name, v)
	i.bucketLists(ctx, b.Name, v)
	i.bucketAccess(ctx, b.Name, v)
	return r, v.err
}

func (i inventory) bucketSettings(ctx context.Context, name *string, v *bucketView) {
	versioning, err := i.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	if err == nil {
		status := string(versioning.Status)
		if status == "" {
			status = "Off"
		}
		v.r.Supplementary.Set("BucketVersioningConfiguration", cfn.Obj(cfn.P("status", cfn.Str(status)), cfn.P("isMfaDeleteEnabled", &cfn.Node{})))
		if versioning.Status != "" {
			v.r.Properties.Set("VersioningConfiguration", cfn.Obj(cfn.P("Status", cfn.Str(status))))
		}
	}
	// What was not stated is not configuration, though every bucket is encrypted.
	if rule := i.s3.StatedEncryption(aws.ToString(name)); rule != nil {
		stated := s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{*rule}}
		v.document(nil, "ServerSideEncryptionConfiguration", stated, "BucketEncryption", func() *cfn.Node { return shape.Encryption(&stated) })
	}
	logging, err := i.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: name})
	if err == nil && logging.LoggingEnabled != nil {
		to, prefix := cfn.Str(aws.ToString(logging.LoggingEnabled.TargetBucket)), cfn.Str(aws.ToString(logging.LoggingEnabled.TargetPrefix))
		v.r.Supplementary.Set("BucketLoggingConfiguration", cfn.Obj(cfn.P("destinationBucketName", to), cfn.P("logFilePrefix", prefix)))
		v.r.Properties.Set("LoggingConfiguration", shape.Logging(logging.LoggingEnabled))
	}
	tagging, err := i.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	if err == nil {
		v.r.Tags = map[string]string{}
		for _, t := range tagging.TagSet {
			v.r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		tagsProperty(v.r.Properties, v.r.Tags)
	}
	accelerate, err := i.s3.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: name})
	if err == nil && accelerate.Status != "" {
		v.document(nil, "BucketAccelerateConfiguration", cfnStatus{string(accelerate.Status)}, "", nil)
	}
}

type cfnStatus struct{ Status string }

func (i inventory) bucketLists(ctx context.Context, name *string, v *bucketView) {
	replication, err := i.s3.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: name})
	if err == nil {
		v.document(nil, "BucketReplicationConfiguration", replication.ReplicationConfiguration, "ReplicationConfiguration", func() *cfn.Node {
			return shape.Replication(replication.ReplicationConfiguration)
		})
		v.r.Facts.Set("ReplicationRegions", i.replicationRegions(ctx, replication.ReplicationConfiguration))
	}
	lifecycle, err := i.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	if err == nil {
		v.document(nil, "BucketLifecycleConfiguration", s3types.BucketLifecycleConfiguration{Rules: lifecycle.Rules}, "LifecycleConfiguration", func() *cfn.Node {
			return shape.Lifecycle(lifecycle.Rules)
		})
	}
	cors, err := i.s3.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: name})
	if err == nil {
		v.document(nil, "BucketCrossOriginConfiguration", s3types.CORSConfiguration{CORSRules: cors.CORSRules}, "CorsConfiguration", func() *cfn.Node {
			return shape.CORS(cors.CORSRules)
		})
	}
	website, err := i.s3.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name})
	if err == nil {
		site := s3types.WebsiteConfiguration{ErrorDocument: website.ErrorDocument, IndexDocument: website.IndexDocument,
			RedirectAllRequestsTo: website.RedirectAllRequestsTo, RoutingRules: website.RoutingRules}
		v.document(nil, "BucketWebsiteConfiguration", site, "WebsiteConfiguration", func() *cfn.Node { return shape.Website(site) })
	}
	lock, err := i.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: name})
	if err == nil {
		v.r.Properties.Set("ObjectLockEnabled", cfn.Boolean(true))
		v.document(nil, "ObjectLockConfiguration", lock.ObjectLockConfiguration, "ObjectLockConfiguration", func() *cfn.Node {
			return shape.Property(bucketType, "ObjectLockConfiguration", lock.ObjectLockConfiguration, nil)
		})
	}
}

// replicationRegions are the regions of the buckets that a configuration copies to.
func (i inventory) replicationRegions(ctx context.Context, c *s3types.ReplicationConfiguration) *cfn.Node {
	out := cfn.Arr()
	for _, r := range c.Rules {
		to := strings.TrimPrefix(aws.ToString(r.Destination.Bucket), "arn:aws:s3:::")
		if head, err := i.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &to}); err == nil {
			out.Items = append(out.Items, cfn.Str(aws.ToString(head.BucketRegion)))
		}
	}
	return out
}

func (i inventory) bucketAccess(ctx context.Context, name *string, v *bucketView) {
	block, err := i.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
	if err == nil {
		v.document(nil, "PublicAccessBlockConfiguration", block.PublicAccessBlockConfiguration, "PublicAccessBlockConfiguration", func() *cfn.Node {
			return shape.Property(bucketType, "PublicAccessBlockConfiguration", block.PublicAccessBlockConfiguration, nil)
		})
	}
	ownership, err := i.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
	if err == nil {
		v.document(nil, "BucketOwnershipControls", ownership.OwnershipControls, "OwnershipControls", func() *cfn.Node {
			return shape.Property(bucketType, "OwnershipControls", ownership.OwnershipControls, nil)
		})
	}
	policy, err := i.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	if err == nil {
		v.r.Supplementary.Set("BucketPolicy", cfn.Obj(cfn.P("policyText", cfn.Str(aws.ToString(policy.Policy)))))
		v.r.Parts = append(v.r.Parts, configservice.Part{Type: "AWS::S3::BucketPolicy", ID: *name,
			Properties: cfn.Obj(cfn.P("Bucket", cfn.Str(*name)), cfn.P("PolicyDocument", shape.Document(aws.ToString(policy.Policy))))})
	} else {
		v.r.Supplementary.Set("BucketPolicy", cfn.Obj(cfn.P("policyText", &cfn.Node{})))
	}
	acl, err := i.s3.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name})
	if err != nil {
		return
	}
	v.r.Supplementary.Set("AccessControlList", cfn.Obj(cfn.P("grantSet", described(acl.Grants)), cfn.P("owner", described(acl.Owner))))
	v.r.Facts.Set("Grants", shape.Grants(acl.Grants, acl.Owner))
	v.r.Properties.Set("AccessControl", cfn.Str(shape.AccessControl(acl.Grants)))
}

func (i inventory) tables(ctx context.Context) ([]configservice.Resource, error) {
	list, err := all(func(after *string) ([]string, *string, error) {
		out, err := i.dynamodb.ListTables(ctx, &dynamodb.ListTablesInput{ExclusiveStartTableName: after})
		if err != nil {
			return nil, nil, err
		}
		return out.TableNames, out.LastEvaluatedTableName, nil
	})
	if err != nil {
		return nil, err
	}
	return each(list, func(name string) (configservice.Resource, error) { return i.table(ctx, name) })
}

// table describes a table, without what its items make of it.
func (i inventory) table(ctx context.Context, name string) (configservice.Resource, error) {
	out, err := i.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return configservice.Resource{}, err
	}
	t := *out.Table
	t.ItemCount, t.TableSizeBytes = nil, nil
	t.GlobalSecondaryIndexes, t.LocalSecondaryIndexes = slices.Clone(t.GlobalSecondaryIndexes), slices.Clone(t.LocalSecondaryIndexes)
	for n := range t.GlobalSecondaryIndexes {
		t.GlobalSecondaryIndexes[n].ItemCount, t.GlobalSecondaryIndexes[n].IndexSizeBytes = nil, nil
	}
	for n := range t.LocalSecondaryIndexes {
		t.LocalSecondaryIndexes[n].ItemCount, t.LocalSecondaryIndexes[n].IndexSizeBytes = nil, nil
	}
	r := configservice.Resource{Type: "AWS::DynamoDB::Table", ID: name, Name: name, ARN: aws.ToString(t.TableArn), Created: aws.ToTime(t.CreationDateTime),
		Configuration: described(t), Supplementary: cfn.Obj(), Properties: shape.Table(&t)}
	return r, i.tableExtras(ctx, &r)
}

// tableExtras adds what DescribeTable does not tell.
func (i inventory) tableExtras(ctx context.Context, r *configservice.Resource) error {
	backups, err := i.dynamodb.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &r.ID})
	if err != nil {
		return err
	}
	if p := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription; p != nil {
		r.Properties.Set("PointInTimeRecoverySpecification", shape.Recovery(backups.ContinuousBackupsDescription))
		r.Supplementary.Set("ContinuousBackups", cfn.Obj(cfn.P("pointInTimeRecoveryStatus", cfn.Str(string(p.PointInTimeRecoveryStatus)))))
	}
	ttl, err := i.dynamodb.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &r.ID})
	if err != nil {
		return err
	}
	if d := ttl.TimeToLiveDescription; d != nil && d.AttributeName != nil {
		if n := shape.TimeToLive(d); n != nil {
			r.Properties.Set("TimeToLiveSpecification", n)
		}
		r.Supplementary.Set("TimeToLive", described(d))
	}
	tags, err := all(func(token *string) ([]dbtypes.Tag, *string, error) {
		out, err := i.dynamodb.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: &r.ARN, NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Tags, out.NextToken, nil
	})
	r.Tags = map[string]string{}
	for _, t := range tags {
		r.Tags[*t.Key] = *t.Value
	}
	tagsProperty(r.Properties, r.Tags)
	return err
}

var scalableNamespaces = aastypes.ServiceNamespace("").Values()

func (i inventory) scalableTargets(ctx context.Context) ([]configservice.Resource, error) {
	var out []configservice.Resource
	for _, namespace := range scalableNamespaces {
		list, err := all(func(token *string) ([]aastypes.ScalableTarget, *string, error) {
			page, err := i.scaling.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: namespace, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return page.ScalableTargets, page.NextToken, nil
		})
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			id := strings.Join([]string{aws.ToString(t.ResourceId), string(t.ScalableDimension), string(t.ServiceNamespace)}, "|")
			r := configservice.Resource{Type: "AWS::ApplicationAutoScaling::ScalableTarget", ID: id, ARN: aws.ToString(t.ScalableTargetARN),
				Created: aws.ToTime(t.CreationTime), Configuration: described(t), Properties: shape.Properties("AWS::ApplicationAutoScaling::ScalableTarget", t, nil)}
			r.Properties.Set("MinCapacity", cfn.Integer(int64(aws.ToInt32(t.MinCapacity))))
			out = append(out, r)
		}
	}
	return out, nil
}

func (i inventory) scalingPolicies(ctx context.Context) ([]configservice.Resource, error) {
	var out []configservice.Resource
	for _, namespace := range scalableNamespaces {
		list, err := all(func(token *string) ([]aastypes.ScalingPolicy, *string, error) {
			page, err := i.scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: namespace, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return page.ScalingPolicies, page.NextToken, nil
		})
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			r := configservice.Resource{Type: "AWS::ApplicationAutoScaling::ScalingPolicy", ID: aws.ToString(p.PolicyARN), Name: aws.ToString(p.PolicyName),
				ARN: aws.ToString(p.PolicyARN), Created: aws.ToTime(p.CreationTime), Configuration: described(p),
				Properties: shape.Properties("AWS::ApplicationAutoScaling::ScalingPolicy", p, nil)}
			r.Properties.Set("ScalingTargetId", cfn.Str(strings.Join([]string{aws.ToString(p.ResourceId), string(p.ScalableDimension), string(p.ServiceNamespace)}, "|")))
			out = append(out, r)
		}
	}
	return out, nil
}
