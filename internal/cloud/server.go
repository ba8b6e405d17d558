// Package cloud answers: how do the parts of the embedded cloud make one AWS-compatible cloud? It assembles the services over
// one store and one clock, gives each what it needs of the others, and serves them: on a loopback port, or in process.
//
//	s := &cloud.Server{}            // in memory, on any free port
//	if err := s.Start(ctx); err != nil { … }
//	defer s.Close()
//	client := dynamodb.NewFromConfig(s.Config("us-east-1"))
package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"evo/internal/cloud/clock"
	"evo/internal/cloud/lambda"
	"evo/internal/cloud/store"
	"evo/internal/cloud/wire"
)

// Server is an embedded cloud. Its zero value keeps all in memory and takes a free port. The fields are set before Start.
type Server struct {
	Addr     string      // to listen on, a loopback address with a port; empty: a free port; "-": none, in process only
	StateDir string      // empty: in memory
	CacheDir string      // of runtimes' SDKs; empty: the user's cache directory
	Speed    float64     // how many times as fast as the machine's the clock runs; 0: 1
	Clock    clock.Clock // instead of one made of Speed
	Sync     bool        // acknowledged changes survive a power cut too, not only the end of the process
	Version  string
	Log      func(string) // what a person should know; nil: nobody is told

	// Tests in virtual time run functions as plain Go, as no process can be in their bubble, and draw versions from a seed.
	runner lambda.Runner  // nil: the sandbox
	random func() float64 // nil: Lambda's own

	started  time.Time
	listener net.Listener
	http     *http.Server
	scratch  string // a folder of this run; empty with a StateDir
	db       *store.DB
	parts    *parts
	handler  http.Handler
	serving  sync.WaitGroup
	stop     context.CancelFunc
	stopped  chan struct{} // closed when somebody has asked the cloud to end
	stopOnce sync.Once
	close    sync.Once
	closeErr error
}

// clockTable is where the store keeps how far a fast clock has come.
const clockTable = "cloud/clock"

// Start opens the state and serves it. What was under way when the cloud last ended goes on. Close must be called also when
// ctx has ended.
func (s *Server) Start(ctx context.Context) (err error) {
	s.started, s.stopped = time.Now(), make(chan struct{})
	if s.Log == nil {
		s.Log = func(string) {}
	}
	ctx, s.stop = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.Addr != "-" { // first: it is the quickest way to learn that another cloud is there
		if err := s.listen(ctx); err != nil {
			return err
		}
	}
	if err := s.open(); err != nil {
		return err
	}
	if s.parts, err = assemble(ctx, s); err != nil {
		return fmt.Errorf("start the embedded cloud: %w", err)
	}
	if err := s.db.Err(); err != nil {
		return fmt.Errorf("start the embedded cloud: %w", err)
	}
	s.handler = s.routes()
	if _, fast := s.Clock.(*clock.Fast); fast && s.StateDir != "" {
		s.serving.Go(func() { s.keepTime(ctx) })
	}
	if s.listener != nil {
		s.serve(ctx)
	}
	return s.parts.resume()
}

func (s *Server) listen(ctx context.Context) error {
	addr := s.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen on %s: the embedded cloud serves this machine only, on a loopback address", addr)
	}
	s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	return nil
}

// open opens the store and sets the clock, which never runs back.
func (s *Server) open() (err error) {
	if s.StateDir == "" {
		s.db = store.Memory()
		if s.scratch, err = os.MkdirTemp("", "evo-cloud-*"); err != nil {
			return err
		}
	} else if s.db, err = store.Open(s.StateDir, store.Options{Sync: s.Sync}); err != nil {
		return err
	}
	times := store.NewTable[time.Time](s.db, clockTable)
	if s.Clock != nil {
		return nil
	}
	now := time.Now()
	s.db.View(func(tx *store.Tx) {
		if last, ok := times.Get(tx, "now"); ok && last.After(now) {
			now = last
		}
	})
	if s.Speed < 0 {
		return fmt.Errorf("a clock cannot run at speed %v", s.Speed)
	}
	if s.Speed == 0 {
		s.Speed = 1
	}
	if s.Speed == 1 && time.Since(now) >= 0 {
		s.Clock = clock.Real{}
		return nil
	}
	s.Clock = clock.NewFast(now, s.Speed)
	return s.noteTime(noteAhead)
}

