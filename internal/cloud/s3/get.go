package s3

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// GetObject implements the S3 operation. The answer's body must be closed.
func (s *Service) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	// Between finding a version and opening its bytes, another may take its place: then that one is the answer.
	for range 100 {
		f, err := s.fetch(in, "GET")
		if err != nil {
			return nil, f.refused(ctx, err)
		}
		body, err := s.blobs.Open(f.version.ranges(f.span)...)
		if errors.Is(err, blob.ErrGone) && f.version != s.again(f) {
			continue
		}
		if err != nil {
			return nil, internalError("open the object's bytes", err)
		}
		out := f.output(ctx, in)
		out.Body = body
		return out, nil
	}
	return nil, failure(503, "SlowDown", "Please reduce your request rate.")
}

// again looks up what a fetch has found.
func (s *Service) again(f fetched) (v *version) {
	s.db.View(func(tx *store.Tx) { v, _ = s.objects.Get(tx, versionsOf(f.bucket.Name, f.key)+f.version.ID) })
	return v
}

// HeadObject implements the S3 operation.
func (s *Service) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	get := s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ExpectedBucketOwner: in.ExpectedBucketOwner,
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince,
		Range: in.Range, PartNumber: in.PartNumber, ChecksumMode: in.ChecksumMode,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
		ResponseCacheControl: in.ResponseCacheControl, ResponseContentDisposition: in.ResponseContentDisposition,
		ResponseContentEncoding: in.ResponseContentEncoding, ResponseContentLanguage: in.ResponseContentLanguage,
		ResponseContentType: in.ResponseContentType, ResponseExpires: in.ResponseExpires,
	}
	f, err := s.fetch(&get, "HEAD")
	if err != nil {
		return nil, f.refused(ctx, err)
	}
	o := f.output(ctx, &get)
	return &s3.HeadObjectOutput{
		AcceptRanges: o.AcceptRanges, BucketKeyEnabled: o.BucketKeyEnabled, CacheControl: o.CacheControl,
		ChecksumCRC32: o.ChecksumCRC32, ChecksumCRC32C: o.ChecksumCRC32C, ChecksumCRC64NVME: o.ChecksumCRC64NVME,
		ChecksumSHA1: o.ChecksumSHA1, ChecksumSHA256: o.ChecksumSHA256, ChecksumType: o.ChecksumType,
		ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding, ContentLanguage: o.ContentLanguage,
		ContentLength: o.ContentLength, ContentRange: o.ContentRange, ContentType: o.ContentType, ETag: o.ETag,
		Expiration: o.Expiration, Expires: o.Expires, ExpiresString: o.ExpiresString, LastModified: o.LastModified, Metadata: o.Metadata,
		ObjectLockLegalHoldStatus: o.ObjectLockLegalHoldStatus, ObjectLockMode: o.ObjectLockMode,
		ObjectLockRetainUntilDate: o.ObjectLockRetainUntilDate, PartsCount: o.PartsCount,
		SSECustomerAlgorithm: o.SSECustomerAlgorithm, SSECustomerKeyMD5: o.SSECustomerKeyMD5, SSEKMSKeyId: o.SSEKMSKeyId,
		ServerSideEncryption: o.ServerSideEncryption, StorageClass: o.StorageClass, TagCount: o.TagCount,
		VersionId: o.VersionId, WebsiteRedirectLocation: o.WebsiteRedirectLocation,
	}, nil
}

// fetched is the version that a read has found, and what is asked of it.
type fetched struct {
	bucket  *bucket
	key     string
	version *version
	span    span
	partial bool  // not all of it was asked for
	part    *part // the part that was asked for by its number
}

// fetch finds the version that a read asks for and checks that it may be read as asked.
func (s *Service) fetch(in *s3.GetObjectInput, method string) (f fetched, err error) {
	f.key = aws.ToString(in.Key)
	s.db.View(func(tx *store.Tx) {
		if f.bucket, err = s.lookup(tx, in.Bucket, in.ExpectedBucketOwner); err == nil {
			f.version, err = s.find(tx, f.bucket, f.key, in.VersionId)
		}
	})
	if err != nil {
		return f, err
	}
	v := f.version
	switch {
	case v.Marker && in.VersionId == nil:
		return f, noSuchKey(f.key)
	case v.Marker:
		return f, methodNotAllowed(method)
	}
	crypt := cryptHeaders{customerAlgorithm: in.SSECustomerAlgorithm, customerKey: in.SSECustomerKey, customerMD5: in.SSECustomerKeyMD5}
	if err := v.Crypt.readable(crypt); err != nil {
		return f, err
	}
	conditions := readConditions{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}
	if condition, unchanged := conditions.failed(v, s.now()); unchanged {
		return f, notModified()
	} else if condition != "" {
		return f, preconditionFailed(condition)
	}
	if method == "GET" && (v.Class == string(types.StorageClassGlacier) || v.Class == string(types.StorageClassDeepArchive)) {
		return f, failure(403, "InvalidObjectState", "The operation is not valid for the object's storage class", "StorageClass", v.Class)
	}
	return f, f.narrow(in.Range, in.PartNumber)
}

