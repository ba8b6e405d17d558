package dynamodb

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

const (
	maxTags     = 50
	defaultDays = 35 // of point-in-time recovery
)

// alter puts a changed description in the place of a table's.
func (s *Service) alter(ctx context.Context, find func() (*table, error), change func(t *table) error) (*table, error) {
	for {
		old, err := find()
		if err != nil {
			return nil, err
		}
		t := old.copy()
		if err := change(t); err != nil {
			return nil, err
		}
		stale, err := s.change(ctx, []*table{old}, func(tx *store.Tx) error {
			s.tables.Put(tx, t.Name, t)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if !stale {
			return t, nil
		}
	}
}

// UpdateTimeToLive turns the deletion of expired items on or off.
func (s *Service) UpdateTimeToLive(ctx context.Context, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	spec := in.TimeToLiveSpecification
	name := deref(spec.AttributeName)
	_, err := s.alter(ctx, func() (*table, error) { return s.lookupTable(in.TableName) }, func(t *table) error {
		switch on := deref(spec.Enabled); {
		case on && t.TTL != nil && t.TTL.Attribute == name:
			return invalid("TimeToLive is already enabled")
		case on && t.TTL != nil:
			return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.TTL.Attribute)
		case on:
			t.TTL = &ttl{name}
		case t.TTL == nil:
			return invalid("TimeToLive is already disabled")
		case t.TTL.Attribute != name:
			return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.TTL.Attribute)
		default:
			t.TTL = nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: spec}, nil
}

// DescribeTimeToLive tells whether expired items are deleted.
func (s *Service) DescribeTimeToLive(_ context.Context, in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
	t, err := s.lookupTable(in.TableName)
	if err != nil {
		return nil, err
	}
	d := &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}
	if t.TTL != nil {
		d.TimeToLiveStatus, d.AttributeName = types.TimeToLiveStatusEnabled, ptr(t.TTL.Attribute)
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: d}, nil
}

// UpdateContinuousBackups records whether a table can be restored to a point in time. There is no restoring here.
func (s *Service) UpdateContinuousBackups(ctx context.Context, in *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	spec := in.PointInTimeRecoverySpecification
	days := int32(defaultDays)
	if spec.RecoveryPeriodInDays != nil {
		days = *spec.RecoveryPeriodInDays
	}
	if !deref(spec.PointInTimeRecoveryEnabled) && spec.RecoveryPeriodInDays != nil {
		return nil, invalid("RecoveryPeriodInDays can only be specified when PointInTimeRecoveryEnabled is true")
	}
	t, err := s.alter(ctx, func() (*table, error) { return s.lookupBackedUp(in.TableName) }, func(t *table) error {
		switch {
		case !deref(spec.PointInTimeRecoveryEnabled):
			t.Recovery = nil
		case t.Recovery == nil:
			t.Recovery = &recovery{s.clock.Now(), days}
		default:
			t.Recovery = &recovery{t.Recovery.Since, days}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: s.describeRecovery(t)}, nil
}

// DescribeContinuousBackups tells what UpdateContinuousBackups recorded.
func (s *Service) DescribeContinuousBackups(_ context.Context, in *dynamodb.DescribeContinuousBackupsInput) (*dynamodb.DescribeContinuousBackupsOutput, error) {
	t, err := s.lookupBackedUp(in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: s.describeRecovery(t)}, nil
}

// lookupBackedUp is lookup in the words of the operations on backups.
func (s *Service) lookupBackedUp(nameOrARN *string) (*table, error) {
	name, err := s.tableName(deref(nameOrARN))
	if err != nil {
		return nil, err
	}
	t, err := s.lookup(name)
	if err != nil {
		return nil, &types.TableNotFoundException{Message: ptr("Table not found: " + name)}
	}
	return t, nil
}

func (s *Service) describeRecovery(t *table) *types.ContinuousBackupsDescription {
	d := &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusDisabled}
	if r := t.Recovery; r != nil {
		now := s.clock.Now()
		earliest := r.Since
		if horizon := now.Add(-time.Duration(r.Days) * 24 * time.Hour); horizon.After(earliest) {
			earliest = horizon
		}
		d.PointInTimeRecoveryStatus, d.RecoveryPeriodInDays = types.PointInTimeRecoveryStatusEnabled, ptr(r.Days)
		d.EarliestRestorableDateTime, d.LatestRestorableDateTime = ptr(earliest), ptr(now)
	}
	return &types.ContinuousBackupsDescription{ContinuousBackupsStatus: types.ContinuousBackupsStatusEnabled, PointInTimeRecoveryDescription: d}
}

// TagResource gives a table tags.
func (s *Service) TagResource(ctx context.Context, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, invalid("Atleast one Tag needs to be provided as Input.")
	}
	_, err := s.alter(ctx, func() (*table, error) { return s.lookupTagged(in.ResourceArn) }, func(t *table) (err error) {
		t.Tags, err = withTags(ctx, t.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.TagResourceOutput{}, nil
}

// withTags returns the tags with those added.
func withTags(ctx context.Context, old map[string]string, added []types.Tag) (map[string]string, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = map[string]string{}
	}
	for _, tag := range added {
		if strings.HasPrefix(deref(tag.Key), "aws:") && !call.Internal(ctx) {
			return nil, invalid("One or more parameter values were invalid: Tag key cannot begin with aws:")
		}
		tags[deref(tag.Key)] = deref(tag.Value)
	}
	if len(tags) > maxTags {
		return nil, invalid("One or more parameter values were invalid: Too many tags: a resource can have at most %d", maxTags)
	}
	return tags, nil
}

// UntagResource takes tags from a table.
func (s *Service) UntagResource(ctx context.Context, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	_, err := s.alter(ctx, func() (*table, error) { return s.lookupTagged(in.ResourceArn) }, func(t *table) error {
		t.Tags = maps.Clone(t.Tags)
		for _, key := range in.TagKeys {
			delete(t.Tags, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &dynamodb.UntagResourceOutput{}, nil
}

// ListTagsOfResource lists a table's tags, ten at a time.
func (s *Service) ListTagsOfResource(_ context.Context, in *dynamodb.ListTagsOfResourceInput) (*dynamodb.ListTagsOfResourceOutput, error) {
	t, err := s.lookupTagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	const pageLength = 10
	out := &dynamodb.ListTagsOfResourceOutput{Tags: []types.Tag{}}
	for _, key := range sortedNames(t.Tags) {
		if in.NextToken != nil && key <= *in.NextToken {
			continue
		}
		if len(out.Tags) == pageLength {
			out.NextToken = out.Tags[pageLength-1].Key
			break
		}
		out.Tags = append(out.Tags, types.Tag{Key: ptr(key), Value: ptr(t.Tags[key])})
	}
	return out, nil
}

// lookupTagged returns the table of an ARN, in the words of the operations on tags.
func (s *Service) lookupTagged(arn *string) (*table, error) {
	name, ok := strings.CutPrefix(deref(arn), s.tableARN(""))
	if !ok || !validName(name) {
		return nil, invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", deref(arn))
	}
	t, err := s.lookup(name)
	if err != nil {
		return nil, &types.ResourceNotFoundException{Message: ptr("Requested resource not found: ResourcArn: " + *arn + " not found")}
	}
	return t, nil
}

// DescribeEndpoints answers the endpoint that the caller has used.
func (s *Service) DescribeEndpoints(ctx context.Context, _ *dynamodb.DescribeEndpointsInput) (*dynamodb.DescribeEndpointsOutput, error) {
	host := call.From(ctx).Host
	if host == "" {
		host = "dynamodb." + s.region + ".amazonaws.com"
	}
	return &dynamodb.DescribeEndpointsOutput{Endpoints: []types.Endpoint{{Address: ptr(host), CachePeriodInMinutes: 1440}}}, nil
}
