package dynamodb

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/store"
)

// UpdateTable changes a table's settings, or makes, changes or deletes one of its global indexes. A new index holds the
// table's items as soon as this returns.
func (s *Service) UpdateTable(ctx context.Context, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	for {
		t, err := s.lookupTable(in.TableName)
		if err != nil {
			return nil, err
		}
		c := &tableChange{service: s, in: in, old: t, new: t.copy()}
		if err := c.work(); err != nil {
			return nil, err
		}
		if c.made != nil {
			s.attachIndex(c.new, c.made)
		}
		stale, err := s.change(ctx, []*table{t}, func(tx *store.Tx) error {
			s.tables.Put(tx, t.Name, c.new)
			if c.deleted != nil {
				c.deleted.entries.Drop(tx)
			}
			if c.made != nil {
				c.fill(tx)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if !stale {
			return &dynamodb.UpdateTableOutput{TableDescription: c.answer()}, nil
		}
	}
}

// tableChange is an UpdateTable under way.
type tableChange struct {
	service       *Service
	in            *dynamodb.UpdateTableInput
	old, new      *table
	made, deleted *index
	updated       []string // indexes
	steps         int      // of the kinds of which AWS takes one at a time
}

// work makes the new description.
func (c *tableChange) work() error {
	in := c.in
	switch {
	case in.VectorIndexUpdates != nil:
		return absent("vector indexes")
	case in.ReplicaUpdates != nil || in.GlobalTableWitnessUpdates != nil || in.MultiRegionConsistency != "" || in.GlobalTableSettingsReplicationMode != "" || in.DisassociationProtectionEnabled != nil:
		return absent("global tables")
	}
	if c.nothing() {
		return invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if err := c.billing(); err != nil {
		return err
	}
	if err := c.settings(); err != nil {
		return err
	}
	if err := c.indexes(); err != nil {
		return err
	}
	if err := c.new.checkSchema(); err != nil {
		return err
	}
	c.new.compile()
	return nil
}

func (c *tableChange) nothing() bool {
	in := c.in
	return in.BillingMode == "" && in.ProvisionedThroughput == nil && len(in.GlobalSecondaryIndexUpdates) == 0 && in.StreamSpecification == nil &&
		in.SSESpecification == nil && in.TableClass == "" && in.DeletionProtectionEnabled == nil && in.OnDemandThroughput == nil && in.WarmThroughput == nil
}

// billing changes the billing mode and the provisioned throughput.
func (c *tableChange) billing() error {
	in, t, now := c.in, c.new, c.service.clock.Now()
	switch in.BillingMode {
	case types.BillingModePayPerRequest:
		if in.ProvisionedThroughput != nil {
			return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		if !t.OnDemand {
			t.OnDemand, t.OnDemandFrom, t.Provisioned = true, now, throughput{}
			for i, ix := range t.Indexes {
				t.Indexes[i] = ix.with(func(ix *index) { ix.Provisioned = throughput{} })
			}
		}
		return nil
	case types.BillingModeProvisioned:
		if t.OnDemand && in.ProvisionedThroughput == nil {
			return invalidParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
		}
		t.OnDemand = false
	}
	if in.ProvisionedThroughput == nil {
		return nil
	}
	p, err := capacityOf(in.ProvisionedThroughput, t.OnDemand, "")
	if err != nil {
		return err
	}
	if !c.old.OnDemand && p.Read == t.Provisioned.Read && p.Write == t.Provisioned.Write && in.GlobalSecondaryIndexUpdates == nil && in.BillingMode == "" {
		return invalid("The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			t.Provisioned.Read, p.Read, t.Provisioned.Write, p.Write)
	}
	t.Provisioned = c.adjusted(t.Provisioned, p)
	return nil
}

// adjusted returns the new throughput with the times of its last changes.
func (c *tableChange) adjusted(old, p throughput) throughput {
	now := c.service.clock.Now()
	p.Increased, p.Decrease = old.Increased, old.Decrease
	if p.Read > old.Read || p.Write > old.Write {
		p.Increased = now
	}
	if p.Read < old.Read || p.Write < old.Write {
		p.Decrease = now
	}
	return p
}

func (c *tableChange) settings() error {
	in, t := c.in, c.new
	now := c.service.clock.Now()
	if in.SSESpecification != nil {
		e, err := c.service.encryptionOf(in.SSESpecification)
		if err != nil {
			return err
		}
		t.Encryption = e
	}
	if in.StreamSpecification != nil {
		if err := t.setStream(in.StreamSpecification, stamp(now)); err != nil {
			return err
		}
	}
	if in.TableClass != "" && string(in.TableClass) != t.Class {
		t.Class, t.ClassChanged = string(in.TableClass), now
	}
	if in.DeletionProtectionEnabled != nil {
		t.Protected = *in.DeletionProtectionEnabled
	}
	if in.OnDemandThroughput != nil {
		t.Limits = limitsOf(in.OnDemandThroughput)
	}
	if in.WarmThroughput != nil {
		t.Warm = warmOf(in.WarmThroughput)
	}
	return nil
}

// indexes makes, changes and deletes global indexes.
func (c *tableChange) indexes() error {
	if c.in.AttributeDefinitions != nil {
		if err := c.define(); err != nil {
			return err
		}
	}
	for _, u := range c.in.GlobalSecondaryIndexUpdates {
		var err error
		switch {
		case u.Create != nil && u.Update == nil && u.Delete == nil:
			err = c.create(u.Create)
		case u.Update != nil && u.Create == nil && u.Delete == nil:
			err = c.update(u.Update)
		case u.Delete != nil && u.Create == nil && u.Update == nil:
			err = c.delete(deref(u.Delete.IndexName))
		default:
			err = invalidParameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		}
		if err != nil {
			return err
		}
	}
	if c.steps > 1 {
		return &types.LimitExceededException{Message: ptr("Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")}
	}
	return nil
}

// define takes AttributeDefinitions over: what the request does not name stays defined if a key needs it.
func (c *tableChange) define() error {
	list, err := attributesOf(c.in.AttributeDefinitions)
	if err != nil {
		return err
	}
	for _, a := range c.old.Attributes {
		i := slices.IndexFunc(list, func(b attribute) bool { return a.Name == b.Name })
		if i < 0 {
			list = append(list, a)
		} else if list[i].Type != a.Type && c.old.uses(a.Name) {
			return invalidParameter("Attribute %s is already defined with type %s", a.Name, a.Type)
		}
	}
	c.new.Attributes = list
	return nil
}

// uses says whether the attribute is part of a key.
func (t *table) uses(name string) bool {
	return slices.Contains(t.Key.all(), name) || slices.ContainsFunc(t.Indexes, func(ix *index) bool { return slices.Contains(ix.Key.all(), name) })
}

func (c *tableChange) create(a *types.CreateGlobalSecondaryIndexAction) error {
	ix, err := c.service.globalOf(c.new.OnDemand, a.IndexName, a.KeySchema, a.Projection, a.ProvisionedThroughput, a.OnDemandThroughput, a.WarmThroughput)
	if err != nil {
		return err
	}
	if c.old.index(ix.Name) != nil {
		return invalidParameter("Attempting to create an index which already exists: %s", ix.Name)
	}
	c.made = ix
	c.steps++
	c.new.addIndex(ix)
	return nil
}

func (c *tableChange) delete(name string) error {
	i := slices.IndexFunc(c.new.Indexes, func(ix *index) bool { return ix.Name == name && ix.Global })
	if i < 0 {
		return &types.ResourceNotFoundException{Message: ptr("Requested resource not found")}
	}
	c.deleted = c.new.Indexes[i]
	c.steps++
	c.new.Indexes = slices.Delete(c.new.Indexes, i, i+1)
	c.new.Attributes = slices.DeleteFunc(slices.Clone(c.new.Attributes), func(a attribute) bool { return !c.new.uses(a.Name) })
	return nil
}

func (c *tableChange) update(a *types.UpdateGlobalSecondaryIndexAction) error {
	name := deref(a.IndexName)
	i := slices.IndexFunc(c.new.Indexes, func(ix *index) bool { return ix.Name == name && ix.Global })
	if i < 0 {
		return &types.ResourceNotFoundException{Message: ptr("Requested resource not found")}
	}
	var err error
	c.new.Indexes[i] = c.new.Indexes[i].with(func(ix *index) {
		if a.ProvisionedThroughput != nil {
			var p throughput
			p, err = capacityOf(a.ProvisionedThroughput, c.new.OnDemand, name)
			ix.Provisioned = c.adjusted(ix.Provisioned, p)
		}
		if a.OnDemandThroughput != nil {
			ix.Limits = limitsOf(a.OnDemandThroughput)
		}
		if a.WarmThroughput != nil {
			ix.Warm = warmOf(a.WarmThroughput)
		}
	})
	c.updated = append(c.updated, name)
	return err
}

// with returns a changed copy of the index over the same entries.
func (ix *index) with(change func(*index)) *index {
	changed := *ix
	change(&changed)
	return &changed
}

// fill puts the table's items into the new index.
func (c *tableChange) fill(tx *store.Tx) {
	ix, bytes := c.made, int64(0)
	for primary, r := range c.new.items.Ascend(tx, "") {
		key := ix.entryKey(r.item, primary)
		if key == "" {
			continue
		}
		e := entry{primary: primary, size: ix.projectedSize(r)}
		ix.entries.Put(tx, key, e)
		bytes += int64(e.size)
	}
	ix.bytes.Store(bytes)
}

// answer describes the table as it is while AWS works at the change.
func (c *tableChange) answer() *types.TableDescription {
	d := c.service.describe(c.new)
	if c.in.BillingMode != "" || c.in.ProvisionedThroughput != nil || c.in.GlobalSecondaryIndexUpdates != nil || c.in.StreamSpecification != nil || c.in.TableClass != "" {
		d.TableStatus = types.TableStatusUpdating
	}
	if c.old.Encryption != nil && c.new.Encryption == nil {
		d.SSEDescription = &types.SSEDescription{Status: types.SSEStatusUpdating, SSEType: types.SSETypeKms, KMSMasterKeyArn: ptr(c.old.Encryption.KeyARN)}
	}
	for i := range d.GlobalSecondaryIndexes {
		g := &d.GlobalSecondaryIndexes[i]
		switch {
		case c.made != nil && *g.IndexName == c.made.Name:
			g.IndexStatus, g.Backfilling, g.WarmThroughput = types.IndexStatusCreating, ptr(false), nil
		case slices.Contains(c.updated, *g.IndexName):
			g.IndexStatus = types.IndexStatusUpdating
		}
	}
	if c.deleted != nil {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, types.GlobalSecondaryIndexDescription{
			IndexName: ptr(c.deleted.Name), IndexArn: ptr(*d.TableArn + "/index/" + c.deleted.Name), IndexStatus: types.IndexStatusDeleting,
			KeySchema: c.deleted.Key.describe(), ProvisionedThroughput: c.deleted.Provisioned.describe(), ItemCount: ptr(int64(0)), IndexSizeBytes: ptr(int64(0)),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(c.deleted.Projection), NonKeyAttributes: c.deleted.Include}})
	}
	return d
}
