package logs

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"evo/internal/cloud/logs/filter"
	"evo/internal/cloud/store"
)

// maxEvents and maxAnswer are how many events, and how many bytes, one answer holds at most.
const (
	maxEvents = 10000
	maxAnswer = 1 << 20
)

func sequenceToken(st stream) string { return fmt.Sprintf("4%055d", st.Count) }

// A token of GetLogEvents is a direction and a position, as f/ or b/ and 56 digits.
var tokenForm = regexp.MustCompile(`^([fb])/3(\d{25})(\d{30})/s$`)

func token(direction string, p position) *string {
	return new(fmt.Sprintf("%s/3%025d%030d/s", direction, p.at, p.n))
}

func parseToken(t string) (backward bool, p position, err error) {
	m := tokenForm.FindStringSubmatch(t)
	if m == nil {
		return false, p, invalidToken()
	}
	p.at, err = strconv.ParseInt(m[2], 10, 64)
	if err == nil {
		p.n, err = strconv.ParseInt(m[3], 10, 64)
	}
	if err != nil {
		return false, p, invalidToken()
	}
	return m[1] == "b", p, nil
}

// found is an event with where it stands.
type found struct {
	stream stream
	position
	event
}

// GetLogEvents returns a stream's events, oldest first, beginning with the newest page unless told otherwise. At the end of
// the stream, in either direction, the token that comes back is the one that was given.
func (s *Service) GetLogEvents(ctx context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	backward, at := !aws.ToBool(in.StartFromHead), position{math.MaxInt64, math.MaxInt64}
	if !backward {
		at = position{-1, 0}
	}
	if in.NextToken != nil {
		if backward, at, err = parseToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	limit := int(aws.ToInt32(in.Limit))
	if limit <= 0 {
		limit = maxEvents
	}
	within := span{aws.ToInt64(in.StartTime), math.MaxInt64}
	if in.EndTime != nil {
		within.end = *in.EndTime
	}
	var events []found
	s.Store.View(func(tx *store.Tx) {
		var st stream
		if st, err = s.find(tx, group, aws.ToString(in.LogStreamName)); err == nil {
			events = s.pageOf(tx, st, within, at, backward, limit)
		}
	})
	if err != nil {
		return nil, err
	}
	return eventsOutput(events, at, in.NextToken), nil
}

// span is a stretch of time in milliseconds; end is not part of it.
type span struct{ start, end int64 }

// pageOf returns the events next to a position, in order of time.
func (s *Service) pageOf(tx *store.Tx, st stream, within span, at position, backward bool, limit int) []found {
	var out []found
	size := 0
	take := func(key string, e event) bool {
		p := parseEventKey(key)
		out = append(out, found{st, p, e})
		size += len(e.message) + eventOverhead
		return len(out) < limit && size < maxAnswer
	}
	prefix := eventKey(st.ID, position{})[:10]
	if !backward {
		for key, e := range s.events.Ascend(tx, eventKey(st.ID, position{max(within.start, at.at, 0), 0})) {
			p := key[:10]
			if p != prefix || parseEventKey(key).at >= within.end {
				break
			}
			if at.before(parseEventKey(key)) && !take(key, e) {
				break
			}
		}
		return out
	}
	from := prefix + "~" // after all of the stream's
	if limitAt := min(within.end, at.at); limitAt < math.MaxInt64 {
		from = eventKey(st.ID, position{max(limitAt, 0) + 1, 0})
	}
	for key, e := range s.events.Descend(tx, from) {
		if key[:10] != prefix || parseEventKey(key).at < within.start {
			break
		}
		if p := parseEventKey(key); p.at >= within.end || !p.before(at) {
			continue
		}
		if !take(key, e) {
			break
		}
	}
	slices.Reverse(out)
	return out
}

func eventsOutput(events []found, at position, given *string) *cloudwatchlogs.GetLogEventsOutput {
	out := &cloudwatchlogs.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	first, last := at, at
	if len(events) > 0 {
		first, last = events[0].position, events[len(events)-1].position
	} else if given == nil {
		first, last = position{}, position{}
	}
	for _, e := range events {
		out.Events = append(out.Events, types.OutputLogEvent{IngestionTime: new(e.ingested), Message: new(e.message), Timestamp: new(e.at)})
	}
	out.NextForwardToken, out.NextBackwardToken = token("f", last), token("b", first)
	return out
}

// FilterLogEvents returns the events of a group, or of some of its streams, that match a pattern, in order of time.
func (s *Service) FilterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, invalidParameter("LogStream names and LogStream name prefix are mutually exclusive parameters.")
	}
	pattern, err := filter.Parse(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, invalidParameter("Invalid filter pattern: %v", err)
	}
	after, err := parseCursor(aws.ToString(in.NextToken))
	if err != nil {
		return nil, err
	}
	if in.NextToken == nil {
		after.newestFirst = in.StartFromHead != nil && !*in.StartFromHead
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	within := span{aws.ToInt64(in.StartTime), math.MaxInt64}
	if in.EndTime != nil {
		within.end = *in.EndTime + 1 // what is exactly then belongs to it
	}
	switch {
	case after.set && after.newestFirst:
		within.end = min(within.end, after.at+1)
	case after.set:
		within.start = max(within.start, after.at)
	}
	next := following{after: after, limit: int(aws.ToInt32(in.Limit))}
	if next.limit <= 0 {
		next.limit = maxEvents
	}
	s.Store.View(func(tx *store.Tx) { err = s.matching(tx, group, in, pattern, within, &next) })
	if err != nil {
		return nil, err
	}
	return next.page(), nil
}