// narrow sets the stretch that a read asks for.
func (f *fetched) narrow(header *string, number *int32) (err error) {
	v := f.version
	f.span = span{0, v.Size}
	switch {
	case number != nil && header != nil:
		return invalidRequest("Cannot specify both Range header and partNumber query parameter")
	case header != nil:
		if r, ok, err := parseRange(*header, v.Size); err != nil {
			return err
		} else if ok {
			f.span, f.partial = r, true
		}
		return nil
	case number == nil:
		return nil
	}
	f.partial = v.Size > 0
	if !v.Multipart {
		if *number == 1 {
			return nil
		}
		return invalidPartNumber(*number, 1)
	}
	offset := int64(0)
	for i := range v.Parts {
		if p := &v.Parts[i]; int32(i+1) == *number {
			f.part, f.span = p, span{offset, p.Size}
			return nil
		}
		offset += v.Parts[i].Size
	}
	return invalidPartNumber(*number, len(v.Parts))
}

func invalidPartNumber(requested int32, actual int) error {
	return failure(416, "InvalidPartNumber", "The requested partnumber is not satisfiable",
		"PartNumberRequested", strconv.Itoa(int(requested)), "ActualPartCount", strconv.Itoa(actual))
}

// refused adds to a failed read's answer the headers that tell of the version that was found.
func (f *fetched) refused(ctx context.Context, err error) error {
	v := f.version
	if v == nil {
		return err
	}
	header := map[string]string{}
	if v.Marker {
		header["x-amz-delete-marker"] = "true"
	} else {
		header["ETag"] = *quoted(v.ETag)
	}
	if f.bucket.Versioning != "" {
		header["x-amz-version-id"] = v.versionID()
	}
	header["Last-Modified"] = httpDate(v.Modified)
	call.Answer(ctx).Header = header
	return err
}

