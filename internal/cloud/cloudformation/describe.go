package cloudformation

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cloud/store"
)

// DescribeStacks implements the API's operation.
func (s *Service) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	var all []types.Stack
	var err error
	s.cfg.Store.View(func(tx *store.Tx) {
		if in.StackName != nil {
			st, ok := s.find(tx, *in.StackName)
			if !ok {
				err = invalid("Stack with id %s does not exist", *in.StackName)
				return
			}
			all = append(all, s.describe(st))
			return
		}
		for _, st := range s.stacks.Ascend(tx, "") {
			if st.Status != types.StackStatusDeleteComplete {
				all = append(all, s.describe(st))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b types.Stack) int { return b.CreationTime.Compare(*a.CreationTime) })
	items, next, err := page(all, in.NextToken)
	return &cloudformation.DescribeStacksOutput{Stacks: items, NextToken: next}, err
}

// definition is what the stack is, or is being made.
func (st stack) definition() definition {
	if st.Op != nil && (st.Op.Phase == apply || st.Op.Phase == cleanup) {
		return st.Op.Target
	}
	return st.Definition
}

func (s *Service) describe(st stack) types.Stack {
	d := st.definition()
	out := types.Stack{StackId: aws.String(st.ID), StackName: aws.String(st.Name), StackStatus: st.Status, StackStatusReason: some(st.Reason),
		CreationTime: aws.Time(st.Created), LastUpdatedTime: moment(st.Updated), DeletionTime: moment(st.Deleted), ChangeSetId: some(st.ChangeSet),
		DisableRollback: aws.Bool(st.NoRollback), EnableTerminationProtection: aws.Bool(st.Protected), NotificationARNs: d.Notifications,
		RollbackConfiguration: &types.RollbackConfiguration{}, Capabilities: d.Capabilities, ParentId: some(st.Parent), RootId: some(st.Root),
		RoleARN: some(d.Role), Tags: []types.Tag{}, DriftInformation: &types.StackDriftInformation{StackDriftStatus: types.StackDriftStatusNotChecked}}
	if st.Timeout > 0 {
		out.TimeoutInMinutes = aws.Int32(st.Timeout)
	}
	if out.NotificationARNs == nil {
		out.NotificationARNs = []string{}
	}
	if st.Status == types.StackStatusDeleteComplete {
		out.EnableTerminationProtection, out.ChangeSetId = nil, nil
	}
	for _, t := range d.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	out.Parameters = s.shownParameters(d)
	if t, err := s.read(d); err == nil {
		out.Description = some(t.Description)
	}
	for _, o := range st.Outputs {
		out.Outputs = append(out.Outputs, types.Output{OutputKey: aws.String(o.Key), OutputValue: aws.String(o.Value), Description: some(o.Description), ExportName: some(o.Export)})
	}
	return out
}

// shownParameters hides what NoEcho asks to hide.
func (s *Service) shownParameters(d definition) []types.Parameter {
	if len(d.Parameters) == 0 {
		return nil
	}
	t, err := s.read(d)
	if err != nil {
		return nil
	}
	var out []types.Parameter
	for _, p := range t.Parameters {
		value, ok := d.Parameters[p.Name]
		if !ok {
			continue
		}
		if p.NoEcho {
			value = "****"
		}
		out = append(out, types.Parameter{ParameterKey: aws.String(p.Name), ParameterValue: aws.String(value)})
	}
	return out
}

// ListStacks implements the API's operation.
func (s *Service) ListStacks(_ context.Context, in *cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) {
	var all []types.StackSummary
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, st := range s.stacks.Ascend(tx, "") {
			if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, st.Status) {
				continue
			}
			all = append(all, types.StackSummary{StackId: aws.String(st.ID), StackName: aws.String(st.Name), StackStatus: st.Status,
				StackStatusReason: some(st.Reason), CreationTime: aws.Time(st.Created), LastUpdatedTime: moment(st.Updated),
				DeletionTime: moment(st.Deleted), ParentId: some(st.Parent), RootId: some(st.Root),
				DriftInformation: &types.StackDriftInformationSummary{StackDriftStatus: types.StackDriftStatusNotChecked}})
		}
	})
	slices.SortStableFunc(all, func(a, b types.StackSummary) int { return b.CreationTime.Compare(*a.CreationTime) })
	items, next, err := page(all, in.NextToken)
	return &cloudformation.ListStacksOutput{StackSummaries: items, NextToken: next}, err
}

// listed returns a stack's resources, in the order of their logical ids.
func (s *Service) listed(tx *store.Tx, st stack) []resource {
	var all []resource
	for _, rec := range s.resources.Prefix(tx, st.ID+"|") {
		all = append(all, rec)
	}
	slices.SortFunc(all, func(a, b resource) int { return strings.Compare(a.Logical, b.Logical) })
	return all
}