// cursor is where a page of FilterLogEvents ended: after an event of a stream.
type cursor struct {
	newestFirst bool
	at          int64
	stream      uint64
	n           int64
	set         bool
}

func parseCursor(t string) (c cursor, err error) {
	if t == "" {
		return c, nil
	}
	b, err := base64.StdEncoding.DecodeString(t)
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%t/%d/%d/%d", &c.newestFirst, &c.at, &c.stream, &c.n)
	}
	if err != nil {
		return c, invalidToken()
	}
	c.set = true
	return c, nil
}

func (c cursor) token() *string {
	return new(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%t/%d/%d/%d", c.newestFirst, c.at, c.stream, c.n)))
}

// matching adds the events of a group that match, stream by stream.
func (s *Service) matching(tx *store.Tx, group string, in *cloudwatchlogs.FilterLogEventsInput, pattern *filter.Pattern, within span, to *following) error {
	if _, ok := s.groups.Get(tx, group); !ok {
		return noGroup()
	}
	for _, name := range in.LogStreamNames {
		if _, err := s.find(tx, group, name); err != nil {
			return err
		}
	}
	for _, st := range s.streams.Prefix(tx, streamKey(group, aws.ToString(in.LogStreamNamePrefix))) {
		if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, st.Name) || st.Last == nil || *st.Last < within.start {
			continue
		}
		prefix := eventKey(st.ID, position{})[:10]
		for key, e := range s.events.Ascend(tx, eventKey(st.ID, position{max(within.start, 0), 0})) {
			p := parseEventKey(key)
			if !strings.HasPrefix(key, prefix) || p.at >= within.end {
				break
			}
			if _, ok := pattern.Match(e.message); ok {
				to.add(found{st, p, e})
			}
		}
	}
	return nil
}

func (f found) cursor(newestFirst bool) cursor {
	return cursor{newestFirst: newestFirst, at: f.at, stream: f.stream.ID, n: f.n, set: true}
}

func compareCursors(a, b cursor) int {
	c := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.stream, b.stream), cmp.Compare(a.n, b.n))
	if a.newestFirst {
		return -c
	}
	return c
}

// following gathers the events that follow on a cursor, and keeps no more than a few pages of them.
type following struct {
	after  cursor
	limit  int
	events []found
}

func (f *following) add(e found) {
	if f.after.set && compareCursors(e.cursor(f.after.newestFirst), f.after) <= 0 {
		return
	}
	f.events = append(f.events, e)
	if len(f.events) > 4*f.limit+100 {
		f.sort()
		f.events = f.events[:f.limit+1] // one more than the page, to tell that there is more
	}
}

func (f *following) sort() {
	slices.SortFunc(f.events, func(a, b found) int {
		return compareCursors(a.cursor(f.after.newestFirst), b.cursor(f.after.newestFirst))
	})
}

// page returns the first events, up to the limits of an answer.
func (f *following) page() *cloudwatchlogs.FilterLogEventsOutput {
	f.sort()
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	size := 0
	for i, e := range f.events {
		if len(out.Events) == f.limit || size >= maxAnswer {
			out.NextToken = f.events[i-1].cursor(f.after.newestFirst).token()
			break
		}
		size += len(e.message) + eventOverhead
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: new(fmt.Sprintf("3%015d%015d%025d", e.at, e.stream.ID, e.n)), LogStreamName: new(e.stream.Name),
			IngestionTime: new(e.ingested), Message: new(e.message), Timestamp: new(e.at),
		})
	}
	return out
}
