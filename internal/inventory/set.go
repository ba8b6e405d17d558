package inventory

import "evo/internal/rules"

// Set is items as rules judge them. account are its facts; nil if nobody looked.
func Set(items []*Item, account rules.Facts, region string) *rules.Set {
	out := make([]*rules.Item, len(items))
	for i, it := range items {
		out[i] = &rules.Item{ID: it.ID, Type: it.Type, Properties: it.Properties, Metadata: it.Metadata, Span: it.Span, Name: it.Name, ARN: it.ARN,
			PhysicalID: it.PhysicalID, Supplementary: it.Supplementary, Condition: it.Condition}
	}
	return rules.NewSet(out, account, region)
}
