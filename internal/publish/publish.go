// Package publish answers: how does a packaged template become an application in the Serverless Application Repository, and how
// does one that is there become a project again?
package publish

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"evo/internal/cfn"
)

// What publishing did, in SAM CLI's words.
const (
	Created        = "CREATE_APPLICATION"
	Updated        = "UPDATE_APPLICATION"
	VersionCreated = "CREATE_APPLICATION_VERSION"
)

// Outcome is what publishing came to.
type Outcome struct {
	ApplicationID string
	Actions       []string
	SameVersion   bool      // the version was there already, and stays as it is
	Details       *cfn.Node // what of the application's description was published now
}

// SameVersionError says that a version was to be new, and is not.
type SameVersionError struct{ ApplicationID, Version string }

func (e *SameVersionError) Error() string {
	return fmt.Sprintf("publish version %s of %s: there is such a version already", e.Version, e.ApplicationID)
}

// Hint says what a person can do.
func (e *SameVersionError) Hint() string {
	return "a published version never changes: raise SemanticVersion in the template, or name another with --semantic-version"
}

// ErrNoVersion says that nothing tells which version was to be new.
var ErrNoVersion = errors.New("a new version is asked for, and there is no semantic version: give one in the template's metadata, or with --semantic-version")

// Publish creates the application, or updates the one that there is of the name, and creates its version. With mustBeNew, a version
// that is there already is an error, before anything is changed.
func Publish(ctx context.Context, client *sar.Client, a *Application, mustBeNew bool) (*Outcome, error) {
	out, err := client.CreateApplication(ctx, &sar.CreateApplicationInput{Name: &a.Name, Author: &a.Author, Description: &a.Description,
		HomePageUrl: orNil(a.HomePageURL), Labels: a.Labels, LicenseBody: orNil(a.LicenseBody), LicenseUrl: orNil(a.LicenseURL), ReadmeBody: orNil(a.ReadmeBody),
		ReadmeUrl: orNil(a.ReadmeURL), SemanticVersion: orNil(a.SemanticVersion), SourceCodeUrl: orNil(a.SourceCodeURL), SpdxLicenseId: orNil(a.SPDXLicense),
		TemplateBody: &a.Template})
	if err == nil {
		return &Outcome{ApplicationID: aws.ToString(out.ApplicationId), Actions: []string{Created}, Details: a.Details}, nil
	}
	var exists *types.ConflictException
	if !errors.As(err, &exists) {
		return nil, refused(err)
	}
	id, err := existing(ctx, client, a.Name, exists.ErrorMessage())
	if err != nil {
		return nil, err
	}
	if mustBeNew {
		if err := isNew(ctx, client, id, a.SemanticVersion); err != nil {
			return nil, err
		}
	}
	return update(ctx, client, id, a)
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

var applicationARN = regexp.MustCompile(`arn:[\w-]+:serverlessrepo:[\w-]+:[0-9]+:applications/[^\s"',]+`)

// existing finds the ARN of an application that is there: in the repository's refusal to create it, or, where that names it only, in
// the list.
func existing(ctx context.Context, client *sar.Client, name, refusal string) (string, error) {
	if arn := applicationARN.FindString(refusal); arn != "" {
		return arn, nil
	}
	pages := sar.NewListApplicationsPaginator(client, &sar.ListApplicationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("find application %s: %w", name, err)
		}
		for _, a := range page.Applications {
			if aws.ToString(a.Name) == name {
				return aws.ToString(a.ApplicationId), nil
			}
		}
	}
	return "", fmt.Errorf("find application %s: the repository says that there is one (%s), and lists none", name, refusal)
}

func isNew(ctx context.Context, client *sar.Client, id, version string) error {
	if version == "" {
		return ErrNoVersion
	}
	_, err := client.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: &id, SemanticVersion: &version})
	var missing *types.NotFoundException
	switch {
	case err == nil:
		return &SameVersionError{id, version}
	case errors.As(err, &missing):
		return nil
	}
	return err
}

// What can be updated, and what a new version brings.
var (
	updatable = []string{"Author", "Description", "HomePageUrl", "Labels", "ReadmeUrl", "ReadmeBody"}
	versioned = []string{"SemanticVersion", "SourceCodeUrl"}
)

func update(ctx context.Context, client *sar.Client, id string, a *Application) (*Outcome, error) {
	_, err := client.UpdateApplication(ctx, &sar.UpdateApplicationInput{ApplicationId: &id, Author: &a.Author, Description: &a.Description,
		HomePageUrl: orNil(a.HomePageURL), Labels: a.Labels, ReadmeBody: orNil(a.ReadmeBody), ReadmeUrl: orNil(a.ReadmeURL)})
	if err != nil {
		return nil, refused(err)
	}
	out, published := &Outcome{ApplicationID: id, Actions: []string{Updated}}, updatable
	if a.SemanticVersion != "" {
		_, err := client.CreateApplicationVersion(ctx, &sar.CreateApplicationVersionInput{ApplicationId: &id, SemanticVersion: &a.SemanticVersion,
			SourceCodeUrl: orNil(a.SourceCodeURL), TemplateBody: &a.Template})
		var exists *types.ConflictException
		switch {
		case errors.As(err, &exists):
			out.SameVersion = true
		case err != nil:
			return nil, refused(err)
		default:
			out.Actions, published = append(out.Actions, VersionCreated), append(slices.Clone(updatable), versioned...)
		}
	}
	out.Details = cfn.Obj()
	for _, p := range a.Details.Entries() {
		if slices.Contains(published, p.Key) {
			out.Details.Set(p.Key, p.Value)
		}
	}
	return out, nil
}

// hinted is an error with what a person can do about it.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }
func (e *hinted) Hint() string  { return e.hint }

var unreadable = regexp.MustCompile(`bucket=(.+?), key=(.+)$`)

// refused adds to a refusal what can be done about it.
func refused(err error) error {
	var bad *types.BadRequestException
	if !errors.As(err, &bad) {
		return err
	}
	said := bad.ErrorMessage()
	if strings.Contains(said, "Invalid S3 URI") {
		return &hinted{err, PackageFirst}
	}
	if m := unreadable.FindStringSubmatch(said); m != nil && strings.Contains(said, "Access denied") {
		return &hinted{err, fmt.Sprintf("the policy of bucket %s must let the service serverlessrepo.amazonaws.com do s3:GetObject on its objects (a bucket made by --resolve-s3 does)", m[1])}
	}
	return err
}
