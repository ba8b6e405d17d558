package lambda

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/store"
)

// TagResource adds tags to a function.
func (s *Service) TagResource(ctx context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, invalid("An error occurred and the request cannot be processed.")
	}
	err := s.retag(ctx, in.Resource, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	return &lambda.TagResourceOutput{}, err
}

// UntagResource takes tags from a function.
func (s *Service) UntagResource(ctx context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	err := s.retag(ctx, in.Resource, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
	return &lambda.UntagResourceOutput{}, err
}

const maxTags = 50

func (s *Service) retag(ctx context.Context, resource *string, change func(map[string]string)) error {
	n, err := s.tagged(resource)
	if err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			return s.functionNotFound(n)
		}
		tags := maps.Clone(f.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		change(tags)
		if len(tags) > maxTags {
			return invalid("Number of tags exceeds resource tag limit.")
		}
		f.Tags = tags
		s.tables.functions.Put(tx, f.Name, f)
		return nil
	})
}

func (s *Service) tagged(resource *string) (name, error) {
	n, err := s.parse(resource, nil)
	if err == nil && n.qualifier != "" {
		err = invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return n, err
}

// ListTags lists a function's tags.
func (s *Service) ListTags(_ context.Context, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	n, err := s.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListTagsOutput{Tags: map[string]string{}}
	s.cfg.Store.View(func(tx *store.Tx) {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			err = s.functionNotFound(n)
		}
		maps.Copy(out.Tags, f.Tags)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
