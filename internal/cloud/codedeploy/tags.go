package codedeploy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/store"
)

const maxTags = 50

func newTags(list []types.Tag) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range list {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, &types.InvalidTagsToAddException{Message: aws.String("The specified tags are not valid.")}
		}
		tags[key] = aws.ToString(t.Value)
	}
	if len(tags) > maxTags {
		return nil, &types.TagLimitExceededException{Message: aws.String("The maximum allowed number of tags was exceeded.")}
	}
	return tags, nil
}

func (s *Service) putTags(tx *store.Tx, arn string, tags map[string]string) {
	if len(tags) == 0 {
		s.tags.Delete(tx, arn)
		return
	}
	s.tags.Put(tx, arn, tags)
}

func (s *Service) moveTags(tx *store.Tx, from, to string) {
	if tags, ok := s.tags.Get(tx, from); ok {
		s.tags.Delete(tx, from)
		s.tags.Put(tx, to, tags)
	}
}

// taggable makes sure that the ARN names an application or a group that exists.
func (s *Service) taggable(tx *store.Tx, arn *string) (string, error) {
	if aws.ToString(arn) == "" {
		return "", &types.ResourceArnRequiredException{Message: aws.String("The ARN of a resource is required.")}
	}
	if name, ok := strings.CutPrefix(*arn, s.arn("application", "")); ok {
		_, err := s.application(tx, &name)
		return *arn, err
	}
	if key, ok := strings.CutPrefix(*arn, s.arn("deploymentgroup", "")); ok {
		app, name, _ := strings.Cut(key, "/")
		_, err := s.group(tx, &app, &name)
		return *arn, err
	}
	return "", &types.InvalidArnException{Message: aws.String("The specified ARN is not in a valid format: " + *arn)}
}

// TagResource adds tags to an application or a group.
func (s *Service) TagResource(ctx context.Context, in *codedeploy.TagResourceInput) (*codedeploy.TagResourceOutput, error) {
	added, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(added) == 0 {
		return nil, &types.TagRequiredException{Message: aws.String("A tag was not specified.")}
	}
	err = s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) error {
		maps.Copy(tags, added)
		if len(tags) > maxTags {
			return &types.TagLimitExceededException{Message: aws.String("The maximum allowed number of tags was exceeded.")}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.TagResourceOutput{}, nil
}

// UntagResource takes tags off an application or a group.
func (s *Service) UntagResource(ctx context.Context, in *codedeploy.UntagResourceInput) (*codedeploy.UntagResourceOutput, error) {
	err := s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.UntagResourceOutput{}, nil
}

func (s *Service) changeTags(ctx context.Context, resource *string, change func(map[string]string) error) error {
	return s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		arn, err := s.taggable(tx, resource)
		if err != nil {
			return err
		}
		old, _ := s.tags.Get(tx, arn)
		tags := maps.Clone(old)
		if tags == nil {
			tags = map[string]string{}
		}
		if err := change(tags); err != nil {
			return err
		}
		s.putTags(tx, arn, tags)
		return nil
	})
}

// ListTagsForResource lists the tags of an application or a group, by key.
func (s *Service) ListTagsForResource(_ context.Context, in *codedeploy.ListTagsForResourceInput) (_ *codedeploy.ListTagsForResourceOutput, err error) {
	out := new(codedeploy.ListTagsForResourceOutput)
	s.cfg.Store.View(func(tx *store.Tx) {
		var arn string
		if arn, err = s.taggable(tx, in.ResourceArn); err != nil {
			return
		}
		tags, _ := s.tags.Get(tx, arn)
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
