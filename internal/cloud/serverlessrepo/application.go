package serverlessrepo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"evo/internal/cloud/store"
)

// CreateApplication publishes an application, with its first version if there is a template and a semantic version.
func (s *Service) CreateApplication(ctx context.Context, in *api.CreateApplicationInput) (*api.CreateApplicationOutput, error) {
	if err := checkNew(in); err != nil {
		return nil, err
	}
	a := application{ARN: s.prefix() + *in.Name, Name: *in.Name, Author: *in.Author, Description: *in.Description,
		HomePage: in.HomePageUrl, License: in.SpdxLicenseId, Labels: in.Labels, Created: s.cfg.Clock.Now()}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	exists := false
	s.cfg.Store.View(func(tx *store.Tx) { _, exists = s.applications.Get(tx, a.ARN) })
	if exists {
		return nil, conflict("Application with id %s already exists", a.ARN) // clients read the ARN out of the text
	}
	v, err := s.newVersion(ctx, a, aws.ToString(in.SemanticVersion), submission{in.TemplateBody, in.TemplateUrl, in.SourceCodeUrl, in.SourceCodeArchiveUrl})
	if err != nil {
		return nil, err
	}
	if a.LicenseKey, err = s.document(ctx, a, "LICENSE", in.LicenseBody, in.LicenseUrl); err != nil {
		return nil, err
	}
	if a.ReadmeKey, err = s.document(ctx, a, "README.md", in.ReadmeBody, in.ReadmeUrl); err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		s.applications.Put(tx, a.ARN, a)
		if v != nil {
			s.versions.Put(tx, versionKey(a.ARN, v.Semantic), *v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := api.CreateApplicationOutput(*s.describe(a, v))
	return &out, nil
}

func checkNew(in *api.CreateApplicationInput) error {
	m := metadata{in.Name, in.Author, in.Description, in.HomePageUrl, in.SourceCodeUrl, in.SpdxLicenseId, in.Labels}
	if err := m.check(); err != nil {
		return err
	}
	if err := oneOf(in.LicenseBody, "licenseBody", in.LicenseUrl, "licenseUrl"); err != nil {
		return err
	}
	if in.SpdxLicenseId == nil && (in.LicenseBody != nil || in.LicenseUrl != nil) {
		return badRequest("spdxLicenseId is required when a license is provided")
	}
	return oneOf(in.ReadmeBody, "readmeBody", in.ReadmeUrl, "readmeUrl")
}

// describe writes an application, and one of its versions if there is one.
func (r *Repository) describe(a application, v *version) *api.GetApplicationOutput {
	out := &api.GetApplicationOutput{ApplicationId: &a.ARN, Name: &a.Name, Author: &a.Author, Description: &a.Description, HomePageUrl: a.HomePage,
		SpdxLicenseId: a.License, Labels: a.Labels, CreationTime: moment(a.Created), IsVerifiedAuthor: aws.Bool(false),
		LicenseUrl: r.url(a, a.LicenseKey), ReadmeUrl: r.url(a, a.ReadmeKey)}
	if out.Labels == nil {
		out.Labels = []string{}
	}
	if v != nil {
		out.Version = r.describeVersion(a, *v)
	}
	return out
}

// GetApplication describes an application and a version of it: the one asked for, or the latest.
func (s *Service) GetApplication(_ context.Context, in *api.GetApplicationInput) (out *api.GetApplicationOutput, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		var v *version
		if a, err = s.application(tx, in.ApplicationId); err != nil {
			return
		}
		if aws.ToString(in.SemanticVersion) != "" || s.latest(tx, a.ARN) != nil {
			if v, err = s.version(tx, a.ARN, in.SemanticVersion); err != nil {
				return
			}
		}
		out = s.describe(a, v)
	})
	return out, err
}

// ListApplications lists the region's applications by name.
func (s *Service) ListApplications(_ context.Context, in *api.ListApplicationsInput) (*api.ListApplicationsOutput, error) {
	all := []types.ApplicationSummary{}
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, a := range s.applications.Prefix(tx, s.prefix()) {
			all = append(all, types.ApplicationSummary{ApplicationId: &a.ARN, Name: &a.Name, Author: &a.Author, Description: &a.Description,
				HomePageUrl: a.HomePage, SpdxLicenseId: a.License, Labels: a.Labels, CreationTime: moment(a.Created)})
		}
	})
	some, next, err := page(all, func(a types.ApplicationSummary) string { return *a.ApplicationId }, in.NextToken, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &api.ListApplicationsOutput{Applications: some, NextToken: next}, nil
}

// edit changes an application.
func (s *Service) edit(ctx context.Context, arn *string, edit func(tx *store.Tx, a *application) error) (a application, err error) {
	err = s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if a, err = s.application(tx, arn); err != nil {
			return err
		}
		if err := edit(tx, &a); err != nil {
			return err
		}
		s.applications.Put(tx, a.ARN, a)
		return nil
	})
	return a, err
}

// UpdateApplication changes what is given. Name and licence stay as they were published.
func (s *Service) UpdateApplication(ctx context.Context, in *api.UpdateApplicationInput) (*api.UpdateApplicationOutput, error) {
	m := metadata{author: in.Author, description: in.Description, homePage: in.HomePageUrl, labels: in.Labels}
	if err := m.check(); err != nil {
		return nil, err
	}
	if err := oneOf(in.ReadmeBody, "readmeBody", in.ReadmeUrl, "readmeUrl"); err != nil {
		return nil, err
	}
	a, err := s.look(in.ApplicationId)
	if err != nil {
		return nil, err
	}
	readme, err := s.document(ctx, a, "README.md", in.ReadmeBody, in.ReadmeUrl)
	if err != nil {
		return nil, err
	}
	var latest *version
	a, err = s.edit(ctx, in.ApplicationId, func(tx *store.Tx, a *application) error {
		a.Author, a.Description = given(in.Author, a.Author), given(in.Description, a.Description)
		a.ReadmeKey = given(&readme, a.ReadmeKey)
		if in.HomePageUrl != nil {
			a.HomePage = in.HomePageUrl
		}
		if in.Labels != nil {
			a.Labels = in.Labels
		}
		latest = s.latest(tx, a.ARN)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := api.UpdateApplicationOutput(*s.describe(a, latest))
	return &out, nil
}

// given returns the new value if there is one.
func given(value *string, old string) string {
	if aws.ToString(value) == "" {
		return old
	}
	return *value
}

// DeleteApplication forgets an application, its versions and their code. Stacks that were made of it stay.
func (s *Service) DeleteApplication(ctx context.Context, in *api.DeleteApplicationInput) (*api.DeleteApplicationOutput, error) {
	var a application
	err := s.cfg.Store.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if a, err = s.application(tx, in.ApplicationId); err != nil {
			return err
		}
		s.applications.Delete(tx, a.ARN)
		for key := range s.versions.Prefix(tx, versionKey(a.ARN, "")) {
			s.versions.Delete(tx, key)
		}
		for id, t := range s.templates.Ascend(tx, "") {
			if t.Application == a.ARN {
				s.templates.Delete(tx, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteApplicationOutput{}, s.removeObjects(ctx, a)
}
