package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// source is what a copy is made of, and under which conditions.
type source struct {
	bucket, key string
	id          *string
	expected    *string // the owner of its bucket
	conditions  readConditions
	crypt       cryptHeaders
}

// parseSource reads the x-amz-copy-source header: a bucket, a key, and perhaps a version, URL-encoded.
func parseSource(header *string) (source, error) {
	value := aws.ToString(header)
	path, id, versioned := strings.Cut(value, "?versionId=")
	path, err := url.PathUnescape(path)
	bucketName, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || key == "" {
		return source{}, invalidArgument("x-amz-copy-source", "x-amz-copy-source", "Invalid copy source object key")
	}
	src := source{bucket: bucketName, key: key}
	if versioned {
		src.id = &id
	}
	return src, nil
}

// resolve finds the version that a copy is made of, and checks that it may be copied.
func (s *Service) resolve(src source) (b *bucket, v *version, err error) {
	s.db.View(func(tx *store.Tx) {
		if b, err = s.lookup(tx, &src.bucket, src.expected); err == nil {
			v, err = s.find(tx, b, src.key, src.id)
		}
	})
	switch {
	case err != nil:
		return nil, nil, err
	case v.Marker && src.id == nil:
		return nil, nil, noSuchKey(src.key)
	case v.Marker:
		return nil, nil, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	}
	if err := v.Crypt.readable(src.crypt); err != nil {
		return nil, nil, err
	}
	if condition, _ := src.conditions.failed(v, s.now()); condition != "" {
		return nil, nil, preconditionFailed("x-amz-copy-source-" + condition)
	}
	if v.Class == string(types.StorageClassGlacier) || v.Class == string(types.StorageClassDeepArchive) {
		return nil, nil, failure(403, "InvalidObjectState", "Operation is not valid for the source object's storage class", "StorageClass", v.Class)
	}
	return b, v, nil
}

// CopyObject implements the S3 operation. No bytes are copied: both versions refer to them. They are read where the copy's ETag or
// checksum does not follow from the source's.
func (s *Service) CopyObject(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	key := aws.ToString(in.Key)
	src, err := parseSource(in.CopySource)
	if err != nil {
		return nil, err
	}
	src.expected = in.ExpectedSourceBucketOwner
	src.conditions = readConditions{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince}
	src.crypt = cryptHeaders{customerAlgorithm: in.CopySourceSSECustomerAlgorithm, customerKey: in.CopySourceSSECustomerKey, customerMD5: in.CopySourceSSECustomerKeyMD5}
	conditions := writeConditions{in.IfMatch, in.IfNoneMatch}
	if err := firstOf(checkKey(key), conditions.check(), checkDirectives(in), checkAlgorithm(in.ChecksumAlgorithm)); err != nil {
		return nil, err
	}
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	from, v, err := s.copied(b, src, in)
	if err != nil {
		return nil, err
	}
	var displaced []blob.Ref
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if b, err = s.lookup(tx, in.Bucket, nil); err != nil {
			return err
		}
		if err := conditions.hold(s.current(tx, b, key), key, 0); err != nil {
			return err
		}
		displaced = s.install(tx, b, key, v)
		return nil
	})
	if err != nil {
		s.release(v.refs()...)
		return nil, err
	}
	s.release(displaced...)
	return copyOutput(b, key, from, v), nil
}

func copyOutput(b *bucket, key string, from, v *version) *s3.CopyObjectOutput {
	r := &types.CopyObjectResult{ETag: quoted(v.ETag), LastModified: &v.Modified, ChecksumType: v.Checksum.Type}
	checksumMembers{&r.ChecksumCRC32, &r.ChecksumCRC32C, &r.ChecksumCRC64NVME, &r.ChecksumSHA1, &r.ChecksumSHA256}.
		set(v.Checksum.Algorithm, v.Checksum.Value)
	out := &s3.CopyObjectOutput{CopyObjectResult: r, Expiration: b.expiration(key, v)}
	v.Crypt.answer(&out.ServerSideEncryption, &out.SSEKMSKeyId, &out.BucketKeyEnabled, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5)
	if b.Versioning != "" {
		out.VersionId = aws.String(v.versionID())
	}
	if !from.Null {
		out.CopySourceVersionId = &from.ID
	}
	return out
}

