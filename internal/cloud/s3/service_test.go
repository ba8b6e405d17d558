package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/clock"
	ours "evo/internal/cloud/s3"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire/wiretest"
)

// world is a fresh S3 behind the real client.
type world struct {
	*s3.Client
	config  aws.Config
	service *ours.Service
	blobs   *blob.Store
	clock   *clock.Stepped
}

var birth = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	w := &world{blobs: blob.Memory(), clock: clock.NewStepped(birth)}
	var err error
	w.service, err = ours.New(ours.Config{Store: store.Memory(), Blobs: w.blobs, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.service.Close() })
	w.config = wiretest.Config(t, wiretest.Serve{"s3": w.service})
	w.Client = s3.NewFromConfig(w.config, func(o *s3.Options) {
		o.UsePathStyle = true
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported // as config.LoadDefaultConfig has it
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
	})
	return w
}

// bucket makes a bucket.
func (w *world) bucket(t testing.TB, name string) string {
	t.Helper()
	_, err := w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
	ok(t, err)
	return name
}

// versioned makes a bucket and turns its versioning on.
func (w *world) versioned(t testing.TB, name string) string {
	t.Helper()
	w.bucket(t, name)
	w.setVersioning(t, name, types.BucketVersioningStatusEnabled)
	return name
}

func (w *world) setVersioning(t testing.TB, name string, status types.BucketVersioningStatus) {
	t.Helper()
	_, err := w.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	ok(t, err)
}

func (w *world) put(t testing.TB, bucket, key, body string) *s3.PutObjectOutput {
	t.Helper()
	out, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	ok(t, err)
	return out
}

func (w *world) get(t testing.TB, bucket, key string) string {
	t.Helper()
	out, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	ok(t, err)
	return text(t, out.Body)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(t testing.TB, body io.ReadCloser) string {
	t.Helper()
	defer body.Close()
	b, err := io.ReadAll(body)
	ok(t, err)
	return string(b)
}

func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// refused checks an error's code and, if there is one, message.
func refused(t testing.TB, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if e.ErrorCode() != code || message != "" && e.ErrorMessage() != message {
		t.Errorf("got %s: %s\nwant %s: %s", e.ErrorCode(), e.ErrorMessage(), code, message)
	}
}

func TestAnObjectComesBackAsItWasPut(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	body := strings.Repeat("0123456789", 30_000)
	out, err := w.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &b, Key: aws.String("a/ü %2F+&.txt"), Body: strings.NewReader(body), ContentType: aws.String("text/plain"),
		CacheControl: aws.String("max-age=60"), ContentDisposition: aws.String("inline"), ContentLanguage: aws.String("de"),
		ContentEncoding: aws.String("identity"), Metadata: map[string]string{"Colour": "blue"}, Expires: aws.Time(birth), Tagging: aws.String("a=1&b=2"),
		WebsiteRedirectLocation: aws.String("/other"), StorageClass: types.StorageClassStandardIa,
	})
	ok(t, err)
	same(t, "etag", *out.ETag, `"b9c683230a9e20ee0a15acf7f070f508"`)
	same(t, "encryption", out.ServerSideEncryption, types.ServerSideEncryptionAes256)
	same(t, "checksum type", out.ChecksumType, types.ChecksumTypeFullObject)
	got, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("a/ü %2F+&.txt"), ChecksumMode: types.ChecksumModeEnabled})
	ok(t, err)
	if text(t, got.Body) != body {
		t.Error("the body is another")
	}
	same(t, "type", *got.ContentType, "text/plain")
	same(t, "cache", *got.CacheControl, "max-age=60")
	same(t, "disposition", *got.ContentDisposition, "inline")
	same(t, "language", *got.ContentLanguage, "de")
	same(t, "encoding", *got.ContentEncoding, "identity")
	same(t, "metadata", got.Metadata["colour"], "blue")
	same(t, "expires", aws.ToString(got.ExpiresString), "Sun, 01 Mar 2026 12:00:00 GMT")
	same(t, "tags", *got.TagCount, 2)
	same(t, "redirect", *got.WebsiteRedirectLocation, "/other")
	same(t, "class", got.StorageClass, types.StorageClassStandardIa)
	same(t, "modified", got.LastModified.UTC(), birth)
	same(t, "length", *got.ContentLength, int64(len(body)))
	same(t, "ranges", *got.AcceptRanges, "bytes")
	same(t, "checksum", aws.ToString(got.ChecksumCRC32), aws.ToString(out.ChecksumCRC32))
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("a/ü %2F+&.txt")})
	ok(t, err)
	same(t, "length by HEAD", *head.ContentLength, int64(len(body)))
	same(t, "etag by HEAD", *head.ETag, *out.ETag)
}

func TestAnObjectIsReplacedAndDeleted(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "k", "one")
	w.put(t, b, "k", "two, longer")
	same(t, "body", w.get(t, b, "k"), "two, longer")
	for range 2 { // the second finds nothing, and succeeds
		_, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
		ok(t, err)
	}
	_, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	refused(t, err, "NoSuchKey", "The specified key does not exist.")
	same(t, "blobs that are left", w.blobs.Usage(), blob.Usage{})
}

func TestAReaderOfADeletedObjectFinishes(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	body := strings.Repeat("x", 3<<20)
	w.put(t, b, "k", body)
	// The service's own method: a client's transport might have read ahead.
	got, err := w.service.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	if text(t, got.Body) != body {
		t.Error("the body is not what it was when the read began")
	}
	same(t, "blobs that are left", w.blobs.Usage(), blob.Usage{})
}

// failing is a body that breaks off.
type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "k", "before")
	before := w.blobs.Usage()
	for _, n := range []int{10, 1 << 20} {
		_, err := w.service.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &b, Key: aws.String("k"), Body: failing{bytes.NewReader(make([]byte, n))},
		})
		refused(t, err, "IncompleteBody", "")
	}
	same(t, "body", w.get(t, b, "k"), "before")
	same(t, "blobs", w.blobs.Usage(), before)
}
