// Package restapi answers: what is a REST API of API Gateway made of, and which one does an OpenAPI or Swagger document describe?
//
// An [API] is a plain value that can be stored; a deployment of it is a copy that no longer changes. The control plane edits
// APIs, the data plane serves their deployments. Methods, integrations and their responses are the SDK's own structs.
package restapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// API is a REST API's definition.
type API struct {
	ID, Name         string
	Description      string                            `json:",omitempty"`
	Version          string                            `json:",omitempty"`
	RootID           string                            // of resource /
	BinaryMediaTypes []string                          `json:",omitempty"`
	APIKeySource     types.ApiKeySourceType            `json:",omitempty"`
	Policy           string                            `json:",omitempty"`
	Endpoint         *types.EndpointConfiguration      `json:",omitempty"`
	MinCompression   *int32                            `json:",omitempty"`
	Disabled         bool                              `json:",omitempty"` // its own execute-api endpoint
	Resources        map[string]Resource               // by id
	Models           map[string]types.Model            `json:",omitempty"` // by name
	Validators       map[string]types.RequestValidator `json:",omitempty"` // by id
	Authorizers      map[string]types.Authorizer       `json:",omitempty"` // by id
	Responses        map[string]types.GatewayResponse  `json:",omitempty"` // by type; those that are not AWS's own
	Extra            map[string]string                 `json:",omitempty"` // vendor extensions that are kept and not acted on
}

// Resource is one path of an API.
type Resource struct {
	ID       string
	Parent   string `json:",omitempty"` // "" for /
	PathPart string `json:",omitempty"`
	Path     string
	Methods  map[string]types.Method `json:",omitempty"` // by HTTP method, or ANY
}

// Deployed is what a stage serves: everything the data plane needs. It must not be changed.
type Deployed struct {
	API        *API
	Region     string
	Stage      string
	Deployment string
	Variables  map[string]string
}

// Clone returns a copy whose maps can be changed without changing a's. The values in them are shared: replace them.
func (a API) Clone() API {
	a.Resources = maps.Clone(a.Resources)
	for id, r := range a.Resources {
		r.Methods = maps.Clone(r.Methods)
		a.Resources[id] = r
	}
	a.Models, a.Validators, a.Authorizers = maps.Clone(a.Models), maps.Clone(a.Validators), maps.Clone(a.Authorizers)
	a.Responses, a.Extra = maps.Clone(a.Responses), maps.Clone(a.Extra)
	a.BinaryMediaTypes = slices.Clone(a.BinaryMediaTypes)
	return a
}

// New returns an API with nothing but the resource /.
func New(id, name, rootID string) API {
	return API{ID: id, Name: name, RootID: rootID, APIKeySource: types.ApiKeySourceTypeHeader, Resources: map[string]Resource{rootID: {ID: rootID, Path: "/"}}}
}

// Sorted returns the resources by path.
func (a *API) Sorted() []Resource {
	return slices.SortedFunc(maps.Values(a.Resources), func(x, y Resource) int { return strings.Compare(x.Path, y.Path) })
}

// Child returns the resource below a parent with a path part.
func (a *API) Child(parent, part string) (Resource, bool) {
	for _, r := range a.Resources {
		if r.Parent == parent && r.PathPart == part && r.ID != a.RootID {
			return r, true
		}
	}
	return Resource{}, false
}

// Ensure returns the resource of a path, and makes it and its parents where they are not there. newID gives ids.
func (a *API) Ensure(path string, newID func() string) Resource {
	at := a.Resources[a.RootID]
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		next, ok := a.Child(at.ID, part)
		if !ok {
			next = Resource{ID: newID(), Parent: at.ID, PathPart: part, Path: strings.TrimSuffix(at.Path, "/") + "/" + part}
			a.Resources[next.ID] = next
		}
		at = next
	}
	return at
}

// DefaultResponses are the statuses of API Gateway's own responses, by type. Their template is DefaultTemplate.
var DefaultResponses = map[string]string{
	"ACCESS_DENIED": "403", "API_CONFIGURATION_ERROR": "500", "AUTHORIZER_CONFIGURATION_ERROR": "500", "AUTHORIZER_FAILURE": "500",
	"BAD_REQUEST_BODY": "400", "BAD_REQUEST_PARAMETERS": "400", "DEFAULT_4XX": "", "DEFAULT_5XX": "", "EXPIRED_TOKEN": "403",
	"INTEGRATION_FAILURE": "504", "INTEGRATION_TIMEOUT": "504", "INVALID_API_KEY": "403", "INVALID_SIGNATURE": "403",
	"MISSING_AUTHENTICATION_TOKEN": "403", "QUOTA_EXCEEDED": "429", "REQUEST_TOO_LARGE": "413", "RESOURCE_NOT_FOUND": "404",
	"THROTTLED": "429", "UNAUTHORIZED": "401", "UNSUPPORTED_MEDIA_TYPE": "415", "WAF_FILTERED": "403",
}

// DefaultTemplate is the body of API Gateway's own responses.
const DefaultTemplate = `{"message":$context.error.messageString}`

// Response returns the gateway response of a type: the API's own, or that of the DEFAULT_ type of its class, or AWS's.
func (a *API) Response(kind string) types.GatewayResponse {
	if r, ok := a.Responses[kind]; ok {
		return r
	}
	status := DefaultResponses[kind]
	class := "DEFAULT_4XX"
	if strings.HasPrefix(status, "5") {
		class = "DEFAULT_5XX"
	}
	own := types.GatewayResponse{
		DefaultResponse: true, ResponseType: types.GatewayResponseType(kind),
		ResponseParameters: map[string]string{}, ResponseTemplates: map[string]string{"application/json": DefaultTemplate},
	}
	if status != "" {
		own.StatusCode = &status
	}
	if d, ok := a.Responses[class]; ok && status != "" {
		own.ResponseParameters, own.ResponseTemplates = d.ResponseParameters, d.ResponseTemplates
		if d.StatusCode != nil {
			own.StatusCode = d.StatusCode
		}
	}
	return own
}

// FunctionOf returns the function that an integration URI calls: what stands between /functions/ and /invocations, stage
// variables and all; false if the URI is not of that form.
//
//	arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations
func FunctionOf(uri string) (string, bool) {
	parts := strings.SplitN(uri, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "apigateway" || parts[4] != "lambda" {
		return "", false
	}
	_, rest, ok := strings.Cut(parts[5], "/functions/")
	if !ok || !strings.HasPrefix(parts[5], "path/") {
		return "", false
	}
	function, ok := strings.CutSuffix(rest, "/invocations")
	if !ok || function == "" {
		return "", false
	}
	return function, true
}

// Expand puts stage variables in the places that name them: ${stageVariables.x}. Those that are not set become empty.
func Expand(text string, variables map[string]string) string {
	const mark = "${stageVariables."
	if !strings.Contains(text, mark) {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, mark)
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			if found {
				b.WriteString(mark + rest)
			}
			return b.String()
		}
		b.WriteString(variables[name])
		text = after
	}
}

func str(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
