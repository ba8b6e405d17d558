package rules

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"evo/internal/cfn"
	"evo/internal/rules/value"
)

// Names find what asking every item finds.
func TestNames(t *testing.T) {
	types := []string{"AWS::S3::Bucket", "AWS::Lambda::Function", stageType, "AWS::EC2::Subnet"}
	properties := []string{"BucketName", "FunctionName", "StageName", "Name"}
	texts := []string{"", "a", "b", "arn:aws:s3:::a/x", "function:b:live", "/restapis/r/stages/a", "arn:a"}
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *Item {
			i := rapid.IntRange(0, len(types)-1).Draw(t, "type")
			name := rapid.SampledFrom([]*cfn.Node{cfn.Str("a"), cfn.Str("b"), cfn.Ref("P"), cfn.Obj(cfn.P("Fn::Sub", cfn.Str("a${P}"))), nil}).Draw(t, "name")
			return &Item{Type: types[i], Properties: cfn.Obj(cfn.P(properties[i], name), cfn.P("RestApiId", cfn.Str("r"))),
				ARN: rapid.SampledFrom([]string{"", "arn:a"}).Draw(t, "arn"), PhysicalID: rapid.SampledFrom([]string{"", "b"}).Draw(t, "id")}
		}), 0, 6).Draw(t, "items")
		of := rapid.SliceOfDistinct(rapid.SampledFrom(types), rapid.ID[string]).Draw(t, "types")
		text := value.Text(rapid.SampledFrom(texts).Draw(t, "text"))
		found, sure := namesOf(items).find(text, of)
		want, wantSure := ask(items, text, of)
		if found != want || sure != wantSure {
			t.Fatalf("found %v (sure: %v), want %v (%v)", found, sure, want, wantSure)
		}
	})
}

func ask(items []*Item, text value.Text, types []string) (found *Item, sure bool) {
	sure = true
	for _, it := range items {
		if slices.Contains(types, it.Type) {
			same, known := it.isCalled(text)
			if same {
				return it, true
			}
			sure = sure && known
		}
	}
	return nil, sure
}
