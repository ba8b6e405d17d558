// Package lambda answers: what does AWS Lambda's API do with a function?
//
// [Service] keeps functions, their versions, aliases, permissions and layers in the store, and has them run by a [Runner]
// (package sandbox) in processes of their own. It is one region's Lambda.
//
// A version is immutable once published; $LATEST is the version that can still change. An alias points to one version, or to
// two with a weight: each invocation draws for itself which of them it gets. An asynchronous invocation is an entry in the
// store's queue, so that what was accepted is run, retried, and sent on to its destination also across restarts.
//
// Functions and updates are ready at once; the answers to the calls that make them still say Pending and InProgress, as AWS's
// do, so that clients which wait see what they expect.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
)

// Config gives a service what it needs. Store, Clock, Dir and Runner are required.
type Config struct {
	Region string // empty is us-east-1
	Store  *store.DB
	Clock  clock.Clock
	Dir    string // for the code of functions and layers; each region has a folder of its own in it
	Runner Runner

	Objects     Objects                  // where S3 code comes from; nil: code must come with the call
	Credentials Credentials              // nil: functions run without credentials
	Roles       Roles                    // nil: every role will do
	Metrics     Metrics                  // nil: nobody counts
	Logs        Logs                     // nil: nobody keeps the logs
	Targets     Targets                  // nil: destinations other than functions cannot be reached
	Endpoint    func() string            // where functions find the cloud; nil: at AWS
	CodeURL     func(hash string) string // where a client can download code (see Service.Code); nil: nowhere
	Random      func() float64           // uniform in [0,1), safe for concurrent use; nil: a good source of its own
	Report      func(error)              // gets what goes wrong where no caller can be told; nil: dropped
}

// Runner runs functions. It is package sandbox's Sandbox, or in tests plain Go.
type Runner interface {
	Invoke(context.Context, *sandbox.Function, sandbox.Invocation) (*sandbox.Result, error)
	Retire(key string)
}

// Objects reads code from S3.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Credentials are those of a function's role.
type Credentials interface {
	ForRole(ctx context.Context, roleARN string) (accessKey, secret, token string, expires time.Time, err error)
}

// Roles says whether Lambda may assume a role.
type Roles interface {
	Assumable(ctx context.Context, roleARN, service string) bool
}

// Metrics takes data points. It is called from one goroutine, and may take its time.
type Metrics interface {
	Record(ctx context.Context, namespace string, data []Datum) error
}

// Datum is a data point of a metric.
type Datum struct {
	Name       string
	Unit       string // as CloudWatch names it
	Dimensions []Dimension
	At         time.Time
	Value      float64
}

// Dimension is a name and a value that tell metrics apart.
type Dimension struct{ Name, Value string }

// Logs takes the lines of functions' log streams, and makes groups and streams where they lack. It is called from one
// goroutine, and may take its time.
type Logs interface {
	Put(ctx context.Context, group, stream string, events []sandbox.Event) error
}

// Targets delivers to destinations that are not functions: queues, topics, buses. Attributes go with a dead letter.
type Targets interface {
	Deliver(ctx context.Context, arn string, body []byte, attributes map[string]string) error
}

// Service is AWS Lambda in one region.
type Service struct {
	cfg    Config
	tables tables
	limits limiter
	record *recorder
	async  *dispatcher

	invocations *invocations
	grants      grants
	runOnce     sync.Map // of version keys to what is run: *sandbox.Function
}

// New makes a service. Nothing runs before Start.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Clock == nil || cfg.Runner == nil || cfg.Dir == "" {
		return nil, errors.New("make lambda: store, clock, runner and folder are required")
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("make lambda: %w", err)
	}
	cfg.Dir = filepath.Join(dir, cfg.Region)
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Report == nil {
		cfg.Report = func(error) {}
	}
	s := &Service{cfg: cfg, tables: newTables(cfg.Store, cfg.Region)}
	s.record = newRecorder(cfg)
	s.async, s.invocations = newDispatcher(s), newInvocations()
	s.cfg.Store.View(func(tx *store.Tx) { s.limits.load(&s.tables, tx) })
	return s, nil
}

// Start takes up the asynchronous invocations that were accepted earlier, and removes code that nobody has any more.
func (s *Service) Start(context.Context) error {
	if err := s.sweep(); err != nil {
		return fmt.Errorf("remove unused code: %w", err)
	}
	s.async.resume()
	return nil
}

// Close stops the asynchronous invocations, which are taken up by the next Start, gives up the others, and hands on what is
// left to be recorded.
func (s *Service) Close() error {
	s.async.close()
	s.invocations.close()
	s.record.close()
	return nil
}

// Log takes what functions of this region print; it is for the sandbox's Config.Logs.
func (s *Service) Log(lines sandbox.Lines) {
	group := lines.Function.LogGroup
	if group == "" {
		group = "/aws/lambda/" + lines.Function.Name
	}
	s.record.log(group, lines.Stream, lines.Events)
}
