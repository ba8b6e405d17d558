package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

// TagResource adds tags to a function.
func (s *Service) TagResource(ctx context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, invalid("An error occurred and the request cannot be processed.")
	}
	err := s.retag(ctx, in.Resource, tags.Add(in.Tags))
	return &lambda.TagResourceOutput{}, err
}

// UntagResource takes tags from a function.
func (s *Service) UntagResource(ctx context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	err := s.retag(ctx, in.Resource, tags.Remove(in.TagKeys))
	return &lambda.UntagResourceOutput{}, err
}

func (s *Service) retag(ctx context.Context, resource *string, change tags.Change) error {
	n, err := s.tagged(resource)
	if err != nil {
		return err
	}
	return s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			return s.functionNotFound(n)
		}
		if f.Tags = change.To(f.Tags); len(f.Tags) > tags.Most {
			return invalid("Number of tags exceeds resource tag limit.")
		}
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
	out := new(lambda.ListTagsOutput)
	s.cfg.Store.View(func(tx *store.Tx) {
		f, ok := s.tables.functions.Get(tx, n.function)
		if !ok {
			err = s.functionNotFound(n)
		}
		out.Tags = tags.Copy(f.Tags)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
