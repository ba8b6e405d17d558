// Package events answers: which rules does a region's default event bus have, when are they due, and whom do they tell?
//
// A rule's due time is state: it moves on in the same write in which Lambda takes the invocations into its queue, so that a cloud
// that is killed neither loses nor doubles one. Targets that are no Lambda functions are kept, and nothing is sent to them; so are a
// target's retry policy and dead-letter queue, in whose place Lambda's own hold.
package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/call"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// Functions are what rules invoke.
type Functions interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error)
	// Permits reports whether a function's policy lets a service invoke it for one of the sources.
	Permits(functionARN, service string, sourceARNs ...string) bool
}

// Config of a Service.
type Config struct {
	Region    string
	Store     *store.DB
	Clock     clock.Clock
	Functions Functions
	Count     func(metric, rule string, n int, at time.Time) // one of the metrics of AWS/Events; nil: nobody counts
	Report    func(error)                                    // why a target was not invoked; nil: nobody wants to know
}

// Service is EventBridge in one region.
type Service struct {
	Config

	rules   *store.Table[rule]
	targets *store.Table[types.Target] // by rule and id

	tasks   clock.Tasks
	mu      sync.Mutex
	running bool
	unplan  func() bool // stops the timer for what is due next; nil: there is none
}

// New returns the service with the state that the store holds. Rules are due from Start on.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil || c.Functions == nil {
		return nil, errors.New("events: region, store, clock and functions are needed")
	}
	if c.Count == nil {
		c.Count = func(string, string, int, time.Time) {}
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	table := c.Region + "/events/"
	return &Service{Config: c, rules: store.NewTable[rule](c.Store, table+"rules"), targets: store.NewTable[types.Target](c.Store, table+"targets")}, nil
}

// Start has rules come due, those first that were due while the cloud was away.
func (s *Service) Start(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return fmt.Errorf("catch up on rules that were due: %w", err)
	}
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	s.plan()
	return nil
}

// Close waits for what is being sent.
func (s *Service) Close() error {
	s.mu.Lock()
	s.running = false
	if s.unplan != nil {
		s.unplan()
	}
	s.mu.Unlock()
	s.tasks.Close()
	return nil
}

const busName = "default"

func (s *Service) arn(kind, name string) string {
	return "arn:aws:events:" + s.Region + ":" + call.Account + ":" + kind + "/" + name
}

// checkBus refuses all buses but the default one, which may be named or not, by its name or its ARN.
func (s *Service) checkBus(bus *string) error {
	if name := aws.ToString(bus); name != "" && name != busName && name != s.arn("event-bus", busName) {
		return notFound("Event bus %s does not exist.", name[strings.LastIndexByte(name, '/')+1:])
	}
	return nil
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: new(fmt.Sprintf(format, args...))}
}

func ruleNotFound(name string) error {
	return notFound("Rule %s does not exist on EventBus %s.", name, busName)
}

func invalid(format string, args ...any) error {
	return call.Errorf("ValidationException", format, args...)
}

func badToken() error { return invalid("Invalid NextToken.") }

func (s *Service) bus() types.EventBus {
	return types.EventBus{Name: new(busName), Arn: new(s.arn("event-bus", busName))}
}

// DescribeEventBus describes the default bus.
func (s *Service) DescribeEventBus(_ context.Context, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	if err := s.checkBus(in.Name); err != nil {
		return nil, err
	}
	b := s.bus()
	return &eventbridge.DescribeEventBusOutput{Name: b.Name, Arn: b.Arn}, nil
}

// ListEventBuses lists the default bus.
func (s *Service) ListEventBuses(_ context.Context, in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	if in.NextToken != nil {
		return nil, badToken()
	}
	out := &eventbridge.ListEventBusesOutput{EventBuses: []types.EventBus{}}
	if strings.HasPrefix(busName, aws.ToString(in.NamePrefix)) {
		out.EventBuses = append(out.EventBuses, s.bus())
	}
	return out, nil
}
