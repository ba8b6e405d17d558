package dynamodb

import (
	"context"
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"evo/internal/cloud/dynamodb/expression"
)

// Scan reads all items of a table or an index, or those of one of several segments.
func (s *Service) Scan(_ context.Context, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	began := time.Now()
	t, err := s.lookup(deref(in.TableName))
	if err != nil {
		return nil, err
	}
	r, err := scanOf(t, in)
	if err != nil {
		s.measure(Usage{Table: t.Name, Operation: "Scan", Err: err}, began)
		return nil, err
	}
	p := r.run(s)
	p.used.name = *in.TableName
	u := p.used.usage(t.Name, "Scan")
	u.Returned = p.count
	s.measure(u, began)
	return &dynamodb.ScanOutput{
		Items: p.items, Count: int32(p.count), ScannedCount: int32(p.scanned), LastEvaluatedKey: p.last,
		ConsumedCapacity: p.used.answer(in.ReturnConsumedCapacity, false),
	}, nil
}

// scanOf makes of a request the read that it asks for.
func scanOf(t *table, in *dynamodb.ScanInput) (*read, error) {
	filter, chosen, err := scanExpressions(in)
	if err != nil {
		return nil, err
	}
	r, err := over(t, in.IndexName, in.ConsistentRead, in.Limit)
	if err != nil {
		return nil, err
	}
	if err := r.setFilter(filter); err != nil {
		return nil, err
	}
	if err := r.choose(in.Select, chosen, in.ProjectionExpression != nil); err != nil {
		return nil, err
	}
	if err := r.segment(in.Segment, in.TotalSegments); err != nil {
		return nil, err
	}
	if in.ExclusiveStartKey == nil {
		return r, nil
	}
	whole := r.span
	if err := r.startAfter(in.ExclusiveStartKey); err != nil {
		return nil, segmentError(err, in)
	}
	if r.span.from <= whole.from && whole.from != "" {
		return nil, segmentError(errOutside(), in)
	}
	return r, nil
}

// segmentError words the error of a starting key that lies in another segment.
func segmentError(err error, in *dynamodb.ScanInput) error {
	if err.Error() == errOutside().Error() && in.Segment != nil {
		return invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
			*in.TotalSegments, *in.Segment)
	}
	return err
}

func scanExpressions(in *dynamodb.ScanInput) (expression.Condition, *expression.Projection, error) {
	u := usage{
		expressions: []parameter{{"ProjectionExpression", in.ProjectionExpression != nil}, {"FilterExpression", in.FilterExpression != nil}},
		valued:      []string{"FilterExpression"},
		legacy: []parameter{{"AttributesToGet", in.AttributesToGet != nil}, {"ScanFilter", in.ScanFilter != nil},
			{"ConditionalOperator", in.ConditionalOperator != ""}},
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
	}
	params, err := u.params()
	if err != nil {
		return nil, nil, err
	}
	filter, err := condition("FilterExpression", in.FilterExpression, params)
	if err == nil && filter == nil {
		filter, err = legacyFilter(in.ScanFilter, in.ConditionalOperator)
	}
	if err != nil {
		return nil, nil, err
	}
	chosen, err := projection(in.ProjectionExpression, in.AttributesToGet, params)
	if err != nil {
		return nil, nil, err
	}
	return filter, chosen, unusedParams(params)
}

// segment narrows the read to the segment's share of the hashes.
func (r *read) segment(segment, total *int32) error {
	switch {
	case segment == nil && total == nil:
		return nil
	case segment == nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case total == nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case *segment >= *total:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *segment, *total)
	}
	bound := func(n int32) string {
		if n == 0 || n == *total {
			return ""
		}
		hash, _ := bits.Div64(uint64(n), 0, uint64(*total)) // n/total of the range of hashes
		return string(binary.BigEndian.AppendUint64(nil, hash))
	}
	r.span = span{bound(*segment), bound(*segment + 1)}
	return nil
}
