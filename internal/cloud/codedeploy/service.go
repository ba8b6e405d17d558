// Package codedeploy answers: how does the embedded cloud's CodeDeploy shift a Lambda alias's traffic, and what does it tell of it?
//
// What a deployment does next is decided by package rollout, which knows neither clocks nor stores. This package keeps each
// deployment's state as a journal (the state is stored before every effect that it names), carries out the effects through
// Lambda, polls the alarms, and runs one goroutine a deployment that waits for what comes next. A service that is made over
// the store of one that was killed goes on where that one stopped.
//
// Deployments run on compute platform Lambda. Applications of other platforms are recorded; their groups and deployments are
// refused by name.
package codedeploy

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/rollout"
)

// Lambda is what deployments need of Lambda.
type Lambda interface {
	GetAlias(context.Context, *lambda.GetAliasInput) (*lambda.GetAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error)
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
}

// Alarms is what deployments need of CloudWatch.
type Alarms interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error)
}

// Objects is what revisions of type S3 need.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Config is what a Service is made of.
type Config struct {
	Region  string
	Store   *store.DB
	Clock   clock.Clock
	Lambda  Lambda
	Alarms  Alarms            // nil: alarms cannot be read
	Objects Objects           // nil: revisions of type S3 are refused
	Rand    io.Reader         // of ids; nil: crypto/rand
	Notify  func(StateChange) // told of each change of a deployment's state, at most once; nil: nobody. Must not wait.
}

// StateChange is what EventBridge tells as "CodeDeploy Deployment State-change Notification".
type StateChange struct {
	Time                           time.Time
	Region                         string
	Application, Group, Deployment string
	GroupID                        string // instanceGroupId
	State                          string // START, SUCCESS, FAILURE or STOP
	Resources                      []string
	Failure                        *rollout.Failure
	Triggers                       []types.TriggerConfig // the group's, for SNS
}

// Service is CodeDeploy in one region.
type Service struct {
	cfg          Config
	applications *store.Table[application]
	groups       *store.Table[group] // key: application/group
	configs      *store.Table[deploymentConfig]
	deployments  *store.Table[deployment]
	revisions    *store.Table[revision] // key: application/digest
	tags         *store.Table[map[string]string]

	ctx    context.Context // of the deployments' goroutines
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	runners map[string]*runner // by deployment
	last    map[string]*runner // by group id: the one that ran last

	// journaled is called around each write of a deployment's state; an error there stands for the end of the process. For
	// tests.
	journaled func(after bool) error
}

// New returns a service over the state in the store. Deployments that are under way there go on when Start is called.
func New(cfg Config) (*Service, error) {
	if cfg.Region == "" || cfg.Store == nil || cfg.Clock == nil || cfg.Lambda == nil {
		return nil, errors.New("codedeploy: Region, Store, Clock and Lambda are needed")
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	s := &Service{cfg: cfg, runners: map[string]*runner{}, last: map[string]*runner{}}
	table := func(name string) string { return cfg.Region + "/codedeploy/" + name }
	s.applications = store.NewTable[application](cfg.Store, table("applications"))
	s.groups = store.NewTable[group](cfg.Store, table("groups"))
	s.configs = store.NewTable[deploymentConfig](cfg.Store, table("configs"))
	s.deployments = store.NewTable[deployment](cfg.Store, table("deployments"))
	s.revisions = store.NewTable[revision](cfg.Store, table("revisions"))
	s.tags = store.NewTable[map[string]string](cfg.Store, table("tags"))
	ctx, _ := call.With(context.Background(), call.Info{Region: cfg.Region})
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s, nil
}

// Start lets the deployments that are under way go on.
func (s *Service) Start(context.Context) error {
	var under []deployment
	s.cfg.Store.View(func(tx *store.Tx) {
		for _, d := range s.deployments.Ascend(tx, "") {
			if !d.State.Status.Terminal() {
				under = append(under, d)
			}
		}
	})
	for _, d := range under {
		s.launch(d)
	}
	return nil
}

// Close stops the deployments' goroutines and waits for them. The deployments themselves stay under way: the next service
// over the same store goes on with them.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	return nil
}

func (s *Service) arn(kind, name string) string {
	return "arn:aws:codedeploy:" + s.cfg.Region + ":" + call.Account + ":" + kind + ":" + name
}
