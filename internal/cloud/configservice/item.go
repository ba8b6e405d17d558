package configservice

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// item is a configuration item: a resource as it was from a moment on.
type item struct {
	Type, ID      string
	Name, ARN     string    `json:",omitempty"`
	Region        string    // or "global"
	Created       time.Time `json:",omitzero"`
	Captured      time.Time // when it was seen
	State         int64     // later items have higher ones
	Status        types.ConfigurationItemStatus
	Tags          map[string]string          `json:",omitempty"`
	Configuration json.RawMessage            `json:",omitempty"`
	Supplementary map[string]json.RawMessage `json:",omitempty"`
	Sum           string                     `json:",omitempty"`
}

func (it *item) key() resourceKey { return resourceKey{it.Type, it.ID} }

// place is where the items of a resource are kept, the older ones first.
func (k resourceKey) place() string { return k.Type + "\x00" + k.ID + "\x00" }

func (it *item) place() string { return it.key().place() + fmt.Sprintf("%020d", it.State) }

func (it *item) gone() bool { return it.Status == types.ConfigurationItemStatusResourceDeleted }

// itemOf makes the configuration item of a resource that is there.
func (s *Service) itemOf(r *Resource, sum string, now time.Time) (item, error) {
	it := item{Type: r.Type, ID: r.ID, Name: r.Name, ARN: r.ARN, Region: s.Region, Created: r.Created, Captured: now, Tags: r.Tags, Sum: sum}
	if r.Global {
		it.Region = "global"
	}
	last, known := s.latest[r.key()]
	it.Status = types.ConfigurationItemStatusOk
	if !known || last.gone() {
		it.Status = types.ConfigurationItemStatusResourceDiscovered
	}
	it.State = max(now.UnixMilli(), last.State+1)
	var err error
	if r.Configuration != nil {
		if it.Configuration, err = r.Configuration.MarshalJSON(); err != nil {
			return it, err
		}
	}
	for _, p := range r.Supplementary.Entries() {
		if it.Supplementary == nil {
			it.Supplementary = map[string]json.RawMessage{}
		}
		if it.Supplementary[p.Key], err = p.Value.MarshalJSON(); err != nil {
			return it, err
		}
	}
	return it, nil
}

// deleted is the item that says that a resource is gone.
func (it item) deleted(now time.Time) item {
	return item{Type: it.Type, ID: it.ID, Name: it.Name, ARN: it.ARN, Region: it.Region, Captured: now, State: max(now.UnixMilli(), it.State+1),
		Status: types.ConfigurationItemStatusResourceDeleted}
}

// keptItems is how many configuration items of a resource are kept.
const keptItems = 500

// putItem keeps an item, and forgets the oldest where there are too many.
func (s *Service) putItem(tx *store.Tx, it item) {
	if _, known := s.latest[it.key()]; known {
		n, first := 0, ""
		for place := range s.items.Prefix(tx, it.key().place()) {
			if n++; n == 1 {
				first = place
			}
		}
		if n >= keptItems {
			s.items.Delete(tx, first)
		}
	}
	s.items.Put(tx, it.place(), it)
}

const itemVersion = "1.3"

func (it *item) zone() *string {
	if it.Region == "global" {
		return new("Not Applicable")
	}
	return new("Regional")
}

// relationships tell of the stack that a resource belongs to.
func (it *item) relationships() []types.Relationship {
	arn := it.Tags["aws:cloudformation:stack-id"]
	if arn == "" {
		return []types.Relationship{}
	}
	return []types.Relationship{{RelationshipName: new("Is contained in Stack"), ResourceId: new(arn), ResourceName: new(it.Tags["aws:cloudformation:stack-name"]),
		ResourceType: types.ResourceTypeStack}}
}

// supplementary writes each value as text: JSON where it is more than text.
func (it *item) supplementary() map[string]string {
	out := map[string]string{}
	for k, v := range it.Supplementary {
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		out[k] = text
	}
	return out
}