func checkDirectives(in *s3.CopyObjectInput) error {
	switch in.MetadataDirective {
	case "", types.MetadataDirectiveCopy, types.MetadataDirectiveReplace:
	default:
		return invalidArgument("x-amz-metadata-directive", string(in.MetadataDirective), "Unknown metadata directive.")
	}
	switch in.TaggingDirective {
	case "", types.TaggingDirectiveCopy, types.TaggingDirectiveReplace:
		return nil
	}
	return invalidArgument("x-amz-tagging-directive", string(in.TaggingDirective), "Unknown tagging directive.")
}

// copied returns the version to copy and the version that the copy will be, which holds references of its own to the bytes.
func (s *Service) copied(b *bucket, src source, in *s3.CopyObjectInput) (from, v *version, err error) {
	for range 100 { // the source may be overwritten while it is being looked at
		var fromBucket *bucket
		if fromBucket, from, err = s.resolve(src); err != nil {
			return nil, nil, err
		}
		if from.Size > maxObjectSize {
			return nil, nil, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxObjectSize))
		}
		if err := checkInPlace(b, fromBucket, src, in); err != nil {
			return nil, nil, err
		}
		if v, err = s.describedCopy(b, from, in); err != nil {
			return nil, nil, err
		}
		if err = s.summed(from, v, in.ChecksumAlgorithm); errors.Is(err, blob.ErrGone) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if s.retain(v.refs()) {
			return from, v, nil
		}
	}
	return nil, nil, failure(503, "SlowDown", "Please reduce your request rate.")
}

// retain takes references to all blobs, or to none.
func (s *Service) retain(refs []blob.Ref) bool {
	for i, r := range refs {
		if !s.blobs.Retain(r) {
			s.blobs.Release(refs[:i]...)
			return false
		}
	}
	return true
}

// checkInPlace refuses a copy of an object onto itself that would change nothing.
func checkInPlace(b, from *bucket, src source, in *s3.CopyObjectInput) error {
	changes := in.MetadataDirective == types.MetadataDirectiveReplace || in.StorageClass != "" || in.WebsiteRedirectLocation != nil ||
		in.ServerSideEncryption != "" || in.SSECustomerAlgorithm != nil || b.Encryption != nil
	if b.Name != from.Name || src.key != aws.ToString(in.Key) || src.id != nil || changes {
		return nil
	}
	return invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
}

// describedCopy returns the copy of a version, of which all is known but its sums.
func (s *Service) describedCopy(b *bucket, from *version, in *s3.CopyObjectInput) (*version, error) {
	d := description{
		content: from.Content, metadata: from.Metadata, class: in.StorageClass,
		crypt: cryptHeaders{in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled, in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5},
		acl:   aclHeaders{string(in.ACL), in.GrantFullControl, in.GrantRead, in.GrantReadACP, nil, in.GrantWriteACP},
		lock:  lockHeaders{in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus},
	}
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		d.metadata = in.Metadata
		d.content = content{
			Type: aws.ToString(in.ContentType), Encoding: aws.ToString(in.ContentEncoding), Language: aws.ToString(in.ContentLanguage),
			Disposition: aws.ToString(in.ContentDisposition), Cache: aws.ToString(in.CacheControl), Expires: aws.ToTime(in.Expires),
		}
	}
	d.content.Redirect = aws.ToString(in.WebsiteRedirectLocation)
	if in.TaggingDirective == types.TaggingDirectiveReplace {
		d.tagging = in.Tagging
	}
	v, err := s.described(b, d)
	if err != nil {
		return nil, err
	}
	if in.TaggingDirective != types.TaggingDirectiveReplace {
		v.Tags = from.Tags
	}
	return v, nil
}

