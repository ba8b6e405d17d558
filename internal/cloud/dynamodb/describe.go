package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/store"
)

// What AWS gives a table on demand that was never busy.
const onDemandReads, onDemandWrites = 12000, 4000

// DescribeTable describes a table.
func (s *Service) DescribeTable(_ context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	t, err := s.lookupTable(in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeTableOutput{Table: s.describe(t)}, nil
}

// lookupTable is lookup in the words of the operations on tables.
func (s *Service) lookupTable(nameOrARN *string) (*table, error) {
	name, err := s.tableName(deref(nameOrARN))
	if err != nil {
		return nil, err
	}
	t, err := s.lookup(name)
	if err != nil {
		return nil, noTable(name)
	}
	return t, nil
}

// describe returns the table's description as of a table that is at rest.
func (s *Service) describe(t *table) *types.TableDescription {
	d := &types.TableDescription{
		TableName: ptr(t.Name), TableArn: ptr(s.tableARN(t.Name)), TableId: ptr(t.ID), TableStatus: types.TableStatusActive,
		CreationDateTime:          ptr(t.Created),
		KeySchema:                 t.Key.describe(),
		DeletionProtectionEnabled: ptr(t.Protected),
		TableSizeBytes:            ptr(t.bytes.Load()),
		ProvisionedThroughput:     t.Provisioned.describe(),
		OnDemandThroughput:        t.Limits.describe(),
	}
	for _, a := range t.Attributes {
		d.AttributeDefinitions = append(d.AttributeDefinitions, types.AttributeDefinition{AttributeName: ptr(a.Name), AttributeType: types.ScalarAttributeType(a.Type)})
	}
	s.db.View(func(tx *store.Tx) {
		d.ItemCount = ptr(int64(t.items.Len(tx)))
		for _, ix := range t.Indexes {
			s.describeIndex(tx, d, t, ix)
		}
	})
	read, write := t.Warm.orElse(t.Provisioned, t.OnDemand)
	d.WarmThroughput = &types.TableWarmThroughputDescription{ReadUnitsPerSecond: &read, WriteUnitsPerSecond: &write, Status: types.TableStatusActive}
	if t.OnDemand {
		d.BillingModeSummary = &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest, LastUpdateToPayPerRequestDateTime: ptr(t.OnDemandFrom)}
	} else if !t.OnDemandFrom.IsZero() {
		d.BillingModeSummary = &types.BillingModeSummary{BillingMode: types.BillingModeProvisioned, LastUpdateToPayPerRequestDateTime: ptr(t.OnDemandFrom)}
	}
	if t.Class != "" {
		d.TableClassSummary = &types.TableClassSummary{TableClass: types.TableClass(t.Class)}
		if !t.ClassChanged.IsZero() {
			d.TableClassSummary.LastUpdateDateTime = ptr(t.ClassChanged)
		}
	}
	if t.Encryption != nil {
		d.SSEDescription = &types.SSEDescription{Status: types.SSEStatusEnabled, SSEType: types.SSETypeKms, KMSMasterKeyArn: ptr(t.Encryption.KeyARN)}
	}
	if st := t.Stream; st != nil {
		d.LatestStreamLabel = ptr(st.Label)
		d.LatestStreamArn = ptr(s.tableARN(t.Name) + "/stream/" + st.Label)
		if st.Enabled {
			d.StreamSpecification = &types.StreamSpecification{StreamEnabled: ptr(true), StreamViewType: types.StreamViewType(st.View)}
		}
	}
	return d
}

func (s *Service) describeIndex(tx *store.Tx, d *types.TableDescription, t *table, ix *index) {
	arn := ptr(s.tableARN(t.Name) + "/index/" + ix.Name)
	count, size := ptr(int64(ix.entries.Len(tx))), ptr(ix.bytes.Load())
	projection := &types.Projection{ProjectionType: types.ProjectionType(ix.Projection), NonKeyAttributes: ix.Include}
	if !ix.Global {
		d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, types.LocalSecondaryIndexDescription{
			IndexName: ptr(ix.Name), IndexArn: arn, ItemCount: count, IndexSizeBytes: size, KeySchema: ix.Key.describe(), Projection: projection})
		return
	}
	read, write := ix.Warm.orElse(ix.Provisioned, t.OnDemand)
	d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, types.GlobalSecondaryIndexDescription{
		IndexName: ptr(ix.Name), IndexArn: arn, ItemCount: count, IndexSizeBytes: size, KeySchema: ix.Key.describe(), Projection: projection,
		IndexStatus: types.IndexStatusActive, ProvisionedThroughput: ix.Provisioned.describe(), OnDemandThroughput: ix.Limits.describe(),
		WarmThroughput: &types.GlobalSecondaryIndexWarmThroughputDescription{ReadUnitsPerSecond: &read, WriteUnitsPerSecond: &write, Status: types.IndexStatusActive}})
}