func (it *item) base() types.BaseConfigurationItem {
	out := types.BaseConfigurationItem{AccountId: new(call.Account), Arn: new(it.ARN), AvailabilityZone: it.zone(), AwsRegion: new(it.Region),
		ConfigurationItemCaptureTime: new(it.Captured), ConfigurationItemStatus: it.Status, ConfigurationStateId: new(strconv.FormatInt(it.State, 10)),
		ResourceId: new(it.ID), ResourceType: types.ResourceType(it.Type), SupplementaryConfiguration: it.supplementary(), Version: new(itemVersion)}
	if it.Name != "" {
		out.ResourceName = new(it.Name)
	}
	if it.Configuration != nil {
		out.Configuration = new(string(it.Configuration))
	}
	if !it.Created.IsZero() {
		out.ResourceCreationTime = new(it.Created)
	}
	return out
}

func (it *item) full() types.ConfigurationItem {
	b := it.base()
	return types.ConfigurationItem{AccountId: b.AccountId, Arn: b.Arn, AvailabilityZone: b.AvailabilityZone, AwsRegion: b.AwsRegion,
		ConfigurationItemCaptureTime: b.ConfigurationItemCaptureTime, ConfigurationItemStatus: b.ConfigurationItemStatus,
		ConfigurationStateId: b.ConfigurationStateId, ResourceId: b.ResourceId, ResourceType: b.ResourceType, ResourceName: b.ResourceName,
		SupplementaryConfiguration: b.SupplementaryConfiguration, Version: b.Version, Configuration: b.Configuration,
		ResourceCreationTime: b.ResourceCreationTime, ConfigurationItemMD5Hash: new(""), Tags: it.Tags, RelatedEvents: []string{},
		Relationships: it.relationships()}
}

func notDiscovered(kind, id string) error {
	return &types.ResourceNotDiscoveredException{Message: new(fmt.Sprintf("Resource %s of resourceType:%s is unknown or has not been discovered", id, kind))}
}

// paged returns a page of a list, and the token of the next. No two elements have the same key.
func paged[T any](list []T, key func(T) string, token *string, limit, usual, most int32) ([]T, *string, error) {
	if limit < 0 || limit > most {
		return nil, nil, &types.InvalidLimitException{Message: new(fmt.Sprintf("The limit %d is not between 0 and %d", limit, most))}
	}
	page, next, err := paging.Cut(list, key, token, paging.Limit(&limit, int(usual), int(most)))
	if err != nil {
		return nil, nil, &types.InvalidNextTokenException{Message: new("The nextToken provided is invalid")}
	}
	return page, next, nil
}

// GetResourceConfigHistory lists a resource's configuration items, the latest first unless asked otherwise.
func (s *Service) GetResourceConfigHistory(_ context.Context, in *configservice.GetResourceConfigHistoryInput) (*configservice.GetResourceConfigHistoryOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	if in.EarlierTime != nil && in.LaterTime != nil && in.EarlierTime.After(*in.LaterTime) {
		return nil, &types.InvalidTimeRangeException{Message: new("The earlier time must not be after the later time")}
	}
	var all []types.ConfigurationItem
	known := false
	s.Store.View(func(tx *store.Tx) {
		for _, it := range s.items.Prefix(tx, resourceKey{string(in.ResourceType), aws.ToString(in.ResourceId)}.place()) {
			known = true
			if in.EarlierTime != nil && it.Captured.Before(*in.EarlierTime) || in.LaterTime != nil && it.Captured.After(*in.LaterTime) {
				continue
			}
			all = append(all, it.full())
		}
	})
	if !known {
		return nil, notDiscovered(string(in.ResourceType), aws.ToString(in.ResourceId))
	}
	if in.ChronologicalOrder != types.ChronologicalOrderForward {
		slices.Reverse(all)
	}
	page, next, err := paged(all, func(it types.ConfigurationItem) string { return *it.ConfigurationStateId }, in.NextToken, in.Limit, 10, 100)
	return &configservice.GetResourceConfigHistoryOutput{ConfigurationItems: page, NextToken: next}, err
}

