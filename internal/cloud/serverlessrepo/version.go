package serverlessrepo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"
	"golang.org/x/mod/semver"

	"evo/internal/cloud/store"
)

// version is a published version of an application. It never changes.
type version struct {
	Semantic    string
	Created     time.Time
	SourceCode  *string
	ArchiveKey  string // an object; empty: none
	TemplateKey string
	Says        facts
}

func versionKey(arn, semantic string) string { return arn + "|" + semantic }

// isSemantic tells whether a text is a whole semantic version: three numbers, and what may follow them.
func isSemantic(text string) bool {
	v := "v" + text
	return semver.IsValid(v) && semver.Canonical(v)+semver.Build(v) == v
}

// compare orders by precedence, and versions that differ only in their build by that.
func compare(a, b version) int {
	return cmp.Or(semver.Compare("v"+a.Semantic, "v"+b.Semantic), cmp.Compare(a.Semantic, b.Semantic))
}

// versionsOf returns an application's versions, the lowest first.
func (r *Repository) versionsOf(tx *store.Tx, arn string) (all []version) {
	for _, v := range r.versions.Prefix(tx, versionKey(arn, "")) {
		all = append(all, v)
	}
	slices.SortFunc(all, compare)
	return all
}

// latest is the highest version of an application; nil if there is none.
func (r *Repository) latest(tx *store.Tx, arn string) *version {
	all := r.versionsOf(tx, arn)
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

// version finds the version asked for; no version, or an empty one, asks for the latest.
func (r *Repository) version(tx *store.Tx, arn string, semantic *string) (*version, error) {
	if aws.ToString(semantic) == "" {
		if v := r.latest(tx, arn); v != nil {
			return v, nil
		}
		return nil, notFound("Application %s does not have any versions", arn)
	}
	v, ok := r.versions.Get(tx, versionKey(arn, *semantic))
	if !ok {
		return nil, notFound("Application %s does not have a version %s", arn, *semantic)
	}
	return &v, nil
}

// submission is what a version is to be made of.
type submission struct{ body, url, source, archive *string }

// newVersion checks what a version is to be made of, and copies it into the repository. Without a semantic version, or a template,
// there is none: nil. The caller holds publishing.
func (s *Service) newVersion(ctx context.Context, a application, semantic string, sub submission) (*version, error) {
	text, err := s.text(ctx, "template", sub.body, sub.url, maxTemplate)
	switch {
	case err != nil:
		return nil, err
	case semantic == "" && text == "":
		return nil, nil
	case text == "":
		return nil, badRequest("Either templateBody or templateUrl is required to publish a version")
	case semantic != "" && !isSemantic(semantic):
		return nil, badRequest("Invalid semantic version '%s': it must have the form of https://semver.org", semantic)
	}
	root, says, err := s.read(text)
	if err != nil || semantic == "" { // without a version, the template is looked at only
		return nil, err
	}
	v := &version{Semantic: semantic, Created: s.cfg.Clock.Now(), SourceCode: sub.source, Says: says}
	if v.TemplateKey, v.ArchiveKey, err = s.store(ctx, a, semantic, root, sub.archive); err != nil {
		return nil, err
	}
	return v, nil
}

// CreateApplicationVersion publishes a version.
func (s *Service) CreateApplicationVersion(ctx context.Context, in *api.CreateApplicationVersionInput) (*api.CreateApplicationVersionOutput, error) {
	if err := (metadata{sourceCode: in.SourceCodeUrl}).check(); err != nil {
		return nil, err
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	var a application
	var err error
	exists := false
	s.cfg.Store.View(func(tx *store.Tx) {
		if a, err = s.application(tx, in.ApplicationId); err == nil {
			_, exists = s.versions.Get(tx, versionKey(a.ARN, *in.SemanticVersion))
		}
	})
	switch {
	case err != nil:
		return nil, err
	case exists:
		return nil, conflict("Cannot publish version %s for application %s because it already exists", *in.SemanticVersion, a.ARN)
	}
	v, err := s.newVersion(ctx, a, *in.SemanticVersion, submission{in.TemplateBody, in.TemplateUrl, in.SourceCodeUrl, in.SourceCodeArchiveUrl})
	if err != nil {
		return nil, err
	}
	_, err = s.edit(ctx, in.ApplicationId, func(tx *store.Tx, a *application) error {
		s.versions.Put(tx, versionKey(a.ARN, v.Semantic), *v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := s.describeVersion(a, *v)
	return &api.CreateApplicationVersionOutput{ApplicationId: d.ApplicationId, CreationTime: d.CreationTime, ParameterDefinitions: d.ParameterDefinitions,
		RequiredCapabilities: d.RequiredCapabilities, ResourcesSupported: d.ResourcesSupported, SemanticVersion: d.SemanticVersion,
		SourceCodeArchiveUrl: d.SourceCodeArchiveUrl, SourceCodeUrl: d.SourceCodeUrl, TemplateUrl: d.TemplateUrl}, nil
}

func (r *Repository) describeVersion(a application, v version) *types.Version {
	return &types.Version{ApplicationId: &a.ARN, SemanticVersion: &v.Semantic, CreationTime: moment(v.Created), ParameterDefinitions: v.Says.Parameters,
		RequiredCapabilities: v.Says.Capabilities, ResourcesSupported: &v.Says.Supported, SourceCodeUrl: v.SourceCode,
		SourceCodeArchiveUrl: r.url(a, v.ArchiveKey), TemplateUrl: r.url(a, v.TemplateKey)}
}

// ListApplicationVersions lists an application's versions, the lowest first.
func (s *Service) ListApplicationVersions(_ context.Context, in *api.ListApplicationVersionsInput) (*api.ListApplicationVersionsOutput, error) {
	var err error
	all := []types.VersionSummary{}
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		if a, err = s.application(tx, in.ApplicationId); err != nil {
			return
		}
		for _, v := range s.versionsOf(tx, a.ARN) {
			all = append(all, types.VersionSummary{ApplicationId: &a.ARN, SemanticVersion: &v.Semantic, CreationTime: moment(v.Created), SourceCodeUrl: v.SourceCode})
		}
	})
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, func(v types.VersionSummary) string { return *v.SemanticVersion }, in.NextToken, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &api.ListApplicationVersionsOutput{Versions: some, NextToken: next}, nil
}

// ListApplicationDependencies lists the applications that a version nests, and those that they nest, each once.
func (s *Service) ListApplicationDependencies(_ context.Context, in *api.ListApplicationDependenciesInput) (*api.ListApplicationDependenciesOutput, error) {
	var err error
	all := []types.ApplicationDependencySummary{}
	s.cfg.Store.View(func(tx *store.Tx) {
		var a application
		var v *version
		if a, err = s.application(tx, in.ApplicationId); err != nil {
			return
		}
		if v, err = s.version(tx, a.ARN, in.SemanticVersion); err == nil {
			all = s.nested(tx, *v, all)
		}
	})
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, dependencyKey, in.NextToken, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &api.ListApplicationDependenciesOutput{Dependencies: some, NextToken: next}, nil
}

func dependencyKey(d types.ApplicationDependencySummary) string {
	return versionKey(*d.ApplicationId, *d.SemanticVersion)
}

// nested adds what a version nests to those that are known already.
func (r *Repository) nested(tx *store.Tx, v version, known []types.ApplicationDependencySummary) []types.ApplicationDependencySummary {
	for _, d := range v.Says.Nested {
		if slices.ContainsFunc(known, func(k types.ApplicationDependencySummary) bool { return dependencyKey(k) == dependencyKey(d) }) {
			continue
		}
		known = append(known, d)
		if inner, ok := r.versions.Get(tx, dependencyKey(d)); ok {
			known = r.nested(tx, inner, known)
		}
	}
	return known
}
