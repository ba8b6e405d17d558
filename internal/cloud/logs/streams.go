package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"evo/internal/cloud/logs/emf"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// stream is a log stream.
type stream struct {
	ID       uint64
	Name     string
	Created  int64
	First    *int64 `json:",omitempty"` // times in milliseconds
	Last     *int64 `json:",omitempty"`
	Ingested *int64 `json:",omitempty"`
	Bytes    int64  `json:",omitempty"`
	Count    uint64 `json:",omitempty"` // of all events that ever came
}

func streamKey(group, stream string) string { return group + "\x00" + stream }

func noStream() error {
	return &types.ResourceNotFoundException{Message: new("The specified log stream does not exist.")}
}

// find returns a stream of a group; its errors are fit for the caller.
func (s *Service) find(tx *store.Tx, groupName, streamName string) (stream, error) {
	if _, ok := s.groups.Get(tx, groupName); !ok {
		return stream{}, noGroup()
	}
	st, ok := s.streams.Get(tx, streamKey(groupName, streamName))
	if !ok {
		return stream{}, noStream()
	}
	return st, nil
}

// CreateLogStream makes a stream.
func (s *Service) CreateLogStream(ctx context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	group, name := aws.ToString(in.LogGroupName), aws.ToString(in.LogStreamName)
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.CreateLogStreamOutput{}, s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok := s.groups.Get(tx, group); !ok {
			return noGroup()
		}
		if _, ok := s.streams.Get(tx, streamKey(group, name)); ok {
			return &types.ResourceAlreadyExistsException{Message: new("The specified log stream already exists")}
		}
		s.newStream(tx, group, name, s.Clock.Now().UnixMilli())
		return nil
	})
}

// DeleteLogStream removes a stream with its events.
func (s *Service) DeleteLogStream(ctx context.Context, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DeleteLogStreamOutput{}, s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		st, err := s.find(tx, aws.ToString(in.LogGroupName), aws.ToString(in.LogStreamName))
		if err != nil {
			return err
		}
		s.dropEvents(tx, st.ID, -1)
		s.streams.Delete(tx, streamKey(*in.LogGroupName, *in.LogStreamName))
		return nil
	})
}

// DescribeLogStreams lists streams by name, or by the time of their last event.
func (s *Service) DescribeLogStreams(ctx context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	var list []stream
	s.Store.View(func(tx *store.Tx) {
		if _, ok := s.groups.Get(tx, group); !ok {
			err = noGroup()
			return
		}
		for _, st := range s.streams.Prefix(tx, streamKey(group, aws.ToString(in.LogStreamNamePrefix))) {
			list = append(list, st)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b stream) int {
		c := strings.Compare(a.Name, b.Name)
		if byTime {
			c = cmp.Or(cmp.Compare(aws.ToInt64(a.Last), aws.ToInt64(b.Last)), c)
		}
		if aws.ToBool(in.Descending) {
			c = -c
		}
		return c
	})
	list, next, err := paging.Cut(list, func(st stream) string { return st.Name }, in.NextToken, paging.Limit(in.Limit, listed, listed))
	if err != nil {
		return nil, invalidToken()
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: next}
	for _, st := range list {
		out.LogStreams = append(out.LogStreams, s.describeStream(group, st))
	}
	return out, nil
}

func (s *Service) describeStream(group string, st stream) types.LogStream {
	d := types.LogStream{
		LogStreamName: new(st.Name), Arn: new(s.groupARN(group) + ":log-stream:" + st.Name), CreationTime: new(st.Created), StoredBytes: new(int64(0)),
		FirstEventTimestamp: st.First, LastEventTimestamp: st.Last, LastIngestionTime: st.Ingested,
	}
	if st.Ingested != nil {
		d.UploadSequenceToken = new(sequenceToken(st))
	}
	return d
}

// Limits of PutLogEvents.
const (
	maxBatch      = 1048576
	eventOverhead = 26
	maxSpan       = 24 * time.Hour
	tooOld        = 14 * 24 * time.Hour
	tooNew        = 2 * time.Hour
)

// PutLogEvents adds events to a stream; they are durable when it returns. Those too old or too new are left out, as the
// answer tells. Sequence tokens are given and not asked for.
func (s *Service) PutLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	out := &cloudwatchlogs.PutLogEventsOutput{}
	var accepted []Event
	var made []emf.Metric
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := s.find(tx, aws.ToString(in.LogGroupName), aws.ToString(in.LogStreamName)); err != nil {
			return err
		}
		g, _ := s.groups.Get(tx, *in.LogGroupName)
		accepted, out.RejectedLogEventsInfo = sift(in.LogEvents, now, g.Retention)
		if len(accepted) > 0 {
			made = s.add(tx, *in.LogGroupName, *in.LogStreamName, accepted, now.UnixMilli())
		}
		st, _ := s.find(tx, *in.LogGroupName, *in.LogStreamName)
		out.NextSequenceToken = new(sequenceToken(st))
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.embedded(accepted)
	s.hand(made)
	return out, nil
}

func checkBatch(events []types.InputLogEvent) error {
	size := 0
	var last int64
	for i, e := range events {
		at := aws.ToInt64(e.Timestamp)
		if i > 0 && at < last {
			return invalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
		}
		last = at
		n := len(aws.ToString(e.Message)) + eventOverhead
		if n > maxBatch {
			return invalidParameter("Log event too large: %d bytes exceeds limit of %d", n, maxBatch)
		}
		size += n
	}
	if size > maxBatch {
		return invalidParameter("Upload too large: %d bytes exceeds limit of %d", size, maxBatch)
	}
	if len(events) > 0 && last-aws.ToInt64(events[0].Timestamp) > maxSpan.Milliseconds() {
		return invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// sift returns the events that are neither too old nor too new, and tells of the others.
func sift(events []types.InputLogEvent, now time.Time, retention int32) (accepted []Event, rejected *types.RejectedLogEventsInfo) {
	var info types.RejectedLogEventsInfo
	for i, e := range events {
		at := time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC()
		switch {
		case at.Before(now.Add(-tooOld)):
			info.TooOldLogEventEndIndex = new(int32(i + 1))
		case retention > 0 && at.Before(now.Add(-time.Duration(retention)*24*time.Hour)):
			info.ExpiredLogEventEndIndex = new(int32(i + 1))
		case at.After(now.Add(tooNew)):
			if info.TooNewLogEventStartIndex == nil {
				info.TooNewLogEventStartIndex = new(int32(i))
			}
		default:
			accepted = append(accepted, Event{at, aws.ToString(e.Message)})
		}
	}
	if len(accepted) < len(events) {
		rejected = &info
	}
	return accepted, rejected
}
