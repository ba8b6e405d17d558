package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/dynamodb/expression"
	"evo/internal/cloud/dynamodb/item"
)

// Query reads items of one partition of a table or an index, in the order of the sort key.
func (s *Service) Query(_ context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	began := time.Now()
	t, err := s.lookup(deref(in.TableName))
	if err != nil {
		return nil, err
	}
	r, err := queryOf(t, in)
	if err != nil {
		s.measure(Usage{Table: t.Name, Operation: "Query", Err: err}, began)
		return nil, err
	}
	p := r.run(s)
	p.used.name = *in.TableName
	u := p.used.usage(t.Name, "Query")
	u.Returned = p.count
	s.measure(u, began)
	return &dynamodb.QueryOutput{
		Items: p.items, Count: int32(p.count), ScannedCount: int32(p.scanned), LastEvaluatedKey: p.last,
		ConsumedCapacity: p.used.answer(in.ReturnConsumedCapacity, false),
	}, nil
}

// queryOf makes of a request the read that it asks for.
func queryOf(t *table, in *dynamodb.QueryInput) (*read, error) {
	conditions, filter, chosen, err := queryExpressions(in)
	if err != nil {
		return nil, err
	}
	r, err := over(t, in.IndexName, in.ConsistentRead, in.Limit)
	if err != nil {
		return nil, err
	}
	r.backward = in.ScanIndexForward != nil && !*in.ScanIndexForward
	if n := len(conditions); (n == 0 || n > 2) && r.key().len() <= 2 {
		return nil, invalid("Conditions can be of length 1 or 2 only")
	}
	if r.span, err = r.key().span(conditions); err != nil {
		return nil, err
	}
	if err := r.setFilter(filter); err != nil {
		return nil, err
	}
	if filter != nil {
		if err := checkFilter(r.key(), filter, in.FilterExpression != nil); err != nil {
			return nil, err
		}
	}
	if err := r.choose(in.Select, chosen, in.ProjectionExpression != nil); err != nil {
		return nil, err
	}
	if in.ExclusiveStartKey == nil {
		return r, nil
	}
	return r, r.startAfterWithin(in.ExclusiveStartKey, conditions)
}

// startAfterWithin also demands that the position lies in the partition that is queried.
func (r *read) startAfterWithin(position item.Item, conditions []expression.KeyCondition) error {
	whole := r.span
	if err := r.startAfter(position); err != nil {
		return err
	}
	for _, c := range conditions {
		if c.Op != "=" {
			continue
		}
		v, err := item.NormalizeValue(position[c.Name])
		if err != nil || !item.Equal(v, c.Values[0]) {
			r.span = whole
			return errOutside()
		}
	}
	return nil
}

func (r *read) key() *key {
	if r.index != nil {
		return &r.index.key
	}
	return &r.table.key
}

