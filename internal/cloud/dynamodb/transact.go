package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/dynamodb/item"
	"evo/internal/cloud/store"
)

const (
	maxTransaction = 100
	maxTransacted  = 4 << 20
	// tokenLife is how long a ClientRequestToken keeps a transaction from being made twice.
	tokenLife = 10 * time.Minute
)

// token is what is kept of a transaction that had a ClientRequestToken.
type token struct {
	Request string // a digest
	Expires time.Time
}

// TransactWriteItems makes all writes of the request, or none.
func (s *Service) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput) (*dynamodb.TransactWriteItemsOutput, error) {
	began := time.Now()
	if len(in.TransactItems) > maxTransaction {
		return nil, invalid("1 validation error detected: Value '[...]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
	}
	for {
		b, err := s.transaction(in.TransactItems)
		if err != nil {
			return nil, err
		}
		repeated := false
		stale, err := s.change(ctx, b.tables(), func(tx *store.Tx) error {
			var err error
			if repeated, err = s.redeem(tx, in); err != nil || repeated {
				return err
			}
			return b.decideTransaction(tx)
		})
		switch {
		case stale:
			continue
		case err != nil:
			b.measureFailure(err, began)
			return nil, err
		case repeated:
			return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: b.readAgain(in.ReturnConsumedCapacity)}, nil
		}
		out := &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: b.finish(began, in.ReturnConsumedCapacity, 2)}
		if in.ReturnItemCollectionMetrics == types.ReturnItemCollectionMetricsSize {
			out.ItemCollectionMetrics = b.collections()
		}
		return out, nil
	}
}

