package inventory

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/shape"
)

const tableType = "AWS::DynamoDB::Table"

var onTable = []string{"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${@}"}

var tableProperties = []string{"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode",
	"ProvisionedThroughput", "OnDemandThroughput", "SSESpecification", "StreamSpecification", "DeletionProtectionEnabled", "TableClass"}

var tableParts = []part{
	{gives: tableProperties, actions: []string{"dynamodb:DescribeTable"}, on: onTable, read: readTable, exists: true},
	{gives: []string{"PointInTimeRecoverySpecification"}, actions: []string{"dynamodb:DescribeContinuousBackups"}, on: onTable, read: readBackups},
	{gives: []string{"TimeToLiveSpecification"}, actions: []string{"dynamodb:DescribeTimeToLive"}, on: onTable, read: readTimeToLive},
	{gives: []string{"Tags"}, actions: []string{"dynamodb:ListTagsOfResource"}, on: onTable, read: readTableTags},
	{actions: []string{"application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"}, on: everywhere,
		read: readTableScaling, beside: unknownScaling},
}

func readTable(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &it.PhysicalID})
	if err != nil || out.Table == nil {
		return answer{}, orAbsent(err)
	}
	return answer{properties: shape.Table(out.Table, tableProperties...)}, nil
}

func readBackups(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.dynamodb.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("PointInTimeRecoverySpecification", shape.Recovery(out.ContinuousBackupsDescription)), nil
}

func readTimeToLive(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.dynamodb.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	return given("TimeToLiveSpecification", shape.TimeToLive(out.TimeToLiveDescription)), nil
}

func readTableTags(ctx context.Context, now *run, it *Item) (answer, error) {
	if it.ARN == "" {
		return answer{}, errUnnamed
	}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &it.ARN}
	var all []types.Tag
	for more := true; more; more = in.NextToken != nil {
		out, err := now.dynamodb.ListTagsOfResource(ctx, in)
		if err != nil {
			return answer{}, err
		}
		all = append(all, out.Tags...)
		in.NextToken = out.NextToken
	}
	return given("Tags", shape.Tags(tableType, "Tags", all)), nil
}
