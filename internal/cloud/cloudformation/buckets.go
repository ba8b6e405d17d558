package cloudformation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
)

// Objects is what templates, and other files that resources name, are read with.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Buckets is what buckets need of S3.
type Buckets interface {
	CreateBucket(context.Context, *s3.CreateBucketInput) (*s3.CreateBucketOutput, error)
	HeadBucket(context.Context, *s3.HeadBucketInput) (*s3.HeadBucketOutput, error)
	DeleteBucket(context.Context, *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error)
	PutBucketEncryption(context.Context, *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error)
	DeleteBucketEncryption(context.Context, *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error)
	PutBucketVersioning(context.Context, *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error)
	PutPublicAccessBlock(context.Context, *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error)
	DeletePublicAccessBlock(context.Context, *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error)
	PutBucketTagging(context.Context, *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error)
	PutBucketAcl(context.Context, *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error)
	PutBucketOwnershipControls(context.Context, *s3.PutBucketOwnershipControlsInput) (*s3.PutBucketOwnershipControlsOutput, error)
	DeleteBucketOwnershipControls(context.Context, *s3.DeleteBucketOwnershipControlsInput) (*s3.DeleteBucketOwnershipControlsOutput, error)
	PutBucketPolicy(context.Context, *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error)
	DeleteBucketPolicy(context.Context, *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error)
}

// Documents of a bucket beyond these are set where the service has the operation.
type (
	bucketCORS interface {
		PutBucketCors(context.Context, *s3.PutBucketCorsInput) (*s3.PutBucketCorsOutput, error)
		DeleteBucketCors(context.Context, *s3.DeleteBucketCorsInput) (*s3.DeleteBucketCorsOutput, error)
	}
	bucketLifecycle interface {
		PutBucketLifecycleConfiguration(context.Context, *s3.PutBucketLifecycleConfigurationInput) (*s3.PutBucketLifecycleConfigurationOutput, error)
		DeleteBucketLifecycle(context.Context, *s3.DeleteBucketLifecycleInput) (*s3.DeleteBucketLifecycleOutput, error)
	}
	bucketLogging interface {
		PutBucketLogging(context.Context, *s3.PutBucketLoggingInput) (*s3.PutBucketLoggingOutput, error)
	}
	bucketWebsite interface {
		PutBucketWebsite(context.Context, *s3.PutBucketWebsiteInput) (*s3.PutBucketWebsiteOutput, error)
		DeleteBucketWebsite(context.Context, *s3.DeleteBucketWebsiteInput) (*s3.DeleteBucketWebsiteOutput, error)
	}
	bucketReplication interface {
		PutBucketReplication(context.Context, *s3.PutBucketReplicationInput) (*s3.PutBucketReplicationOutput, error)
		DeleteBucketReplication(context.Context, *s3.DeleteBucketReplicationInput) (*s3.DeleteBucketReplicationOutput, error)
	}
)

type bucketHandlers struct{ Buckets }

func (s *Service) bucketHandlers() map[string]Handler {
	if s.cfg.Services.Buckets == nil {
		return nil
	}
	h := bucketHandlers{s.cfg.Services.Buckets}
	return map[string]Handler{
		"AWS::S3::Bucket":       {Create: h.create, Update: h.configureExisting, Delete: h.delete},
		"AWS::S3::BucketPolicy": {Create: h.putPolicy, Update: h.putPolicy, Delete: h.deletePolicy},
	}
}

func (h bucketHandlers) create(ctx context.Context, r *Request) (Result, error) {
	name := r.Str("BucketName")
	if name == "" {
		name = strings.ToLower(r.generated(63))
	}
	in := &s3.CreateBucketInput{Bucket: aws.String(name), ObjectOwnership: objectOwnership(r.Properties)}
	if r.Properties.Get("PublicAccessBlockConfiguration") == nil || in.ObjectOwnership == "" {
		in.ACL = cannedACL(r.Properties) // else it waits for that configuration: a new bucket blocks public ACLs
	}
	if on, _ := r.Properties.Get("ObjectLockEnabled").Bool(); on {
		in.ObjectLockEnabledForBucket = aws.Bool(true)
	}
	if r.Region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(r.Region)}
	}
	// In us-east-1 S3 lets an owner create a bucket again: only a bucket that was not there is a new resource.
	if !r.Retry {
		if _, err := h.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: in.Bucket}); err == nil {
			return Result{}, &handlerError{name + " already exists", "AlreadyExists"}
		}
	}
	if _, err := h.CreateBucket(ctx, in); err != nil && !(r.Retry && exists(err)) {
		return Result{}, err
	}
	r.Physical = name
	return h.configureExisting(ctx, r)
}

