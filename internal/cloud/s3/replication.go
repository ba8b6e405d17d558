package s3

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// PutBucketReplication implements the S3 operation. The configuration is recorded; nothing is replicated.
func (s *Service) PutBucketReplication(ctx context.Context, in *s3.PutBucketReplicationInput) (*s3.PutBucketReplicationOutput, error) {
	return edit[s3.PutBucketReplicationOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(tx *store.Tx, b *bucket) error {
		if b.Versioning != versioningEnabled {
			return invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
		}
		c := in.ReplicationConfiguration
		if c == nil || len(c.Rules) == 0 {
			return malformedXML()
		}
		kept := &types.ReplicationConfiguration{Role: c.Role}
		for i, r := range c.Rules {
			if !slices.Contains(r.Status.Values(), r.Status) || r.Destination == nil {
				return malformedXML()
			}
			name := strings.TrimPrefix(aws.ToString(r.Destination.Bucket), bucketARN(""))
			if to, ok := s.buckets.Get(tx, name); !ok || to.Versioning != versioningEnabled {
				return invalidRequest("Destination bucket must have versioning enabled.")
			}
			if r.ID == nil {
				r.ID = aws.String("rule-" + strconv.Itoa(i+1))
			}
			kept.Rules = append(kept.Rules, r)
		}
		b.Replication = kept
		return nil
	})
}

// GetBucketReplication implements the S3 operation.
func (s *Service) GetBucketReplication(_ context.Context, in *s3.GetBucketReplicationInput) (*s3.GetBucketReplicationOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.Replication == nil {
		return nil, failure(404, "ReplicationConfigurationNotFoundError", "The replication configuration was not found", "BucketName", b.Name)
	}
	return &s3.GetBucketReplicationOutput{ReplicationConfiguration: b.Replication}, nil
}

// DeleteBucketReplication implements the S3 operation.
func (s *Service) DeleteBucketReplication(ctx context.Context, in *s3.DeleteBucketReplicationInput) (*s3.DeleteBucketReplicationOutput, error) {
	return edit[s3.DeleteBucketReplicationOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Replication = nil
		return nil
	})
}
