package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// ListObjects implements the S3 operation.
func (s *Service) ListObjects(_ context.Context, in *s3.ListObjectsInput) (*s3.ListObjectsOutput, error) {
	limit, err := pageLimit("max-keys", in.MaxKeys)
	if err := firstOf(err, checkEncoding(in.EncodingType)); err != nil {
		return nil, err
	}
	p := &page{prefix: aws.ToString(in.Prefix), delimiter: aws.ToString(in.Delimiter), limit: limit}
	entries, last, err := s.listing(in.Bucket, in.ExpectedBucketOwner, aws.ToString(in.Marker), p)
	if err != nil {
		return nil, err
	}
	enc := encoding(in.EncodingType)
	out := &s3.ListObjectsOutput{
		Name: in.Bucket, Prefix: enc.key(p.prefix), Delimiter: enc.optional(in.Delimiter), Marker: enc.key(aws.ToString(in.Marker)),
		MaxKeys: aws.Int32(int32(limit)), EncodingType: in.EncodingType, IsTruncated: &p.truncated,
		CommonPrefixes: enc.groups(p.groups), Contents: contents(entries, enc, true),
	}
	if p.truncated && p.delimiter != "" {
		out.NextMarker = enc.key(last)
	}
	return out, nil
}

// ListObjectsV2 implements the S3 operation.
func (s *Service) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	limit, err := pageLimit("max-keys", in.MaxKeys)
	if err := firstOf(err, checkEncoding(in.EncodingType)); err != nil {
		return nil, err
	}
	after := aws.ToString(in.StartAfter)
	if in.ContinuationToken != nil {
		if after, err = parseToken(*in.ContinuationToken); err != nil {
			return nil, err
		}
	}
	p := &page{prefix: aws.ToString(in.Prefix), delimiter: aws.ToString(in.Delimiter), limit: limit}
	entries, last, err := s.listing(in.Bucket, in.ExpectedBucketOwner, after, p)
	if err != nil {
		return nil, err
	}
	enc := encoding(in.EncodingType)
	out := &s3.ListObjectsV2Output{
		Name: in.Bucket, Prefix: enc.key(p.prefix), Delimiter: enc.optional(in.Delimiter), ContinuationToken: in.ContinuationToken,
		MaxKeys: aws.Int32(int32(limit)), KeyCount: aws.Int32(int32(p.count)), EncodingType: in.EncodingType, IsTruncated: &p.truncated,
		CommonPrefixes: enc.groups(p.groups), Contents: contents(entries, enc, aws.ToBool(in.FetchOwner)),
	}
	if in.ContinuationToken == nil {
		out.StartAfter = enc.optional(in.StartAfter)
	}
	if p.truncated {
		out.NextContinuationToken = token(last)
	}
	return out, nil
}

func (s *Service) listing(name, expected *string, after string, p *page) (entries []entry, last string, err error) {
	s.db.View(func(tx *store.Tx) {
		var b *bucket
		if b, err = s.lookup(tx, name, expected); err == nil {
			entries, last = s.list(tx, b, after, p)
		}
	})
	return entries, last, err
}

func contents(entries []entry, enc encoding, withOwner bool) []types.Object {
	var objects []types.Object
	for _, e := range entries {
		v := e.version
		o := types.Object{
			Key: enc.key(e.key), Size: &v.Size, ETag: quoted(v.ETag), LastModified: &v.Modified,
			StorageClass: types.ObjectStorageClass(v.class()), ChecksumType: v.Checksum.Type,
		}
		if v.Checksum.Algorithm != "" {
			o.ChecksumAlgorithm = []types.ChecksumAlgorithm{v.Checksum.Algorithm}
		}
		if withOwner {
			o.Owner = bucketOwner()
		}
		objects = append(objects, o)
	}
	return objects
}
