// Package cloudformation answers: how does the embedded cloud make a stack of what a template says?
//
// A stack operation (create, update, delete, and the rollbacks that follow from them) is state in the store: its phase, and a
// step for every resource, written before the effect that it names. One goroutine an operation goes through the phases; in
// each, resources are worked on in dependency order, as many at a time as may be. A service made over the store of one that
// was killed takes every operation up where it stood: a step that was begun is done again with the token it was begun with,
// and handlers see to it that this changes nothing that was done already.
//
// What stands behind a resource type is a [Handler]. Types that evo cannot run are recorded: they get an identity, their
// properties are kept, and their events say that they do nothing here.
package cloudformation

import (
	"context"
	"errors"
	"sync"

	"evo/internal/cfn"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/store"
)

// Config is what a Service is made of.
type Config struct {
	Region   string
	Store    *store.DB
	Clock    clock.Clock
	Services Services

	// Transform expands a template that names AWS::Serverless-2016-10-31, given its parameters' values. nil: refused.
	Transform func(ctx context.Context, root *cfn.Node, parameters map[string]string) (*cfn.Node, error)
	// CallbackURL is where a custom resource's answer for a token is to be PUT; the body that arrives is given to
	// [Service.CustomResourceResponse]. nil: custom resources and wait conditions are refused.
	CallbackURL func(token string) string
	// Handlers adds handlers by resource type, before all others.
	Handlers map[string]Handler
	// Parallel is how many resources of a stack are worked on at a time; 0: 10.
	Parallel int
}

// Service is CloudFormation in one region.
type Service struct {
	cfg        Config
	stacks     *store.Table[stack]    // by id
	names      *store.Table[string]   // id of the stack that lives under a name
	resources  *store.Table[resource] // by stack id and logical id
	steps      *store.Table[step]     // the journal: by stack id, phase, logical id
	leftovers  *store.Table[resource] // what a cleanup deletes: by stack id and number
	events     *store.Table[event]    // by stack id and number
	changeSets *store.Table[changeSet]
	exports    *store.Table[export]
	imports    *store.Table[bool] // by export name and importing stack's id
	callbacks  *store.Table[callback]
	handlers   map[string]Handler

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	running map[string]*run          // by stack id
	waiting map[string]chan struct{} // by token: closed when an answer arrives
	parsed  []parsedTemplate         // the last that were read, the newest first

	journal func() error // tests: called before each write of an operation; an error is the process's end
}

// New returns the service over what the store holds. Start takes up the operations under way.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Clock == nil || cfg.Region == "" {
		return nil, errors.New("cloudformation: a region, a store and a clock are needed")
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = 10
	}
	name := func(table string) string { return cfg.Region + "/cloudformation/" + table }
	s := &Service{
		cfg:        cfg,
		stacks:     store.NewTable[stack](cfg.Store, name("stacks")),
		names:      store.NewTable[string](cfg.Store, name("names")),
		resources:  store.NewTable[resource](cfg.Store, name("resources")),
		steps:      store.NewTable[step](cfg.Store, name("steps")),
		leftovers:  store.NewTable[resource](cfg.Store, name("leftovers")),
		events:     store.NewTable[event](cfg.Store, name("events")),
		changeSets: store.NewTable[changeSet](cfg.Store, name("changesets")),
		exports:    store.NewTable[export](cfg.Store, name("exports")),
		imports:    store.NewTable[bool](cfg.Store, name("imports")),
		callbacks:  store.NewTable[callback](cfg.Store, name("callbacks")),
		running:    map[string]*run{},
		waiting:    map[string]chan struct{}{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.handlers = s.allHandlers()
	return s, nil
}

// Start takes up the operations that were under way when the state was last written.
func (s *Service) Start(context.Context) error {
	var ids []string
	s.cfg.Store.View(func(tx *store.Tx) {
		for id, st := range s.stacks.Ascend(tx, "") {
			if st.Op != nil && !st.Op.Paused {
				ids = append(ids, id)
			}
		}
	})
	for _, id := range ids {
		s.begin(id)
	}
	return nil
}

// Close stops all operations where they are and waits for their goroutines. They go on when a service is next started.
func (s *Service) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// errStopped ends an operation's goroutine without a trace in the state: the service is being closed.
var errStopped = errors.New("the service has stopped")

// write changes the state for an operation under way.
func (s *Service) write(f func(tx *store.Tx) error) error {
	if s.ctx.Err() != nil {
		return errStopped
	}
	if s.journal != nil {
		if err := s.journal(); err != nil {
			s.cancel()
			return errStopped
		}
	}
	return s.cfg.Store.Update(s.ctx, func(_ context.Context, tx *store.Tx) error { return f(tx) })
}
