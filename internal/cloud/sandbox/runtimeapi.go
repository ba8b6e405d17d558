package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// MaxAnswer is the most that a function may answer, in bytes, as AWS measures it.
const MaxAnswer = 6291556

// job is one invocation on its way through an environment.
type job struct {
	id       string
	arn      string
	payload  []byte
	context  []byte
	trace    string
	began    time.Time
	deadline time.Time
	results  chan *Result // gets exactly one
}

func newJob(fn *Function, inv Invocation) *job {
	now := time.Now()
	j := &job{
		id: inv.RequestID, arn: inv.ARN, payload: inv.Payload, context: inv.ClientContext, trace: inv.TraceID,
		began: now, deadline: now.Add(fn.timeout()), results: make(chan *Result, 1),
	}
	if j.id == "" {
		j.id = newRequestID()
	}
	if len(j.payload) == 0 {
		j.payload = []byte("{}")
	}
	if j.trace == "" {
		mark := newMark()
		j.trace = fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), mark[:24], newMark()[:16])
	}
	return j
}

func newRequestID() string {
	m := newMark()
	return m[:8] + "-" + m[8:12] + "-4" + m[13:16] + "-8" + m[17:20] + "-" + m[20:]
}

// runtimeAPI serves one process: it hands out work and takes the answers. The process decides when it calls; what it may call
// depends on whether it has work, and everything else is refused as AWS does.
type runtimeAPI struct {
	listener net.Listener
	serving  sync.WaitGroup
	done     chan struct{} // closed when the API is

	ready      chan struct{} // closed when the process asks for work the first time
	initErrors chan outcome  // at most one

	answered func(*job, outcome) // when a job is answered
	asked    func()              // when, after that, the process asks for more

	mu      sync.Mutex
	conns   map[*runtimeConn]struct{}
	waiters []*runtimeConn // that wait for work; more than one if the process has asked again
	current *job           // handed out, or about to be; nil once answered
	pending *job           // the current job, while nobody has asked for it
	rested  bool           // the process has asked and waits
	began   bool           // the process has asked at least once
	closed  bool
}

const apiPrefix = "/2018-06-01/runtime/"

func newRuntimeAPI() (*runtimeAPI, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := makeRuntimeAPI(l)
	a.serving.Go(a.listen)
	return a, nil
}

func makeRuntimeAPI(l net.Listener) *runtimeAPI {
	return &runtimeAPI{
		listener: l, done: make(chan struct{}), ready: make(chan struct{}), initErrors: make(chan outcome, 1), conns: map[*runtimeConn]struct{}{},
	}
}

func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

// close ends all connections and waits for those who serve them.
func (a *runtimeAPI) close() {
	a.listener.Close()
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.done)
	}
	for c := range a.conns {
		c.conn.Close()
	}
	a.mu.Unlock()
	a.serving.Wait()
}

// assign hands a job to the process, which waits for one. It writes the event itself: that takes no longer than the job may.
func (a *runtimeAPI) assign(j *job) {
	a.mu.Lock()
	a.current, a.rested = j, false
	var c *runtimeConn
	if n := len(a.waiters); n > 0 { // the last that asked: an earlier one may have been given up
		c, a.waiters = a.waiters[n-1], a.waiters[:n-1]
	} else {
		a.pending = j
	}
	a.mu.Unlock()
	if c != nil {
		c.deliver(j)
	}
}

// withdraw takes a connection out of those that wait; it reports false if it has work, or is being given some.
func (a *runtimeAPI) withdraw(c *runtimeConn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.waiters, c)
	if i < 0 {
		return false
	}
	a.waiters = slices.Delete(a.waiters, i, i+1)
	return true
}

// finish takes a job from the process; it reports false if the process has answered it.
func (a *runtimeAPI) finish(j *job) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != j {
		return false
	}
	a.current, a.pending = nil, nil
	return true
}

// serve answers a request; what it writes is sent when it returns, or later.
func (a *runtimeAPI) serve(c *runtimeConn, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, apiPrefix)
	id, action, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	switch {
	case r.Method == http.MethodHead: // whose answers have no body
		c.head(http.StatusNotFound, 0)
		c.out = append(c.out, "\r\n"...)
	case !ok:
		c.refuse(http.StatusNotFound, "NotFound", "the Runtime API has no "+r.URL.Path)
	case path == "invocation/next" && r.Method == http.MethodGet:
		a.next(c)
	case path == "init/error" && r.Method == http.MethodPost:
		a.initError(c, r)
	case action == "response" && r.Method == http.MethodPost:
		a.response(c, r, id)
	case action == "error" && r.Method == http.MethodPost:
		a.invocationError(c, r, id)
	default:
		c.refuse(http.StatusNotFound, "NotFound", "the Runtime API has no "+r.Method+" "+r.URL.Path)
	}
}

