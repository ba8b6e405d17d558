package codec

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"
)

// attributes draws attribute values of every kind, some with more in them, some missing.
func attributes(depth int) *rapid.Generator[types.AttributeValue] {
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 5)
	kinds := []*rapid.Generator[types.AttributeValue]{
		rapid.Map(rapid.String(), func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }),
		rapid.Map(rapid.StringMatching(`-?[0-9]{1,5}`), func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }),
		rapid.Map(bytes, func(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }),
		rapid.Map(rapid.Bool(), func(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }),
		rapid.Map(rapid.Bool(), func(v bool) types.AttributeValue { return &types.AttributeValueMemberNULL{Value: v} }),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 3), func(v []string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: v} }),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 3), func(v []string) types.AttributeValue { return &types.AttributeValueMemberNS{Value: v} }),
		rapid.Map(rapid.SliceOfN(bytes, 0, 3), func(v [][]byte) types.AttributeValue { return &types.AttributeValueMemberBS{Value: v} }),
		rapid.Just[types.AttributeValue](nil),
	}
	if depth > 0 {
		inner := attributes(depth - 1)
		kinds = append(kinds,
			rapid.Map(rapid.SliceOfN(inner, 0, 3), func(v []types.AttributeValue) types.AttributeValue { return &types.AttributeValueMemberL{Value: v} }),
			rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 3), func(v map[string]types.AttributeValue) types.AttributeValue {
				return &types.AttributeValueMemberM{Value: v}
			}))
	}
	return rapid.OneOf(kinds...)
}

// TestItemsAsByReflection holds the writer of items to what reflection writes.
func TestItemsAsByReflection(t *testing.T) {
	plan := inputPlan(t, "dynamodb", "PutItem", dynamodb.PutItemInput{}).Field("Item").Plan
	rapid.Check(t, func(t *rapid.T) {
		item := rapid.MapOfN(rapid.String(), attributes(3), 0, 20).Draw(t, "item")
		got := string(plan.AppendJSON(nil, reflect.ValueOf(item)))
		if want := string(plan.appendMapByReflection(nil, reflect.ValueOf(item))); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
