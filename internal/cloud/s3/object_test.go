package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// status is the HTTP status of an error.
func status(err error) int {
	var e *awshttp.ResponseError
	if errors.As(err, &e) {
		return e.HTTPStatusCode()
	}
	return 0
}

// TestRanges holds the answers to what AWS has answered for the same ranges of an object of ten bytes.
func TestRanges(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "k", "0123456789")
	for _, c := range []struct{ header, body, contentRange string }{
		{"bytes=0-8", "012345678", "bytes 0-8/10"},
		{"bytes=1-1", "1", "bytes 1-1/10"},
		{"bytes=1-0", "0123456789", ""},
		{"bytes=1-", "123456789", "bytes 1-9/10"},
		{"bytes=-1-", "0123456789", ""},
		{"bytes=-2", "89", "bytes 8-9/10"},
		{"bytes=-9", "123456789", "bytes 1-9/10"},
		{"bytes=-15", "0123456789", "bytes 0-9/10"},
		{"bytes=0-100", "0123456789", "bytes 0-9/10"},
		{"bytes=0-0", "0", "bytes 0-0/10"},
		{"bytes=0--1", "0123456789", ""},
		{"bytes=0-1,3-4,7-9", "0123456789", ""},
		{"0-8", "0123456789", ""},
		{"bytes=-", "0123456789", ""},
	} {
		t.Run(c.header, func(t *testing.T) {
			got, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k"), Range: &c.header, ChecksumMode: types.ChecksumModeEnabled})
			ok(t, err)
			same(t, "body", text(t, got.Body), c.body)
			same(t, "Content-Range", aws.ToString(got.ContentRange), c.contentRange)
			same(t, "a checksum", got.ChecksumCRC32 != nil, len(c.body) == 10)
		})
	}
	for _, header := range []string{"bytes=-0", "bytes=100-200"} {
		_, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k"), Range: &header})
		refused(t, err, "InvalidRange", "The requested range is not satisfiable")
		same(t, "status", status(err), 416)
	}
}

func TestReadConditions(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	etag := *w.put(t, b, "k", "data").ETag
	w.clock.Advance(time.Hour)
	before, at, after, future := aws.Time(birth.Add(-time.Minute)), aws.Time(birth), aws.Time(birth.Add(time.Minute)), aws.Time(birth.Add(24*time.Hour))
	wrong := aws.String(`"d41d8cd98f00b204e9800998ecf8427e"`)
	for _, c := range []struct {
		name string
		in   s3.GetObjectInput
		want int
	}{
		{"match", s3.GetObjectInput{IfMatch: &etag}, 200},
		{"no match", s3.GetObjectInput{IfMatch: wrong}, 412},
		{"match without quotes", s3.GetObjectInput{IfMatch: aws.String(strings.Trim(etag, `"`))}, 200},
		{"none match", s3.GetObjectInput{IfNoneMatch: wrong}, 200},
		{"matches none", s3.GetObjectInput{IfNoneMatch: &etag}, 304},
		{"modified", s3.GetObjectInput{IfModifiedSince: before}, 200},
		{"not modified", s3.GetObjectInput{IfModifiedSince: after}, 304},
		{"modified then", s3.GetObjectInput{IfModifiedSince: at}, 304},
		{"modified in future", s3.GetObjectInput{IfModifiedSince: future}, 200},
		{"unmodified", s3.GetObjectInput{IfUnmodifiedSince: after}, 200},
		{"unmodified then", s3.GetObjectInput{IfUnmodifiedSince: at}, 200},
		{"unmodified not", s3.GetObjectInput{IfUnmodifiedSince: before}, 412},
		{"match goes before unmodified", s3.GetObjectInput{IfMatch: &etag, IfUnmodifiedSince: before}, 200},
		{"none match goes before modified", s3.GetObjectInput{IfNoneMatch: wrong, IfModifiedSince: after}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Bucket, c.in.Key = &b, aws.String("k")
			_, err := w.GetObject(t.Context(), &c.in)
			if c.want == 200 {
				ok(t, err)
			} else {
				same(t, "status", status(err), c.want)
			}
			_, err = w.HeadObject(t.Context(), &s3.HeadObjectInput{
				Bucket: &b, Key: aws.String("k"), IfMatch: c.in.IfMatch, IfNoneMatch: c.in.IfNoneMatch,
				IfModifiedSince: c.in.IfModifiedSince, IfUnmodifiedSince: c.in.IfUnmodifiedSince,
			})
			if c.want != 200 {
				same(t, "status of HEAD", status(err), c.want)
			}
		})
	}
}