// httpDate is the form of dates in headers.
func httpDate(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") }

// output says all that a read answers, but for the body.
func (f *fetched) output(ctx context.Context, in *s3.GetObjectInput) *s3.GetObjectOutput {
	v := f.version
	o := &s3.GetObjectOutput{
		AcceptRanges: aws.String("bytes"), ContentLength: aws.Int64(f.span.length), ETag: quoted(v.ETag), LastModified: &v.Modified,
		Metadata: v.Metadata, Expiration: f.expiration(in), WebsiteRedirectLocation: optional(v.Content.Redirect),
		ContentType: choose(in.ResponseContentType, v.Content.Type), ContentEncoding: choose(in.ResponseContentEncoding, v.Content.Encoding),
		ContentLanguage:    choose(in.ResponseContentLanguage, v.Content.Language),
		ContentDisposition: choose(in.ResponseContentDisposition, v.Content.Disposition),
		CacheControl:       choose(in.ResponseCacheControl, v.Content.Cache),
		StorageClass:       types.StorageClass(v.Class),
	}
	if t := in.ResponseExpires; t != nil {
		o.Expires = t
	} else if !v.Content.Expires.IsZero() {
		o.Expires = &v.Content.Expires
	}
	if o.Expires != nil {
		o.ExpiresString = aws.String(httpDate(*o.Expires))
	}
	if n := int32(len(v.Tags)); n > 0 {
		o.TagCount = &n
	}
	if f.bucket.Versioning != "" {
		o.VersionId = aws.String(v.versionID())
	}
	if f.part != nil {
		o.PartsCount = aws.Int32(int32(len(v.Parts)))
	}
	if f.partial {
		o.ContentRange = aws.String(f.span.contentRange(v.Size))
		call.Answer(ctx).Status = 206
	}
	v.Crypt.answer(&o.ServerSideEncryption, &o.SSEKMSKeyId, &o.BucketKeyEnabled, &o.SSECustomerAlgorithm, &o.SSECustomerKeyMD5)
	v.Lock.answer(&o.ObjectLockMode, &o.ObjectLockRetainUntilDate, &o.ObjectLockLegalHoldStatus)
	if in.ChecksumMode == types.ChecksumModeEnabled {
		f.addChecksum(o)
	}
	return o
}

// addChecksum adds the checksum of what is answered, if it is known: that of all, or that of a part of a composite.
func (f *fetched) addChecksum(o *s3.GetObjectOutput) {
	c := f.version.Checksum
	value := c.Value
	switch {
	case f.part != nil && c.Type == types.ChecksumTypeComposite:
		value = f.part.Checksum
	case f.span.length != f.version.Size:
		return
	}
	checksumMembers{&o.ChecksumCRC32, &o.ChecksumCRC32C, &o.ChecksumCRC64NVME, &o.ChecksumSHA1, &o.ChecksumSHA256}.set(c.Algorithm, value)
	o.ChecksumType = c.Type
}

// expiration names the lifecycle rule that will end the current version; asking for a version by its id is asking for no current one.
func (f *fetched) expiration(in *s3.GetObjectInput) *string {
	if in.VersionId != nil {
		return nil
	}
	return f.bucket.expiration(f.key, f.version)
}

// choose returns an override, or else a value, if there is one.
func choose(override *string, value string) *string {
	if override != nil {
		return override
	}
	return optional(value)
}

func optional(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}

// GetObjectAttributes implements the S3 operation.
func (s *Service) GetObjectAttributes(_ context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	f, err := s.fetch(&s3.GetObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ExpectedBucketOwner: in.ExpectedBucketOwner,
		SSECustomerAlgorithm: in.SSECustomerAlgorithm, SSECustomerKey: in.SSECustomerKey, SSECustomerKeyMD5: in.SSECustomerKeyMD5,
	}, "HEAD")
	if err != nil {
		return nil, err
	}
	v := f.version
	out := &s3.GetObjectAttributesOutput{LastModified: &v.Modified}
	if f.bucket.Versioning != "" {
		out.VersionId = aws.String(v.versionID())
	}
	for _, a := range in.ObjectAttributes {
		switch a {
		case types.ObjectAttributesEtag:
			out.ETag = &v.ETag
		case types.ObjectAttributesObjectSize:
			out.ObjectSize = &v.Size
		case types.ObjectAttributesStorageClass:
			out.StorageClass = types.StorageClass(v.class())
		case types.ObjectAttributesChecksum:
			out.Checksum = v.Checksum.attribute()
		case types.ObjectAttributesObjectParts:
			if out.ObjectParts, err = v.partsAttribute(in); err != nil {
				return nil, err
			}
		default:
			return nil, invalidArgument("x-amz-object-attributes", "", "Invalid attribute name specified.")
		}
	}
	return out, nil
}

func (c checksum) attribute() *types.Checksum {
	if c.Value == "" {
		return nil
	}
	a := &types.Checksum{ChecksumType: c.Type}
	value, _, _ := strings.Cut(c.Value, "-")
	checksumMembers{&a.ChecksumCRC32, &a.ChecksumCRC32C, &a.ChecksumCRC64NVME, &a.ChecksumSHA1, &a.ChecksumSHA256}.set(c.Algorithm, value)
	return a
}

// partsAttribute lists the parts of an object whose parts have checksums of their own; of another multipart object, their number.
func (v *version) partsAttribute(in *s3.GetObjectAttributesInput) (*types.GetObjectAttributesParts, error) {
	if !v.Multipart {
		return nil, nil
	}
	a := &types.GetObjectAttributesParts{TotalPartsCount: aws.Int32(int32(len(v.Parts)))}
	if v.Checksum.Type != types.ChecksumTypeComposite {
		return a, nil
	}
	page, err := pageOfParts(v.Parts, in.MaxParts, in.PartNumberMarker)
	if err != nil {
		return nil, err
	}
	a.MaxParts, a.IsTruncated = &page.limit, &page.truncated
	a.PartNumberMarker, a.NextPartNumberMarker = &page.marker, &page.next
	for _, p := range page.parts {
		e := types.ObjectPart{PartNumber: aws.Int32(p.Number), Size: aws.Int64(p.Size)}
		checksumMembers{&e.ChecksumCRC32, &e.ChecksumCRC32C, &e.ChecksumCRC64NVME, &e.ChecksumSHA1, &e.ChecksumSHA256}.
			set(v.Checksum.Algorithm, p.Checksum)
		a.Parts = append(a.Parts, e)
	}
	return a, nil
}