// queryExpressions reads a query's key conditions, filter and projection, however they are written.
func queryExpressions(in *dynamodb.QueryInput) ([]expression.KeyCondition, expression.Condition, *expression.Projection, error) {
	u := usage{
		expressions: []parameter{{"ProjectionExpression", in.ProjectionExpression != nil}, {"FilterExpression", in.FilterExpression != nil},
			{"KeyConditionExpression", in.KeyConditionExpression != nil}},
		valued: []string{"FilterExpression", "KeyConditionExpression"},
		legacy: []parameter{{"AttributesToGet", in.AttributesToGet != nil}, {"QueryFilter", in.QueryFilter != nil},
			{"ConditionalOperator", in.ConditionalOperator != ""}, {"KeyConditions", in.KeyConditions != nil && in.KeyConditionExpression != nil}},
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
	}
	params, err := u.params()
	if err != nil {
		return nil, nil, nil, err
	}
	filter, err := condition("FilterExpression", in.FilterExpression, params)
	if err == nil && filter == nil {
		filter, err = legacyFilter(in.QueryFilter, in.ConditionalOperator)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	chosen, err := projection(in.ProjectionExpression, in.AttributesToGet, params)
	if err != nil {
		return nil, nil, nil, err
	}
	conditions, err := keyConditions(in, params)
	if err != nil {
		return nil, nil, nil, err
	}
	return conditions, filter, chosen, unusedParams(params)
}

func keyConditions(in *dynamodb.QueryInput, params *expression.Params) ([]expression.KeyCondition, error) {
	switch {
	case in.KeyConditionExpression != nil:
		list, err := expression.ParseKeyConditions(*in.KeyConditionExpression, params)
		if err != nil {
			return nil, validation(err)
		}
		return list, nil
	case in.KeyConditions == nil:
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	var list []expression.KeyCondition
	for _, name := range sortedNames(in.KeyConditions) {
		c := in.KeyConditions[name]
		values, err := normalizeAll(c.AttributeValueList)
		if err != nil {
			return nil, err
		}
		k, err := expression.LegacyKey(name, c.ComparisonOperator, values)
		if err != nil {
			return nil, validation(err)
		}
		list = append(list, k)
	}
	return list, nil
}

// span returns the keys that satisfy the conditions: equalities for the partition key and for the first attributes of the sort key,
// and any condition for the next one.
func (k *key) span(conditions []expression.KeyCondition) (span, error) {
	find := func(name string) *expression.KeyCondition {
		for i := range conditions {
			if conditions[i].Name == name {
				return &conditions[i]
			}
		}
		return nil
	}
	equal := item.Item{}
	for _, a := range k.hash {
		c := find(a.Name)
		if c == nil {
			return span{}, invalid("Query condition missed key schema element: %s", a.Name)
		}
		if c.Op != "=" {
			return span{}, invalid("Query key condition not supported")
		}
		if err := checkConditionType(c, a); err != nil {
			return span{}, err
		}
		equal[a.Name] = c.Values[0]
	}
	used := len(k.hash)
	var last *expression.KeyCondition
	var leading []attribute
	for _, a := range k.sort {
		c := find(a.Name)
		if c == nil {
			break
		}
		if last != nil { // only the last one may be other than an equality
			return span{}, invalid("Query key condition not supported")
		}
		if err := checkConditionType(c, a); err != nil {
			return span{}, err
		}
		used++
		if c.Op == "=" {
			equal[a.Name] = c.Values[0]
			leading = append(leading, a)
		} else {
			last = c
		}
	}
	if used < len(conditions) {
		return span{}, k.unexpectedCondition(conditions)
	}
	b, _ := k.appendPartition(nil, equal)
	b, _ = appendAttributes(b, leading, equal)
	return spanOf(string(b), last), nil
}

// unexpectedCondition is the error for conditions on what is not the key; AWS names a sort key that is missed.
func (k *key) unexpectedCondition(conditions []expression.KeyCondition) error {
	if len(conditions) == k.len() {
		for _, a := range k.sort {
			missed := true
			for _, c := range conditions {
				missed = missed && c.Name != a.Name
			}
			if missed {
				return invalid("Query condition missed key schema element: %s", a.Name)
			}
		}
	}
	return invalid("Query key condition not supported")
}

func checkConditionType(c *expression.KeyCondition, a attribute) error {
	for _, v := range c.Values {
		if item.Type(v) != a.Type {
			return invalidParameter("Condition parameter type does not match schema type")
		}
		if keySize(v) == 0 {
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", longType[a.Type], a.Name)
		}
	}
	if c.Op == "begins_with" && a.Type == "N" {
		return invalidParameter("Condition parameter type does not match schema type")
	}
	return nil
}

// spanOf returns the keys that begin with the prefix and whose next part satisfies the condition, or all of them.
func spanOf(prefix string, c *expression.KeyCondition) span {
	if c == nil {
		return span{prefix, prefixEnd(prefix)}
	}
	at := func(v types.AttributeValue) string {
		b, _ := item.AppendKey([]byte(prefix), v)
		return string(b)
	}
	v := at(c.Values[0])
	switch c.Op {
	case "<":
		return span{prefix, v}
	case "<=":
		return span{prefix, prefixEnd(v)}
	case ">":
		return span{prefixEnd(v), prefixEnd(prefix)}
	case ">=":
		return span{v, prefixEnd(prefix)}
	case "BETWEEN":
		return span{v, prefixEnd(at(c.Values[1]))}
	}
	start, _ := item.AppendKeyStart([]byte(prefix), c.Values[0])
	return span{string(start), prefixEnd(string(start))}
}

// checkFilter refuses a filter that looks at the key: that belongs into the key condition.
func checkFilter(k *key, filter expression.Condition, isExpression bool) error {
	for _, name := range expression.Attributes(filter) {
		if !k.has(name) {
			continue
		}
		if isExpression {
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
		return invalid("QueryFilter can only contain non-primary key attributes: Primary key attribute: %s", name)
	}
	return nil
}
