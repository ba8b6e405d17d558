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
	"evo/internal/cloud/tags"
)

func newTags(list []types.Tag) (map[string]string, error) {
	set := map[string]string{}
	for _, t := range list {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, &types.InvalidTagsToAddException{Message: aws.String("The specified tags are not valid.")}
		}
		set[key] = aws.ToString(t.Value)
	}
	return set, tooMany(set)
}

func tooMany(set map[string]string) error {
	if len(set) > tags.Most {
		return &types.TagLimitExceededException{Message: aws.String("The maximum allowed number of tags was exceeded.")}
	}
	return nil
}

func (s *Service) putTags(tx *store.Tx, arn string, set map[string]string) {
	if len(set) == 0 {
		s.tags.Delete(tx, arn)
		return
	}
	s.tags.Put(tx, arn, set)
}

func (s *Service) moveTags(tx *store.Tx, from, to string) {
	if set, ok := s.tags.Get(tx, from); ok {
		s.tags.Delete(tx, from)
		s.tags.Put(tx, to, set)
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
	if err := s.changeTags(ctx, in.ResourceArn, tags.Add(added)); err != nil {
		return nil, err
	}
	return &codedeploy.TagResourceOutput{}, nil
}

// UntagResource takes tags off an application or a group.
func (s *Service) UntagResource(ctx context.Context, in *codedeploy.UntagResourceInput) (*codedeploy.UntagResourceOutput, error) {
	if err := s.changeTags(ctx, in.ResourceArn, tags.Remove(in.TagKeys)); err != nil {
		return nil, err
	}
	return &codedeploy.UntagResourceOutput{}, nil
}

func (s *Service) changeTags(ctx context.Context, resource *string, change tags.Change) error {
	return s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		arn, err := s.taggable(tx, resource)
		if err != nil {
			return err
		}
		old, _ := s.tags.Get(tx, arn)
		set := change.To(old)
		if err := tooMany(set); err != nil {
			return err
		}
		s.putTags(tx, arn, set)
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
		set, _ := s.tags.Get(tx, arn)
		for _, key := range slices.Sorted(maps.Keys(set)) {
			out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(set[key])})
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