func TestWriteConditions(t *testing.T) {
	w := newWorld(t)
	for _, b := range []string{w.bucket(t, "plain"), w.versioned(t, "versioned")} {
		t.Run(b, func(t *testing.T) {
			put := func(match, noneMatch *string) error {
				_, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("new"), IfMatch: match, IfNoneMatch: noneMatch})
				return err
			}
			star := aws.String("*")
			refused(t, put(aws.String("x"), nil), "NoSuchKey", "The specified key does not exist.")
			ok(t, put(nil, star))
			refused(t, put(nil, star), "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
			refused(t, put(aws.String("x"), nil), "PreconditionFailed", "")
			ok(t, put(aws.String(`"22af645d1859cb5ca6da0c484f1f37ea"`), nil))
			refused(t, put(star, nil), "NotImplemented", "A header you provided implies functionality that is not implemented")
			refused(t, put(nil, aws.String("x")), "NotImplemented", "")
			refused(t, put(aws.String("x"), star), "NotImplemented", "")
			_, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
			ok(t, err)
			refused(t, put(aws.String("x"), nil), "NoSuchKey", "")
			ok(t, put(nil, star))
		})
	}
}

// TestChecksums holds the sums of "test-checksum" to those that AWS has computed.
func TestChecksums(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	for a, want := range map[types.ChecksumAlgorithm]string{
		"": "lVk/nw==", types.ChecksumAlgorithmCrc32: "lVk/nw==", types.ChecksumAlgorithmCrc32c: "Fz3epA==",
		types.ChecksumAlgorithmCrc64nvme: "1f2xscCCZCU=", types.ChecksumAlgorithmSha1: "jbXkHAsXUrubtL3dqDQ4w+7WXc0=",
		types.ChecksumAlgorithmSha256: "1YQo81vx2VFUl0q5ccWISq8AkSBQQ0WO80S82TmfdIQ=",
	} {
		t.Run(string(a), func(t *testing.T) {
			key := "k" + string(a)
			out, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: &key, Body: strings.NewReader("test-checksum"), ChecksumAlgorithm: a})
			ok(t, err)
			of := func(crc32, crc32c, crc64, sha1, sha256 *string) string {
				for _, p := range []*string{crc32, crc32c, crc64, sha1, sha256} {
					if p != nil {
						return *p
					}
				}
				return ""
			}
			same(t, "PUT", of(out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1, out.ChecksumSHA256), want)
			head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
			ok(t, err)
			same(t, "HEAD", of(head.ChecksumCRC32, head.ChecksumCRC32C, head.ChecksumCRC64NVME, head.ChecksumSHA1, head.ChecksumSHA256), want)
			attrs, err := w.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
				Bucket: &b, Key: &key, ObjectAttributes: []types.ObjectAttributes{"Checksum", "ETag", "ObjectSize", "StorageClass", "ObjectParts"},
			})
			ok(t, err)
			c := attrs.Checksum
			same(t, "attributes", of(c.ChecksumCRC32, c.ChecksumCRC32C, c.ChecksumCRC64NVME, c.ChecksumSHA1, c.ChecksumSHA256), want)
			same(t, "etag", *attrs.ETag, "f2081dd61dfa700a0fd5e29b9c3cc23d")
			same(t, "size", *attrs.ObjectSize, 13)
			same(t, "class", attrs.StorageClass, types.StorageClassStandard)
		})
	}
}