// ListStackResources implements the API's operation.
func (s *Service) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
	name := aws.ToString(in.StackName)
	var all []types.StackResourceSummary
	var err error
	s.cfg.Store.View(func(tx *store.Tx) {
		st, ok := s.find(tx, name)
		if !ok {
			err = invalid("Stack with id %s does not exist", name)
			return
		}
		for _, rec := range s.listed(tx, st) {
			all = append(all, types.StackResourceSummary{LogicalResourceId: aws.String(rec.Logical), PhysicalResourceId: some(rec.Physical),
				ResourceType: aws.String(rec.Type), ResourceStatus: rec.Status, ResourceStatusReason: some(rec.Reason),
				LastUpdatedTimestamp: aws.Time(rec.Updated),
				DriftInformation:     &types.StackResourceDriftInformationSummary{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked}})
		}
	})
	if err != nil {
		return nil, err
	}
	items, next, err := page(all, in.NextToken)
	return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: items, NextToken: next}, err
}

// DescribeStackResources implements the API's operation.
func (s *Service) DescribeStackResources(_ context.Context, in *cloudformation.DescribeStackResourcesInput) (*cloudformation.DescribeStackResourcesOutput, error) {
	out := &cloudformation.DescribeStackResourcesOutput{StackResources: []types.StackResource{}}
	var err error
	s.cfg.Store.View(func(tx *store.Tx) {
		var st stack
		var ok bool
		switch {
		case in.StackName != nil:
			if st, ok = s.find(tx, *in.StackName); !ok {
				err = invalid("Stack with id %s does not exist", *in.StackName)
			}
		case in.PhysicalResourceId != nil:
			if st, ok = s.owner(tx, *in.PhysicalResourceId); !ok {
				err = invalid("Stack for %s does not exist", *in.PhysicalResourceId)
			}
		default:
			err = invalid("At least one of the following parameters should be specified: StackName, PhysicalResourceId")
		}
		if err != nil {
			return
		}
		for _, rec := range s.listed(tx, st) {
			if in.LogicalResourceId != nil && rec.Logical != *in.LogicalResourceId {
				continue
			}
			out.StackResources = append(out.StackResources, types.StackResource{StackId: aws.String(st.ID), StackName: aws.String(st.Name),
				LogicalResourceId: aws.String(rec.Logical), PhysicalResourceId: some(rec.Physical), ResourceType: aws.String(rec.Type),
				ResourceStatus: rec.Status, ResourceStatusReason: some(rec.Reason), Timestamp: aws.Time(rec.Updated),
				DriftInformation: &types.StackResourceDriftInformation{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked}})
		}
		if in.LogicalResourceId != nil && len(out.StackResources) == 0 {
			err = invalid("Resource %s does not exist for stack %s", *in.LogicalResourceId, aws.ToString(in.StackName))
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// owner finds the living stack that has a resource.
func (s *Service) owner(tx *store.Tx, physical string) (stack, bool) {
	for k, rec := range s.resources.Ascend(tx, "") {
		if rec.Physical != physical || isDeleted(rec) {
			continue
		}
		id, _, _ := cutImport(k)
		if st, ok := s.stacks.Get(tx, id); ok && st.Status != types.StackStatusDeleteComplete {
			return st, true
		}
	}
	return stack{}, false
}

// DescribeStackResource implements the API's operation.
func (s *Service) DescribeStackResource(_ context.Context, in *cloudformation.DescribeStackResourceInput) (*cloudformation.DescribeStackResourceOutput, error) {
	name, logical := aws.ToString(in.StackName), aws.ToString(in.LogicalResourceId)
	var st stack
	var rec resource
	var found, has bool
	s.cfg.Store.View(func(tx *store.Tx) {
		if st, found = s.find(tx, name); found {
			rec, has = s.resources.Get(tx, key(st.ID, logical))
		}
	})
	switch {
	case !found:
		return nil, invalid("Stack '%s' does not exist", name)
	case !has:
		return nil, invalid("Resource %s does not exist for stack %s", logical, name)
	}
	metadata := "{}"
	if len(rec.Metadata) > 0 {
		metadata = string(rec.Metadata)
	}
	return &cloudformation.DescribeStackResourceOutput{StackResourceDetail: &types.StackResourceDetail{StackId: aws.String(st.ID),
		StackName: aws.String(st.Name), LogicalResourceId: aws.String(rec.Logical), PhysicalResourceId: some(rec.Physical),
		ResourceType: aws.String(rec.Type), ResourceStatus: rec.Status, ResourceStatusReason: some(rec.Reason),
		LastUpdatedTimestamp: aws.Time(rec.Updated), Metadata: aws.String(metadata),
		DriftInformation: &types.StackResourceDriftInformation{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked}}}, nil
}

// UpdateTerminationProtection implements the API's operation.
func (s *Service) UpdateTerminationProtection(ctx context.Context, in *cloudformation.UpdateTerminationProtectionInput) (*cloudformation.UpdateTerminationProtectionOutput, error) {
	st, err := s.amend(ctx, aws.ToString(in.StackName), func(st *stack) { st.Protected = aws.ToBool(in.EnableTerminationProtection) })
	if err != nil {
		return nil, err
	}
	return &cloudformation.UpdateTerminationProtectionOutput{StackId: aws.String(st.ID)}, nil
}

// amend changes something of a living stack that is no operation.
func (s *Service) amend(ctx context.Context, name string, f func(*stack)) (st stack, err error) {
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		var ok bool
		if st, ok = s.find(tx, name); !ok || st.Status == types.StackStatusDeleteComplete {
			return invalid("Stack [%s] does not exist", name)
		}
		f(&st)
		s.stacks.Put(tx, st.ID, st)
		return nil
	})
	return st, err
}
