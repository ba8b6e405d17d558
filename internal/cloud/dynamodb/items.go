package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/store"
)

// PutItem puts a whole item in the place of what was there. The service takes the request's values over.
func (s *Service) PutItem(ctx context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	if in.ReturnValues != "" && in.ReturnValues != types.ReturnValueNone && in.ReturnValues != types.ReturnValueAllOld {
		return nil, invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	c := writeRequest{condition: in.ConditionExpression, expected: in.Expected, operator: in.ConditionalOperator,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, showOld: in.ReturnValuesOnConditionCheckFailure}
	w, o, used, err := s.writeOne(ctx, "PutItem", in.TableName, in.ReturnConsumedCapacity, func(t *table) (*write, error) {
		return c.prepare(nil, func(*expression.Params) (*write, error) { return putting(t, in.Item) })
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.PutItemOutput{
		Attributes:            w.attributes(o, in.ReturnValues),
		ConsumedCapacity:      used,
		ItemCollectionMetrics: w.collection(in.ReturnItemCollectionMetrics, w.keyItem()),
	}, nil
}

// DeleteItem deletes an item, if it is there.
func (s *Service) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	if in.ReturnValues != "" && in.ReturnValues != types.ReturnValueNone && in.ReturnValues != types.ReturnValueAllOld {
		return nil, invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	c := writeRequest{condition: in.ConditionExpression, expected: in.Expected, operator: in.ConditionalOperator,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, showOld: in.ReturnValuesOnConditionCheckFailure}
	w, o, used, err := s.writeOne(ctx, "DeleteItem", in.TableName, in.ReturnConsumedCapacity, func(t *table) (*write, error) {
		return c.prepare(nil, func(*expression.Params) (*write, error) { return changing(t, in.Key) })
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.DeleteItemOutput{
		Attributes:            w.attributes(o, in.ReturnValues),
		ConsumedCapacity:      used,
		ItemCollectionMetrics: w.collection(in.ReturnItemCollectionMetrics, w.keyItem()),
	}, nil
}

// UpdateItem changes attributes of an item, which it makes if it is not there.
func (s *Service) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	c := writeRequest{update: in.UpdateExpression, condition: in.ConditionExpression, updates: in.AttributeUpdates, expected: in.Expected,
		operator: in.ConditionalOperator, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, showOld: in.ReturnValuesOnConditionCheckFailure,
		updating: true}
	w, o, used, err := s.writeOne(ctx, "UpdateItem", in.TableName, in.ReturnConsumedCapacity, func(t *table) (*write, error) {
		u, err := legacyUpdate(in.AttributeUpdates)
		if err != nil {
			return nil, err
		}
		return c.prepare(&u, func(*expression.Params) (*write, error) { return updating(t, in.Key, u) })
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateItemOutput{
		Attributes:            w.attributes(o, in.ReturnValues),
		ConsumedCapacity:      used,
		ItemCollectionMetrics: w.collection(in.ReturnItemCollectionMetrics, w.keyItem()),
	}, nil
}

// writeRequest is what requests that change one item have in common.
type writeRequest struct {
	table     string  // of a part of a transaction
	update    *string // UpdateExpression
	condition *string
	updates   map[string]types.AttributeValueUpdate
	expected  map[string]types.ExpectedAttributeValue
	operator  types.ConditionalOperator
	names     map[string]string
	values    map[string]types.AttributeValue
	showOld   types.ReturnValuesOnConditionCheckFailure
	updating  bool // the request may have an update
}

var conditionOnly, updateAndCondition = []string{"ConditionExpression"}, []string{"UpdateExpression", "ConditionExpression"}

// prepare reads the expressions, puts the update where u points to if there is one, and adds the condition to the write that
// build makes.
func (r *writeRequest) prepare(u **expression.Update, build func(*expression.Params) (*write, error)) (*write, error) {
	params, err := r.params()
	if err != nil {
		return nil, err
	}
	if r.update != nil {
		if *u, err = expression.ParseUpdate(*r.update, params); err != nil {
			return nil, validation(err)
		}
	}
	cond, err := writeCondition(r.condition, r.expected, r.operator, params)
	if err != nil {
		return nil, err
	}
	if err := unusedParams(params); err != nil {
		return nil, err
	}
	w, err := build(params)
	if err != nil {
		return nil, err
	}
	w.condition, w.showOld = cond, r.showOld == types.ReturnValuesOnConditionCheckFailureAllOld
	return w, nil
}

func (r *writeRequest) params() (*expression.Params, error) {
	u := usage{names: r.names, values: r.values, valued: conditionOnly}
	if r.updating {
		u.valued = updateAndCondition
		u.expressions = append(u.expressions, parameter{"UpdateExpression", r.update != nil})
		u.legacy = append(u.legacy, parameter{"AttributeUpdates", r.updates != nil})
	}
	u.expressions = append(u.expressions, parameter{"ConditionExpression", r.condition != nil})
	u.legacy = append(u.legacy, parameter{"Expected", r.expected != nil})
	return u.params()
}

// writeOne makes one write, prepared anew if the table was changed meanwhile.
func (s *Service) writeOne(ctx context.Context, operation string, name *string, want types.ReturnConsumedCapacity,
	prepare func(t *table) (*write, error)) (w *write, o outcome, used *types.ConsumedCapacity, err error) {
	began := time.Now()
	for {
		t, err := s.lookup(deref(name))
		if err != nil {
			return nil, o, nil, err
		}
		if w, err = prepare(t); err == nil {
			var stale bool
			stale, err = s.change(ctx, []*table{t}, func(tx *store.Tx) error {
				var err error
				if o, err = w.decide(tx); err == nil {
					w.apply(tx, o)
				}
				return err
			})
			if stale {
				continue
			}
		}
		if err != nil {
			s.measure(Usage{Table: t.Name, Operation: operation, Err: err}, began)
			return nil, o, nil, err
		}
		w.count(o)
		if !s.wanted(want) {
			return w, o, nil, nil
		}
		c := w.consumption(deref(name), o, 1)
		s.measure(c.usage(t.Name, operation), began)
		return w, o, c.answer(want, false), nil
	}
}

// usage is what the meter is told of it.
func (c consumed) usage(table, operation string) Usage {
	u := Usage{Table: table, Operation: operation, Read: c.table.Read, Write: c.table.Write}
	for ix, units := range c.indexes {
		if !ix.Global {
			u.Read, u.Write = u.Read+units.Read, u.Write+units.Write
			continue
		}
		if u.Global == nil {
			u.Global = map[string]Units{}
		}
		u.Global[ix.Name] = units
	}
	return u
}

func (s *Service) measure(u Usage, began time.Time) {
	if s.meter != nil {
		u.Latency = time.Since(began)
		s.meter.Operation(u)
	}
}

// GetItem reads one item.
func (s *Service) GetItem(_ context.Context, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	began := time.Now()
	g, err := newGetter(in.ProjectionExpression, in.AttributesToGet, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	t, err := s.lookup(deref(in.TableName))
	if err != nil {
		return nil, err
	}
	key, err := changing(t, in.Key)
	if err != nil {
		s.measure(Usage{Table: t.Name, Operation: "GetItem", Err: err}, began)
		return nil, err
	}
	var r *record
	s.db.View(func(tx *store.Tx) { r, _ = t.items.Get(tx, key.primary) })
	out := &dynamodb.GetItemOutput{Item: g.projection.Of(r.orNil())}
	if s.wanted(in.ReturnConsumedCapacity) {
		c := consumed{name: *in.TableName, table: Units{Read: r.readUnits(deref(in.ConsistentRead))}}
		s.measure(c.usage(t.Name, "GetItem"), began)
		out.ConsumedCapacity = c.answer(in.ReturnConsumedCapacity, false)
	}
	return out, nil
}

func (r *record) readUnits(consistent bool) float64 {
	if r == nil {
		return readUnits(0, consistent)
	}
	return readUnits(r.size, consistent)
}

// getter is what a request wants of the items that it gets by key.
type getter struct{ projection *expression.Projection }

func newGetter(text *string, attributes []string, names map[string]string) (getter, error) {
	u := usage{names: names,
		expressions: []parameter{{"ProjectionExpression", text != nil}},
		legacy:      []parameter{{"AttributesToGet", attributes != nil}}}
	params, err := u.params()
	if err != nil {
		return getter{}, err
	}
	p, err := projection(text, attributes, params)
	if err != nil {
		return getter{}, err
	}
	return getter{p}, unusedParams(params)
}
