// Package apigateway answers: which REST APIs are there, what are they made of, and what do their stages serve?
//
// It is the control plane. A deployment is a copy of an API's definition that no longer changes; a stage points at one.
// Package executeapi serves them, and asks [Service.Deployed] what a stage stands for.
package apigateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/id"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// Config is what a Service is made of.
type Config struct {
	Region string
	Store  *store.DB
	Clock  clock.Clock
	Rand   io.Reader // of ids; nil: crypto/rand
}

// Service is API Gateway's REST APIs in one region.
type Service struct {
	cfg         Config
	apis        *store.Table[api]
	deployments *store.Table[deployment] // key: api/deployment
	stages      *store.Table[stage]      // key: api/name
	account     *store.Table[account]    // key: ""
}

type api struct {
	Def     restapi.API
	Created time.Time
	Tags    map[string]string `json:",omitempty"`
}

// New returns a service over the state in the store.
func New(cfg Config) (*Service, error) {
	if cfg.Region == "" || cfg.Store == nil || cfg.Clock == nil {
		return nil, errors.New("apigateway: Region, Store and Clock are needed")
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	table := func(name string) string { return cfg.Region + "/apigateway/" + name }
	return &Service{
		cfg:         cfg,
		apis:        store.NewTable[api](cfg.Store, table("apis")),
		deployments: store.NewTable[deployment](cfg.Store, table("deployments")),
		stages:      store.NewTable[stage](cfg.Store, table("stages")),
		account:     store.NewTable[account](cfg.Store, table("account")),
	}, nil
}

// Deployed returns what a stage serves. What it returns is shared: it must not be changed.
func (s *Service) Deployed(apiID, stageName string) (d restapi.Deployed, ok bool) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var st stage
		if st, ok = s.stages.Get(tx, apiID+"/"+stageName); !ok {
			return
		}
		var dep deployment
		if dep, ok = s.deployments.Get(tx, apiID+"/"+aws.ToString(st.Stage.DeploymentId)); ok {
			d = restapi.Deployed{API: dep.Def, Region: s.cfg.Region, Stage: stageName, Deployment: dep.ID, Variables: st.Stage.Variables}
		}
	})
	return d, ok
}

// Has tells whether there is an API with the id.
func (s *Service) Has(apiID string) (ok bool) {
	s.cfg.Store.View(func(tx *store.Tx) { _, ok = s.apis.Get(tx, apiID) })
	return ok
}

// newID returns an id of n letters and digits.
func (s *Service) newID(n int) string { return id.Letters(s.cfg.Rand, id.Lower, n) }

func notFound(what string) error {
	return &types.NotFoundException{Message: aws.String("Invalid " + what + " identifier specified")}
}

func badRequest(format string, args ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func (s *Service) api(tx *store.Tx, id *string) (api, error) {
	a, ok := s.apis.Get(tx, aws.ToString(id))
	if !ok {
		return a, &types.NotFoundException{Message: aws.String("Invalid API identifier specified " + call.Account + ":" + aws.ToString(id))}
	}
	return a, nil
}

// view reads an API.
func (s *Service) view(id *string, read func(tx *store.Tx, a api) error) (err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var a api
		if a, err = s.api(tx, id); err == nil {
			err = read(tx, a)
		}
	})
	return err
}

// edit changes an API's definition: edit gets a copy whose maps it may change.
func (s *Service) edit(ctx context.Context, id *string, edit func(tx *store.Tx, a *api) error) error {
	return s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.api(tx, id)
		if err != nil {
			return err
		}
		a.Def = a.Def.Clone()
		if err := edit(tx, &a); err != nil {
			return err
		}
		s.apis.Put(tx, a.Def.ID, a)
		return nil
	})
}

// page cuts a list at the position that the caller has come to.
func page[T any](all []T, id func(T) string, position *string, limit *int32) ([]T, *string, error) {
	if limit != nil && *limit < 1 {
		return nil, nil, badRequest("Invalid limit: %d", *limit)
	}
	some, next, err := paging.Cut(all, id, position, paging.Limit(limit, 25, 500))
	if err != nil {
		return nil, nil, badRequest("Invalid position parameter specified")
	}
	return some, next, nil
}

// patches applies patch operations: known maps a path to what sets it; a path that ends in /* stands for all below it, where
// no longer one fits.
func patches(ops []types.PatchOperation, known map[string]func(op types.PatchOperation, rest string) error) error {
	for _, op := range ops {
		path := aws.ToString(op.Path)
		set, rest, most := known[path], "", 0
		for prefix, f := range known {
			head, ok := strings.CutSuffix(prefix, "*")
			if ok && known[path] == nil && strings.HasPrefix(path, head) && len(head) > most {
				set, rest, most = f, unescape(path[len(head):]), len(head)
			}
		}
		if set == nil {
			return badRequest("Invalid patch path  '%s' specified for op '%s'. Must be one of: [%s]", path, op.Op, strings.Join(slices.Sorted(keys(known)), ", "))
		}
		if err := set(op, rest); err != nil {
			return err
		}
	}
	return nil
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// unescape undoes JSON pointer's escapes.
func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
