package inventory

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cfn"
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
	t := out.Table
	n := properties(tableType, t, map[string]string{"BillingMode": "-", "SSESpecification": "SSEDescription", "SSESpecification.SSEEnabled": "-",
		"SSESpecification.KMSMasterKeyId": "KMSMasterKeyArn", "TableClass": "-", "GlobalSecondaryIndexes.WarmThroughput": "-"}, tableProperties...)
	provisioned := t.BillingModeSummary == nil || t.BillingModeSummary.BillingMode != types.BillingModePayPerRequest
	mode := types.BillingModeProvisioned
	if !provisioned {
		mode = types.BillingModePayPerRequest
		n.Delete("ProvisionedThroughput") // zeros
		for _, index := range n.Get("GlobalSecondaryIndexes").List() {
			index.Delete("ProvisionedThroughput")
		}
	}
	n.Set("BillingMode", cfn.Str(string(mode)))
	class := types.TableClassStandard
	if t.TableClassSummary != nil && t.TableClassSummary.TableClass != "" {
		class = t.TableClassSummary.TableClass
	}
	n.Set("TableClass", cfn.Str(string(class)))
	encryption(n, t.SSEDescription)
	return answer{properties: n}, nil
}

// encryption says whether the table has a key of the account's; without one, DynamoDB encrypts with its own.
func encryption(n *cfn.Node, d *types.SSEDescription) {
	on := d != nil && (d.Status == types.SSEStatusEnabled || d.Status == types.SSEStatusEnabling || d.Status == types.SSEStatusUpdating)
	if !on || n.Get("SSESpecification") == nil {
		n.Set("SSESpecification", cfn.Obj())
	}
	n.Get("SSESpecification").Set("SSEEnabled", cfn.Boolean(on))
}

func readBackups(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.dynamodb.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	n := cfn.Obj(cfn.P("PointInTimeRecoveryEnabled", cfn.Boolean(false)))
	if d := out.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil {
		p := d.PointInTimeRecoveryDescription
		if p.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled {
			n.Set("PointInTimeRecoveryEnabled", cfn.Boolean(true))
			if p.RecoveryPeriodInDays != nil {
				n.Set("RecoveryPeriodInDays", cfn.Integer(int64(*p.RecoveryPeriodInDays)))
			}
		}
	}
	return given("PointInTimeRecoverySpecification", n), nil
}

func readTimeToLive(ctx context.Context, now *run, it *Item) (answer, error) {
	out, err := now.dynamodb.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &it.PhysicalID})
	if err != nil {
		return answer{}, err
	}
	d := out.TimeToLiveDescription
	if d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return answer{}, nil
	}
	return given("TimeToLiveSpecification", cfn.Obj(cfn.P("AttributeName", cfn.Str(aws.ToString(d.AttributeName))), cfn.P("Enabled", cfn.Boolean(true)))), nil
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
	return given("Tags", tags(tableType, "Tags", all)), nil
}
