package dynamodb

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/dynamodb/item"
)

// consumed is what operations consumed of a table's capacity, in units.
type consumed struct {
	name    string // the table, as the request names it
	table   Units
	indexes map[*index]Units
}

func (c *consumed) addIndex(ix *index, u Units) {
	if u == (Units{}) {
		return
	}
	if c.indexes == nil {
		c.indexes = map[*index]Units{}
	}
	c.indexes[ix] = c.indexes[ix].plus(u)
}

func (c *consumed) add(other consumed) {
	c.name = other.name
	c.table = c.table.plus(other.table)
	for ix, u := range other.indexes {
		c.addIndex(ix, u)
	}
}

func (u Units) plus(v Units) Units { return Units{u.Read + v.Read, u.Write + v.Write} }

func (u Units) total() float64 { return u.Read + u.Write }

// readUnits is the price of reading so many bytes at once.
func readUnits(size int, consistent bool) float64 {
	units := float64(max(1, (size+4095)/4096))
	if consistent {
		return units
	}
	return units / 2
}

func writeUnits(size int) float64 { return float64(max(1, (size+1023)/1024)) }

// consumption returns what a write consumed; factor is 2 in a transaction.
func (w *write) consumption(name string, o outcome, factor float64) consumed {
	c := consumed{name: name}
	size := 0
	for _, r := range []*record{o.old, o.new} {
		if r != nil {
			size = max(size, r.size)
		}
	}
	c.table.Write = factor * writeUnits(size)
	if w.check {
		return c
	}
	for _, ix := range w.table.Indexes {
		c.addIndex(ix, Units{Write: factor * ix.writeUnits(o)})
	}
	return c
}

// writeUnits is the price of bringing the index up to date with a write.
func (ix *index) writeUnits(o outcome) float64 {
	before, after := ix.sizeOf(o.old), ix.sizeOf(o.new)
	switch {
	case before == 0 && after == 0:
		return 0
	case before == 0:
		return writeUnits(int(after))
	case after == 0:
		return writeUnits(int(before))
	case !sameAttributes(ix.key.of(o.old.item), ix.key.of(o.new.item)):
		return writeUnits(int(before)) + writeUnits(int(after))
	case sameAttributes(ix.project(o.old.item), ix.project(o.new.item)):
		return 0
	}
	return writeUnits(int(max(before, after)))
}

// project returns what the index has of an item.
func (ix *index) project(it item.Item) item.Item {
	if ix.projected == nil {
		return it
	}
	return expression.ProjectNames(ix.projected).Of(it)
}

func sameAttributes(a, b item.Item) bool {
	return item.Equal(&types.AttributeValueMemberM{Value: a}, &types.AttributeValueMemberM{Value: b})
}

// answer returns what a request with this ReturnConsumedCapacity is told; split shows reads and writes by themselves, as
// transactions do.
func (c consumed) answer(want types.ReturnConsumedCapacity, split bool) *types.ConsumedCapacity {
	if want != types.ReturnConsumedCapacityTotal && want != types.ReturnConsumedCapacityIndexes {
		return nil
	}
	total := c.table
	out := &types.ConsumedCapacity{TableName: ptr(c.name)}
	for ix, u := range c.indexes {
		total = total.plus(u)
		if want != types.ReturnConsumedCapacityIndexes {
			continue
		}
		of := &out.LocalSecondaryIndexes
		if ix.Global {
			of = &out.GlobalSecondaryIndexes
		}
		if *of == nil {
			*of = map[string]types.Capacity{}
		}
		(*of)[ix.Name] = u.answer(split)
	}
	if want == types.ReturnConsumedCapacityIndexes {
		out.Table = ptr(c.table.answer(split))
	}
	all := total.answer(split)
	out.CapacityUnits, out.ReadCapacityUnits, out.WriteCapacityUnits = all.CapacityUnits, all.ReadCapacityUnits, all.WriteCapacityUnits
	return out
}

func (u Units) answer(split bool) types.Capacity {
	c := types.Capacity{CapacityUnits: ptr(u.total())}
	if split && u.Read > 0 {
		c.ReadCapacityUnits = ptr(u.Read)
	}
	if split && u.Write > 0 {
		c.WriteCapacityUnits = ptr(u.Write)
	}
	return c
}

// wanted says whether anybody asks what an operation consumes.
func (s *Service) wanted(want types.ReturnConsumedCapacity) bool {
	return s.meter != nil || want == types.ReturnConsumedCapacityTotal || want == types.ReturnConsumedCapacityIndexes
}
