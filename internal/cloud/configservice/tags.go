package configservice

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/cloud/store"
)

// changeTags changes the tags of the rule with an ARN.
func (s *Service) changeTags(ctx context.Context, arn string, change func(map[string]string)) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, ok := s.find(tx, types.ConfigRule{ConfigRuleArn: &arn})
		if !ok {
			return &types.ResourceNotFoundException{Message: ptr("ResourceArn '" + arn + "' does not exist")}
		}
		tags := map[string]string{}
		for k, v := range r.Tags {
			tags[k] = v
		}
		change(tags)
		r.Tags = tags
		s.rules.Put(tx, *r.Rule.ConfigRuleName, r)
		return nil
	})
}

// TagResource adds tags to a rule.
func (s *Service) TagResource(ctx context.Context, in *configservice.TagResourceInput) (*configservice.TagResourceOutput, error) {
	err := s.changeTags(ctx, value(in.ResourceArn), func(tags map[string]string) {
		for _, t := range in.Tags {
			tags[value(t.Key)] = value(t.Value)
		}
	})
	if err != nil {
		return nil, err
	}
	return &configservice.TagResourceOutput{}, nil
}

// UntagResource removes tags of a rule.
func (s *Service) UntagResource(ctx context.Context, in *configservice.UntagResourceInput) (*configservice.UntagResourceOutput, error) {
	err := s.changeTags(ctx, value(in.ResourceArn), func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
	if err != nil {
		return nil, err
	}
	return &configservice.UntagResourceOutput{}, nil
}

// ListTagsForResource lists a rule's tags by key.
func (s *Service) ListTagsForResource(_ context.Context, in *configservice.ListTagsForResourceInput) (*configservice.ListTagsForResourceOutput, error) {
	var r rule
	var ok bool
	s.Store.View(func(tx *store.Tx) { r, ok = s.find(tx, types.ConfigRule{ConfigRuleArn: in.ResourceArn}) })
	if !ok {
		return nil, &types.ResourceNotFoundException{Message: ptr("ResourceArn '" + value(in.ResourceArn) + "' does not exist")}
	}
	out := &configservice.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for k, v := range r.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: ptr(k), Value: ptr(v)})
	}
	slices.SortFunc(out.Tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return out, nil
}
