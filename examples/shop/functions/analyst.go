package functions

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// analyst looks at a stack's resources through the AWS SDK, and counts which of its wishes they meet.
type analyst struct {
	cfg      aws.Config
	met, all int
}

// wish notes whether a resource is as one would wish.
func (a *analyst) wish(resource, what string, met bool) {
	a.all++
	if met {
		a.met++
	} else {
		log.Printf("%s: %s", resource, what)
	}
}

// analyse returns the stack's fitness: the share of wishes that its resources meet, from 0 to 100.
func (a *analyst) analyse(ctx context.Context, stack string) (float64, error) {
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(a.cfg), &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("list the stack's resources: %w", err)
		}
		for _, r := range page.StackResourceSummaries {
			if err := a.look(ctx, aws.ToString(r.ResourceType), aws.ToString(r.PhysicalResourceId)); err != nil {
				return 0, fmt.Errorf("look at %s: %w", aws.ToString(r.LogicalResourceId), err)
			}
		}
	}
	if a.all == 0 {
		return 0, errors.New("the stack has nothing to look at")
	}
	fitness := 100 * float64(a.met) / float64(a.all)
	log.Printf("fitness %.0f: %d of %d wishes are met", fitness, a.met, a.all)
	return fitness, nil
}

func (a *analyst) look(ctx context.Context, typ, id string) error {
	switch {
	case id == "":
		return nil // not made yet
	case typ == "AWS::S3::Bucket":
		return a.bucket(ctx, id)
	case typ == "AWS::DynamoDB::Table":
		return a.table(ctx, id)
	case typ == "AWS::Lambda::Function":
		return a.function(ctx, id)
	}
	return nil
}

func (a *analyst) bucket(ctx context.Context, name string) error {
	client := s3.NewFromConfig(a.cfg, func(o *s3.Options) { o.UsePathStyle = true })
	enc, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &name})
	if err != nil && !isCode(err, "ServerSideEncryptionConfigurationNotFoundError") {
		return err
	}
	a.wish(name, "is not encrypted", err == nil && len(enc.ServerSideEncryptionConfiguration.Rules) > 0)
	ver, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &name})
	if err != nil {
		return err
	}
	a.wish(name, "keeps no versions", ver.Status == s3types.BucketVersioningStatusEnabled)
	block, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &name})
	if err != nil && !isCode(err, "NoSuchPublicAccessBlockConfiguration") {
		return err
	}
	a.wish(name, "may be made public", err == nil && aws.ToBool(block.PublicAccessBlockConfiguration.RestrictPublicBuckets))
	return nil
}

func (a *analyst) table(ctx context.Context, name string) error {
	client := dynamodb.NewFromConfig(a.cfg)
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return err
	}
	t := out.Table
	a.wish(name, "is not encrypted with a key of the account", t.SSEDescription != nil && t.SSEDescription.Status == ddbtypes.SSEStatusEnabled)
	a.wish(name, "does not scale by itself", t.BillingModeSummary != nil && t.BillingModeSummary.BillingMode == ddbtypes.BillingModePayPerRequest)
	backups, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	if err != nil {
		return err
	}
	pitr := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	a.wish(name, "cannot be restored to a point in time", pitr != nil && pitr.PointInTimeRecoveryStatus == ddbtypes.PointInTimeRecoveryStatusEnabled)
	return nil
}

func (a *analyst) function(ctx context.Context, name string) error {
	out, err := lambda.NewFromConfig(a.cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return err
	}
	a.wish(name, "has a role that is no role", aws.ToString(out.Role) != "")
	a.wish(name, "may run for more than a minute", aws.ToInt32(out.Timeout) <= 60)
	return nil
}

// publish makes the fitness a CloudWatch metric.
func (a *analyst) publish(ctx context.Context, stack string, fitness float64) error {
	_, err := cloudwatch.NewFromConfig(a.cfg).PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
		Namespace: aws.String(namespace),
		MetricData: []cwtypes.MetricDatum{{
			MetricName: aws.String("Fitness"), Value: &fitness, Unit: cwtypes.StandardUnitNone,
			Dimensions: []cwtypes.Dimension{{Name: aws.String("Stack"), Value: &stack}},
		}},
	})
	if err != nil {
		return fmt.Errorf("publish the fitness: %w", err)
	}
	return nil
}

func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
