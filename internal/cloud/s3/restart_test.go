package s3_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	ours "evo/internal/cloud/s3"
)

// TestARestartChangesNoAnswer puts all that a bucket and an object can have, opens the state directory again, and compares every answer.
func TestARestartChangesNoAnswer(t *testing.T) {
	dir := t.TempDir()
	s, done, err := open(dir)
	ok(t, err)
	uploadID := furnish(t, s)
	before := answers(t, s, uploadID)
	done()
	s, done, err = open(dir)
	ok(t, err)
	defer done()
	after := answers(t, s, uploadID)
	for what, want := range before {
		same(t, what, after[what], want)
	}
	// And what was under way goes on.
	parts, err := s.ListParts(t.Context(), &s3.ListPartsInput{Bucket: aws.String("shop"), Key: aws.String("u"), UploadId: &uploadID})
	ok(t, err)
	_, err = s.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("shop"), Key: aws.String("u"), UploadId: &uploadID,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: parts.Parts[0].ETag}}},
	})
	ok(t, err)
}

// furnish makes a bucket with every document and some objects, and returns the id of an upload under way.
func furnish(t *testing.T, s *ours.Service) string {
	ctx, b := t.Context(), aws.String("shop")
	must := func(_ any, err error) { t.Helper(); ok(t, err) }
	must(s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("logs")}))
	must(s.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String("logs"), VersioningConfiguration: &types.VersioningConfiguration{Status: "Enabled"}}))
	must(s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b, ObjectLockEnabledForBucket: aws.Bool(true), ObjectOwnership: "BucketOwnerPreferred"}))
	must(s.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: b, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}}}}))
	must(s.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms"}}},
	}}))
	must(s.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}}))
	must(s.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: aws.String(publicPolicy)}))
	must(s.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: b, ACL: types.BucketCannedACL("log-delivery-write")}))
	must(s.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: b, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}}}}))
	must(s.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
		Rules: []types.LifecycleRule{{Status: "Enabled", Filter: &types.LifecycleRuleFilter{}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)}}},
	}}))
	must(s.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: b, WebsiteConfiguration: &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("i")}}}))
	must(s.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("logs"), TargetPrefix: aws.String("")}}}))
	must(s.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: b, ReplicationConfiguration: &types.ReplicationConfiguration{
		Role: aws.String("r"), Rules: []types.ReplicationRule{{Status: "Enabled", Destination: &types.Destination{Bucket: aws.String("logs")}}},
	}}))
	must(s.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{Bucket: b, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: "Requester"}}))
	must(s.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: b, AccelerateConfiguration: &types.AccelerateConfiguration{Status: "Enabled"}}))
	for _, body := range []string{"one", strings.Repeat("two", 100_000)} {
		must(s.PutObject(ctx, &s3.PutObjectInput{
			Bucket: b, Key: aws.String("k"), Body: strings.NewReader(body), Metadata: map[string]string{"m": "v"}, Tagging: aws.String("t=u"), ContentType: aws.String("text/x"),
			Expires: aws.Time(birth), StorageClass: "STANDARD_IA", ACL: "bucket-owner-full-control", ObjectLockLegalHoldStatus: "ON", WebsiteRedirectLocation: aws.String("/x"),
		}))
	}
	must(s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("gone")}))
	u, err := s.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: aws.String("u"), ContentType: aws.String("text/u")})
	ok(t, err)
	must(s.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: aws.String("u"), UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part")}))
	return *u.UploadId
}

// answers asks for everything, and returns each answer as text.
func answers(t *testing.T, s *ours.Service, uploadID string) map[string]string {
	ctx, b, k := t.Context(), aws.String("shop"), aws.String("k")
	found := map[string]string{}
	note := func(what string) func(out any, err error) {
		return func(out any, err error) {
			t.Helper()
			ok(t, err)
			raw, err := json.Marshal(out)
			ok(t, err)
			found[what] = string(raw)
		}
	}
	note("versioning")(s.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: b}))
	note("ownership")(s.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b}))
	note("tagging")(s.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}))
	note("encryption")(s.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b}))
	note("public access")(s.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b}))
	note("policy")(s.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b}))
	note("policy status")(s.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b}))
	note("acl")(s.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b}))
	note("cors")(s.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b}))
	note("lifecycle")(s.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b}))
	note("website")(s.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b}))
	note("logging")(s.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b}))
	note("replication")(s.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b}))
	note("payment")(s.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: b}))
	note("acceleration")(s.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: b}))
	note("lock")(s.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: b}))
	note("buckets")(s.ListBuckets(ctx, &s3.ListBucketsInput{}))
	note("versions")(s.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b}))
	note("objects")(s.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b}))
	note("uploads")(s.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: b}))
	note("parts")(s.ListParts(ctx, &s3.ListPartsInput{Bucket: b, Key: aws.String("u"), UploadId: &uploadID}))
	note("head")(s.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k, ChecksumMode: "ENABLED"}))
	note("object's tags")(s.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: k}))
	note("object's acl")(s.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: b, Key: k}))
	note("legal hold")(s.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: b, Key: k}))
	got, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k})
	ok(t, err)
	found["body"] = text(t, got.Body)
	return found
}