// A fast clock's time is noted every so often, and ahead of what it is: a cloud that was killed goes on from a time that nobody
// has seen yet, as if it had been away for that long.
const (
	noteEvery = 500 * time.Millisecond
	noteAhead = 2 * time.Second
)

// keepTime notes the time until ctx ends, and then the time that it is.
func (s *Server) keepTime(ctx context.Context) {
	for {
		select {
		case <-time.After(noteEvery):
			_ = s.noteTime(noteAhead) // a state that takes no more changes says so to those who make them
		case <-ctx.Done():
			_ = s.noteTime(0)
			return
		}
	}
}

// noteTime writes down what the clock will show in a while of the machine's time.
func (s *Server) noteTime(ahead time.Duration) error {
	times := store.NewTable[time.Time](s.db, clockTable)
	return s.db.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
		times.Put(tx, "now", s.Clock.Now().Add(time.Duration(float64(ahead)*s.Speed)))
		return nil
	})
}

func (s *Server) serve(ctx context.Context) {
	s.http = &http.Server{Handler: s.handler, ReadHeaderTimeout: 30 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	s.serving.Go(func() { _ = s.http.Serve(s.listener) }) // ends with Close
}

// Close ends all that runs, functions' processes too, and writes what is left to write. It may be called twice.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.askToStop()
		var errs []error
		if s.http != nil {
			errs = append(errs, s.http.Close())
		} else if s.listener != nil {
			errs = append(errs, s.listener.Close())
		}
		if s.parts != nil {
			errs = append(errs, s.parts.close())
		}
		if s.stop != nil {
			s.stop()
		}
		s.serving.Wait()
		if s.db != nil {
			errs = append(errs, s.db.Close())
		}
		if s.scratch != "" {
			errs = append(errs, os.RemoveAll(s.scratch))
		}
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}

func (s *Server) askToStop() { s.stopOnce.Do(func() { close(s.stopped) }) }

// Done is closed when somebody has asked the cloud to end (`evo cloud stop`), or it has been closed.
func (s *Server) Done() <-chan struct{} { return s.stopped }

// URL returns where the cloud listens; for one that does not, a URL that its own transport understands.
func (s *Server) URL() string {
	if s.listener == nil {
		return "http://localhost:4566"
	}
	return "http://" + s.listener.Addr().String()
}

// objectURL returns where an object in S3 can be fetched.
func (s *Server) objectURL(bucket, key string) string {
	return s.URL() + (&url.URL{Path: "/" + bucket + "/" + key}).EscapedPath()
}

// Handler serves the cloud's HTTP requests.
func (s *Server) Handler() http.Handler { return s.handler }

// RoundTripper leads to the cloud in process, without a socket.
func (s *Server) RoundTripper() http.RoundTripper { return wire.Transport{Handler: s.handler} }

// Config returns a configuration for SDK clients in this process.
func (s *Server) Config(region string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(s.URL()),
		HTTPClient:   &http.Client{Transport: s.RoundTripper()},
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
}

// runDir returns where functions' processes have their temporary files.
func (s *Server) runDir() string {
	if s.StateDir != "" {
		return filepath.Join(s.StateDir, "run")
	}
	return s.scratch
}

// codeDir returns where functions' code is kept: with the state, or, if that is in memory, for as long as the cloud runs.
func (s *Server) codeDir() string {
	if s.StateDir != "" {
		return s.StateDir
	}
	return s.scratch
}

// cacheDir returns where runtimes' SDKs are installed.
func (s *Server) cacheDir() (string, error) {
	if s.CacheDir != "" {
		return s.CacheDir, nil
	}
	if dir := os.Getenv("EVO_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for runtimes' SDKs: %w", err)
	}
	return filepath.Join(dir, "evo"), nil
}