// transaction checks the writes of a request as far as it can be done without the items that are there.
func (s *Service) transaction(items []types.TransactWriteItem) (*batch, error) {
	b := &batch{service: s, operation: "TransactWriteItems"}
	var size int
	reasons := make([]types.CancellationReason, len(items))
	var failed bool
	for i, it := range items {
		name, w, err := s.transacted(it)
		if err != nil {
			var e *call.Error
			if !errors.As(err, &e) || !cancels(e.Message) {
				return nil, err
			}
			reasons[i], failed = reason(err), true
			continue
		}
		if !b.add(name, w) {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
		if w.put != nil {
			size += w.put.size
		}
	}
	if failed {
		return nil, canceled(reasons)
	}
	if size > maxTransacted {
		return nil, invalid("Transaction request size exceeded: the aggregate size of the items in the transaction cannot exceed 4 MB")
	}
	return b, nil
}

// cancels says whether AWS finds this mistake only when it makes the write, so that it cancels the transaction, with a reason,
// rather than refusing the request.
func cancels(message string) bool {
	return strings.HasPrefix(message, "One or more parameter values were invalid: Type mismatch for Index Key") ||
		strings.HasPrefix(message, "One or more parameter values were invalid: Missing the key") ||
		strings.HasPrefix(message, "One or more parameter values were invalid: Type mismatch for key") ||
		strings.HasPrefix(message, "Item size has exceeded") ||
		message == "The provided key element does not match the schema"
}

// transacted checks one part of a transaction.
func (s *Service) transacted(in types.TransactWriteItem) (name string, w *write, err error) {
	r, build := partOf(in)
	if build == nil {
		return "", nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	t, err := s.lookup(r.table)
	if err != nil {
		return "", nil, err
	}
	var u *expression.Update
	w, err = r.prepare(&u, func(*expression.Params) (*write, error) { return build(t, u) })
	return r.table, w, err
}

// partOf returns what a part of a transaction has in common with the request that does the same by itself, and what makes a
// write of it; nil if it is not exactly one thing.
func partOf(in types.TransactWriteItem) (r writeRequest, build func(*table, *expression.Update) (*write, error)) {
	parts := 0
	if p := in.Put; p != nil {
		parts++
		r = writeRequest{table: deref(p.TableName), condition: p.ConditionExpression, names: p.ExpressionAttributeNames,
			values: p.ExpressionAttributeValues, showOld: p.ReturnValuesOnConditionCheckFailure}
		build = func(t *table, _ *expression.Update) (*write, error) { return putting(t, p.Item) }
	}
	if d := in.Delete; d != nil {
		parts++
		r = writeRequest{table: deref(d.TableName), condition: d.ConditionExpression, names: d.ExpressionAttributeNames,
			values: d.ExpressionAttributeValues, showOld: d.ReturnValuesOnConditionCheckFailure}
		build = func(t *table, _ *expression.Update) (*write, error) { return changing(t, d.Key) }
	}
	if u := in.Update; u != nil {
		parts++
		r = writeRequest{table: deref(u.TableName), update: u.UpdateExpression, updating: true, condition: u.ConditionExpression,
			names: u.ExpressionAttributeNames, values: u.ExpressionAttributeValues, showOld: u.ReturnValuesOnConditionCheckFailure}
		build = func(t *table, up *expression.Update) (*write, error) { return updating(t, u.Key, up) }
	}
	if c := in.ConditionCheck; c != nil {
		parts++
		r = writeRequest{table: deref(c.TableName), condition: c.ConditionExpression, names: c.ExpressionAttributeNames,
			values: c.ExpressionAttributeValues, showOld: c.ReturnValuesOnConditionCheckFailure}
		build = func(t *table, _ *expression.Update) (*write, error) { return checking(t, c.Key) }
	}
	if parts != 1 {
		return r, nil
	}
	return r, build
}

// checking makes a write that only looks whether its condition holds.
func checking(t *table, key item.Item) (*write, error) {
	w, err := changing(t, key)
	if err == nil {
		w.check = true
	}
	return w, err
}

// decideTransaction makes all writes if all of them can be made.
func (b *batch) decideTransaction(tx *store.Tx) error {
	b.outcomes = make([]outcome, len(b.writes))
	reasons := make([]types.CancellationReason, len(b.writes))
	failed := false
	for i, w := range b.writes {
		o, err := w.decide(tx)
		b.outcomes[i], reasons[i] = o, reason(err)
		failed = failed || err != nil
	}
	if failed {
		return canceled(reasons)
	}
	for i, w := range b.writes {
		w.apply(tx, b.outcomes[i])
	}
	return nil
}

// reason says why one part of a transaction cannot be made, or that it could be.
func reason(err error) types.CancellationReason {
	var failed *types.ConditionalCheckFailedException
	var e *call.Error
	switch {
	case err == nil:
		return types.CancellationReason{Code: ptr("None")}
	case errors.As(err, &failed):
		return types.CancellationReason{Code: ptr("ConditionalCheckFailed"), Message: failed.Message, Item: failed.Item}
	case errors.As(err, &e):
		return types.CancellationReason{Code: ptr("ValidationError"), Message: ptr(e.Message)}
	}
	return types.CancellationReason{Code: ptr("ValidationError"), Message: ptr(err.Error())}
}

func canceled(reasons []types.CancellationReason) error {
	codes := make([]string, len(reasons))
	for i := range reasons {
		if reasons[i].Code == nil {
			reasons[i].Code = ptr("None")
		}
		codes[i] = *reasons[i].Code
	}
	return &types.TransactionCanceledException{
		Message:             ptr("Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"),
		CancellationReasons: reasons,
	}
}

// redeem reports whether the request's token says that this transaction has been made, and keeps the token otherwise.
func (s *Service) redeem(tx *store.Tx, in *dynamodb.TransactWriteItemsInput) (repeated bool, err error) {
	if in.ClientRequestToken == nil {
		return false, nil
	}
	now, digest := s.clock.Now(), digestOf(in.TransactItems)
	if known, ok := s.tokens.Get(tx, *in.ClientRequestToken); ok && now.Before(known.Expires) {
		if known.Request != digest {
			return false, &types.IdempotentParameterMismatchException{
				Message: ptr("Request rejected because it used the same ClientRequestToken with different parameters")}
		}
		return true, nil
	}
	s.tokens.Put(tx, *in.ClientRequestToken, token{digest, now.Add(tokenLife)})
	return false, nil
}

// digestOf tells requests apart.
func digestOf(items []types.TransactWriteItem) string {
	h := sha256.New()
	for _, it := range items {
		switch {
		case it.Put != nil:
			digestPart(h, "put", it.Put.TableName, it.Put.Item, nil, it.Put.ConditionExpression, it.Put.ExpressionAttributeNames, it.Put.ExpressionAttributeValues)
		case it.Delete != nil:
			digestPart(h, "delete", it.Delete.TableName, it.Delete.Key, nil, it.Delete.ConditionExpression, it.Delete.ExpressionAttributeNames, it.Delete.ExpressionAttributeValues)
		case it.Update != nil:
			digestPart(h, "update", it.Update.TableName, it.Update.Key, it.Update.UpdateExpression, it.Update.ConditionExpression, it.Update.ExpressionAttributeNames, it.Update.ExpressionAttributeValues)
		case it.ConditionCheck != nil:
			c := it.ConditionCheck
			digestPart(h, "check", c.TableName, c.Key, nil, c.ConditionExpression, c.ExpressionAttributeNames, c.ExpressionAttributeValues)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digestPart(h hash.Hash, kind string, table *string, it item.Item, update, condition *string, names map[string]string, values item.Item) {
	fmt.Fprintf(h, "%s %q %q %q ", kind, deref(table), deref(update), deref(condition))
	item.Digest(h, it)
	for _, name := range sortedNames(names) {
		fmt.Fprintf(h, "%q %q ", name, names[name])
	}
	item.Digest(h, values)
}

// readAgain is what a transaction consumes that was made before: its items are read.
func (b *batch) readAgain(want types.ReturnConsumedCapacity) []types.ConsumedCapacity {
	used := map[string]*consumed{}
	for i, w := range b.writes {
		var r *record
		b.service.db.View(func(tx *store.Tx) { r, _ = w.table.items.Get(tx, w.primary) })
		name := b.names[i]
		if used[name] == nil {
			used[name] = new(consumed)
		}
		used[name].add(consumed{name: name, table: Units{Read: 2 * r.readUnits(true)}})
	}
	return answers(used, want)
}

func answers(used map[string]*consumed, want types.ReturnConsumedCapacity) []types.ConsumedCapacity {
	var list []types.ConsumedCapacity
	for _, name := range sortedNames(used) {
		if c := used[name].answer(want, true); c != nil {
			list = append(list, *c)
		}
	}
	return list
}

func (b *batch) measureFailure(err error, began time.Time) {
	for _, t := range b.tables() {
		b.service.measure(Usage{Table: t.Name, Operation: b.operation, Err: err}, began)
	}
}

// TransactGetItems reads up to 100 items as they are at one moment.
func (s *Service) TransactGetItems(_ context.Context, in *dynamodb.TransactGetItemsInput) (*dynamodb.TransactGetItemsOutput, error) {
	began := time.Now()
	if len(in.TransactItems) > maxTransaction {
		return nil, invalid("1 validation error detected: Value '[...]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
	}
	getters := make([]getter, len(in.TransactItems))
	b := &batch{service: s, operation: "TransactGetItems"}
	for i, it := range in.TransactItems {
		if it.Get == nil {
			return nil, invalid("TransactItems can only contain Get")
		}
		var err error
		if getters[i], err = newGetter(it.Get.ProjectionExpression, nil, it.Get.ExpressionAttributeNames); err != nil {
			return nil, err
		}
		t, err := s.lookup(deref(it.Get.TableName))
		if err != nil {
			return nil, err
		}
		w, err := changing(t, it.Get.Key)
		if err != nil {
			return nil, err
		}
		if !b.add(*it.Get.TableName, w) {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
	}
	records := make([]*record, len(b.writes))
	s.db.View(func(tx *store.Tx) {
		for i, w := range b.writes {
			records[i], _ = w.table.items.Get(tx, w.primary)
		}
	})
	out := &dynamodb.TransactGetItemsOutput{Responses: make([]types.ItemResponse, len(records))}
	used, real := map[string]*consumed{}, map[string]string{}
	for i, r := range records {
		out.Responses[i].Item = getters[i].projection.Of(r.orNil())
		name := b.names[i]
		if used[name] == nil {
			used[name], real[name] = new(consumed), b.writes[i].table.Name
		}
		used[name].add(consumed{name: name, table: Units{Read: 2 * r.readUnits(true)}})
	}
	for name, c := range used {
		s.measure(c.usage(real[name], b.operation), began)
	}
	out.ConsumedCapacity = answers(used, in.ReturnConsumedCapacity)
	return out, nil
}
