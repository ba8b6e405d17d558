package codedeploy

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/id"
	"evo/internal/cloud/store"
)

type application struct {
	ID       string
	Name     string
	Platform types.ComputePlatform
	Created  time.Time
}

// namePattern holds for the names of applications, groups and configurations. It keeps "/" free for keys.
var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._+=,@-]{1,100}$`) })

func checkApplicationName(name *string) (string, error) {
	switch {
	case aws.ToString(name) == "":
		return "", &types.ApplicationNameRequiredException{Message: aws.String("The application name is required.")}
	case !namePattern().MatchString(*name):
		return "", &types.InvalidApplicationNameException{Message: aws.String("The application name is invalid: " + *name)}
	}
	return *name, nil
}

func (s *Service) application(tx *store.Tx, name *string) (application, error) {
	n, err := checkApplicationName(name)
	if err != nil {
		return application{}, err
	}
	a, ok := s.applications.Get(tx, n)
	if !ok {
		return application{}, &types.ApplicationDoesNotExistException{Message: aws.String("No application found for name: " + n)}
	}
	return a, nil
}

// CreateApplication records an application; without a platform it is one for servers, as on AWS.
func (s *Service) CreateApplication(ctx context.Context, in *codedeploy.CreateApplicationInput) (*codedeploy.CreateApplicationOutput, error) {
	name, err := checkApplicationName(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	platform := in.ComputePlatform
	switch platform {
	case "":
		platform = types.ComputePlatformServer
	case types.ComputePlatformLambda, types.ComputePlatformEcs, types.ComputePlatformServer:
	default:
		return nil, &types.InvalidComputePlatformException{Message: aws.String("The compute platform is invalid: " + string(platform))}
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	made := application{ID: id.UUIDFrom(s.cfg.Rand), Name: name, Platform: platform, Created: s.cfg.Clock.Now()}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, exists := s.applications.Get(tx, name); exists {
			return &types.ApplicationAlreadyExistsException{Message: aws.String("Application already exists: " + name)}
		}
		s.applications.Put(tx, name, made)
		s.putTags(tx, s.arn("application", name), tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.CreateApplicationOutput{ApplicationId: &made.ID}, nil
}

// GetApplication describes an application.
func (s *Service) GetApplication(_ context.Context, in *codedeploy.GetApplicationInput) (_ *codedeploy.GetApplicationOutput, err error) {
	var a application
	s.cfg.Store.View(func(tx *store.Tx) { a, err = s.application(tx, in.ApplicationName) })
	if err != nil {
		return nil, err
	}
	info := a.info()
	return &codedeploy.GetApplicationOutput{Application: &info}, nil
}

func (a application) info() types.ApplicationInfo {
	return types.ApplicationInfo{ApplicationId: &a.ID, ApplicationName: &a.Name, ComputePlatform: a.Platform, CreateTime: &a.Created}
}

// BatchGetApplications describes several applications.
func (s *Service) BatchGetApplications(_ context.Context, in *codedeploy.BatchGetApplicationsInput) (_ *codedeploy.BatchGetApplicationsOutput, err error) {
	if err := checkBatch(len(in.ApplicationNames), 100); err != nil {
		return nil, err
	}
	out := new(codedeploy.BatchGetApplicationsOutput)
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, name := range in.ApplicationNames {
			var a application
			if a, err = s.application(tx, &name); err != nil {
				return
			}
			out.ApplicationsInfo = append(out.ApplicationsInfo, a.info())
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkBatch(n, limit int) error {
	if n > limit {
		return &types.BatchLimitExceededException{Message: aws.String("The maximum number of names or IDs allowed for this request was exceeded.")}
	}
	return nil
}

// ListApplications lists the applications' names in order.
func (s *Service) ListApplications(_ context.Context, in *codedeploy.ListApplicationsInput) (*codedeploy.ListApplicationsOutput, error) {
	var names []string
	s.cfg.Store.View(func(tx *store.Tx) {
		for name := range s.applications.Ascend(tx, "") {
			names = append(names, name)
		}
	})
	names, next, err := page(names, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListApplicationsOutput{Applications: names, NextToken: next}, nil
}

// UpdateApplication gives an application another name.
func (s *Service) UpdateApplication(ctx context.Context, in *codedeploy.UpdateApplicationInput) (*codedeploy.UpdateApplicationOutput, error) {
	if in.NewApplicationName == nil {
		return &codedeploy.UpdateApplicationOutput{}, nil
	}
	to, err := checkApplicationName(in.NewApplicationName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.application(tx, in.ApplicationName)
		if err != nil || a.Name == to {
			return err
		}
		if _, taken := s.applications.Get(tx, to); taken {
			return &types.ApplicationAlreadyExistsException{Message: aws.String("Application already exists: " + to)}
		}
		s.renameApplication(tx, a, to)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.UpdateApplicationOutput{}, nil
}

func (s *Service) renameApplication(tx *store.Tx, a application, to string) {
	from := a.Name
	s.applications.Delete(tx, from)
	a.Name = to
	s.applications.Put(tx, to, a)
	s.moveTags(tx, s.arn("application", from), s.arn("application", to))
	for key, g := range s.groups.Prefix(tx, from+"/") {
		s.groups.Delete(tx, key)
		g.Application = to
		s.groups.Put(tx, g.key(), g)
		s.moveTags(tx, s.arn("deploymentgroup", key), s.arn("deploymentgroup", g.key()))
	}
	for key, r := range s.revisions.Prefix(tx, from+"/") {
		s.revisions.Delete(tx, key)
		s.revisions.Put(tx, to+strings.TrimPrefix(key, from), r)
	}
	for id, d := range s.deployments.Ascend(tx, "") {
		if d.Application == from {
			d.Application = to
			s.deployments.Put(tx, id, d)
		}
	}
}

// DeleteApplication removes an application and its groups. Deployments under way go on: they know what they need.
func (s *Service) DeleteApplication(ctx context.Context, in *codedeploy.DeleteApplicationInput) (*codedeploy.DeleteApplicationOutput, error) {
	name, err := checkApplicationName(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		s.applications.Delete(tx, name)
		s.tags.Delete(tx, s.arn("application", name))
		for key := range s.groups.Prefix(tx, name+"/") {
			s.groups.Delete(tx, key)
			s.tags.Delete(tx, s.arn("deploymentgroup", key))
		}
		for key := range s.revisions.Prefix(tx, name+"/") {
			s.revisions.Delete(tx, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codedeploy.DeleteApplicationOutput{}, nil
}

// onlyLambda refuses what would need another compute platform.
func (a application) onlyLambda(what string) error {
	if a.Platform == types.ComputePlatformLambda {
		return nil
	}
	return call.Errorf("OperationNotSupportedException", "%s: application %s has compute platform %s, and only Lambda is there in the embedded cloud", what, a.Name, a.Platform)
}
