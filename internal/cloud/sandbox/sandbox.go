// Package sandbox answers: what does a Lambda function do with this event, run as a real process on this machine?
//
// A [Function] is code in a folder, a runtime, a handler and settings. [Sandbox.Invoke] hands it one event and gives back what
// AWS would: the answer's bytes as they are, or the error's, with the log lines START, END and REPORT around what the function
// printed.
//
// The process speaks the Lambda Runtime API (version 2018-06-01) with a listener of its own on the loopback interface, so that
// provided.* runtimes and Go programs run as they are. Node.js and Python functions run on the machine's own interpreter, under
// a small bootstrap that this package embeds.
//
// One process with its log stream, its folder for temporary files and its credentials is an environment; it takes one
// invocation at a time. Invocations which find all environments of their function busy wait for the first one to become free
// while further ones start; an environment that nobody needs for a while ends. What AWS does to a function that crashes, hangs,
// or takes more memory than it has, happens here too: the process is killed with all its children, and the caller is told in
// AWS's words. When the sandbox is closed, and when the program that holds it dies, its processes die with it.
package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"evo/internal/cloud/clock"
)

// Config says where a sandbox keeps its things and whom it tells. Only Dir is required.
type Config struct {
	// Dir holds what environments need while they run, and marks by which a later sandbox finds processes that an earlier
	// one, killed, has left. No two sandboxes may use one folder at the same time.
	Dir string
	// Cache holds the AWS SDKs that were installed, and may be shared by all sandboxes of the machine. The default is a
	// folder in Dir.
	Cache string
	// Clock gives the time of log events and says when an environment has been idle for long enough.
	Clock clock.Clock
	// Idle is how long an environment stays without work; 0 is ten minutes.
	Idle time.Duration
	// InitLimit is how long a function may take to become ready; 0 is AWS's ten seconds.
	InitLimit time.Duration
	// Crowd is the number of processes from which on further ones start slowly, so that callers rather wait for one to become
	// free than fill the machine; 0 is 128. There is no limit beyond which none would start: functions may wait for others.
	Crowd int
	// Logs gets the lines of a log stream in their order, from one goroutine at a time for each stream. It must not wait.
	Logs func(Lines)
	// Progress is told, in plain words, what takes long: the installation of an SDK.
	Progress func(message string)
	// Getenv reads the environment of this process, for PATH, HOME and the proxy's settings. The default is os.Getenv.
	Getenv func(string) string
}

// Lines are further lines of one log stream.
type Lines struct {
	Function *Function
	Stream   string
	Events   []Event
}

// Event is one line of a log.
type Event struct {
	Time    time.Time
	Message string // with its line end, as AWS keeps it
}

// ErrClosed is the answer to an invocation that finds its sandbox closed, or closing.
var ErrClosed = errors.New("sandbox is closed")

// Sandbox runs functions. It is made by New and must be closed.
type Sandbox struct {
	cfg       Config
	mark      string // in the environment of every process of this sandbox; no other has it
	runtime   string // folder of the embedded bootstraps
	machine   *machine
	installer *installer
	starts    chan struct{} // holds one token for each start that may go on at a time
	launches  chan launch
	ctx       context.Context // ends when the sandbox closes
	cancel    context.CancelFunc
	owned     sync.WaitGroup // goroutines

	mu     sync.Mutex
	pools  map[string]*pool
	live   map[*process]struct{}
	serial int
	closed bool
}

// New makes a sandbox, and first ends what an earlier one with the same folder has left running.
func New(cfg Config) (*Sandbox, error) {
	if cfg.Dir == "" {
		return nil, errors.New("make sandbox: no folder given")
	}
	fillDefaults(&cfg)
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	cfg.Dir = dir
	if err := endLeftovers(cfg.Dir); err != nil {
		return nil, fmt.Errorf("end processes of an earlier sandbox: %w", err)
	}
	s := &Sandbox{
		cfg: cfg, mark: newMark(), pools: map[string]*pool{}, live: map[*process]struct{}{},
		machine:   &machine{getenv: cfg.Getenv},
		installer: &installer{dir: cfg.Cache, progress: cfg.Progress, getenv: cfg.Getenv},
		starts:    make(chan struct{}, max(2, runtime.NumCPU())),
		launches:  make(chan launch),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.prepare(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	s.owned.Go(s.launcher)
	return s, nil
}

func fillDefaults(cfg *Config) {
	if cfg.Cache == "" {
		cfg.Cache = filepath.Join(cfg.Dir, "sdk")
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.Real{}
	}
	if cfg.Idle == 0 {
		cfg.Idle = 10 * time.Minute
	}
	if cfg.InitLimit == 0 {
		cfg.InitLimit = 10 * time.Second
	}
	if cfg.Crowd == 0 {
		cfg.Crowd = 128
	}
	if cfg.Logs == nil {
		cfg.Logs = func(Lines) {}
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	if cfg.Getenv == nil {
		cfg.Getenv = os.Getenv
	}
}

func newMark() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// prepare writes the bootstraps, and the mark by which a later sandbox finds this one's processes.
func (s *Sandbox) prepare() error {
	if err := os.RemoveAll(s.path("environments")); err != nil {
		return err
	}
	for _, dir := range []string{"environments", runFolder} {
		if err := os.MkdirAll(s.path(dir), 0o755); err != nil {
			return err
		}
	}
	rt, err := writeBootstraps(s.path("bootstrap"))
	if err != nil {
		return err
	}
	s.runtime = rt
	return os.Mkdir(s.path(runFolder, s.mark), 0o755)
}

func (s *Sandbox) path(elem ...string) string {
	return filepath.Join(append([]string{s.cfg.Dir}, elem...)...)
}

// Invoke gives fn one event and waits for its answer. What goes wrong inside the function is part of the result; the error
// says that the function could not be run at all: a *[SetupError], the context's error, or ErrClosed.
func (s *Sandbox) Invoke(ctx context.Context, fn *Function, inv Invocation) (*Result, error) {
	p, err := s.pool(fn)
	if err != nil {
		return nil, err
	}
	e, err := p.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return e.invoke(ctx, inv)
}

// Retire ends the environments of a function's key: the idle ones now, the busy ones when they have answered.
func (s *Sandbox) Retire(key string) {
	s.mu.Lock()
	p := s.pools[key]
	delete(s.pools, key)
	s.mu.Unlock()
	if p != nil {
		p.retire()
	}
}

// Running returns how many processes there are.
func (s *Sandbox) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// Close kills all processes and waits until they, and all goroutines of the sandbox, have ended.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	s.closed = true
	pools := make([]*pool, 0, len(s.pools))
	for _, p := range s.pools {
		pools = append(pools, p)
	}
	s.pools = map[string]*pool{}
	live := make([]*process, 0, len(s.live))
	for p := range s.live {
		live = append(live, p)
	}
	s.mu.Unlock()
	s.cancel()
	for _, p := range pools {
		p.close()
	}
	for _, p := range live {
		p.kill()
	}
	s.owned.Wait()
	os.RemoveAll(s.path("environments"))
	return os.RemoveAll(s.path(runFolder, s.mark))
}

func (s *Sandbox) pool(fn *Function) (*pool, error) {
	key := fn.key()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	p := s.pools[key]
	if p == nil {
		p = newPool(s, fn)
		s.pools[key] = p
	}
	return p, nil
}

// spawn runs f in a goroutine that Close waits for; it reports false, and runs nothing, once the sandbox is closed.
func (s *Sandbox) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.owned.Go(f)
	return true
}

func (s *Sandbox) number() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return s.serial
}
