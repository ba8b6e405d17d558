package s3

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// The bucket's small documents: versioning, ownership, public access, logging, request payment, acceleration.

// PutBucketVersioning implements the S3 operation.
func (s *Service) PutBucketVersioning(ctx context.Context, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	return edit[s3.PutBucketVersioningOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		c := in.VersioningConfiguration
		switch {
		case c == nil || c.Status == "":
			return failure(400, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
		case !slices.Contains(c.Status.Values(), c.Status):
			return malformedXML()
		case c.MFADelete == types.MFADeleteEnabled:
			return failure(501, "NotImplemented", "MFA delete is not there: evo has no MFA devices")
		case c.Status == types.BucketVersioningStatusSuspended && b.Lock != nil:
			return failure(409, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		case c.Status == types.BucketVersioningStatusSuspended && b.Replication != nil:
			return failure(409, "InvalidBucketState", "A replication configuration is present on this bucket, so you cannot change the versioning state. To change the versioning state, first delete the replication configuration.")
		}
		b.Versioning = string(c.Status)
		return nil
	})
}

// GetBucketVersioning implements the S3 operation.
func (s *Service) GetBucketVersioning(_ context.Context, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatus(b.Versioning)}, nil
}

// PutBucketOwnershipControls implements the S3 operation.
func (s *Service) PutBucketOwnershipControls(ctx context.Context, in *s3.PutBucketOwnershipControlsInput) (*s3.PutBucketOwnershipControlsOutput, error) {
	return edit[s3.PutBucketOwnershipControlsOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		c := in.OwnershipControls
		if c == nil || len(c.Rules) != 1 {
			return malformedXML()
		}
		o := c.Rules[0].ObjectOwnership
		if !slices.Contains(o.Values(), o) {
			return malformedXML()
		}
		if o == types.ObjectOwnershipBucketOwnerEnforced && b.ACL != nil && !ownersOnly(aclHeaders{}, b.ACL) {
			return failure(400, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
		}
		b.Ownership = o
		return nil
	})
}

// GetBucketOwnershipControls implements the S3 operation.
func (s *Service) GetBucketOwnershipControls(_ context.Context, in *s3.GetBucketOwnershipControlsInput) (*s3.GetBucketOwnershipControlsOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.Ownership == "" {
		return nil, failure(404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found", "BucketName", b.Name)
	}
	rules := []types.OwnershipControlsRule{{ObjectOwnership: b.Ownership}}
	return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &types.OwnershipControls{Rules: rules}}, nil
}

// DeleteBucketOwnershipControls implements the S3 operation.
func (s *Service) DeleteBucketOwnershipControls(ctx context.Context, in *s3.DeleteBucketOwnershipControlsInput) (*s3.DeleteBucketOwnershipControlsOutput, error) {
	return edit[s3.DeleteBucketOwnershipControlsOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Ownership = ""
		return nil
	})
}

// PutPublicAccessBlock implements the S3 operation. What the caller leaves out is off.
func (s *Service) PutPublicAccessBlock(ctx context.Context, in *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error) {
	return edit[s3.PutPublicAccessBlockOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		c := in.PublicAccessBlockConfiguration
		if c == nil || c.BlockPublicAcls == nil && c.BlockPublicPolicy == nil && c.IgnorePublicAcls == nil && c.RestrictPublicBuckets == nil {
			return malformedXML()
		}
		b.PublicAccess = &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(aws.ToBool(c.BlockPublicAcls)), BlockPublicPolicy: aws.Bool(aws.ToBool(c.BlockPublicPolicy)),
			IgnorePublicAcls: aws.Bool(aws.ToBool(c.IgnorePublicAcls)), RestrictPublicBuckets: aws.Bool(aws.ToBool(c.RestrictPublicBuckets)),
		}
		return nil
	})
}

// GetPublicAccessBlock implements the S3 operation.
func (s *Service) GetPublicAccessBlock(_ context.Context, in *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.PublicAccess == nil {
		return nil, failure(404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", "BucketName", b.Name)
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: b.PublicAccess}, nil
}

// DeletePublicAccessBlock implements the S3 operation.
func (s *Service) DeletePublicAccessBlock(ctx context.Context, in *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error) {
	return edit[s3.DeletePublicAccessBlockOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.PublicAccess = nil
		return nil
	})
}

// PutBucketLogging implements the S3 operation. The configuration is recorded; evo writes no access logs.
func (s *Service) PutBucketLogging(ctx context.Context, in *s3.PutBucketLoggingInput) (*s3.PutBucketLoggingOutput, error) {
	return edit[s3.PutBucketLoggingOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(tx *store.Tx, b *bucket) error {
		if in.BucketLoggingStatus == nil || in.BucketLoggingStatus.LoggingEnabled == nil {
			b.Logging = nil
			return nil
		}
		l := in.BucketLoggingStatus.LoggingEnabled
		if l.TargetBucket == nil || l.TargetPrefix == nil {
			return malformedXML()
		}
		target, ok := s.buckets.Get(tx, *l.TargetBucket)
		if !ok {
			return failure(400, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist", "TargetBucket", *l.TargetBucket)
		}
		if target.Region != b.Region {
			return crossLocation(b, target)
		}
		b.Logging = l
		return nil
	})
}

// crossLocation is spelled as S3 spells it.
func crossLocation(b, target *bucket) error {
	detail := []string{"TargetBucketLocation", target.Region}
	if b.Location != "" {
		detail = append(detail, "SourceBucketLocation", b.Region)
	}
	return failure(403, "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ", detail...)
}

// GetBucketLogging implements the S3 operation.
func (s *Service) GetBucketLogging(_ context.Context, in *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketLoggingOutput{LoggingEnabled: b.Logging}, nil
}

// PutBucketRequestPayment implements the S3 operation.
func (s *Service) PutBucketRequestPayment(ctx context.Context, in *s3.PutBucketRequestPaymentInput) (*s3.PutBucketRequestPaymentOutput, error) {
	return edit[s3.PutBucketRequestPaymentOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		if c := in.RequestPaymentConfiguration; c == nil || !slices.Contains(c.Payer.Values(), c.Payer) {
			return malformedXML()
		}
		b.Payer = in.RequestPaymentConfiguration.Payer
		return nil
	})
}

// GetBucketRequestPayment implements the S3 operation.
func (s *Service) GetBucketRequestPayment(_ context.Context, in *s3.GetBucketRequestPaymentInput) (*s3.GetBucketRequestPaymentOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	payer := b.Payer
	if payer == "" {
		payer = types.PayerBucketOwner
	}
	return &s3.GetBucketRequestPaymentOutput{Payer: payer}, nil
}

// PutBucketAccelerateConfiguration implements the S3 operation.
func (s *Service) PutBucketAccelerateConfiguration(ctx context.Context, in *s3.PutBucketAccelerateConfigurationInput) (*s3.PutBucketAccelerateConfigurationOutput, error) {
	return edit[s3.PutBucketAccelerateConfigurationOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		if strings.Contains(b.Name, ".") {
			return invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
		}
		if c := in.AccelerateConfiguration; c == nil || !slices.Contains(c.Status.Values(), c.Status) {
			return malformedXML()
		}
		b.Accelerate = in.AccelerateConfiguration.Status
		return nil
	})
}

// GetBucketAccelerateConfiguration implements the S3 operation.
func (s *Service) GetBucketAccelerateConfiguration(_ context.Context, in *s3.GetBucketAccelerateConfigurationInput) (*s3.GetBucketAccelerateConfigurationOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketAccelerateConfigurationOutput{Status: b.Accelerate}, nil
}
