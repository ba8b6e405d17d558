package item

import (
	"encoding/binary"
	"hash"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Digest writes to h bytes that tell items apart, and are the same whenever the item is. Values that no item may have count as
// nothing.
func Digest(h hash.Hash, it Item) {
	h.Write(binary.AppendUvarint(nil, uint64(len(it))))
	names := make([]string, 0, len(it))
	for name := range it {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h.Write(appendBytes(nil, name))
		digest(h, it[name])
	}
}

func digest(h hash.Hash, v Value) {
	switch v := v.(type) {
	case nil:
	case *types.AttributeValueMemberM:
		h.Write([]byte{tagM})
		Digest(h, v.Value)
	case *types.AttributeValueMemberL:
		h.Write(binary.AppendUvarint([]byte{tagL}, uint64(len(v.Value))))
		for _, e := range v.Value {
			digest(h, e)
		}
	default:
		if Type(v) != "" {
			h.Write(appendValue(nil, v))
		}
	}
}
