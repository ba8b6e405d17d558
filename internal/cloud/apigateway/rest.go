package apigateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/store"
)

// maxBody is the largest API definition that can be imported.
const maxBody = 6 << 20

func (a api) describe() *apigateway.CreateRestApiOutput {
	d := a.Def
	endpoint := d.Endpoint
	if endpoint == nil {
		endpoint = &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeEdge}, IpAddressType: types.IpAddressTypeIpv4}
	}
	return &apigateway.CreateRestApiOutput{
		Id: &d.ID, Name: &d.Name, Description: orNil(d.Description), Version: orNil(d.Version), CreatedDate: &a.Created, RootResourceId: &d.RootID,
		ApiKeySource: d.APIKeySource, BinaryMediaTypes: d.BinaryMediaTypes, DisableExecuteApiEndpoint: d.Disabled, EndpointConfiguration: endpoint,
		MinimumCompressionSize: d.MinCompression, Policy: orNil(d.Policy), Tags: a.Tags,
	}
}

// item is describe's answer in the form that lists have.
func (a api) item() types.RestApi {
	d := a.describe()
	return types.RestApi{
		Id: d.Id, Name: d.Name, Description: d.Description, Version: d.Version, CreatedDate: d.CreatedDate, RootResourceId: d.RootResourceId,
		ApiKeySource: d.ApiKeySource, BinaryMediaTypes: d.BinaryMediaTypes, DisableExecuteApiEndpoint: d.DisableExecuteApiEndpoint,
		EndpointConfiguration: d.EndpointConfiguration, MinimumCompressionSize: d.MinimumCompressionSize, Policy: d.Policy, Tags: d.Tags,
	}
}

func (s *Service) newAPI(name string) api {
	return api{Def: restapi.New(s.newID(10), name, s.newID(10)), Created: s.cfg.Clock.Now()}
}

// CreateRestApi makes an API with nothing but the resource /.
func (s *Service) CreateRestApi(ctx context.Context, in *apigateway.CreateRestApiInput) (*apigateway.CreateRestApiOutput, error) {
	a := s.newAPI(aws.ToString(in.Name))
	a.Tags = in.Tags
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if in.CloneFrom != nil {
			from, err := s.kept.API(tx, in.CloneFrom)
			if err != nil {
				return badRequest("Invalid CloneFrom API identifier specified")
			}
			id := a.Def.ID
			a.Def = from.Def.Clone()
			a.Def.ID, a.Def.Name = id, aws.ToString(in.Name)
		}
		if a.Def.Name == "" {
			return badRequest("Invalid name specified")
		}
		a.Def.Description, a.Def.Version, a.Def.Policy = aws.ToString(in.Description), aws.ToString(in.Version), aws.ToString(in.Policy)
		a.Def.BinaryMediaTypes, a.Def.Disabled, a.Def.MinCompression = in.BinaryMediaTypes, in.DisableExecuteApiEndpoint, in.MinimumCompressionSize
		a.Def.Endpoint = endpoint(in.EndpointConfiguration)
		if in.ApiKeySource != "" {
			a.Def.APIKeySource = in.ApiKeySource
		}
		s.kept.APIs.Put(tx, a.Def.ID, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.describe(), nil
}

func endpoint(in *types.EndpointConfiguration) *types.EndpointConfiguration {
	if in == nil || len(in.Types) == 0 {
		return nil
	}
	e := *in
	if e.IpAddressType == "" {
		e.IpAddressType = types.IpAddressTypeIpv4
		if e.Types[0] == types.EndpointTypePrivate {
			e.IpAddressType = types.IpAddressTypeDualstack
		}
	}
	return &e
}

func (s *Service) importInto(a api, body []byte, merge, strict bool, parameters map[string]string) (api, []string, error) {
	if len(body) > maxBody {
		return a, nil, &types.LimitExceededException{Message: aws.String("the API definition is larger than 6 MB")}
	}
	def, warnings, err := restapi.Import(a.Def, body, restapi.Options{
		Merge: merge, BasePath: cmp.Or(parameters["basepath"], parameters["basePath"]), NewID: func() string { return s.newID(6) },
	})
	if err != nil {
		return a, nil, badRequest("Unable to import the API: %s", err)
	}
	if strict && len(warnings) > 0 {
		return a, nil, badRequest("Warnings found during import: %v", warnings)
	}
	if kinds := parameters["endpointConfigurationTypes"]; kinds != "" {
		def.Endpoint = endpoint(&types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointType(kinds)}})
	}
	if def.Name == "" {
		return a, nil, badRequest("Unable to import the API: it has no title")
	}
	a.Def = def
	return a, warnings, nil
}