// cannedACL turns CloudFormation's PublicRead into the API's public-read; what the properties do not say is private.
func cannedACL(properties *cfn.Node) types.BucketCannedACL {
	name := properties.Get("AccessControl").Str()
	if name == "" {
		return types.BucketCannedACLPrivate
	}
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(c)
	}
	return types.BucketCannedACL(strings.ToLower(b.String()))
}

// objectOwnership is what the properties say of who owns the bucket's objects; "" if they leave it to S3.
func objectOwnership(properties *cfn.Node) types.ObjectOwnership {
	for _, rule := range properties.At("OwnershipControls", "Rules").List() {
		return types.ObjectOwnership(rule.Get("ObjectOwnership").Str())
	}
	return ""
}

// configureExisting makes the bucket's documents what the properties say.
func (h bucketHandlers) configureExisting(ctx context.Context, r *Request) (Result, error) {
	name := r.Physical
	result := Result{Physical: name, Attributes: map[string]any{
		"Arn": "arn:aws:s3:::" + name, "DomainName": name + ".s3.amazonaws.com",
		"RegionalDomainName":  fmt.Sprintf("%s.s3.%s.amazonaws.com", name, r.Region),
		"DualStackDomainName": fmt.Sprintf("%s.s3.dualstack.%s.amazonaws.com", name, r.Region),
		"WebsiteURL":          fmt.Sprintf("http://%s.s3-website-%s.amazonaws.com", name, r.Region)}}
	for _, f := range []func(context.Context, *Request, *string) error{h.encryption, h.versioning, h.publicAccess, h.tags, h.access, h.cors,
		h.lifecycle, h.logging, h.website, h.replication} {
		if err := f(ctx, r, aws.String(name)); err != nil {
			return result, err
		}
	}
	return result, nil
}

// changed returns a property that is to be set, and whether one that was there is to go.
func changed(r *Request, property string) (set *cfn.Node, gone bool) {
	now, before := r.Properties.Get(property), r.Before.Get(property)
	if cfn.Same(now, before) && !r.Retry {
		return nil, false
	}
	return now, now == nil && before != nil
}

func (h bucketHandlers) encryption(ctx context.Context, r *Request, bucket *string) error {
	set, gone := changed(r, "BucketEncryption")
	if gone {
		_, err := h.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: bucket})
		return err
	}
	if set == nil {
		return nil
	}
	in := &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{}}
	err := fill(in.ServerSideEncryptionConfiguration, set, map[string]string{"ServerSideEncryptionConfiguration": "Rules",
		"ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"})
	if err != nil {
		return err
	}
	_, err = h.PutBucketEncryption(ctx, in)
	return err
}

func (h bucketHandlers) versioning(ctx context.Context, r *Request, bucket *string) error {
	set, gone := changed(r, "VersioningConfiguration")
	in := &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}}
	switch {
	case set != nil:
		if err := fill(in.VersioningConfiguration, set, nil); err != nil {
			return err
		}
	case !gone:
		return nil
	}
	_, err := h.PutBucketVersioning(ctx, in)
	return err
}

func (h bucketHandlers) publicAccess(ctx context.Context, r *Request, bucket *string) error {
	set, gone := changed(r, "PublicAccessBlockConfiguration")
	if gone {
		_, err := h.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket})
		return err
	}
	if set == nil {
		return nil
	}
	in := &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{}}
	if err := fill(in.PublicAccessBlockConfiguration, set, nil); err != nil {
		return err
	}
	_, err := h.PutPublicAccessBlock(ctx, in)
	return err
}

