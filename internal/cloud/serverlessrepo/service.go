// Package serverlessrepo answers: which applications are published in the Serverless Application Repository, and what is
// deployed of them?
//
// An application's name, and what describes it, stay or are updated; a version, once it is there, never changes. What a version
// is made of (its template, and the code that the template names) is copied into a bucket of the repository's own when the version
// is published, so that it can be deployed when the publisher's bucket is long gone. One repository holds all regions'
// applications: an ARN leads to them from everywhere.
//
// There is one account here: policies are kept, checked and shown, and keep nobody out.
package serverlessrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/paging"
	"evo/internal/cloud/store"
)

// Config is what a Repository is made of.
type Config struct {
	Store   *store.DB
	Clock   clock.Clock
	Objects Objects
	// ObjectURL is where an object can be fetched by those whom an answer tells of it.
	ObjectURL func(bucket, key string) string
}

// Repository holds the published applications. Use [New].
type Repository struct {
	cfg          Config
	applications *store.Table[application]  // by ARN
	versions     *store.Table[version]      // by ARN and semantic version
	templates    *store.Table[madeTemplate] // by id
	publishing   sync.Mutex                 // held while a version's objects are written
}

// application is what a publisher says of an application.
type application struct {
	ARN, Name, Author, Description string
	HomePage, License              *string
	Labels                         []string
	LicenseKey, ReadmeKey          string // objects; empty: none
	Created                        time.Time
	Policy                         []types.ApplicationPolicyStatement
}

// New returns the repository with what the store holds.
func New(c Config) (*Repository, error) {
	if c.Store == nil || c.Clock == nil || c.Objects == nil || c.ObjectURL == nil {
		return nil, errors.New("serverlessrepo: a store, a clock, objects and their URLs are needed")
	}
	return &Repository{
		cfg:          c,
		applications: store.NewTable[application](c.Store, "serverlessrepo/applications"),
		versions:     store.NewTable[version](c.Store, "serverlessrepo/versions"),
		templates:    store.NewTable[madeTemplate](c.Store, "serverlessrepo/templates"),
	}, nil
}

// Stacks is what is needed of CloudFormation.
type Stacks interface {
	CreateChangeSet(context.Context, *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error)
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error)
}

// Service is the repository as one region sees it.
type Service struct {
	*Repository
	region string
	stacks Stacks
}

// In returns the repository as a region sees it, whose CloudFormation deploys what is in it.
func (r *Repository) In(region string, stacks Stacks) *Service { return &Service{r, region, stacks} }

// prefix is what the ARNs of a region's applications begin with.
func (s *Service) prefix() string {
	return "arn:aws:serverlessrepo:" + s.region + ":" + call.Account + ":applications/"
}

func badRequest(format string, args ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &types.ConflictException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func notFound(format string, args ...any) error {
	return &types.NotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// application finds an application by its ARN.
func (r *Repository) application(tx *store.Tx, arn *string) (application, error) {
	a, ok := r.applications.Get(tx, aws.ToString(arn))
	if !ok {
		return a, notFound("Application with id %s does not exist", aws.ToString(arn))
	}
	return a, nil
}

// look finds an application as it is now.
func (r *Repository) look(arn *string) (a application, err error) {
	r.cfg.Store.View(func(tx *store.Tx) { a, err = r.application(tx, arn) })
	return a, err
}

// region returns the region in an application's ARN.
func (a application) region() string { return strings.Split(a.ARN, ":")[3] }

// moment writes a time as the repository does.
func moment(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

// page returns a page of a list, no two of whose elements have the same key.
func page[T any](all []T, key func(T) string, token *string, limit *int32) ([]T, *string, error) {
	some, next, err := paging.Cut(all, key, token, paging.Limit(limit, 100, 100))
	if err != nil {
		return nil, nil, badRequest("The provided nextToken is not valid")
	}
	return some, next, nil
}
