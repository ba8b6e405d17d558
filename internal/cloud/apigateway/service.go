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
	"evo/internal/cloud/gateway"
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
	cfg     Config
	kept    *gateway.Kept[api, deployment, stage]
	account *store.Table[account] // key: ""
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
	kind := gateway.Kind[api, stage]{
		ARN: "arn:aws:apigateway:" + cfg.Region + "::/restapis/",
		NoAPI: func(id *string) error {
			return &types.NotFoundException{Message: aws.String("Invalid API identifier specified " + call.Account + ":" + aws.ToString(id))}
		},
		NoStage:   func(*string) error { return notFound("stage") },
		BadARN:    func(arn string) error { return badRequest("Invalid resource ARN: %s", arn) },
		APITags:   func(a *api) *map[string]string { return &a.Tags },
		StageTags: func(st *stage) *map[string]string { return &st.Stage.Tags },
	}
	return &Service{
		cfg:     cfg,
		kept:    gateway.Open[api, deployment](cfg.Store, cfg.Region+"/apigateway/", kind),
		account: store.NewTable[account](cfg.Store, cfg.Region+"/apigateway/account"),
	}, nil
}

// Has tells whether there is an API with the id.
func (s *Service) Has(apiID string) bool { return s.kept.Has(apiID) }

// Deployed returns what a stage serves. What it returns is shared: it must not be changed.
func (s *Service) Deployed(apiID, stageName string) (d restapi.Deployed, ok bool) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var st stage
		if st, ok = s.kept.Stages.Get(tx, apiID+"/"+stageName); !ok {
			return
		}
		var dep deployment
		if dep, ok = s.kept.Deployments.Get(tx, apiID+"/"+aws.ToString(st.Stage.DeploymentId)); ok {
			d = restapi.Deployed{API: dep.Def, Region: s.cfg.Region, Stage: stageName, Deployment: dep.ID, Variables: st.Stage.Variables}
		}
	})
	return d, ok
}

// newID returns an id of n letters and digits.
func (s *Service) newID(n int) string { return id.Letters(s.cfg.Rand, id.Lower, n) }

func notFound(what string) error {
	return &types.NotFoundException{Message: aws.String("Invalid " + what + " identifier specified")}
}

func badRequest(format string, args ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// edit changes an API's definition: edit gets a copy whose maps it may change.
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
