package logs

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
	"evo/internal/cloud/tags"
)

// group is a log group.
type group struct {
	Name      string
	Created   int64
	Class     string
	Retention int32             `json:",omitempty"` // in days; 0: for ever
	KMSKey    *string           `json:",omitempty"`
	Protected bool              `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
}

func invalidParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: new(fmt.Sprintf(format, args...))}
}

func noGroup() error {
	return &types.ResourceNotFoundException{Message: new("The specified log group does not exist.")}
}

func (s *Service) groupARN(name string) string {
	return "arn:aws:logs:" + s.Region + ":" + call.Account + ":log-group:" + name
}

// groupName returns the group that a name, or an identifier that is a name or an ARN, stands for.
func groupName(name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", call.Errorf("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name != nil:
		return *name, nil
	case identifier != nil:
		return nameOf(*identifier), nil
	}
	return "", invalidParameter("Either LogGroup name or LogGroup identifier must be specified.")
}

func nameOf(arnOrName string) string {
	if _, name, ok := strings.Cut(arnOrName, ":log-group:"); ok && strings.HasPrefix(arnOrName, "arn:") {
		return strings.TrimSuffix(name, ":*")
	}
	return arnOrName
}

// CreateLogGroup makes a group.
func (s *Service) CreateLogGroup(ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	g := group{Name: aws.ToString(in.LogGroupName), Created: s.Clock.Now().UnixMilli(), Class: string(in.LogGroupClass), KMSKey: in.KmsKeyId, Protected: aws.ToBool(in.DeletionProtectionEnabled), Tags: maps.Clone(in.Tags)}
	if g.Class == "" {
		g.Class = string(types.LogGroupClassStandard)
	}
	return &cloudwatchlogs.CreateLogGroupOutput{}, s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, ok := s.groups.Get(tx, g.Name); ok {
			return &types.ResourceAlreadyExistsException{Message: new("The specified log group already exists")}
		}
		s.groups.Put(tx, g.Name, g)
		return nil
	})
}

// changeGroup changes a group that exists.
func (s *Service) changeGroup(ctx context.Context, name string, change func(tx *store.Tx, g *group) error) error {
	if err := s.behind.Now(ctx); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		g, ok := s.groups.Get(tx, name)
		if !ok {
			return noGroup()
		}
		if err := change(tx, &g); err != nil {
			return err
		}
		s.groups.Put(tx, name, g)
		return nil
	})
}

// DeleteLogGroup removes a group with its streams, events and metric filters.
func (s *Service) DeleteLogGroup(ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogGroupName)
	return &cloudwatchlogs.DeleteLogGroupOutput{}, s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		g, ok := s.groups.Get(tx, name)
		switch {
		case !ok:
			return noGroup()
		case g.Protected:
			return call.Errorf("ValidationException", "The log group %s has deletion protection enabled; disable it first.", name)
		}
		for key, st := range s.streams.Prefix(tx, streamKey(name, "")) {
			s.dropEvents(tx, st.ID, -1)
			s.streams.Delete(tx, key)
		}
		for key := range s.filters.Prefix(tx, filterKey(name, "")) {
			s.filters.Delete(tx, key)
		}
		s.groups.Delete(tx, name)
		return nil
	})
}

// dropEvents removes a stream's events before a time in milliseconds, or all with -1.
func (s *Service) dropEvents(tx *store.Tx, streamID uint64, before int64) (dropped int, bytes int64) {
	prefix := eventKey(streamID, position{})[:10]
	for key, e := range s.events.Prefix(tx, prefix) {
		if before >= 0 && parseEventKey(key).at >= before {
			break
		}
		s.events.Delete(tx, key)
		dropped++
		bytes += int64(len(e.message) + eventOverhead)
	}
	return dropped, bytes
}

// listed is how many groups, streams or filters a call gets at the most.
const listed = 50

// DescribeLogGroups lists groups by name.
func (s *Service) DescribeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	names := make([]string, len(in.LogGroupIdentifiers))
	for i, id := range in.LogGroupIdentifiers {
		names[i] = nameOf(id)
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	next, err := s.walkGroups(ctx, in.NextToken, in.Limit, func(g group) bool {
		return strings.HasPrefix(g.Name, aws.ToString(in.LogGroupNamePrefix)) && strings.Contains(strings.ToLower(g.Name), strings.ToLower(aws.ToString(in.LogGroupNamePattern))) &&
			(len(names) == 0 || slices.Contains(names, g.Name)) && (in.LogGroupClass == "" || g.Class == string(in.LogGroupClass))
	}, func(tx *store.Tx, g group) { out.LogGroups = append(out.LogGroups, s.describeGroup(tx, g)) })
	out.NextToken = next
	return out, err
}

// ListLogGroups lists groups whose names match a regular expression.
func (s *Service) ListLogGroups(ctx context.Context, in *cloudwatchlogs.ListLogGroupsInput) (*cloudwatchlogs.ListLogGroupsOutput, error) {
	pattern, err := regexp.Compile(aws.ToString(in.LogGroupNamePattern))
	if err != nil {
		return nil, invalidParameter("The log group name pattern is not valid: %v", err)
	}
	out := &cloudwatchlogs.ListLogGroupsOutput{LogGroups: []types.LogGroupSummary{}}
	out.NextToken, err = s.walkGroups(ctx, in.NextToken, in.Limit, func(g group) bool {
		return pattern.MatchString(g.Name) && (in.LogGroupClass == "" || g.Class == string(in.LogGroupClass))
	}, func(_ *store.Tx, g group) {
		out.LogGroups = append(out.LogGroups, types.LogGroupSummary{LogGroupName: new(g.Name), LogGroupArn: new(s.groupARN(g.Name)), LogGroupClass: types.LogGroupClass(g.Class)})
	})
	return out, err
}

// walkGroups visits a page of the groups that match, in order of their names.
func (s *Service) walkGroups(ctx context.Context, token *string, limit *int32, match func(group) bool, visit func(*store.Tx, group)) (next *string, err error) {
	p, err := paging.Open(token, paging.Limit(limit, listed, listed))
	if err != nil {
		return nil, invalidToken()
	}
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	s.Store.View(func(tx *store.Tx) {
		for _, g := range paging.Of(p, s.groups.Ascend(tx, p.After), match) {
			visit(tx, g)
		}
	})
	return p.Next(), nil
}

func invalidToken() error { return invalidParameter("The specified nextToken is invalid.") }

func (s *Service) describeGroup(tx *store.Tx, g group) types.LogGroup {
	out := types.LogGroup{
		LogGroupName: new(g.Name), Arn: new(s.groupARN(g.Name) + ":*"), LogGroupArn: new(s.groupARN(g.Name)), CreationTime: new(g.Created),
		LogGroupClass: types.LogGroupClass(g.Class), KmsKeyId: g.KMSKey, DeletionProtectionEnabled: new(g.Protected), MetricFilterCount: new(int32(0)), StoredBytes: new(int64(0)),
	}
	if g.Retention > 0 {
		out.RetentionInDays = new(g.Retention)
	}
	for range s.filters.Prefix(tx, filterKey(g.Name, "")) {
		*out.MetricFilterCount++
	}
	for _, st := range s.streams.Prefix(tx, streamKey(g.Name, "")) {
		*out.StoredBytes += st.Bytes
	}
	return out
}

// retentions are the numbers of days that AWS offers.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy sets after how many days a group's events are removed.
func (s *Service) PutRetentionPolicy(ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	days := aws.ToInt32(in.RetentionInDays)
	if !slices.Contains(retentions, days) {
		return nil, invalidParameter("Invalid value '%d' at 'retentionInDays': it must be one of %v", days, retentions)
	}
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, s.changeGroup(ctx, aws.ToString(in.LogGroupName), func(_ *store.Tx, g *group) error {
		g.Retention = days
		return nil
	})
}

// DeleteRetentionPolicy keeps a group's events for ever.
func (s *Service) DeleteRetentionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, s.changeGroup(ctx, aws.ToString(in.LogGroupName), func(_ *store.Tx, g *group) error {
		g.Retention = 0
		return nil
	})
}

// PutLogGroupDeletionProtection lets a group be deleted, or not.
func (s *Service) PutLogGroupDeletionProtection(ctx context.Context, in *cloudwatchlogs.PutLogGroupDeletionProtectionInput) (*cloudwatchlogs.PutLogGroupDeletionProtectionOutput, error) {
	return &cloudwatchlogs.PutLogGroupDeletionProtectionOutput{}, s.changeGroup(ctx, nameOf(aws.ToString(in.LogGroupIdentifier)), func(_ *store.Tx, g *group) error {
		g.Protected = aws.ToBool(in.DeletionProtectionEnabled)
		return nil
	})
}

// AssociateKmsKey notes the key with which a group's events would be encrypted.
func (s *Service) AssociateKmsKey(ctx context.Context, in *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	name, err := groupName(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.AssociateKmsKeyOutput{}, s.changeGroup(ctx, name, func(_ *store.Tx, g *group) error {
		g.KMSKey = in.KmsKeyId
		return nil
	})
}

// DisassociateKmsKey forgets the key.
func (s *Service) DisassociateKmsKey(ctx context.Context, in *cloudwatchlogs.DisassociateKmsKeyInput) (*cloudwatchlogs.DisassociateKmsKeyOutput, error) {
	name, err := groupName(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DisassociateKmsKeyOutput{}, s.changeGroup(ctx, name, func(_ *store.Tx, g *group) error {
		g.KMSKey = nil
		return nil
	})
}

// expire removes the events that are older than their group's retention.
func (s *Service) expire(ctx context.Context) error {
	var due []group
	s.Store.View(func(tx *store.Tx) {
		for _, g := range s.groups.Ascend(tx, "") {
			if g.Retention > 0 {
				due = append(due, g)
			}
		}
	})
	for _, g := range due {
		before := s.Clock.Now().Add(-time.Duration(g.Retention) * 24 * time.Hour).UnixMilli()
		err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			for key, st := range s.streams.Prefix(tx, streamKey(g.Name, "")) {
				if st.First == nil || *st.First >= before {
					continue
				}
				_, bytes := s.dropEvents(tx, st.ID, before)
				st.Bytes -= bytes
				st.First = nil
				for k := range s.events.Prefix(tx, eventKey(st.ID, position{})[:10]) {
					st.First = new(parseEventKey(k).at)
					break
				}
				s.streams.Put(tx, key, st)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// retag changes the tags of a group, given by its ARN or name.
func (s *Service) retag(ctx context.Context, resource string, change tags.Change) error {
	return s.changeGroup(ctx, nameOf(resource), func(_ *store.Tx, g *group) error {
		if g.Tags = change.To(g.Tags); len(g.Tags) > tags.Most {
			return &types.TooManyTagsException{Message: new("The number of tags exceeds the limit of 50."), ResourceName: new(g.Name)}
		}
		return nil
	})
}

// TagResource adds tags to a group.
func (s *Service) TagResource(ctx context.Context, in *cloudwatchlogs.TagResourceInput) (*cloudwatchlogs.TagResourceOutput, error) {
	return &cloudwatchlogs.TagResourceOutput{}, s.retag(ctx, aws.ToString(in.ResourceArn), tags.Add(in.Tags))
}

// UntagResource removes tags of a group.
func (s *Service) UntagResource(ctx context.Context, in *cloudwatchlogs.UntagResourceInput) (*cloudwatchlogs.UntagResourceOutput, error) {
	return &cloudwatchlogs.UntagResourceOutput{}, s.retag(ctx, aws.ToString(in.ResourceArn), tags.Remove(in.TagKeys))
}

func (s *Service) tagsOf(ctx context.Context, resource string) (map[string]string, error) {
	if err := s.behind.Now(ctx); err != nil {
		return nil, err
	}
	var g group
	var ok bool
	s.Store.View(func(tx *store.Tx) { g, ok = s.groups.Get(tx, nameOf(resource)) })
	if !ok {
		return nil, noGroup()
	}
	return tags.Copy(g.Tags), nil
}

// ListTagsForResource lists a group's tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *cloudwatchlogs.ListTagsForResourceInput) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	set, err := s.tagsOf(ctx, aws.ToString(in.ResourceArn))
	return &cloudwatchlogs.ListTagsForResourceOutput{Tags: set}, err
}

// TagLogGroup is the older form of TagResource.
func (s *Service) TagLogGroup(ctx context.Context, in *cloudwatchlogs.TagLogGroupInput) (*cloudwatchlogs.TagLogGroupOutput, error) {
	return &cloudwatchlogs.TagLogGroupOutput{}, s.retag(ctx, aws.ToString(in.LogGroupName), tags.Add(in.Tags))
}

// UntagLogGroup is the older form of UntagResource.
func (s *Service) UntagLogGroup(ctx context.Context, in *cloudwatchlogs.UntagLogGroupInput) (*cloudwatchlogs.UntagLogGroupOutput, error) {
	return &cloudwatchlogs.UntagLogGroupOutput{}, s.retag(ctx, aws.ToString(in.LogGroupName), tags.Remove(in.Tags))
}

// ListTagsLogGroup is the older form of ListTagsForResource.
func (s *Service) ListTagsLogGroup(ctx context.Context, in *cloudwatchlogs.ListTagsLogGroupInput) (*cloudwatchlogs.ListTagsLogGroupOutput, error) {
	set, err := s.tagsOf(ctx, aws.ToString(in.LogGroupName))
	return &cloudwatchlogs.ListTagsLogGroupOutput{Tags: set}, err
}