// next gives the process its work, or has the connection wait for some.
func (a *runtimeAPI) next(c *runtimeConn) {
	a.mu.Lock()
	if a.current != nil {
		j := a.pending
		a.pending = nil
		a.mu.Unlock()
		if j == nil {
			c.refuse(http.StatusForbidden, "InvalidStateTransition", "the invocation under way has not been answered")
			return
		}
		c.event(j)
		return
	}
	// From here on it is assign that writes to the connection.
	c.owed = true
	a.waiters = append(a.waiters, c)
	// Asking again, as a client does that tries once more after a broken connection, is nothing new.
	first, again := !a.began, a.rested
	a.began, a.rested = true, true
	a.mu.Unlock()
	switch {
	case first:
		close(a.ready)
	case !again:
		a.asked()
	}
}

func (a *runtimeAPI) initError(c *runtimeConn, r *http.Request) {
	body, err := readAnswer(r)
	if err != nil {
		body = nil
	}
	select {
	case a.initErrors <- failed(body, r.Header):
		c.accept()
	default:
		c.refuse(http.StatusForbidden, "InvalidStateTransition", "the error has been told already")
	}
}

func (a *runtimeAPI) response(c *runtimeConn, r *http.Request, id string) {
	j := a.under(id)
	if j == nil {
		c.refuse(http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	body, err := readAnswer(r)
	if errors.Is(err, errTooLarge) {
		a.answer(j, tooLargeOutcome())
		io.Copy(io.Discard, r.Body) // the connection serves on; the time limit holds
		c.refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxAnswer))
		return
	}
	if err != nil {
		return // the connection broke; the end of the process or of the time will be noticed
	}
	// A response that broke off in streaming mode tells it in a trailer.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		a.answer(j, failed(nil, http.Header(r.Trailer)))
	} else {
		a.answer(j, outcome{payload: body})
	}
	c.accept()
}

func (a *runtimeAPI) invocationError(c *runtimeConn, r *http.Request, id string) {
	j := a.under(id)
	if j == nil {
		c.refuse(http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	body, err := readAnswer(r)
	if errors.Is(err, errTooLarge) {
		a.answer(j, tooLargeOutcome())
		io.Copy(io.Discard, r.Body)
		c.accept()
		return
	}
	if err != nil {
		return
	}
	o := failed(body, r.Header)
	o.status = "" // an error that the function itself answers is none of the platform's
	a.answer(j, o)
	c.accept()
}

// under returns the job under way, if it has that id.
func (a *runtimeAPI) under(id string) *job {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil || a.current.id != id || a.pending != nil {
		return nil
	}
	return a.current
}

func (a *runtimeAPI) answer(j *job, o outcome) {
	if a.finish(j) {
		a.answered(j, o)
	}
}

// failed makes an outcome of an error that the runtime tells.
func failed(body []byte, h http.Header) outcome {
	o := outcome{payload: body, errorType: h.Get("Lambda-Runtime-Function-Error-Type"), status: "error"}
	var told errorAnswer
	if json.Unmarshal(body, &told) == nil && told.Type != "" {
		o.errorType = told.Type
	}
	if o.errorType == "" {
		o.errorType = "Runtime.Unknown"
	}
	if len(body) == 0 {
		o.payload, _ = json.Marshal(errorAnswer{o.errorType, h.Get("Lambda-Runtime-Function-Error-Body")})
	}
	return o
}

var errTooLarge = errors.New("answer is too large")

func readAnswer(r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxAnswer {
		return nil, errTooLarge
	}
	if r.ContentLength >= 0 {
		b := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, MaxAnswer+1))
	if err == nil && len(b) > MaxAnswer {
		return nil, errTooLarge
	}
	return b, err
}

var accepted = []byte(`{"status":"OK"}` + "\n")

func (c *runtimeConn) accept() { c.reply(http.StatusAccepted, accepted) }

func (c *runtimeConn) refuse(status int, kind, message string) {
	b, _ := json.Marshal(errorAnswer{kind, message})
	c.reply(status, b)
}
