package apigateway

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/store"
)

func describeResource(r restapi.Resource, embed []string) *apigateway.GetResourceOutput {
	out := &apigateway.GetResourceOutput{Id: aws.String(r.ID), Path: aws.String(r.Path), ParentId: orNil(r.Parent), PathPart: orNil(r.PathPart)}
	if len(r.Methods) == 0 {
		return out
	}
	out.ResourceMethods = map[string]types.Method{}
	for verb, m := range r.Methods {
		if !slices.Contains(embed, "methods") {
			m = types.Method{}
		}
		out.ResourceMethods[verb] = m
	}
	return out
}

// resource finds a resource of an API.
func resource(a *restapi.API, id *string) (restapi.Resource, error) {
	r, ok := a.Resources[aws.ToString(id)]
	if !ok {
		return r, notFound("Resource")
	}
	return r, nil
}

// method finds a method of a resource.
func method(a *restapi.API, resourceID, verb *string) (restapi.Resource, types.Method, error) {
	r, err := resource(a, resourceID)
	if err != nil {
		return r, types.Method{}, err
	}
	m, ok := r.Methods[aws.ToString(verb)]
	if !ok {
		return r, m, notFound("Method")
	}
	return r, m, nil
}

// GetResource describes a resource.
func (s *Service) GetResource(_ context.Context, in *apigateway.GetResourceInput) (out *apigateway.GetResourceOutput, err error) {
	err = s.kept.View(in.RestApiId, func(_ *store.Tx, a api) error {
		r, err := resource(&a.Def, in.ResourceId)
		out = describeResource(r, in.Embed)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetResources lists an API's resources by path.
func (s *Service) GetResources(_ context.Context, in *apigateway.GetResourcesInput) (*apigateway.GetResourcesOutput, error) {
	out := new(apigateway.GetResourcesOutput)
	err := s.kept.View(in.RestApiId, func(_ *store.Tx, a api) error {
		some, position, err := page(a.Def.Sorted(), func(r restapi.Resource) string { return r.ID }, in.Position, in.Limit)
		for _, r := range some {
			d := describeResource(r, in.Embed)
			out.Items = append(out.Items, types.Resource{Id: d.Id, ParentId: d.ParentId, Path: d.Path, PathPart: d.PathPart, ResourceMethods: d.ResourceMethods})
		}
		out.Position = position
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var partPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([a-zA-Z0-9._:~$@!,-]+|\{[a-zA-Z0-9._-]+\+?\})$`) })

// CreateResource adds a path below another.
func (s *Service) CreateResource(ctx context.Context, in *apigateway.CreateResourceInput) (*apigateway.CreateResourceOutput, error) {
	var out apigateway.CreateResourceOutput
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		parent, err := resource(&a.Def, in.ParentId)
		if err != nil {
			return err
		}
		part := aws.ToString(in.PathPart)
		if err := newPart(&a.Def, parent, part); err != nil {
			return err
		}
		r := restapi.Resource{ID: s.newID(6), Parent: parent.ID, PathPart: part, Path: strings.TrimSuffix(parent.Path, "/") + "/" + part}
		a.Def.Resources[r.ID] = r
		out = apigateway.CreateResourceOutput(*describeResource(r, nil))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// newPart refuses a path part that cannot stand below a parent.
func newPart(a *restapi.API, parent restapi.Resource, part string) error {
	if !partPattern().MatchString(part) {
		return badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.")
	}
	if strings.HasSuffix(parent.PathPart, "+}") {
		return badRequest("Cannot create a child of a resource with a greedy path variable.")
	}
	if _, exists := a.Child(parent.ID, part); exists {
		return &types.ConflictException{Message: aws.String("Another resource with the same parent already has this name: " + part)}
	}
	for _, r := range a.Resources {
		if r.Parent == parent.ID && r.ID != a.RootID && strings.HasPrefix(part, "{") && strings.HasPrefix(r.PathPart, "{") &&
			strings.HasSuffix(part, "+}") == strings.HasSuffix(r.PathPart, "+}") {
			return badRequest("A sibling (%s) of this resource already has a variable path part -- only one is allowed", r.PathPart)
		}
	}
	return nil
}

// DeleteResource removes a resource with all below it.
func (s *Service) DeleteResource(ctx context.Context, in *apigateway.DeleteResourceInput) (*apigateway.DeleteResourceOutput, error) {
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		r, err := resource(&a.Def, in.ResourceId)
		if err != nil {
			return err
		}
		if r.ID == a.Def.RootID {
			return badRequest("The root resource cannot be deleted.")
		}
		maps.DeleteFunc(a.Def.Resources, func(_ string, x restapi.Resource) bool {
			return x.ID == r.ID || strings.HasPrefix(x.Path, r.Path+"/")
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &apigateway.DeleteResourceOutput{}, nil
}

// editMethod changes one method; edit may return it without an HTTP method to remove it.
func (s *Service) editMethod(ctx context.Context, apiID, resourceID, verb *string, edit func(r restapi.Resource, m *types.Method) error) error {
	return s.edit(ctx, apiID, func(_ *store.Tx, a *api) error {
		r, m, err := method(&a.Def, resourceID, verb)
		if err != nil {
			return err
		}
		if err := edit(r, &m); err != nil {
			return err
		}
		if m.HttpMethod == nil {
			delete(r.Methods, *verb)
		} else {
			r.Methods[*verb] = m
		}
		return nil
	})
}

func (s *Service) readMethod(apiID, resourceID, verb *string) (m types.Method, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		a, ok := s.kept.APIs.Get(tx, aws.ToString(apiID))
		if !ok {
			err = notFound("Resource") // as AWS does
			return
		}
		_, m, err = method(&a.Def, resourceID, verb)
	})
	return m, err
}
