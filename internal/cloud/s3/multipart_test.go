package s3_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/s3/blob"
)

// uploading is a multipart upload under way.
type uploading struct {
	*world
	bucket, key, id string
	algorithm       types.ChecksumAlgorithm
	parts           []types.CompletedPart
}

func (w *world) upload(t testing.TB, bucket, key string, in s3.CreateMultipartUploadInput) *uploading {
	t.Helper()
	in.Bucket, in.Key = &bucket, &key
	out, err := w.CreateMultipartUpload(t.Context(), &in)
	ok(t, err)
	return &uploading{world: w, bucket: bucket, key: key, id: *out.UploadId, algorithm: in.ChecksumAlgorithm}
}

func (u *uploading) part(t testing.TB, body string) {
	t.Helper()
	number := int32(len(u.parts) + 1)
	out, err := u.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &number, Body: strings.NewReader(body), ChecksumAlgorithm: u.algorithm,
	})
	ok(t, err)
	done := types.CompletedPart{PartNumber: &number, ETag: out.ETag}
	if u.algorithm != "" {
		done.ChecksumCRC32, done.ChecksumCRC32C, done.ChecksumCRC64NVME = out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME
		done.ChecksumSHA1, done.ChecksumSHA256 = out.ChecksumSHA1, out.ChecksumSHA256
	}
	u.parts = append(u.parts, done)
}

func (u *uploading) complete(t testing.TB, in s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	t.Helper()
	in.Bucket, in.Key, in.UploadId = &u.bucket, &u.key, &u.id
	if in.MultipartUpload == nil {
		in.MultipartUpload = &types.CompletedMultipartUpload{Parts: u.parts}
	}
	return u.CompleteMultipartUpload(t.Context(), &in)
}

// TestMultipartSums holds ETags and checksums to those that AWS has computed for the same three parts.
func TestMultipartSums(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	large, small := strings.Repeat("a", 5<<20+1), strings.Repeat("a", 10)
	const composite, full = types.ChecksumTypeComposite, types.ChecksumTypeFullObject
	for _, c := range []struct {
		algorithm types.ChecksumAlgorithm
		typ, got  types.ChecksumType
		want      string
	}{
		{types.ChecksumAlgorithmCrc32, "", composite, "5FRUiw==-3"},
		{types.ChecksumAlgorithmCrc32, full, full, "qSEQSA=="},
		{types.ChecksumAlgorithmCrc32c, composite, composite, "XF5+4A==-3"},
		{types.ChecksumAlgorithmSha256, "", composite, "9o++y6AejqboiJ7MZCx0fahK2Vu5YC/qnNhhYsCLciI=-3"},
		{types.ChecksumAlgorithmCrc64nvme, "", full, "ZMNX55lZurA="},
		{"", "", full, "ZMNX55lZurA="},
	} {
		t.Run(string(c.algorithm+"-"+types.ChecksumAlgorithm(c.got)), func(t *testing.T) {
			u := w.upload(t, b, "k", s3.CreateMultipartUploadInput{ChecksumAlgorithm: c.algorithm, ChecksumType: c.typ})
			u.part(t, large)
			u.part(t, large)
			u.part(t, small)
			out, err := u.complete(t, s3.CompleteMultipartUploadInput{})
			ok(t, err)
			same(t, "etag", *out.ETag, `"4d45984fc3feb2ac9b22683c49674b56-3"`)
			same(t, "checksum type", out.ChecksumType, c.got)
			head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
			ok(t, err)
			found := ""
			for _, p := range []*string{head.ChecksumCRC32, head.ChecksumCRC32C, head.ChecksumCRC64NVME, head.ChecksumSHA1, head.ChecksumSHA256} {
				found += aws.ToString(p)
			}
			same(t, "checksum", found, c.want)
			copied, err := w.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &b, Key: aws.String("copy"), CopySource: aws.String("shop/k")})
			ok(t, err)
			same(t, "etag of the copy", *copied.CopyObjectResult.ETag, `"a0397ee2df08832642af5d7e57c5760c"`)
			part, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k"), PartNumber: aws.Int32(3), ChecksumMode: types.ChecksumModeEnabled})
			ok(t, err)
			same(t, "part", text(t, part.Body), small)
			same(t, "parts", *part.PartsCount, 3)
			same(t, "range", *part.ContentRange, "bytes 10485762-10485771/10485772")
		})
	}
}