// ImportRestApi makes an API from an OpenAPI or Swagger document.
func (s *Service) ImportRestApi(ctx context.Context, in *apigateway.ImportRestApiInput) (*apigateway.ImportRestApiOutput, error) {
	a, warnings, err := s.importInto(s.newAPI(""), in.Body, false, in.FailOnWarnings, in.Parameters)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.kept.APIs.Put(tx, a.Def.ID, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := apigateway.ImportRestApiOutput(*a.describe())
	out.Warnings = warnings
	return &out, nil
}

// PutRestApi replaces an API's definition by a document's, or merges that into it.
func (s *Service) PutRestApi(ctx context.Context, in *apigateway.PutRestApiInput) (*apigateway.PutRestApiOutput, error) {
	var out apigateway.PutRestApiOutput
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		next, warnings, err := s.importInto(*a, in.Body, in.Mode == types.PutModeMerge, in.FailOnWarnings, in.Parameters)
		if err != nil {
			return err
		}
		*a = next
		out = apigateway.PutRestApiOutput(*a.describe())
		out.Warnings = warnings
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// GetRestApi describes an API.
func (s *Service) GetRestApi(_ context.Context, in *apigateway.GetRestApiInput) (*apigateway.GetRestApiOutput, error) {
	var out apigateway.GetRestApiOutput
	err := s.kept.View(in.RestApiId, func(_ *store.Tx, a api) error {
		out = apigateway.GetRestApiOutput(*a.describe())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// GetRestApis lists the APIs, the oldest first.
func (s *Service) GetRestApis(_ context.Context, in *apigateway.GetRestApisInput) (*apigateway.GetRestApisOutput, error) {
	var items []types.RestApi
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, a := range s.kept.APIs.Ascend(tx, "") {
			items = append(items, a.item())
		}
	})
	slices.SortStableFunc(items, func(a, b types.RestApi) int { return a.CreatedDate.Compare(*b.CreatedDate) })
	items, position, err := page(items, func(a types.RestApi) string { return *a.Id }, in.Position, in.Limit)
	if err != nil {
		return nil, err
	}
	return &apigateway.GetRestApisOutput{Items: items, Position: position}, nil
}

// UpdateRestApi patches an API.
func (s *Service) UpdateRestApi(ctx context.Context, in *apigateway.UpdateRestApiInput) (*apigateway.UpdateRestApiOutput, error) {
	var out apigateway.UpdateRestApiOutput
	err := s.edit(ctx, in.RestApiId, func(_ *store.Tx, a *api) error {
		if err := patches(in.PatchOperations, a.patchable()); err != nil {
			return err
		}
		out = apigateway.UpdateRestApiOutput(*a.describe())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (a *api) patchable() map[string]func(types.PatchOperation, string) error {
	d := &a.Def
	set := func(to *string) func(types.PatchOperation, string) error {
		return func(op types.PatchOperation, _ string) error { *to = aws.ToString(op.Value); return nil }
	}
	return map[string]func(types.PatchOperation, string) error{
		"/name": set(&d.Name), "/description": set(&d.Description), "/version": set(&d.Version), "/policy": set(&d.Policy),
		"/apiKeySource": func(op types.PatchOperation, _ string) error {
			d.APIKeySource = types.ApiKeySourceType(aws.ToString(op.Value))
			return nil
		},
		"/disableExecuteApiEndpoint": func(op types.PatchOperation, _ string) error {
			d.Disabled = aws.ToString(op.Value) == "true"
			return nil
		},
		"/minimumCompressionSize": func(op types.PatchOperation, _ string) error {
			n, err := strconv.Atoi(aws.ToString(op.Value))
			if d.MinCompression = aws.Int32(int32(n)); err != nil {
				d.MinCompression = nil
			}
			return nil
		},
		"/binaryMediaTypes/*": func(op types.PatchOperation, media string) error {
			d.BinaryMediaTypes = slices.DeleteFunc(d.BinaryMediaTypes, func(m string) bool { return m == media })
			switch op.Op {
			case types.OpAdd:
				d.BinaryMediaTypes = append(d.BinaryMediaTypes, media)
			case types.OpReplace:
				d.BinaryMediaTypes = append(d.BinaryMediaTypes, unescape(aws.ToString(op.Value)))
			}
			return nil
		},
		"/endpointConfiguration/types/*": func(op types.PatchOperation, _ string) error {
			d.Endpoint = endpoint(&types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointType(aws.ToString(op.Value))}})
			return nil
		},
	}
}

// DeleteRestApi removes an API with its deployments and stages.
func (s *Service) DeleteRestApi(ctx context.Context, in *apigateway.DeleteRestApiInput) (*apigateway.DeleteRestApiOutput, error) {
	if err := s.kept.Delete(ctx, in.RestApiId); err != nil {
		return nil, err
	}
	return &apigateway.DeleteRestApiOutput{}, nil
}

// account is what belongs to no API.
type account struct{ LogRole string }

// GetAccount describes the account.
func (s *Service) GetAccount(context.Context, *apigateway.GetAccountInput) (*apigateway.GetAccountOutput, error) {
	var a account
	s.cfg.Store.View(func(tx *store.Tx) { a, _ = s.account.Get(tx, "") })
	return &apigateway.GetAccountOutput{
		ApiKeyVersion: aws.String("4"), CloudwatchRoleArn: orNil(a.LogRole), Features: []string{"UsagePlans"},
		ThrottleSettings: &types.ThrottleSettings{BurstLimit: 5000, RateLimit: 10000},
	}, nil
}

// UpdateAccount sets the role that API Gateway writes logs with.
func (s *Service) UpdateAccount(ctx context.Context, in *apigateway.UpdateAccountInput) (*apigateway.UpdateAccountOutput, error) {
	err := s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, _ := s.account.Get(tx, "")
		err := patches(in.PatchOperations, map[string]func(types.PatchOperation, string) error{
			"/cloudwatchRoleArn": func(op types.PatchOperation, _ string) error { a.LogRole = aws.ToString(op.Value); return nil },
		})
		s.account.Put(tx, "", a)
		return err
	})
	if err != nil {
		return nil, err
	}
	got, err := s.GetAccount(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	out := apigateway.UpdateAccountOutput(*got)
	return &out, nil
}
