// Package httpapi answers: what is an HTTP API of API Gateway made of, and which one does an OpenAPI 3 document describe?
//
// An [API] is a plain value that can be stored; a deployment of it is a copy that no longer changes.
package httpapi

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// API is an HTTP API's definition. Routes, integrations and authorizers are the SDK's own structs.
type API struct {
	ID, Name     string
	Description  string                       `json:",omitempty"`
	Version      string                       `json:",omitempty"`
	Disabled     bool                         `json:",omitempty"` // its own execute-api endpoint
	Cors         *types.Cors                  `json:",omitempty"`
	Routes       map[string]types.Route       // by id
	Integrations map[string]types.Integration // by id
	Authorizers  map[string]types.Authorizer  `json:",omitempty"` // by id
}

// Deployed is what a stage serves: everything the data plane needs. It must not be changed.
type Deployed struct {
	API        *API
	Region     string
	Stage      string
	Deployment string
	Variables  map[string]string
}

// New returns an API without routes.
func New(id, name string) API {
	return API{ID: id, Name: name, Routes: map[string]types.Route{}, Integrations: map[string]types.Integration{}}
}

// Clone returns a copy whose maps can be changed without changing a's. The values in them are shared: replace them.
func (a API) Clone() API {
	a.Routes, a.Integrations, a.Authorizers = maps.Clone(a.Routes), maps.Clone(a.Integrations), maps.Clone(a.Authorizers)
	return a
}
