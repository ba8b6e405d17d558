package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const malformed = "The XML you provided was not well-formed or did not validate against our published schema"

// TestDocumentsOfANewBucket holds what a bucket answers before anything was put to what AWS answers.
func TestDocumentsOfANewBucket(t *testing.T) {
	w := newWorld(t)
	b := aws.String(w.bucket(t, "shop"))
	ctx := t.Context()
	for _, c := range []struct {
		name, code, message string
		get                 func() error
	}{
		{"policy", "NoSuchBucketPolicy", "The bucket policy does not exist", func() error { _, err := w.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b}); return err }},
		{"policy status", "NoSuchBucketPolicy", "The bucket policy does not exist", func() error {
			_, err := w.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b})
			return err
		}},
		{"tagging", "NoSuchTagSet", "The TagSet does not exist", func() error { _, err := w.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}); return err }},
		{"cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist", func() error { _, err := w.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b}); return err }},
		{"lifecycle", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", func() error {
			_, err := w.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
			return err
		}},
		{"website", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", func() error { _, err := w.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b}); return err }},
		{"replication", "ReplicationConfigurationNotFoundError", "The replication configuration was not found", func() error {
			_, err := w.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b})
			return err
		}},
		{"lock", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", func() error {
			_, err := w.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: b})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.get()
			refused(t, err, c.code, c.message)
			same(t, "status", status(err), 404)
		})
	}
	versioning, err := w.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: b})
	ok(t, err)
	same(t, "versioning", versioning.Status, "")
	enc, err := w.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b})
	ok(t, err)
	same(t, "encryption", enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm, types.ServerSideEncryptionAes256)
	same(t, "bucket key", *enc.ServerSideEncryptionConfiguration.Rules[0].BucketKeyEnabled, false)
	pab, err := w.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b})
	ok(t, err)
	c := pab.PublicAccessBlockConfiguration
	same(t, "public access block", *c.BlockPublicAcls && *c.BlockPublicPolicy && *c.IgnorePublicAcls && *c.RestrictPublicBuckets, true)
	own, err := w.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b})
	ok(t, err)
	same(t, "ownership", own.OwnershipControls.Rules[0].ObjectOwnership, types.ObjectOwnershipBucketOwnerEnforced)
	acl, err := w.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b})
	ok(t, err)
	same(t, "grants", len(acl.Grants), 1)
	same(t, "permission", acl.Grants[0].Permission, types.PermissionFullControl)
	same(t, "grantee", *acl.Grants[0].Grantee.ID, *acl.Owner.ID)
	logging, err := w.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b})
	ok(t, err)
	same(t, "logging", logging.LoggingEnabled, nil)
	payer, err := w.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: b})
	ok(t, err)
	same(t, "payer", payer.Payer, types.PayerBucketOwner)
	accelerate, err := w.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: b})
	ok(t, err)
	same(t, "acceleration", accelerate.Status, "")
	n, err := w.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: b})
	ok(t, err)
	same(t, "notifications", len(n.LambdaFunctionConfigurations)+len(n.QueueConfigurations)+len(n.TopicConfigurations), 0)
}

func TestEncryption(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	put := func(rules ...types.ServerSideEncryptionRule) error {
		_, err := w.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
			Bucket: &b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: rules},
		})
		return err
	}
	by := func(a types.ServerSideEncryption, key *string) types.ServerSideEncryptionRule {
		return types.ServerSideEncryptionRule{
			BucketKeyEnabled:                   aws.Bool(true),
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: a, KMSMasterKeyID: key},
		}
	}
	refused(t, put(by("AES256", nil), by("AES256", nil)), "MalformedXML", malformed)
	refused(t, put(by("AES256", aws.String("k"))), "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	ok(t, put(by("aws:kms", aws.String("1234"))))
	out := w.put(t, b, "k", "data")
	same(t, "algorithm", out.ServerSideEncryption, types.ServerSideEncryptionAwsKms)
	same(t, "key", *out.SSEKMSKeyId, "arn:aws:kms:us-east-1:000000000000:key/1234")
	same(t, "bucket key", *out.BucketKeyEnabled, true)
	if *out.ETag == `"8d777f385d3dfec8815d20f7496026dc"` {
		t.Error("the ETag of an object under a KMS key is its MD5")
	}
	_, err := w.DeleteBucketEncryption(t.Context(), &s3.DeleteBucketEncryptionInput{Bucket: &b})
	ok(t, err)
	same(t, "algorithm", w.put(t, b, "k", "data").ServerSideEncryption, types.ServerSideEncryptionAes256)
}

const publicPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}]}`

func TestPolicies(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	put := func(p string) error {
		_, err := w.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &b, Policy: &p})
		return err
	}
	refused(t, put("random"), "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	refused(t, put("{}"), "MalformedPolicy", "Missing required field Statement")
	refused(t, put(publicPolicy), "AccessDenied", "")
	private := strings.Replace(publicPolicy, `"*"`, `{"AWS":"arn:aws:iam::000000000000:root"}`, 1)
	ok(t, put(private))
	isPublic := func() bool {
		out, err := w.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: &b})
		ok(t, err)
		return *out.PolicyStatus.IsPublic
	}
	same(t, "public", isPublic(), false)
	_, err := w.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &b})
	ok(t, err)
	_, err = w.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: &b})
	refused(t, err, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	ok(t, put(publicPolicy))
	same(t, "public", isPublic(), true)
	got, err := w.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &b})
	ok(t, err)
	same(t, "policy", *got.Policy, publicPolicy)
	_, err = w.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &b})
	ok(t, err)
}

func TestACLs(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	put := func(in s3.PutBucketAclInput) error {
		in.Bucket = &b
		_, err := w.PutBucketAcl(t.Context(), &in)
		return err
	}
	refused(t, put(s3.PutBucketAclInput{ACL: types.BucketCannedACLPublicRead}), "AccessControlListNotSupported", "The bucket does not allow ACLs")
	_, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), ACL: types.ObjectCannedACLPublicRead})
	refused(t, err, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	_, err = w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), ACL: types.ObjectCannedACLBucketOwnerFullControl})
	ok(t, err)
	_, err = w.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &b, OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}},
	}})
	ok(t, err)
	refused(t, put(s3.PutBucketAclInput{ACL: types.BucketCannedACLPublicRead}), "AccessDenied", "")
	_, err = w.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &b})
	ok(t, err)
	ok(t, put(s3.PutBucketAclInput{ACL: types.BucketCannedACLPublicRead}))
	acl, err := w.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: &b})
	ok(t, err)
	same(t, "grants", len(acl.Grants), 2)
	same(t, "group", *acl.Grants[1].Grantee.URI, "http://acs.amazonaws.com/groups/global/AllUsers")
	ok(t, put(s3.PutBucketAclInput{GrantRead: aws.String(`uri="http://acs.amazonaws.com/groups/s3/LogDelivery"`)}))
	refused(t, put(s3.PutBucketAclInput{GrantWrite: aws.String(`uri="http://acs.amazonaws.com/groups/s3/FakeGroup"`)}), "InvalidArgument", "Invalid group uri")
	refused(t, put(s3.PutBucketAclInput{GrantWrite: aws.String(`fakekey="1234"`)}), "InvalidArgument", "Argument format not recognized")
	refused(t, put(s3.PutBucketAclInput{GrantWrite: aws.String(`id="wrong-id"`)}), "InvalidArgument", "Invalid id")
	refused(t, put(s3.PutBucketAclInput{}), "MissingSecurityHeader", "Your request was missing a required header")
	refused(t, put(s3.PutBucketAclInput{ACL: "private", GrantRead: aws.String("id=1")}), "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
	refused(t, put(s3.PutBucketAclInput{AccessControlPolicy: &types.AccessControlPolicy{}}), "MalformedACLError", malformed)
	_, err = w.PutObjectAcl(t.Context(), &s3.PutObjectAclInput{Bucket: &b, Key: aws.String("k"), ACL: types.ObjectCannedACLAuthenticatedRead})
	ok(t, err)
	object, err := w.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	same(t, "object's grants", len(object.Grants), 2)
}

func TestTagRules(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "k", "")
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	for _, c := range []struct {
		tags          []types.Tag
		code, message string
		ofBucket      string // where that is another
	}{
		{[]types.Tag{tag("a", "1"), tag("a", "2")}, "InvalidTag", "Cannot provide multiple Tags with the same key", ""},
		{[]types.Tag{tag("Key1,Key2", "1")}, "InvalidTag", "The TagKey you have provided is invalid", ""},
		{[]types.Tag{tag("a", "Val1,Val2")}, "InvalidTag", "The TagValue you have provided is invalid", ""},
		{[]types.Tag{tag("aws:a", "1")}, "InvalidTag", "Your TagKey cannot be prefixed with aws:", "System tags cannot be added/updated by requester"},
	} {
		_, err := w.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: &b, Key: aws.String("k"), Tagging: &types.Tagging{TagSet: c.tags}})
		refused(t, err, c.code, c.message)
		_, err = w.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &b, Tagging: &types.Tagging{TagSet: c.tags}})
		if c.ofBucket != "" {
			c.message = c.ofBucket
		}
		refused(t, err, c.code, c.message)
	}
	for _, header := range []string{"key1=val1&key1=val2", "key1=val1,key2=val2"} {
		_, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Tagging: &header})
		refused(t, err, "InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	_, err := w.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &b, Tagging: &types.Tagging{TagSet: []types.Tag{tag("b", ""), tag("a", "1")}}})
	ok(t, err)
	out, err := w.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: &b})
	ok(t, err)
	same(t, "tags", *out.TagSet[0].Key+*out.TagSet[1].Key, "ab")
}

func TestLifecycle(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	put := func(rules ...types.LifecycleRule) error {
		_, err := w.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
			Bucket: &b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
		})
		return err
	}
	after := &types.LifecycleExpiration{Days: aws.Int32(7)}
	prefix := &types.LifecycleRuleFilter{Prefix: aws.String("tmp/")}
	refused(t, put(types.LifecycleRule{ID: aws.String("x"), Status: "Enabled", Expiration: after}), "MalformedXML", malformed)
	refused(t, put(types.LifecycleRule{ID: aws.String("x"), Status: "Enabled", Filter: prefix}), "MalformedXML", malformed)
	refused(t, put(types.LifecycleRule{Status: "Enabled", Filter: prefix, Expiration: &types.LifecycleExpiration{Date: aws.Time(birth)}}),
		"InvalidArgument", "'Date' must be at midnight GMT")
	ok(t, put(types.LifecycleRule{ID: aws.String("clean up"), Status: "Enabled", Filter: prefix, Expiration: after}))
	out, err := w.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: &b})
	ok(t, err)
	same(t, "minimum", out.TransitionDefaultMinimumObjectSize, types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k)
	same(t, "days", *out.Rules[0].Expiration.Days, 7)
	same(t, "expiration", aws.ToString(w.put(t, b, "tmp/k", "").Expiration), `expiry-date="Mon, 09 Mar 2026 00:00:00 GMT", rule-id="clean%20up"`)
	same(t, "expiration of others", w.put(t, b, "k", "").Expiration, nil)
}

func TestRecordedDocuments(t *testing.T) {
	w := newWorld(t)
	b, ctx := aws.String(w.versioned(t, "shop")), t.Context()
	other := w.versioned(t, "other")
	website := &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("/index.html")}}
	_, err := w.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: b, WebsiteConfiguration: website})
	refused(t, err, "InvalidArgument", "The IndexDocument Suffix is not well formed")
	website.IndexDocument.Suffix = aws.String("index.html")
	_, err = w.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: b, WebsiteConfiguration: website})
	ok(t, err)
	site, err := w.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b})
	ok(t, err)
	same(t, "index", *site.IndexDocument.Suffix, "index.html")

	logs := func(bucket string) error {
		_, err := w.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: &types.BucketLoggingStatus{
			LoggingEnabled: &types.LoggingEnabled{TargetBucket: &bucket, TargetPrefix: aws.String("log")},
		}})
		return err
	}
	refused(t, logs("none"), "InvalidTargetBucketForLogging", "The target bucket for logging does not exist")
	ok(t, logs(other))
	l, err := w.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b})
	ok(t, err)
	same(t, "target", *l.LoggingEnabled.TargetBucket, other)

	rule := types.ReplicationRule{Status: "Enabled", Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::none")}, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")}, Priority: aws.Int32(1)}
	replicate := func() error {
		_, err := w.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: b, ReplicationConfiguration: &types.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::000000000000:role/r"), Rules: []types.ReplicationRule{rule},
		}})
		return err
	}
	refused(t, replicate(), "InvalidRequest", "Destination bucket must have versioning enabled.")
	rule.Destination.Bucket = aws.String("arn:aws:s3:::other")
	ok(t, replicate())
	r, err := w.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b})
	ok(t, err)
	same(t, "destination", *r.ReplicationConfiguration.Rules[0].Destination.Bucket, "arn:aws:s3:::other")

	notify := &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q"), Events: []types.Event{"s3:ObjectCreated:*"}}}}
	_, err = w.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: b, NotificationConfiguration: notify})
	refused(t, err, "NotImplemented", "evo does not send S3 event notifications yet; the configuration names the queue arn:aws:sqs:us-east-1:000000000000:q")
	_, err = w.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: b, NotificationConfiguration: &types.NotificationConfiguration{}})
	ok(t, err)

	_, err = w.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{Bucket: b, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: "Requester"}})
	ok(t, err)
	_, err = w.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: b, AccelerateConfiguration: &types.AccelerateConfiguration{Status: "Enabled"}})
	ok(t, err)
}

func TestCORS(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	put := func(r types.CORSRule) error {
		_, err := w.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{Bucket: &b, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{r}}})
		return err
	}
	refused(t, put(types.CORSRule{AllowedMethods: []string{"MYMETHOD"}, AllowedOrigins: []string{"*"}}), "InvalidRequest",
		"Found unsupported HTTP method in CORS config. Unsupported method is MYMETHOD")
	ok(t, put(types.CORSRule{AllowedMethods: []string{"GET", "PUT"}, AllowedOrigins: []string{"https://*.test"}, AllowedHeaders: []string{"x-amz-*"}, MaxAgeSeconds: aws.Int32(3000)}))
	h, err := w.service.Preflight(b, "k", "https://a.test", http.MethodPut, []string{"X-Amz-Date"})
	ok(t, err)
	same(t, "origin", h["Access-Control-Allow-Origin"], "https://a.test")
	same(t, "methods", h["Access-Control-Allow-Methods"], "GET, PUT")
	same(t, "headers", h["Access-Control-Allow-Headers"], "x-amz-date")
	same(t, "age", h["Access-Control-Max-Age"], "3000")
	_, err = w.service.Preflight(b, "k", "https://a.test", http.MethodPut, []string{"other"})
	refused(t, err, "AccessForbidden", "")
	_, err = w.service.Preflight("none", "k", "https://a.test", http.MethodPut, nil)
	refused(t, err, "AccessForbidden", "CORSResponse: Bucket not found")
	same(t, "headers for another origin", len(w.service.CORSHeaders(b, "https://b.example", "GET")), 0)
	same(t, "headers", w.service.CORSHeaders(b, "https://b.test", "GET")["Access-Control-Allow-Origin"], "https://b.test")
}
