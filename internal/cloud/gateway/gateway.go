// Package gateway answers: how are APIs kept with their deployments and stages, whichever of the two API Gateways they are of?
//
// REST and HTTP APIs differ in what they are made of, and are kept alike: a deployment is frozen, a stage points at one, and an
// API goes with both. ARNs name an API or a stage by the same paths, and both have tags.
package gateway

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

// Kind is what tells one API Gateway from the other: how its APIs are named, its words for what is wrong, and where its values have
// their tags.
type Kind[A, S any] struct {
	ARN            string // what APIs' ARNs begin with
	NoAPI, NoStage func(id *string) error
	BadARN         func(arn string) error
	APITags        func(*A) *map[string]string
	StageTags      func(*S) *map[string]string
}

// Kept is what an API Gateway keeps in one region.
type Kept[A, D, S any] struct {
	APIs        *store.Table[A] // by id
	Deployments *store.Table[D] // by api/deployment
	Stages      *store.Table[S] // by api/name

	kind Kind[A, S]
	db   *store.DB
}

// Open returns what the store keeps in tables whose names begin with prefix.
func Open[A, D, S any](db *store.DB, prefix string, kind Kind[A, S]) *Kept[A, D, S] {
	return &Kept[A, D, S]{store.NewTable[A](db, prefix+"apis"), store.NewTable[D](db, prefix+"deployments"), store.NewTable[S](db, prefix+"stages"), kind, db}
}

// Has tells whether there is an API with the id.
func (k *Kept[A, D, S]) Has(id string) (ok bool) {
	k.db.View(func(tx *store.Tx) { _, ok = k.APIs.Get(tx, id) })
	return ok
}

// API returns an API.
func (k *Kept[A, D, S]) API(tx *store.Tx, id *string) (A, error) {
	a, ok := k.APIs.Get(tx, aws.ToString(id))
	if !ok {
		return a, k.kind.NoAPI(id)
	}
	return a, nil
}

// Stage returns a stage of an API.
func (k *Kept[A, D, S]) Stage(tx *store.Tx, apiID, name *string) (S, error) {
	st, ok := k.Stages.Get(tx, aws.ToString(apiID)+"/"+aws.ToString(name))
	if !ok {
		return st, k.kind.NoStage(name)
	}
	return st, nil
}

// View reads an API.
func (k *Kept[A, D, S]) View(id *string, read func(tx *store.Tx, a A) error) (err error) {
	k.db.View(func(tx *store.Tx) {
		var a A
		if a, err = k.API(tx, id); err == nil {
			err = read(tx, a)
		}
	})
	return err
}

// Delete removes an API with its deployments and stages.
func (k *Kept[A, D, S]) Delete(ctx context.Context, id *string) error {
	return k.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := k.API(tx, id); err != nil {
			return err
		}
		k.APIs.Delete(tx, *id)
		for key := range k.Deployments.Prefix(tx, *id+"/") {
			k.Deployments.Delete(tx, key)
		}
		for key := range k.Stages.Prefix(tx, *id+"/") {
			k.Stages.Delete(tx, key)
		}
		return nil
	})
}

// named returns what an ARN names: an API, or the stage of one.
func (k *Kept[A, D, S]) named(arn *string) (apiID, stage string, err error) {
	path, ok := strings.CutPrefix(aws.ToString(arn), k.kind.ARN)
	if !ok {
		return "", "", k.kind.BadARN(aws.ToString(arn))
	}
	apiID, rest, _ := strings.Cut(path, "/")
	stage, _ = strings.CutPrefix(rest, "stages/")
	return apiID, stage, nil
}

// Retag changes the tags of what an ARN names.
func (k *Kept[A, D, S]) Retag(ctx context.Context, arn *string, change tags.Change) error {
	id, name, err := k.named(arn)
	if err != nil {
		return err
	}
	return k.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		a, err := k.API(tx, &id)
		if err != nil {
			return err
		}
		if name == "" {
			set := k.kind.APITags(&a)
			*set = change.To(*set)
			k.APIs.Put(tx, id, a)
			return nil
		}
		st, err := k.Stage(tx, &id, &name)
		if err != nil {
			return err
		}
		set := k.kind.StageTags(&st)
		*set = change.To(*set)
		k.Stages.Put(tx, id+"/"+name, st)
		return nil
	})
}

// Tags returns the tags of what an ARN names.
func (k *Kept[A, D, S]) Tags(arn *string) (set map[string]string, err error) {
	id, name, err := k.named(arn)
	if err != nil {
		return nil, err
	}
	err = k.View(&id, func(tx *store.Tx, a A) error {
		if name == "" {
			set = tags.Copy(*k.kind.APITags(&a))
			return nil
		}
		st, err := k.Stage(tx, &id, &name)
		set = tags.Copy(*k.kind.StageTags(&st))
		return err
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}
