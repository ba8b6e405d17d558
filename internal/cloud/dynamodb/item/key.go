package item

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// AppendKey appends bytes that stand for a key attribute's value, and whether v can be one: only strings, numbers and
// binaries can. Among values of one type the bytes sort as DynamoDB sorts the values, and none is the beginning of another's,
// so that further parts of a key can follow.
func AppendKey(b []byte, v Value) ([]byte, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return appendEscaped(b, v.Value), true
	case *types.AttributeValueMemberN:
		return Number(v).AppendKey(b), true
	case *types.AttributeValueMemberB:
		return appendEscaped(b, v.Value), true
	}
	return b, false
}

// AppendKeyStart appends the bytes that the keys of all strings, or binaries, beginning with v begin with.
func AppendKeyStart(b []byte, v Value) ([]byte, bool) {
	key, ok := AppendKey(b, v)
	if _, isNumber := v.(*types.AttributeValueMemberN); !ok || isNumber {
		return b, false
	}
	return key[:len(key)-len(keyEnd)], true
}

// keyEnd sorts before everything that may follow in a longer value; a zero byte in a value is escaped to stay after it.
const keyEnd = "\x00\x00"

func appendEscaped[T string | []byte](b []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return append(b, keyEnd...)
}

// Hash returns where in the table the partition with this key lies. The order of partitions in a Scan is the order of their
// hashes, which is stable and says nothing of the keys, as in DynamoDB.
func Hash[T string | []byte](key T) uint64 {
	h := uint64(14695981039346656037) // FNV-1a, then mixed, since short keys would differ in the low bits only
	for i := 0; i < len(key); i++ {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