func TestDigestsThatDoNotFitAreRefused(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	put := func(in s3.PutObjectInput) error {
		in.Bucket, in.Key, in.Body = &b, aws.String("k"), strings.NewReader("something")
		_, err := w.PutObject(t.Context(), &in)
		return err
	}
	for _, bad := range []string{"__invalid__", "000", "not base64 encoded checksum", "MTIz", "dGVzdC1zdHJpbmc="} {
		refused(t, put(s3.PutObjectInput{ContentMD5: &bad}), "InvalidDigest", "The Content-MD5 you specified was invalid.")
	}
	other := md5.Sum([]byte("else"))
	refused(t, put(s3.PutObjectInput{ContentMD5: aws.String(base64.StdEncoding.EncodeToString(other[:]))}),
		"BadDigest", "The Content-MD5 you specified did not match what we received.")
	refused(t, put(s3.PutObjectInput{ChecksumCRC32: aws.String("AAAAAA==")}), "BadDigest", "The CRC32 you specified did not match the calculated checksum.")
	refused(t, put(s3.PutObjectInput{ChecksumSHA256: aws.String("short")}), "InvalidRequest", "Value for x-amz-checksum-sha256 header is invalid.")
	refused(t, put(s3.PutObjectInput{ChecksumCRC32: aws.String("AAAAAA=="), ChecksumCRC32C: aws.String("AAAAAA==")}), "InvalidRequest",
		"Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	same(t, "blobs", w.blobs.Usage().Files, 0)
}

func TestOverridesAndPresignedURLs(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	signer := s3.NewPresignClient(w.Client)
	put, err := signer.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("a b")})
	ok(t, err)
	send := func(method, url, body string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		ok(t, err)
		resp, err := w.config.HTTPClient.Do(r)
		ok(t, err)
		return resp
	}
	resp := send("PUT", put.URL, "by a browser")
	same(t, "PUT", resp.StatusCode, 200)
	get, err := signer.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("a b"), ResponseContentType: aws.String("text/x")})
	ok(t, err)
	resp = send("GET", get.URL, "")
	same(t, "GET", resp.StatusCode, 200)
	same(t, "type", resp.Header.Get("Content-Type"), "text/x")
	same(t, "body", text(t, resp.Body), "by a browser")
}

func TestCopies(t *testing.T) {
	w := newWorld(t)
	from, to := w.bucket(t, "source"), w.bucket(t, "target")
	_, err := w.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &from, Key: aws.String("ä b"), Body: strings.NewReader("data"), ContentType: aws.String("text/plain"),
		Metadata: map[string]string{"k": "v"}, Tagging: aws.String("a=1"), StorageClass: types.StorageClassStandardIa,
	})
	ok(t, err)
	source := aws.String("source/%C3%A4%20b")
	out, err := w.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &to, Key: aws.String("c"), CopySource: source})
	ok(t, err)
	same(t, "etag", *out.CopyObjectResult.ETag, `"8d777f385d3dfec8815d20f7496026dc"`)
	same(t, "checksum", *out.CopyObjectResult.ChecksumCRC32, "rfPzYw==")
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &to, Key: aws.String("c")})
	ok(t, err)
	same(t, "type", *head.ContentType, "text/plain")
	same(t, "metadata", head.Metadata["k"], "v")
	same(t, "tags", *head.TagCount, 1)
	same(t, "class", head.StorageClass, "")
	_, err = w.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: &to, Key: aws.String("c"), CopySource: source, MetadataDirective: types.MetadataDirectiveReplace, ContentType: aws.String("text/html"),
		TaggingDirective: types.TaggingDirectiveReplace, Tagging: aws.String("x=1&y=2"), ChecksumAlgorithm: types.ChecksumAlgorithmSha1,
	})
	ok(t, err)
	head, err = w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &to, Key: aws.String("c"), ChecksumMode: types.ChecksumModeEnabled})
	ok(t, err)
	same(t, "type", *head.ContentType, "text/html")
	same(t, "metadata", len(head.Metadata), 0)
	same(t, "tags", *head.TagCount, 2)
	same(t, "checksum", *head.ChecksumSHA1, "oXyaqmHoChv3HQ2FCvTluqmAC70=")
	// The copy stays when the source goes.
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &from, Key: aws.String("ä b")})
	ok(t, err)
	same(t, "body", w.get(t, to, "c"), "data")
}

func TestCopiesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "k", "data")
	w.clock.Advance(time.Hour)
	etag := aws.String(`"8d777f385d3dfec8815d20f7496026dc"`)
	for _, c := range []struct {
		name          string
		in            s3.CopyObjectInput
		code, message string
	}{
		{"onto itself", s3.CopyObjectInput{CopySource: aws.String("shop/k"), Key: aws.String("k")}, "InvalidRequest",
			"This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."},
		{"no key", s3.CopyObjectInput{CopySource: aws.String("shop")}, "InvalidArgument", "Invalid copy source object key"},
		{"no such bucket", s3.CopyObjectInput{CopySource: aws.String("none/k")}, "NoSuchBucket", "The specified bucket does not exist"},
		{"no such key", s3.CopyObjectInput{CopySource: aws.String("shop/none")}, "NoSuchKey", "The specified key does not exist."},
		{"no match", s3.CopyObjectInput{CopySource: aws.String("shop/k"), CopySourceIfMatch: aws.String("x")}, "PreconditionFailed", ""},
		{"matches none", s3.CopyObjectInput{CopySource: aws.String("shop/k"), CopySourceIfNoneMatch: etag}, "PreconditionFailed", ""},
		{"not modified", s3.CopyObjectInput{CopySource: aws.String("shop/k"), CopySourceIfModifiedSince: aws.Time(birth.Add(time.Minute))}, "PreconditionFailed", ""},
		{"modified", s3.CopyObjectInput{CopySource: aws.String("shop/k"), CopySourceIfUnmodifiedSince: aws.Time(birth.Add(-time.Minute))}, "PreconditionFailed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Bucket = &b
			if c.in.Key == nil {
				c.in.Key = aws.String("c")
			}
			_, err := w.CopyObject(t.Context(), &c.in)
			refused(t, err, c.code, c.message)
		})
	}
	_, err := w.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &b, Key: aws.String("k"), CopySource: aws.String("shop/k"), StorageClass: types.StorageClassStandard})
	ok(t, err)
	same(t, "body", w.get(t, b, "k"), "data")
}

func TestDeleteObjects(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "a", "1")
	out, err := w.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("a")}, {Key: aws.String("none")}, {Key: aws.String("a"), VersionId: aws.String("HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")},
	}}})
	ok(t, err)
	same(t, "deleted", len(out.Deleted), 2)
	same(t, "errors", len(out.Errors), 1)
	same(t, "error", *out.Errors[0].Code, "NoSuchVersion")
	out, err = w.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Quiet: aws.Bool(true), Objects: []types.ObjectIdentifier{{Key: aws.String("a")}}}})
	ok(t, err)
	same(t, "quietly deleted", len(out.Deleted), 0)
}

func TestArchivedObjectsAreNotRead(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	_, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), StorageClass: types.StorageClassGlacier})
	ok(t, err)
	_, err = w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	refused(t, err, "InvalidObjectState", "The operation is not valid for the object's storage class")
	_, err = w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	_, err = w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), StorageClass: types.StorageClassOutposts})
	refused(t, err, "InvalidStorageClass", "The storage class you specified is not valid")
}

func TestKeysAndMetadataHaveLimits(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, strings.Repeat("k", 1024), "")
	_, err := w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String(strings.Repeat("k", 1025))})
	refused(t, err, "KeyTooLongError", "Your key is too long")
	_, err = w.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Metadata: map[string]string{"m": strings.Repeat("m", 2048)}})
	refused(t, err, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
}

func TestCustomersKeys(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	raw := bytes.Repeat([]byte{7}, 32)
	sum := md5.Sum(raw)
	// Over plain HTTP the client refuses to send keys: the service is called itself.
	key, keyMD5, aes := aws.String(base64.StdEncoding.EncodeToString(raw)), aws.String(base64.StdEncoding.EncodeToString(sum[:])), aws.String("AES256")
	out, err := w.service.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("secret"), SSECustomerAlgorithm: aes, SSECustomerKey: key, SSECustomerKeyMD5: keyMD5,
	})
	ok(t, err)
	same(t, "encryption", out.ServerSideEncryption, "")
	same(t, "customer's key", *out.SSECustomerKeyMD5, *keyMD5)
	_, err = w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	refused(t, err, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	got, err := w.service.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k"), SSECustomerAlgorithm: aes, SSECustomerKey: key, SSECustomerKeyMD5: keyMD5})
	ok(t, err)
	same(t, "body", text(t, got.Body), "secret")
	_, err = w.service.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k"), SSECustomerAlgorithm: aws.String("KMS"), SSECustomerKey: key, SSECustomerKeyMD5: keyMD5})
	refused(t, err, "InvalidEncryptionAlgorithmError", "")
}

func TestABodyIsNeverHeldWhole(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	r := &counted{Reader: io.LimitReader(zeros{}, 64<<20)}
	_, err := w.service.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: r})
	ok(t, err)
	if r.largest > 1<<20 {
		t.Errorf("a read asked for %d bytes at once", r.largest)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counted struct {
	io.Reader
	largest int
}

func (c *counted) Read(p []byte) (int, error) {
	c.largest = max(c.largest, len(p))
	return c.Reader.Read(p)
}