func TestMultipartRefusals(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	for _, c := range []struct {
		in      s3.CreateMultipartUploadInput
		message string
	}{
		{s3.CreateMultipartUploadInput{ChecksumType: types.ChecksumTypeComposite}, "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."},
		{s3.CreateMultipartUploadInput{ChecksumType: types.ChecksumTypeFullObject, ChecksumAlgorithm: types.ChecksumAlgorithmSha256}, "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."},
		{s3.CreateMultipartUploadInput{ChecksumType: types.ChecksumTypeComposite, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme}, "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."},
	} {
		c.in.Bucket, c.in.Key = &b, aws.String("k")
		_, err := w.service.CreateMultipartUpload(t.Context(), &c.in)
		refused(t, err, "InvalidRequest", c.message)
	}
	u := w.upload(t, b, "k", s3.CreateMultipartUploadInput{})
	u.part(t, "data")
	u.part(t, "data")
	_, err := u.complete(t, s3.CompleteMultipartUploadInput{MultipartUpload: &types.CompletedMultipartUpload{}})
	refused(t, err, "InvalidRequest", "You must specify at least one part")
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{})
	refused(t, err, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{u.parts[1], u.parts[0]}}})
	refused(t, err, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
	wrong := types.CompletedPart{PartNumber: aws.Int32(1), ETag: aws.String("d41d8cd98f00b204e9800998ecf8427e")}
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{wrong}}})
	refused(t, err, "InvalidPart", "")
	one := &types.CompletedMultipartUpload{Parts: u.parts[:1]}
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{MultipartUpload: one, MpuObjectSize: aws.Int64(5)})
	refused(t, err, "InvalidRequest", "The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4")
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{MultipartUpload: one, ChecksumType: types.ChecksumTypeFullObject})
	refused(t, err, "InvalidRequest", "The upload was created using the null checksum mode. The complete request must use the same checksum mode.")
	_, err = w.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &b, Key: aws.String("k"), UploadId: &u.id, PartNumber: aws.Int32(10_001)})
	refused(t, err, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	_, err = w.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &b, Key: aws.String("other"), UploadId: &u.id, PartNumber: aws.Int32(1)})
	refused(t, err, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	_, err = w.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: &b, Key: aws.String("k"), UploadId: &u.id})
	ok(t, err)
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{MultipartUpload: one})
	refused(t, err, "NoSuchUpload", "")
	same(t, "blobs", w.blobs.Usage(), blob.Usage{})
}

func TestConditionalCompletion(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	star := aws.String("*")
	u := w.upload(t, b, "k", s3.CreateMultipartUploadInput{})
	u.part(t, "data")
	w.put(t, b, "k", "test")
	_, err := u.complete(t, s3.CompleteMultipartUploadInput{IfNoneMatch: star})
	refused(t, err, "PreconditionFailed", "")
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{IfMatch: aws.String(`"098f6bcd4621d373cade4e832627b4f6"`)})
	refused(t, err, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.")
	_, err = w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{IfNoneMatch: star})
	refused(t, err, "ConditionalRequestConflict", "")
	u = w.upload(t, b, "k", s3.CreateMultipartUploadInput{})
	u.part(t, "data")
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{IfNoneMatch: star})
	ok(t, err)
}

func TestPartsAreListedAndReplaced(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	u := w.upload(t, b, "k", s3.CreateMultipartUploadInput{ContentType: aws.String("text/x"), Metadata: map[string]string{"a": "b"}})
	list := func(limit int32, marker string) *s3.ListPartsOutput {
		out, err := w.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &b, Key: aws.String("k"), UploadId: &u.id, MaxParts: &limit, PartNumberMarker: &marker})
		ok(t, err)
		return out
	}
	same(t, "next of none", *list(1000, "").NextPartNumberMarker, "0")
	u.part(t, "one")
	u.part(t, "two")
	first := list(1, "")
	same(t, "truncated", *first.IsTruncated, true)
	same(t, "next", *first.NextPartNumberMarker, "1")
	rest := list(1, "1")
	same(t, "truncated", *rest.IsTruncated, false)
	same(t, "part", *rest.Parts[0].PartNumber, 2)
	u.parts = u.parts[:0]
	u.part(t, "one, again")
	w.clock.Advance(time.Hour)
	_, err := u.complete(t, s3.CompleteMultipartUploadInput{})
	ok(t, err)
	got, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	same(t, "body", text(t, got.Body), "one, again")
	same(t, "type", *got.ContentType, "text/x")
	same(t, "metadata", got.Metadata["a"], "b")
	same(t, "modified when it was begun", got.LastModified.UTC(), birth)
	same(t, "blobs", w.blobs.Usage().Files, 1)
}

