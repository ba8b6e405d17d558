package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// history lists a bucket's versions: key, letter for each id in the order of first appearance, marks for latest and delete marker.
func (w *world) history(t testing.TB, b string, names map[string]string) string {
	t.Helper()
	out, err := w.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &b})
	ok(t, err)
	var lines []string
	for _, v := range out.Versions {
		line := *v.Key + ":" + names[*v.VersionId]
		if *v.IsLatest {
			line += "*"
		}
		lines = append(lines, line)
	}
	for _, m := range out.DeleteMarkers {
		line := "-" + *m.Key + ":" + names[*m.VersionId]
		if *m.IsLatest {
			line += "*"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, " ")
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	names := map[string]string{"null": "null"}
	same(t, "version of an unversioned object", w.put(t, b, "k", "0").VersionId, nil)
	w.setVersioning(t, b, types.BucketVersioningStatusEnabled)
	one, two := *w.put(t, b, "k", "1").VersionId, *w.put(t, b, "k", "2").VersionId
	names[one], names[two] = "1", "2"
	same(t, "length of an id", len(one), 32)
	same(t, "newest first", w.history(t, b, names), "k:2* k:1 k:null")

	get := func(id string) (string, error) {
		out, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: &id})
		if err != nil {
			return "", err
		}
		same(t, "version", *out.VersionId, id)
		return text(t, out.Body), nil
	}
	for id, want := range map[string]string{one: "1", two: "2", "null": "0"} {
		body, err := get(id)
		ok(t, err)
		same(t, "body of "+names[id], body, want)
	}
	_, err := get("HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")
	refused(t, err, "InvalidArgument", "Invalid version id specified")

	gone, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	same(t, "delete marker", *gone.DeleteMarker, true)
	names[*gone.VersionId] = "m"
	same(t, "under a marker", w.history(t, b, names), "k:2 k:1 k:null -k:m*")
	_, err = w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	refused(t, err, "NoSuchKey", "")
	_, err = get(*gone.VersionId)
	refused(t, err, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	_, err = w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: gone.VersionId})
	same(t, "status", status(err), 405)
	list, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b})
	ok(t, err)
	same(t, "objects listed", *list.KeyCount, 0)

	drop := func(id string) {
		t.Helper()
		_, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: &id})
		ok(t, err)
	}
	drop(*gone.VersionId)
	same(t, "body", w.get(t, b, "k"), "2")
	drop(two)
	drop(two) // gone is gone
	same(t, "body", w.get(t, b, "k"), "1")
	_, err = get(two)
	refused(t, err, "NoSuchVersion", "The specified version does not exist.")
	drop(one)
	drop("null")
	same(t, "in the end", w.history(t, b, names), "")
	same(t, "blobs", w.blobs.Usage().Files, 0)
}

func TestSuspendedVersioning(t *testing.T) {
	w := newWorld(t)
	b := w.versioned(t, "shop")
	one := *w.put(t, b, "k", "1").VersionId
	names := map[string]string{"null": "null", one: "1"}
	w.setVersioning(t, b, types.BucketVersioningStatusSuspended)
	same(t, "version", w.put(t, b, "k", "a").VersionId, nil)
	same(t, "with null", w.history(t, b, names), "k:null* k:1")
	w.put(t, b, "k", "b")
	same(t, "with another null", w.history(t, b, names), "k:null* k:1")
	same(t, "body", w.get(t, b, "k"), "b")
	w.setVersioning(t, b, types.BucketVersioningStatusEnabled)
	two := *w.put(t, b, "k", "2").VersionId
	names[two] = "2"
	w.setVersioning(t, b, types.BucketVersioningStatusSuspended)
	same(t, "null in the middle", w.history(t, b, names), "k:2* k:null k:1")
	out, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	same(t, "marker", *out.VersionId, "null")
	same(t, "null marker", w.history(t, b, names), "k:2 k:1 -k:null*")
	_, err = w.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{}})
	refused(t, err, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
}

func TestTagsOfVersions(t *testing.T) {
	w := newWorld(t)
	b := w.versioned(t, "shop")
	one := w.put(t, b, "k", "1").VersionId
	w.put(t, b, "k", "2")
	tag := []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	out, err := w.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: &b, Key: aws.String("k"), VersionId: one, Tagging: &types.Tagging{TagSet: tag}})
	ok(t, err)
	same(t, "version", *out.VersionId, *one)
	current, err := w.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	same(t, "tags of the current version", len(current.TagSet), 0)
	old, err := w.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("k"), VersionId: one})
	ok(t, err)
	same(t, "tags of the old version", *old.TagSet[0].Value, "b")
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	_, err = w.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("k")})
	refused(t, err, "MethodNotAllowed", "")
}

func TestObjectLock(t *testing.T) {
	w := newWorld(t)
	b := "locked"
	_, err := w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &b, ObjectLockEnabledForBucket: aws.Bool(true)})
	ok(t, err)
	_, err = w.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{Status: "Suspended"}})
	refused(t, err, "InvalidBucketState", "")
	config := &types.ObjectLockConfiguration{ObjectLockEnabled: "Enabled", Rule: &types.ObjectLockRule{
		DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(1)},
	}}
	_, err = w.PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &b, ObjectLockConfiguration: config})
	ok(t, err)
	id := w.put(t, b, "k", "1").VersionId
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	same(t, "until", head.ObjectLockRetainUntilDate.UTC(), birth.AddDate(0, 0, 1))
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: id})
	refused(t, err, "AccessDenied", "Access Denied because object protected by object lock.")
	_, err = w.PutObjectLegalHold(t.Context(), &s3.PutObjectLegalHoldInput{Bucket: &b, Key: aws.String("k"), LegalHold: &types.ObjectLockLegalHold{Status: "ON"}})
	ok(t, err)
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: id, BypassGovernanceRetention: aws.Bool(true)})
	refused(t, err, "AccessDenied", "")
	_, err = w.PutObjectLegalHold(t.Context(), &s3.PutObjectLegalHoldInput{Bucket: &b, Key: aws.String("k"), LegalHold: &types.ObjectLockLegalHold{Status: "OFF"}})
	ok(t, err)
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: id, BypassGovernanceRetention: aws.Bool(true)})
	ok(t, err)
	plain := w.bucket(t, "plain")
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &plain, Key: aws.String("k"), BypassGovernanceRetention: aws.Bool(true)})
	refused(t, err, "InvalidArgument", "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.")
}
