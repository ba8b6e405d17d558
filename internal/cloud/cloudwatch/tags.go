package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/store"
)

// TagResource adds tags to an alarm, or changes their values.
func (s *Service) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	err := s.retag(ctx, aws.ToString(in.ResourceARN), func(tags []tag) []tag {
		for _, t := range in.Tags {
			tags = slices.DeleteFunc(tags, func(old tag) bool { return old.Key == aws.ToString(t.Key) })
			tags = append(tags, tag{aws.ToString(t.Key), aws.ToString(t.Value)})
		}
		return tags
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatch.TagResourceOutput{}, nil
}

// UntagResource removes tags of an alarm.
func (s *Service) UntagResource(ctx context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	err := s.retag(ctx, aws.ToString(in.ResourceARN), func(tags []tag) []tag {
		return slices.DeleteFunc(tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatch.UntagResourceOutput{}, nil
}

const maxTags = 50

func (s *Service) retag(ctx context.Context, arn string, change func([]tag) []tag) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, ok := s.alarms.Get(tx, alarmName(arn))
		if !ok || arn != s.alarmARN(a.Name) {
			return &types.ResourceNotFoundException{Message: new("Unknown resource: " + arn)}
		}
		a.Tags = change(slices.Clone(a.Tags))
		if len(a.Tags) > maxTags {
			return invalidValue("A resource cannot have more than %d tags.", maxTags)
		}
		s.alarms.Put(tx, a.Name, a)
		return nil
	})
}

// ListTagsForResource lists an alarm's tags; of what is not there it lists none, as CloudWatch does.
func (s *Service) ListTagsForResource(_ context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	s.Store.View(func(tx *store.Tx) {
		a, ok := s.alarms.Get(tx, alarmName(aws.ToString(in.ResourceARN)))
		if !ok || aws.ToString(in.ResourceARN) != s.alarmARN(a.Name) {
			return
		}
		for _, t := range a.Tags {
			out.Tags = append(out.Tags, types.Tag{Key: new(t.Key), Value: new(t.Value)})
		}
	})
	slices.SortFunc(out.Tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return out, nil
}
