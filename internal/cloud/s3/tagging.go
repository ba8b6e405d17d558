package s3

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

// tagTarget is what tags are put on: the limits and some messages differ.
type tagTarget int

const (
	objectTags tagTarget = iota
	bucketTags
	bucketCreation
)

// tagText is what keys and values of tags are made of.
var tagText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`) })

func invalidTag(message string, detail ...string) error {
	return failure(400, "InvalidTag", message, detail...)
}

// checkTags applies the rules for tags; AWS itself, which is internal, sets tags that are reserved.
func checkTags(tags []types.Tag, on tagTarget, internal bool) error {
	limit, name := 50, "Bucket"
	if on == objectTags {
		limit, name = 10, "Object"
	}
	if len(tags) > limit {
		return failure(400, "BadRequest", name+" tags cannot be greater than "+map[int]string{10: "10", 50: "50"}[limit])
	}
	seen := map[string]bool{}
	for _, t := range tags {
		if t.Key == nil || t.Value == nil {
			return malformedXML()
		}
		key := *t.Key
		switch {
		case seen[key]:
			return invalidTag("Cannot provide multiple Tags with the same key", "TagKey", key)
		case strings.HasPrefix(key, "aws:") && !internal:
			return reservedTag(key, on)
		case key == "" || len([]rune(key)) > 128 || !tagText().MatchString(key):
			return invalidTag("The TagKey you have provided is invalid", "TagKey", key)
		case len([]rune(*t.Value)) > 256 || !tagText().MatchString(*t.Value):
			return invalidTag("The TagValue you have provided is invalid", "TagKey", key, "TagValue", *t.Value)
		}
		seen[key] = true
	}
	return nil
}

func reservedTag(key string, on tagTarget) error {
	switch on {
	case bucketTags:
		return invalidTag("System tags cannot be added/updated by requester", "TagKey", key)
	case bucketCreation:
		return invalidTag(`User-defined tag keys can't start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.`)
	}
	return invalidTag("Your TagKey cannot be prefixed with aws:", "TagKey", key)
}

// sortedTags returns the tags as they are answered.
func sortedTags(tags []types.Tag) []types.Tag {
	sorted := slices.Clone(tags)
	slices.SortFunc(sorted, func(a, b types.Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return sorted
}

// parseTagging reads the x-amz-tagging header.
func parseTagging(header *string) ([]types.Tag, error) {
	if header == nil || *header == "" {
		return nil, nil
	}
	bad := invalidArgument("x-amz-tagging", *header,
		"The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	var tags []types.Tag
	for pair := range strings.SplitSeq(*header, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil || strings.Contains(v, "=") || slices.ContainsFunc(tags, func(t types.Tag) bool { return *t.Key == key }) {
			return nil, bad
		}
		tags = append(tags, types.Tag{Key: &key, Value: &value})
	}
	if err := checkTags(tags, objectTags, false); err != nil {
		return nil, err
	}
	return sortedTags(tags), nil
}

// amend lets f change a copy of the version that a caller asks for, and puts it in the version's place.
func (s *Service) amend(ctx context.Context, bucketName, key, id, expected *string, method string, f func(b *bucket, v *version) error) (versionID *string, err error) {
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, v, err := s.subject(tx, bucketName, key, id, expected, method)
		if err != nil {
			return err
		}
		changed := *v
		if err := f(b, &changed); err != nil {
			return err
		}
		s.replace(tx, b, aws.ToString(key), &changed)
		if b.Versioning != "" {
			versionID = aws.String(v.versionID())
		}
		return nil
	})
	return versionID, err
}

// subject returns the version that a caller asks for, which must be no delete marker.
func (s *Service) subject(tx *store.Tx, bucketName, key, id, expected *string, method string) (*bucket, *version, error) {
	b, err := s.lookup(tx, bucketName, expected)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.find(tx, b, aws.ToString(key), id)
	if err == nil && v.Marker {
		err = methodNotAllowed(method)
	}
	return b, v, err
}

// PutObjectTagging implements the S3 operation.
func (s *Service) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	if err := checkTags(in.Tagging.TagSet, objectTags, false); err != nil {
		return nil, err
	}
	id, err := s.amend(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, "PUT", func(_ *bucket, v *version) error {
		v.Tags = sortedTags(in.Tagging.TagSet)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectTaggingOutput{VersionId: id}, nil
}

// GetObjectTagging implements the S3 operation.
func (s *Service) GetObjectTagging(_ context.Context, in *s3.GetObjectTaggingInput) (out *s3.GetObjectTaggingOutput, err error) {
	s.db.View(func(tx *store.Tx) {
		var b *bucket
		var v *version
		if b, v, err = s.subject(tx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, "GET"); err != nil {
			return
		}
		out = &s3.GetObjectTaggingOutput{TagSet: append([]types.Tag{}, v.Tags...)}
		if b.Versioning != "" {
			out.VersionId = aws.String(v.versionID())
		}
	})
	return out, err
}

// DeleteObjectTagging implements the S3 operation.
func (s *Service) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	id, err := s.amend(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, "DELETE", func(_ *bucket, v *version) error {
		v.Tags = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.DeleteObjectTaggingOutput{VersionId: id}, nil
}

// PutBucketTagging implements the S3 operation.
func (s *Service) PutBucketTagging(ctx context.Context, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	err := s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		if err := checkTags(in.Tagging.TagSet, bucketTags, call.Internal(ctx)); err != nil {
			return err
		}
		b.Tags = sortedTags(in.Tagging.TagSet)
		return nil
	})
	if err != nil {
		return nil, err
	}
	call.Answer(ctx).Status = 204
	return &s3.PutBucketTaggingOutput{}, nil
}

// GetBucketTagging implements the S3 operation.
func (s *Service) GetBucketTagging(_ context.Context, in *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.Tags) == 0 {
		return nil, failure(404, "NoSuchTagSet", "The TagSet does not exist", "BucketName", b.Name)
	}
	return &s3.GetBucketTaggingOutput{TagSet: b.Tags}, nil
}

// DeleteBucketTagging implements the S3 operation.
func (s *Service) DeleteBucketTagging(ctx context.Context, in *s3.DeleteBucketTaggingInput) (*s3.DeleteBucketTaggingOutput, error) {
	return edit[s3.DeleteBucketTaggingOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Tags = nil
		return nil
	})
}
