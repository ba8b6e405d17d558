package engine

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
)

// ManagedStack is the stack with the bucket that --resolve-s3 makes. It is SAM CLI's, so that both use the same one.
const ManagedStack = "aws-sam-cli-managed-default"

// managedTemplate: a private, encrypted, versioned bucket, which the Serverless Application Repository may read.
const managedTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Description: Where code is uploaded to before it is deployed
Metadata:
  SamCliInfo: {version: 1.164.0}
Resources:
  SamCliSourceBucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      Tags: [{Key: ManagedStackSource, Value: AwsSamCli}]
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms"}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
  SamCliSourceBucketBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref SamCliSourceBucket
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: ["s3:GetObject"]
            Resource: !Sub arn:${AWS::Partition}:s3:::${SamCliSourceBucket}/*
            Principal: {Service: serverlessrepo.amazonaws.com}
            Condition: {StringEquals: {"aws:SourceAccount": !Ref "AWS::AccountId"}}
          - Effect: Deny
            Action: ["s3:*"]
            Resource: [!GetAtt SamCliSourceBucket.Arn, !Sub "${SamCliSourceBucket.Arn}/*"]
            Principal: "*"
            Condition: {Bool: {"aws:SecureTransport": "false"}}
Outputs:
  SourceBucket:
    Value: !Ref SamCliSourceBucket
`

// ManagedBucket returns the bucket of ManagedStack, which is made if there is none.
func (e *Engine) ManagedBucket(ctx context.Context) (string, error) {
	s, err := e.stack(ctx, ManagedStack)
	if err != nil {
		return "", err
	}
	if s == nil || s.StackStatus == cftypes.StackStatusReviewInProgress {
		e.info("creating a bucket for uploaded code, in stack " + ManagedStack)
		if err := e.createManaged(ctx); err != nil {
			return "", fmt.Errorf("create the bucket for uploaded code: %w", err)
		}
		if s, err = e.stack(ctx, ManagedStack); err != nil {
			return "", err
		}
	}
	if s != nil {
		for _, o := range s.Outputs {
			if aws.ToString(o.OutputKey) == "SourceBucket" {
				return aws.ToString(o.OutputValue), nil
			}
		}
	}
	return "", fmt.Errorf("stack %s exists, and has no output SourceBucket", ManagedStack)
}

func (e *Engine) createManaged(ctx context.Context) error {
	root, err := cfn.Parse("managed.yaml", []byte(managedTemplate))
	if err != nil {
		return err
	}
	quiet := *e
	quiet.Emit = func(Event) {}
	d := Deployment{Stack: ManagedStack, Template: root, Tags: map[string]string{"ManagedStackSource": "AwsSamCli"}}
	cs, err := quiet.Plan(ctx, d)
	if err != nil {
		return err
	}
	return quiet.Execute(ctx, cs, d)
}

// Exists reports whether there is such a stack.
func (e *Engine) Exists(ctx context.Context, stack string) (bool, error) {
	s, err := e.stack(ctx, stack)
	return s != nil, err
}

// Stacks returns all stacks that have not been deleted.
func (e *Engine) Stacks(ctx context.Context) ([]cftypes.Stack, error) {
	var all []cftypes.Stack
	pages := cloudformation.NewDescribeStacksPaginator(e.CloudFormation, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the stacks: %w", err)
		}
		all = append(all, page.Stacks...)
	}
	return all, nil
}
