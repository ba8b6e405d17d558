// Package apigatewayv2 answers: which HTTP APIs are there, what are they made of, and what do their stages serve?
//
// It is the control plane. A deployment is a copy of an API's definition that no longer changes; a stage points at one, and
// with automatic deployment at the newest. Package executeapi serves them, and asks [Service.Deployed] what a stage stands for.
// WebSocket APIs are refused by name.
package apigatewayv2

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/gateway"
	"evo/internal/cloud/id"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// Config is what a Service is made of.
type Config struct {
	Region   string
	Store    *store.DB
	Clock    clock.Clock
	Endpoint func(apiID string) string // the URL at which an API is served; nil: AWS's form of it
	Rand     io.Reader                 // of ids; nil: crypto/rand
}

// Service is API Gateway's HTTP APIs in one region.
type Service struct {
	cfg  Config
	kept *gateway.Kept[api, deployment, stage]
}

type api struct {
	Def     httpapi.API
	Created time.Time
	Tags    map[string]string `json:",omitempty"`
}

// New returns a service over the state in the store.
func New(cfg Config) (*Service, error) {
	if cfg.Region == "" || cfg.Store == nil || cfg.Clock == nil {
		return nil, errors.New("apigatewayv2: Region, Store and Clock are needed")
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Endpoint == nil {
		cfg.Endpoint = func(id string) string { return "https://" + id + ".execute-api." + cfg.Region + ".amazonaws.com" }
	}
	kind := gateway.Kind[api, stage]{
		ARN:       "arn:aws:apigateway:" + cfg.Region + "::/apis/",
		NoAPI:     func(id *string) error { return notFound("API", id) },
		NoStage:   func(name *string) error { return notFound("stage", name) },
		BadARN:    func(arn string) error { return badRequest("Invalid resource ARN: %s", arn) },
		APITags:   func(a *api) *map[string]string { return &a.Tags },
		StageTags: func(st *stage) *map[string]string { return &st.Stage.Tags },
	}
	return &Service{
		cfg:  cfg,
		kept: gateway.Open[api, deployment](cfg.Store, cfg.Region+"/apigatewayv2/", kind),
	}, nil
}

// Has tells whether there is an API with the id.
func (s *Service) Has(apiID string) bool { return s.kept.Has(apiID) }

// Deployed returns what a stage serves. What it returns is shared: it must not be changed.
func (s *Service) Deployed(apiID, stageName string) (d httpapi.Deployed, ok bool) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var st stage
		if st, ok = s.kept.Stages.Get(tx, apiID+"/"+stageName); !ok {
			return
		}
		var dep deployment
		if dep, ok = s.kept.Deployments.Get(tx, apiID+"/"+aws.ToString(st.Stage.DeploymentId)); ok {
			d = httpapi.Deployed{API: dep.Def, Region: s.cfg.Region, Stage: stageName, Deployment: *dep.Deployment.DeploymentId, Variables: st.Stage.StageVariables}
		}
	})
	return d, ok
}

// newID returns an id of n letters and digits.
func (s *Service) newID(n int) string { return id.Letters(s.cfg.Rand, id.Lower, n) }

func notFound(kind string, id *string) error {
	return &types.NotFoundException{Message: aws.String("Invalid " + kind + " identifier specified " + aws.ToString(id)), ResourceType: aws.String(kind)}
}

func badRequest(format string, args ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// edit changes an API's definition: edit gets a copy whose maps it may change. Stages with automatic deployment serve the
// change at once.
func (s *Service) edit(ctx context.Context, id *string, edit func(tx *store.Tx, a *api) error) error {
	return s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.kept.API(tx, id)
		if err != nil {
			return err
		}
		a.Def = a.Def.Clone()
		if err := edit(tx, &a); err != nil {
			return err
		}
		s.kept.APIs.Put(tx, a.Def.ID, a)
		s.deployChange(tx, a)
		return nil
	})
}

// page cuts a list at the token that the caller has come to.
func page[T any](all []T, id func(T) *string, token, most *string) ([]T, *string, error) {
	n := 500
	if most != nil {
		m, err := strconv.Atoi(*most)
		if err != nil || m < 1 {
			return nil, nil, badRequest("Invalid maxResults: %s", *most)
		}
		n = min(n, m)
	}
	some, next, err := paging.Cut(all, func(v T) string { return *id(v) }, token, n)
	if err != nil {
		return nil, nil, badRequest("Invalid nextToken specified")
	}
	return some, next, nil
}

// list returns a page of what an API has.
func list[T any](s *Service, apiID, token, most *string, id func(T) *string, all func(tx *store.Tx, a api) []T) (items []T, next *string, err error) {
	err = s.kept.View(apiID, func(tx *store.Tx, a api) (err error) {
		items, next, err = page(all(tx, a), id, token, most)
		return err
	})
	return items, next, err
}

// sorted returns a map's values by key.
func sorted[V any](m map[string]V, key func(V) string) []V {
	all := make([]V, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b V) int { return strings.Compare(key(a), key(b)) })
	return all
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
