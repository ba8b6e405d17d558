package shape

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cfn"
)

const tableType = "AWS::DynamoDB::Table"

// Table are the named properties of a table, as Properties takes them, as far as DescribeTable tells them.
func Table(t *types.TableDescription, names ...string) *cfn.Node {
	n := Properties(tableType, t, map[string]string{"BillingMode": "-", "SSESpecification": "SSEDescription", "SSESpecification.SSEEnabled": "-",
		"SSESpecification.KMSMasterKeyId": "KMSMasterKeyArn", "TableClass": "-", "GlobalSecondaryIndexes.WarmThroughput": "-"}, names...)
	mode := types.BillingModeProvisioned
	if t.BillingModeSummary != nil && t.BillingModeSummary.BillingMode == types.BillingModePayPerRequest {
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
	tableEncryption(n, t.SSEDescription)
	return n
}

// tableEncryption says whether the table has a key of the account's; without one, DynamoDB encrypts with its own.
func tableEncryption(n *cfn.Node, d *types.SSEDescription) {
	on := d != nil && (d.Status == types.SSEStatusEnabled || d.Status == types.SSEStatusEnabling || d.Status == types.SSEStatusUpdating)
	if !on || n.Get("SSESpecification") == nil {
		n.Set("SSESpecification", cfn.Obj())
	}
	n.Get("SSESpecification").Set("SSEEnabled", cfn.Boolean(on))
}

// Recovery is a table's PointInTimeRecoverySpecification.
func Recovery(d *types.ContinuousBackupsDescription) *cfn.Node {
	n := cfn.Obj(cfn.P("PointInTimeRecoveryEnabled", cfn.Boolean(false)))
	if d == nil || d.PointInTimeRecoveryDescription == nil || d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		return n
	}
	n.Set("PointInTimeRecoveryEnabled", cfn.Boolean(true))
	if days := d.PointInTimeRecoveryDescription.RecoveryPeriodInDays; days != nil {
		n.Set("RecoveryPeriodInDays", cfn.Integer(int64(*days)))
	}
	return n
}

// TimeToLive is a table's TimeToLiveSpecification; nil if nothing expires.
func TimeToLive(d *types.TimeToLiveDescription) *cfn.Node {
	if d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return nil
	}
	return cfn.Obj(cfn.P("AttributeName", cfn.Str(text(d.AttributeName))), cfn.P("Enabled", cfn.Boolean(true)))
}
