package dynamodb

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/store"
)

// CreateTable makes a table, which can be used at once.
func (s *Service) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	t, err := s.tableOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.lookup(t.Name); err == nil {
		return nil, inUse("Table already exists: %s", t.Name)
	}
	if t.Serial, err = s.nextSerial(ctx); err != nil {
		return nil, err
	}
	s.attach(t)
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, exists := s.tables.Get(tx, t.Name); exists {
			return inUse("Table already exists: %s", t.Name)
		}
		s.tables.Put(tx, t.Name, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.CreateTableOutput{TableDescription: begun(s.describe(t), in.WarmThroughput)}, nil
}

// tableOf checks a request and returns the table that it describes.
func (s *Service) tableOf(ctx context.Context, in *dynamodb.CreateTableInput) (*table, error) {
	name, err := s.tableName(deref(in.TableName))
	if err != nil {
		return nil, err
	}
	switch {
	case in.VectorIndexes != nil:
		return nil, absent("vector indexes")
	case in.GlobalTableSourceArn != nil:
		return nil, absent("global tables")
	case in.ResourcePolicy != nil:
		return nil, absent("resource policies")
	}
	now := s.clock.Now()
	t := &table{Name: name, ID: newID(), Created: now, OnDemand: in.BillingMode == types.BillingModePayPerRequest,
		Limits: limitsOf(in.OnDemandThroughput), Warm: warmOf(in.WarmThroughput), Class: string(in.TableClass), Protected: deref(in.DeletionProtectionEnabled)}
	if t.OnDemand {
		t.OnDemandFrom = now
	}
	if t.Provisioned, err = capacityOf(in.ProvisionedThroughput, t.OnDemand, ""); err != nil {
		return nil, err
	}
	if err := checkCounts(in); err != nil {
		return nil, err
	}
	if t.Attributes, err = attributesOf(in.AttributeDefinitions); err != nil {
		return nil, err
	}
	if t.Key, err = keyOf(in.KeySchema, 1); err != nil {
		return nil, err
	}
	if err := s.indexesOf(t, in); err != nil {
		return nil, err
	}
	if err := t.checkSchema(); err != nil {
		return nil, err
	}
	if t.Encryption, err = s.encryptionOf(in.SSESpecification); err != nil {
		return nil, err
	}
	if err := t.setStream(in.StreamSpecification, stamp(now)); err != nil {
		return nil, err
	}
	if t.Tags, err = withTags(ctx, nil, in.Tags); err != nil {
		return nil, err
	}
	t.compile()
	return t, nil
}

// checkCounts is the first look that AWS takes at the attributes.
func checkCounts(in *dynamodb.CreateTableInput) error {
	keys, defined := len(in.KeySchema), len(in.AttributeDefinitions)
	switch {
	case keys > defined:
		return invalid("Invalid KeySchema: Some index key attribute have no definition")
	case keys < defined && in.LocalSecondaryIndexes == nil && in.GlobalSecondaryIndexes == nil:
		return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return nil
}

func (s *Service) indexesOf(t *table, in *dynamodb.CreateTableInput) error {
	if in.LocalSecondaryIndexes != nil && len(in.LocalSecondaryIndexes) == 0 {
		return invalidParameter("List of LocalSecondaryIndexes is empty")
	}
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return invalidParameter("List of GlobalSecondaryIndexes is empty")
	}
	for _, l := range in.LocalSecondaryIndexes {
		ix, err := indexOf(l.IndexName, l.KeySchema, 1, l.Projection)
		if err != nil {
			return err
		}
		t.addIndex(ix)
	}
	for _, g := range in.GlobalSecondaryIndexes {
		ix, err := s.globalOf(t.OnDemand, g.IndexName, g.KeySchema, g.Projection, g.ProvisionedThroughput, g.OnDemandThroughput, g.WarmThroughput)
		if err != nil {
			return err
		}
		t.addIndex(ix)
	}
	return nil
}

func (t *table) addIndex(ix *index) {
	t.Indices++
	ix.Serial = t.Indices
	t.Indexes = append(t.Indexes, ix)
}

// setStream keeps what a StreamSpecification says. A stream that is turned on gets the label.
func (t *table) setStream(spec *types.StreamSpecification, label string) error {
	if spec == nil {
		return nil
	}
	on := t.Stream != nil && t.Stream.Enabled
	switch {
	case !deref(spec.StreamEnabled):
		if spec.StreamViewType != "" {
			return invalidParameter("StreamViewType must be specified only when StreamEnabled is true")
		}
		if on {
			t.Stream = &stream{View: t.Stream.View, Label: t.Stream.Label}
		}
	case spec.StreamViewType == "":
		return invalidParameter("StreamViewType must be specified when StreamEnabled is true")
	case on:
		return inUse("Table already has an enabled stream: TableName: %s", t.Name)
	default:
		t.Stream = &stream{View: string(spec.StreamViewType), Label: label, Enabled: true}
	}
	return nil
}

// nextSerial returns a number that no table of the region has had. A table's places in the store must be opened before the
// change that makes the table, so the number is drawn in a change of its own.
func (s *Service) nextSerial(ctx context.Context) (n uint64, err error) {
	err = s.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		n, _ = s.serial.Get(tx, "table")
		n++
		s.serial.Put(tx, "table", n)
		return nil
	})
	return n, err
}

// DeleteTable deletes a table with its items.
func (s *Service) DeleteTable(ctx context.Context, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	for {
		t, err := s.lookupTable(in.TableName)
		if err != nil {
			return nil, err
		}
		if t.Protected {
			return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		}
		answer := ended(s.describe(t))
		stale, err := s.change(ctx, []*table{t}, func(tx *store.Tx) error {
			s.tables.Delete(tx, t.Name)
			t.items.Drop(tx)
			for _, ix := range t.Indexes {
				ix.entries.Drop(tx)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if !stale {
			return &dynamodb.DeleteTableOutput{TableDescription: answer}, nil
		}
	}
}
