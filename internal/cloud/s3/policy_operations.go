package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/s3/policy"
	"evo/internal/cloud/store"
)

// PutBucketPolicy implements the S3 operation. The policy is validated and judged; requests are not held to it.
func (s *Service) PutBucketPolicy(ctx context.Context, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	err := s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		p, err := policy.Parse(aws.ToString(in.Policy), bucketARN(b.Name))
		if err != nil {
			return failure(400, "MalformedPolicy", err.Error())
		}
		if b.PublicAccess != nil && aws.ToBool(b.PublicAccess.BlockPublicPolicy) && p.Public() {
			return failure(403, "AccessDenied", "User: arn:aws:iam::"+call.Account+":root is not authorized to perform: s3:PutBucketPolicy on resource: \""+
				bucketARN(b.Name)+"\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
		}
		b.Policy = *in.Policy
		return nil
	})
	if err != nil {
		return nil, err
	}
	call.Answer(ctx).Status = 204
	return &s3.PutBucketPolicyOutput{}, nil
}

// policied returns a bucket that has a policy.
func (s *Service) policied(name, expected *string) (*bucket, error) {
	b, err := s.view(name, expected)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, failure(404, "NoSuchBucketPolicy", "The bucket policy does not exist", "BucketName", b.Name)
	}
	return b, nil
}

// GetBucketPolicy implements the S3 operation.
func (s *Service) GetBucketPolicy(_ context.Context, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	b, err := s.policied(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketPolicyOutput{Policy: &b.Policy}, nil
}

// GetBucketPolicyStatus implements the S3 operation.
func (s *Service) GetBucketPolicyStatus(_ context.Context, in *s3.GetBucketPolicyStatusInput) (*s3.GetBucketPolicyStatusOutput, error) {
	b, err := s.policied(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(b.Policy, bucketARN(b.Name))
	if err != nil {
		return nil, internalError("read the bucket's policy", err)
	}
	return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &types.PolicyStatus{IsPublic: aws.Bool(p.Public())}}, nil
}

// DeleteBucketPolicy implements the S3 operation.
func (s *Service) DeleteBucketPolicy(ctx context.Context, in *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error) {
	return edit[s3.DeleteBucketPolicyOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.Policy = ""
		return nil
	})
}