func TestUploadsAreListed(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	var ids []string
	for _, key := range []string{"c", "b", "a", "a", "folder/x", "folder/y"} {
		ids = append(ids, w.upload(t, b, key, s3.CreateMultipartUploadInput{}).id)
	}
	list := func(in s3.ListMultipartUploadsInput) (found string, out *s3.ListMultipartUploadsOutput) {
		in.Bucket = &b
		out, err := w.ListMultipartUploads(t.Context(), &in)
		ok(t, err)
		for _, u := range out.Uploads {
			found += *u.Key + " "
		}
		for _, p := range out.CommonPrefixes {
			found += *p.Prefix + " "
		}
		return found, out
	}
	all, _ := list(s3.ListMultipartUploadsInput{})
	same(t, "all", all, "a a b c folder/x folder/y ")
	grouped, _ := list(s3.ListMultipartUploadsInput{Delimiter: aws.String("/")})
	same(t, "grouped", grouped, "a a b c folder/ ")
	first, out := list(s3.ListMultipartUploadsInput{MaxUploads: aws.Int32(1)})
	same(t, "first", first, "a ")
	same(t, "truncated", *out.IsTruncated, true)
	same(t, "oldest first", *out.NextUploadIdMarker, ids[2])
	second, _ := list(s3.ListMultipartUploadsInput{MaxUploads: aws.Int32(2), KeyMarker: out.NextKeyMarker, UploadIdMarker: out.NextUploadIdMarker})
	same(t, "second", second, "a b ")
	_, err := w.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &b, KeyMarker: aws.String("a"), UploadIdMarker: &ids[0]})
	refused(t, err, "InvalidArgument", "Invalid uploadId marker")
}

func TestPartsFromOtherObjects(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	w.put(t, b, "source", "0123456789")
	u := w.upload(t, b, "k", s3.CreateMultipartUploadInput{})
	copied := func(r string) (*s3.UploadPartCopyOutput, error) {
		return w.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
			Bucket: &b, Key: aws.String("k"), UploadId: &u.id, PartNumber: aws.Int32(1), CopySource: aws.String("shop/source"), CopySourceRange: &r,
		})
	}
	for _, r := range []string{"0-8", "bytes=1-0", "bytes=-1-", "bytes=0-1,3-4,7-9", "bytes=-", "bytes=1-", "bytes=-2"} {
		_, err := copied(r)
		refused(t, err, "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	_, err := copied("bytes=0-100")
	refused(t, err, "InvalidArgument", "Range specified is not valid for source object of size: 10")
	_, err = copied("bytes=100-200")
	refused(t, err, "InvalidRequest", "The specified copy range is invalid for the source object size")
	out, err := copied("bytes=0-8")
	ok(t, err)
	same(t, "etag", *out.CopyPartResult.ETag, `"22975d8a5ed1b91445f6c55ac121505b"`)
	u.parts = []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: out.CopyPartResult.ETag}}
	_, err = u.complete(t, s3.CompleteMultipartUploadInput{})
	ok(t, err)
	same(t, "body", w.get(t, b, "k"), "012345678")
}

func TestTheTransferManager(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	body := strings.Repeat("0123456789abcdef", 1<<20)
	_, err := manager.NewUploader(w.Client).Upload(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader(body)})
	ok(t, err)
	buf := manager.NewWriteAtBuffer(make([]byte, 0, len(body)))
	_, err = manager.NewDownloader(w.Client).Download(t.Context(), buf, &s3.GetObjectInput{Bucket: &b, Key: aws.String("k")})
	ok(t, err)
	if string(buf.Bytes()) != body {
		t.Error("what was downloaded is not what was uploaded")
	}
}