func (h bucketHandlers) tags(ctx context.Context, r *Request, bucket *string) error {
	in := &s3.PutBucketTaggingInput{Bucket: bucket, Tagging: &types.Tagging{}}
	for k, v := range r.Tags() {
		in.Tagging.TagSet = append(in.Tagging.TagSet, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := h.PutBucketTagging(ctx, in)
	return err
}

// access sets who owns the bucket's objects, and its ACL. S3 takes an ACL that grants something to others only where not all is the
// bucket owner's, and makes all the owner's only where the ACL grants nothing to others.
func (h bucketHandlers) access(ctx context.Context, r *Request, bucket *string) error {
	steps := []func(context.Context, *Request, *string) error{h.ownership, h.acl}
	if objectOwnership(r.Properties) == types.ObjectOwnershipBucketOwnerEnforced {
		slices.Reverse(steps)
	}
	for _, f := range steps {
		if err := f(ctx, r, bucket); err != nil {
			return err
		}
	}
	return nil
}

func (h bucketHandlers) ownership(ctx context.Context, r *Request, bucket *string) error {
	set, gone := changed(r, "OwnershipControls")
	if gone {
		_, err := h.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: bucket})
		return err
	}
	if set == nil {
		return nil
	}
	in := &s3.PutBucketOwnershipControlsInput{Bucket: bucket, OwnershipControls: &types.OwnershipControls{}}
	if err := fill(in.OwnershipControls, set, nil); err != nil {
		return err
	}
	_, err := h.PutBucketOwnershipControls(ctx, in)
	return err
}

func (h bucketHandlers) acl(ctx context.Context, r *Request, bucket *string) error {
	acl := cannedACL(r.Properties)
	if acl == cannedACL(r.Before) && !r.Retry {
		return nil
	}
	if acl == types.BucketCannedACLPrivate {
		acl = "bucket-owner-full-control" // says the same of a bucket, and is taken also where there are no ACLs
	}
	_, err := h.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: acl})
	return err
}

func (h bucketHandlers) cors(ctx context.Context, r *Request, bucket *string) error {
	b, ok := h.Buckets.(bucketCORS)
	set, gone := changed(r, "CorsConfiguration")
	switch {
	case ok && gone:
		_, err := b.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: bucket})
		return err
	case !ok || set == nil:
		return nil
	}
	in := &s3.PutBucketCorsInput{Bucket: bucket, CORSConfiguration: &types.CORSConfiguration{}}
	if err := fill(in.CORSConfiguration, set, map[string]string{"CorsRules.ExposedHeaders": "ExposeHeaders", "CorsRules.MaxAge": "MaxAgeSeconds"}); err != nil {
		return err
	}
	_, err := b.PutBucketCors(ctx, in)
	return err
}

func (h bucketHandlers) lifecycle(ctx context.Context, r *Request, bucket *string) error {
	b, ok := h.Buckets.(bucketLifecycle)
	set, gone := changed(r, "LifecycleConfiguration")
	switch {
	case ok && gone:
		_, err := b.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: bucket})
		return err
	case !ok || set == nil:
		return nil
	}
	in := &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{}}
	for _, rule := range set.Get("Rules").List() {
		out, err := lifecycleRule(rule)
		if err != nil {
			return err
		}
		in.LifecycleConfiguration.Rules = append(in.LifecycleConfiguration.Rules, out)
	}
	_, err := b.PutBucketLifecycleConfiguration(ctx, in)
	return err
}

