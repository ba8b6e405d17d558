package configservice

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

func tagSet(list []types.Tag) map[string]string {
	set := map[string]string{}
	for _, t := range list {
		set[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return set
}

// changeTags changes the tags of the rule with an ARN.
func (s *Service) changeTags(ctx context.Context, arn *string, change tags.Change) error {
	return s.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		r, ok := s.find(tx, types.ConfigRule{ConfigRuleArn: arn})
		if !ok {
			return noTagged(arn)
		}
		r.Tags = change.To(r.Tags)
		s.rules.Put(tx, *r.Rule.ConfigRuleName, r)
		return nil
	})
}

func noTagged(arn *string) error {
	return &types.ResourceNotFoundException{Message: new("ResourceArn '" + aws.ToString(arn) + "' does not exist")}
}

// TagResource adds tags to a rule.
func (s *Service) TagResource(ctx context.Context, in *configservice.TagResourceInput) (*configservice.TagResourceOutput, error) {
	if err := s.changeTags(ctx, in.ResourceArn, tags.Add(tagSet(in.Tags))); err != nil {
		return nil, err
	}
	return &configservice.TagResourceOutput{}, nil
}

// UntagResource removes tags of a rule.
func (s *Service) UntagResource(ctx context.Context, in *configservice.UntagResourceInput) (*configservice.UntagResourceOutput, error) {
	if err := s.changeTags(ctx, in.ResourceArn, tags.Remove(in.TagKeys)); err != nil {
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
		return nil, noTagged(in.ResourceArn)
	}
	out := &configservice.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: new(k), Value: new(r.Tags[k])})
	}
	return out, nil
}
