package observe

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"evo/internal/view"
)

// How the embedded cloud's notes begin. AWS gives no reason for a resource that went well.
const (
	noteStart = "evo records"
	inertType = "evo records AWS::"
)

// Resources returns a stack's resources, with what the cloud notes of them.
func (o *Observer) Resources(ctx context.Context, stack string) ([]view.Resource, error) {
	all := []view.Resource{}
	pages := cloudformation.NewListStackResourcesPaginator(o.CloudFormation, &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resources of stack %s: %w", stack, err)
		}
		for _, r := range page.StackResourceSummaries {
			v := view.Resource{LogicalID: aws.ToString(r.LogicalResourceId), PhysicalID: aws.ToString(r.PhysicalResourceId),
				Type: aws.ToString(r.ResourceType), Status: string(r.ResourceStatus), Note: aws.ToString(r.ResourceStatusReason)}
			v.Recorded = strings.HasPrefix(v.Note, inertType)
			all = append(all, v)
		}
	}
	return all, nil
}

// Inert returns the resources of a stack, and of those nested in it, that do nothing where they are, in whole or in part. Those of
// a nested stack have its logical id before their own.
func (o *Observer) Inert(ctx context.Context, stack string) ([]view.Resource, error) {
	all, err := o.Resources(ctx, stack)
	if err != nil {
		return nil, err
	}
	found := []view.Resource{}
	for _, r := range all {
		if strings.HasPrefix(r.Note, noteStart) {
			found = append(found, r)
		}
		if r.Type != "AWS::CloudFormation::Stack" || r.PhysicalID == "" {
			continue
		}
		nested, err := o.Inert(ctx, r.PhysicalID)
		if err != nil {
			return nil, err
		}
		for _, n := range nested {
			n.LogicalID = r.LogicalID + "/" + n.LogicalID
			found = append(found, n)
		}
	}
	return found, nil
}