// summed gives a copy its bytes, ETag and checksum: the source's where they are those of the whole, else what reading it finds.
func (s *Service) summed(from, v *version, asked types.ChecksumAlgorithm) error {
	v.Size = from.Size
	for _, p := range from.Parts {
		v.Parts = append(v.Parts, part{Size: p.Size, Ref: p.Ref})
	}
	algorithm := asked
	if algorithm == "" {
		algorithm = from.Checksum.Algorithm
	}
	if algorithm == "" {
		algorithm = defaultAlgorithm
	}
	sumKnown := from.Checksum.Algorithm == algorithm && from.Checksum.Type == types.ChecksumTypeFullObject
	etagKnown := !from.Multipart && from.Crypt.Algorithm == "" && from.Crypt.CustomerMD5 == ""
	if sumKnown && etagKnown {
		v.ETag, v.Checksum = v.Crypt.etag(from.ETag), from.Checksum
		return nil
	}
	body, err := s.blobs.Open(from.ranges(span{0, from.Size})...)
	if err != nil {
		return err
	}
	defer body.Close()
	sums := newSums(algorithm)
	if _, err := body.WriteTo(sums); err != nil {
		return internalError("read the source's bytes", err)
	}
	v.ETag = v.Crypt.etag(hex.EncodeToString(sums.md5.Sum(nil)))
	v.Checksum = checksum{Algorithm: algorithm, Type: types.ChecksumTypeFullObject, Value: sums.value(algorithm)}
	return nil
}

// UploadPartCopy implements the S3 operation.
func (s *Service) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	src, err := parseSource(in.CopySource)
	if err != nil {
		return nil, err
	}
	src.expected = in.ExpectedSourceBucketOwner
	src.conditions = readConditions{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince}
	src.crypt = cryptHeaders{customerAlgorithm: in.CopySourceSSECustomerAlgorithm, customerKey: in.CopySourceSSECustomerKey, customerMD5: in.CopySourceSSECustomerKeyMD5}
	to := target{in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner}
	crypt := cryptHeaders{customerAlgorithm: in.SSECustomerAlgorithm, customerKey: in.SSECustomerKey, customerMD5: in.SSECustomerKeyMD5}
	u, err := s.forPart(to, in.PartNumber, crypt, "")
	if err != nil {
		return nil, err
	}
	from, body, err := s.openSource(src, in.CopySourceRange)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	got, err := s.receive(incoming{body: body, part: true}, u.Algorithm)
	if err != nil {
		return nil, err
	}
	p, err := s.addPart(ctx, to, u, *in.PartNumber, got)
	if err != nil {
		return nil, err
	}
	r := &types.CopyPartResult{ETag: quoted(p.ETag), LastModified: &p.Modified}
	checksumMembers{&r.ChecksumCRC32, &r.ChecksumCRC32C, &r.ChecksumCRC64NVME, &r.ChecksumSHA1, &r.ChecksumSHA256}.set(u.Algorithm, p.Checksum)
	out := &s3.UploadPartCopyOutput{CopyPartResult: r}
	if !from.Null {
		out.CopySourceVersionId = &from.ID
	}
	u.Version.Crypt.answer(&out.ServerSideEncryption, &out.SSEKMSKeyId, &out.BucketKeyEnabled, &out.SSECustomerAlgorithm, &out.SSECustomerKeyMD5)
	return out, nil
}

// openSource opens the stretch of a source that a part is made of.
func (s *Service) openSource(src source, header *string) (*version, *blob.Reader, error) {
	for range 100 {
		_, from, err := s.resolve(src)
		if err != nil {
			return nil, nil, err
		}
		r := span{0, from.Size}
		if header != nil {
			if r, err = parseCopyRange(*header, from.Size); err != nil {
				return nil, nil, err
			}
		}
		body, err := s.blobs.Open(from.ranges(r)...)
		if errors.Is(err, blob.ErrGone) {
			continue
		}
		return from, body, err
	}
	return nil, nil, failure(503, "SlowDown", "Please reduce your request rate.")
}
