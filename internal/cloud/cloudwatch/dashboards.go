package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/store"
)

type dashboard struct {
	Body     string
	Modified time.Time
}

var dashboardName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func dashboardARN(name string) *string {
	return new("arn:aws:cloudwatch::" + call.Account + ":dashboard/" + name)
}

// PutDashboard stores a dashboard; its body must be a JSON object.
func (s *Service) PutDashboard(ctx context.Context, in *cloudwatch.PutDashboardInput) (*cloudwatch.PutDashboardOutput, error) {
	name := aws.ToString(in.DashboardName)
	if !dashboardName.MatchString(name) {
		return nil, invalidValue("The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).\n")
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(in.DashboardBody)), &body); err != nil {
		return nil, &types.DashboardInvalidInputError{
			Message:                     new("The field DashboardBody must be a valid JSON object"),
			DashboardValidationMessages: []types.DashboardValidationMessage{{Message: new("The field DashboardBody must be a valid JSON object: " + err.Error())}},
		}
	}
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.dashboards.Put(tx, name, dashboard{aws.ToString(in.DashboardBody), s.Clock.Now()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatch.PutDashboardOutput{DashboardValidationMessages: []types.DashboardValidationMessage{}}, nil
}

func dashboardNotFound(name string) error {
	return &types.DashboardNotFoundError{Message: new(fmt.Sprintf("Dashboard %s does not exist", name))}
}

// GetDashboard returns a dashboard.
func (s *Service) GetDashboard(_ context.Context, in *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
	var d dashboard
	var ok bool
	s.Store.View(func(tx *store.Tx) { d, ok = s.dashboards.Get(tx, aws.ToString(in.DashboardName)) })
	if !ok {
		return nil, dashboardNotFound(aws.ToString(in.DashboardName))
	}
	return &cloudwatch.GetDashboardOutput{DashboardArn: dashboardARN(*in.DashboardName), DashboardName: in.DashboardName, DashboardBody: new(d.Body)}, nil
}

// ListDashboards lists dashboards by name.
func (s *Service) ListDashboards(_ context.Context, in *cloudwatch.ListDashboardsInput) (*cloudwatch.ListDashboardsOutput, error) {
	out := &cloudwatch.ListDashboardsOutput{DashboardEntries: []types.DashboardEntry{}}
	s.Store.View(func(tx *store.Tx) {
		for name, d := range s.dashboards.Prefix(tx, aws.ToString(in.DashboardNamePrefix)) {
			out.DashboardEntries = append(out.DashboardEntries, types.DashboardEntry{
				DashboardName: new(name), DashboardArn: dashboardARN(name), LastModified: new(d.Modified), Size: new(int64(len(d.Body))),
			})
		}
	})
	return out, nil
}

// DeleteDashboards deletes all of the dashboards, or none if one of them does not exist.
func (s *Service) DeleteDashboards(ctx context.Context, in *cloudwatch.DeleteDashboardsInput) (*cloudwatch.DeleteDashboardsOutput, error) {
	err := s.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, name := range in.DashboardNames {
			if !s.dashboards.Delete(tx, name) {
				return dashboardNotFound(name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatch.DeleteDashboardsOutput{}, nil
}