// lifecycleRule turns the flat form of the template into the nested one of the API.
func lifecycleRule(n *cfn.Node) (types.LifecycleRule, error) {
	var rule types.LifecycleRule
	err := fill(&rule, n, map[string]string{"Prefix": "-", "Transitions.TransitionInDays": "Days", "Transitions.TransitionDate": "Date",
		"NoncurrentVersionTransitions.TransitionInDays": "NoncurrentDays", "ExpirationDate": "-"})
	if err != nil {
		return rule, err
	}
	if days, ok := n.Get("ExpirationInDays").Int(); ok {
		rule.Expiration = &types.LifecycleExpiration{Days: aws.Int32(int32(days))}
	}
	if on, _ := n.Get("ExpiredObjectDeleteMarker").Bool(); on {
		rule.Expiration = &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)}
	}
	if days, ok := n.Get("NoncurrentVersionExpirationInDays").Int(); ok {
		rule.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(int32(days))}
	}
	filter := &types.LifecycleRuleFilter{Prefix: aws.String(n.Get("Prefix").Str())}
	if tags := n.Get("TagFilters").List(); len(tags) > 0 {
		and := &types.LifecycleRuleAndOperator{Prefix: filter.Prefix}
		for _, t := range tags {
			and.Tags = append(and.Tags, types.Tag{Key: aws.String(t.Get("Key").Str()), Value: aws.String(t.Get("Value").Str())})
		}
		filter = &types.LifecycleRuleFilter{And: and}
	}
	rule.Filter = filter
	return rule, nil
}

func (h bucketHandlers) logging(ctx context.Context, r *Request, bucket *string) error {
	b, ok := h.Buckets.(bucketLogging)
	set, gone := changed(r, "LoggingConfiguration")
	if !ok || set == nil && !gone {
		return nil
	}
	in := &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{}}
	if set != nil {
		target := set.Get("DestinationBucketName").Str()
		if target == "" {
			target = *bucket
		}
		in.BucketLoggingStatus.LoggingEnabled = &types.LoggingEnabled{TargetBucket: aws.String(target), TargetPrefix: aws.String(set.Get("LogFilePrefix").Str())}
	}
	_, err := b.PutBucketLogging(ctx, in)
	return err
}

func (h bucketHandlers) website(ctx context.Context, r *Request, bucket *string) error {
	b, ok := h.Buckets.(bucketWebsite)
	set, gone := changed(r, "WebsiteConfiguration")
	switch {
	case ok && gone:
		_, err := b.DeleteBucketWebsite(ctx, &s3.DeleteBucketWebsiteInput{Bucket: bucket})
		return err
	case !ok || set == nil:
		return nil
	}
	site := &types.WebsiteConfiguration{}
	if err := fill(site, set, map[string]string{"ErrorDocument": "-", "IndexDocument": "-", "RoutingRules.RoutingRuleCondition": "Condition", "RoutingRules.RedirectRule": "Redirect"}); err != nil {
		return err
	}
	if index := set.Get("IndexDocument").Str(); index != "" {
		site.IndexDocument = &types.IndexDocument{Suffix: aws.String(index)}
	}
	if page := set.Get("ErrorDocument").Str(); page != "" {
		site.ErrorDocument = &types.ErrorDocument{Key: aws.String(page)}
	}
	_, err := b.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: bucket, WebsiteConfiguration: site})
	return err
}

func (h bucketHandlers) replication(ctx context.Context, r *Request, bucket *string) error {
	b, ok := h.Buckets.(bucketReplication)
	set, gone := changed(r, "ReplicationConfiguration")
	switch {
	case ok && gone:
		_, err := b.DeleteBucketReplication(ctx, &s3.DeleteBucketReplicationInput{Bucket: bucket})
		return err
	case !ok || set == nil:
		return nil
	}
	in := &s3.PutBucketReplicationInput{Bucket: bucket, ReplicationConfiguration: &types.ReplicationConfiguration{}}
	if err := fill(in.ReplicationConfiguration, set, map[string]string{"Rules.Id": "ID"}); err != nil {
		return err
	}
	_, err := b.PutBucketReplication(ctx, in)
	return err
}

func (h bucketHandlers) delete(ctx context.Context, r *Request) error {
	_, err := h.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(r.Physical)})
	return err
}

func (h bucketHandlers) putPolicy(ctx context.Context, r *Request) (Result, error) {
	physical := r.Physical
	if physical == "" {
		physical = r.generated(128)
	}
	_, err := h.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(r.Str("Bucket")), Policy: document(r.Properties.Get("PolicyDocument"))})
	return Result{Physical: physical}, err
}

func (h bucketHandlers) deletePolicy(ctx context.Context, r *Request) error {
	_, err := h.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(r.Str("Bucket"))})
	return err
}
