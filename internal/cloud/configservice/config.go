// Package configservice answers: what does AWS Config know of the resources, and of the rules for them?
//
// It learns of resources through an [Inventory]: what there is of a kind, and in which of the store's tables that lies. After a
// change of one of these the kind's resources are listed again and compared with what is known of them; what differs becomes a
// configuration item, and the rules judge. That happens when nothing has changed for half a second of the cloud's time, or five after
// the first change, so that what one deployment does to a resource is one item, and who makes many does not wait; and at once when
// somebody asks for anything here, so that answers are never older than the question. DynamoDB's items and S3's objects are not configuration, and cost nothing.
//
// Where the embedded cloud differs from an account of AWS:
//   - A recorder is there and on from the start, since nobody sets up an account here. The first recorder that somebody puts
//     takes its place.
//   - As long as the account has declared no rule of its own, eleven managed rules run ([Defaults]).
//   - Periodic managed rules are evaluated in their period, and after changes as well: who asks right after a deployment
//     gets an answer.
//   - A managed rule that is not among package rules' can be put, so that templates deploy; its evaluation status says that it
//     cannot be evaluated here, and its compliance is INSUFFICIENT_DATA.
//   - Custom rules run Lambda functions. Guard policies are refused.
//   - Nothing is delivered to a delivery channel. Queries, aggregators and remediation are not there.
//   - Of what no service here runs, and CloudFormation only records, items hold what the template says ([Inventory] has it so).
package configservice

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
	"evo/internal/rules"
)

// Lambda is what custom rules need of the service.
type Lambda interface {
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
	// Permits reports whether a function's policy lets a service invoke it for one of the sources.
	Permits(functionARN, service string, sourceARNs ...string) bool
}

// Objects is what conformance packs' templates are read with, and delivery channels lead to.
type Objects interface {
	HeadBucket(context.Context, *s3.HeadBucketInput) (*s3.HeadBucketOutput, error)
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
}

// Config of a Service.
type Config struct {
	Region    string
	Store     *store.DB
	Clock     clock.Clock
	Inventory Inventory       // nil: there are no resources
	Lambda    Lambda          // nil: custom rules are refused
	Objects   Objects         // nil: no templates in S3
	Report    func(err error) // of what runs on its own; nil: nobody is told
}

// Service is AWS Config in one region.
type Service struct {
	Config

	rules       *store.Table[rule]
	status      *store.Table[status]     // by rule
	results     *store.Table[*result]    // by rule, type and id
	items       *store.Table[item]       // by type, id and number
	invocations *store.Table[invocation] // of functions, not made yet
	recorders   *store.Table[recorder]   // at most one, under recorderKey
	channels    *store.Table[types.DeliveryChannel]
	packs       *store.Table[pack]

	settling sync.Mutex // one at a time; guards what follows
	latest   map[resourceKey]item
	live     map[string]map[string]*Resource // by type and id
	set      *rules.Set                      // of live; nil: to be made
	kinds    []Kind
	kindOf   map[string]*Kind // by type
	defaults []rule           // by name

	mu      sync.Mutex
	dirty   map[string]ids // what may have changed, by the kind's name
	wake    func() bool    // stops what comes soon
	first   time.Time      // when it was planned
	last    time.Time      // when something changed
	period  func() bool    // stops what comes when a rule's period is over
	running bool
	tasks   clock.Tasks
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
}

// New returns the service with the state that the store holds. It records from Start on.
func New(c Config) (*Service, error) {
	if c.Region == "" || c.Store == nil || c.Clock == nil {
		return nil, errors.New("configservice: region, store and clock are needed")
	}
	t := c.Region + "/config/"
	s := &Service{Config: c, rules: store.NewTable[rule](c.Store, t+"rules"), status: store.NewTable[status](c.Store, t+"status"),
		results: store.NewTable[*result](c.Store, t+"results"), items: store.NewTable[item](c.Store, t+"items"),
		invocations: store.NewTable[invocation](c.Store, t+"invocations"), recorders: store.NewTable[recorder](c.Store, t+"recorders"),
		channels: store.NewTable[types.DeliveryChannel](c.Store, t+"channels"), packs: store.NewTable[pack](c.Store, t+"packs"),
		latest: map[resourceKey]item{}, live: map[string]map[string]*Resource{}, kindOf: map[string]*Kind{}, dirty: map[string]ids{}}
	s.defaults = s.defaultRules()
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.Store.View(func(tx *store.Tx) {
		for _, it := range s.items.Ascend(tx, "") {
			s.latest[it.key()] = it
		}
	})
	if c.Inventory != nil {
		s.kinds = c.Inventory.Kinds()
	}
	for i, k := range s.kinds {
		for _, t := range k.Types {
			s.kindOf[t] = &s.kinds[i]
		}
		s.dirty[k.Name] = nil
		for _, table := range k.Tables {
			c.Store.Watch(table, func(key string) { s.changed(k, key) })
		}
	}
	return s, c.Store.Err()
}

// Start begins to record, and takes up what was under way.
func (s *Service) Start(context.Context) error {
	s.mu.Lock()
	s.running = s.ctx.Err() == nil
	s.mu.Unlock()
	s.soon()
	return nil
}

// Close ends what the service does on its own.
func (s *Service) Close() error {
	s.mu.Lock()
	s.running = false
	for _, stop := range []func() bool{s.wake, s.period} {
		if stop != nil {
			stop()
		}
	}
	s.stop()
	s.mu.Unlock()
	s.tasks.Close()
	return nil
}

// ids are of resources that may have changed; nil: all of their kind.
type ids map[string]bool

// changed takes note of a change of a resource, or, without an id, of any of a kind. The store calls it while nobody else can read
// or write.
func (s *Service) changed(k Kind, id string) {
	s.mu.Lock()
	s.last = s.Clock.Now()
	list, known := s.dirty[k.Name]
	switch {
	case !k.Keyed || id == "":
		s.dirty[k.Name] = nil
	case !known:
		s.dirty[k.Name] = ids{id: true}
	case list != nil:
		list[id] = true
	}
	idle := s.running && s.wake == nil
	s.mu.Unlock()
	if idle {
		s.soon()
	}
}

// Changes are gathered before they are recorded, where nobody asks, until there are none for a while, or the first has waited long
// enough.
const (
	quiet    = 500 * time.Millisecond
	patience = 5 * time.Second
)

// soon plans to settle, unless it is planned.
func (s *Service) soon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running && s.wake == nil {
		s.first = s.Clock.Now()
		s.wake = s.Clock.At(s.first.Add(quiet), s.awake)
	}
}

// awake settles if it is time to, and else plans it for later.
func (s *Service) awake() {
	s.mu.Lock()
	next, limit, now := s.last.Add(quiet), s.first.Add(patience), s.Clock.Now()
	if limit.Before(next) {
		next = limit
	}
	early := s.running && s.wake != nil && now.Before(next)
	if early {
		s.wake = s.Clock.At(next, s.awake)
	}
	s.mu.Unlock()
	if !early {
		s.settleAlone()
	}
}

// settleAlone settles when nobody has asked for it.
func (s *Service) settleAlone() {
	s.tasks.Do(func() {
		if err := s.settle(); err != nil && s.ctx.Err() == nil && s.Report != nil {
			s.Report(fmt.Errorf("AWS Config in %s: %w", s.Region, err))
		}
	})
}

func invalidValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: new(fmt.Sprintf(format, args...))}
}

func noRule(name string) error {
	return &types.NoSuchConfigRuleException{Message: new(fmt.Sprintf("The ConfigRule '%s' provided in the request is invalid. Please check the configRule name", name))}
}