// BatchGetResourceConfig returns the latest item of each resource that is there.
func (s *Service) BatchGetResourceConfig(_ context.Context, in *configservice.BatchGetResourceConfigInput) (*configservice.BatchGetResourceConfigOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	out := &configservice.BatchGetResourceConfigOutput{BaseConfigurationItems: []types.BaseConfigurationItem{}, UnprocessedResourceKeys: []types.ResourceKey{}}
	s.settling.Lock()
	defer s.settling.Unlock()
	for _, k := range in.ResourceKeys {
		if it, ok := s.latest[resourceKey{string(k.ResourceType), aws.ToString(k.ResourceId)}]; ok && !it.gone() {
			out.BaseConfigurationItems = append(out.BaseConfigurationItems, it.base())
		}
	}
	return out, nil
}

// known lists the latest item of every resource, in the order of types and ids.
func (s *Service) known(withDeleted bool) []item {
	s.settling.Lock()
	defer s.settling.Unlock()
	var all []item
	for _, it := range s.latest {
		if withDeleted || !it.gone() {
			all = append(all, it)
		}
	}
	slices.SortFunc(all, func(a, b item) int { return strings.Compare(a.key().place(), b.key().place()) })
	return all
}

// ListDiscoveredResources lists the resources of a type.
func (s *Service) ListDiscoveredResources(_ context.Context, in *configservice.ListDiscoveredResourcesInput) (*configservice.ListDiscoveredResourcesOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	if len(in.ResourceIds) > 0 && in.ResourceName != nil {
		return nil, invalidValue("You cannot specify both resource ids and a resource name in the same request.")
	}
	var all []types.ResourceIdentifier
	for _, it := range s.known(in.IncludeDeletedResources) {
		if it.Type != string(in.ResourceType) || len(in.ResourceIds) > 0 && !slices.Contains(in.ResourceIds, it.ID) || in.ResourceName != nil && *in.ResourceName != it.Name {
			continue
		}
		id := types.ResourceIdentifier{ResourceId: new(it.ID), ResourceType: in.ResourceType}
		if it.Name != "" {
			id.ResourceName = new(it.Name)
		}
		if it.gone() {
			id.ResourceDeletionTime = new(it.Captured)
		}
		all = append(all, id)
	}
	page, next, err := paged(all, func(r types.ResourceIdentifier) string { return *r.ResourceId }, in.NextToken, in.Limit, 100, 100)
	if page == nil {
		page = []types.ResourceIdentifier{}
	}
	return &configservice.ListDiscoveredResourcesOutput{ResourceIdentifiers: page, NextToken: next}, err
}

// GetDiscoveredResourceCounts counts the resources of each type, or of those asked for, the most frequent first.
func (s *Service) GetDiscoveredResourceCounts(_ context.Context, in *configservice.GetDiscoveredResourceCountsInput) (*configservice.GetDiscoveredResourceCountsOutput, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	counts, total := map[string]int64{}, int64(0)
	for _, it := range s.known(false) {
		if len(in.ResourceTypes) == 0 || slices.Contains(in.ResourceTypes, it.Type) {
			counts[it.Type]++
			total++
		}
	}
	all := []types.ResourceCount{}
	for kind, n := range counts {
		all = append(all, types.ResourceCount{Count: n, ResourceType: types.ResourceType(kind)})
	}
	slices.SortFunc(all, func(a, b types.ResourceCount) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(string(a.ResourceType), string(b.ResourceType))
	})
	page, next, err := paged(all, func(c types.ResourceCount) string { return string(c.ResourceType) }, in.NextToken, in.Limit, 100, 100)
	return &configservice.GetDiscoveredResourceCountsOutput{ResourceCounts: page, NextToken: next, TotalDiscoveredResources: total}, err
}