func (k keyNames) describe() []types.KeySchemaElement {
	var list []types.KeySchemaElement
	for _, name := range k.Hash {
		list = append(list, types.KeySchemaElement{AttributeName: ptr(name), KeyType: types.KeyTypeHash})
	}
	for _, name := range k.Range {
		list = append(list, types.KeySchemaElement{AttributeName: ptr(name), KeyType: types.KeyTypeRange})
	}
	return list
}

func (p throughput) describe() *types.ProvisionedThroughputDescription {
	d := &types.ProvisionedThroughputDescription{NumberOfDecreasesToday: ptr(int64(0)), ReadCapacityUnits: ptr(p.Read), WriteCapacityUnits: ptr(p.Write)}
	if !p.Increased.IsZero() {
		d.LastIncreaseDateTime = ptr(p.Increased)
	}
	if !p.Decrease.IsZero() {
		d.LastDecreaseDateTime = ptr(p.Decrease)
	}
	return d
}

func (l *limits) describe() *types.OnDemandThroughput {
	if l == nil {
		return nil
	}
	return &types.OnDemandThroughput{MaxReadRequestUnits: ptr(l.Read), MaxWriteRequestUnits: ptr(l.Write)}
}

// orElse returns the warm throughput, which is at least what is provisioned.
func (w *warm) orElse(p throughput, onDemand bool) (read, write int64) {
	switch {
	case w != nil:
		return w.Read, w.Write
	case onDemand:
		return onDemandReads, onDemandWrites
	}
	return p.Read, p.Write
}

// begun makes of the description of a new table what CreateTable answers.
func begun(d *types.TableDescription, asked *types.WarmThroughput) *types.TableDescription {
	d.TableStatus = types.TableStatusCreating
	if asked == nil {
		d.WarmThroughput = nil
	} else {
		d.WarmThroughput.Status = types.TableStatusUpdating
	}
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = nil
	}
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].IndexStatus = types.IndexStatusCreating
		d.GlobalSecondaryIndexes[i].WarmThroughput = nil
	}
	return d
}

// ended makes of the description of a table what DeleteTable answers.
func ended(d *types.TableDescription) *types.TableDescription {
	return &types.TableDescription{
		TableName: d.TableName, TableArn: d.TableArn, TableId: d.TableId, TableStatus: types.TableStatusDeleting,
		DeletionProtectionEnabled: d.DeletionProtectionEnabled, ItemCount: d.ItemCount, TableSizeBytes: d.TableSizeBytes,
		ProvisionedThroughput: d.ProvisionedThroughput, BillingModeSummary: d.BillingModeSummary,
	}
}

// ListTables lists the tables' names in order.
func (s *Service) ListTables(_ context.Context, in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	limit := 100
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &dynamodb.ListTablesOutput{TableNames: []string{}}
	s.db.View(func(tx *store.Tx) {
		from := ""
		if in.ExclusiveStartTableName != nil {
			from = *in.ExclusiveStartTableName + "\x00"
		}
		for name := range s.tables.Ascend(tx, from) {
			if len(out.TableNames) == limit {
				out.LastEvaluatedTableName = ptr(out.TableNames[limit-1])
				return
			}
			out.TableNames = append(out.TableNames, name)
		}
	})
	return out, nil
}

// DescribeLimits answers AWS's usual quotas. They are not enforced.
func (s *Service) DescribeLimits(context.Context, *dynamodb.DescribeLimitsInput) (*dynamodb.DescribeLimitsOutput, error) {
	return &dynamodb.DescribeLimitsOutput{
		AccountMaxReadCapacityUnits: ptr(int64(80000)), AccountMaxWriteCapacityUnits: ptr(int64(80000)),
		TableMaxReadCapacityUnits: ptr(int64(40000)), TableMaxWriteCapacityUnits: ptr(int64(40000)),
	}, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000") }
