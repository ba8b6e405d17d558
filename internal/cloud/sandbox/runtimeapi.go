package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
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
	server   *http.Server
	serving  sync.WaitGroup

	jobs       chan *job     // the next, for the request that waits for it
	ready      chan struct{} // closed when the process asks for work the first time
	initErrors chan outcome  // at most one

	answered func(*job, outcome) // when a job is answered
	asked    func()              // when, after that, the process asks for more

	mu      sync.Mutex
	current *job // handed out, or about to be; nil once answered
	rested  bool // the process has asked and waits
	began   bool // the process has asked at least once
}

const apiPrefix = "/2018-06-01/runtime/"

func newRuntimeAPI() (*runtimeAPI, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{listener: l, jobs: make(chan *job, 1), ready: make(chan struct{}), initErrors: make(chan outcome, 1)}
	a.server = &http.Server{Handler: a, ErrorLog: log.New(io.Discard, "", 0), ConnState: a.count}
	a.serving.Go(func() { a.server.Serve(l) })
	return a, nil
}

func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

// close ends all connections and waits for those who serve them.
func (a *runtimeAPI) close() {
	a.server.Close()
	a.serving.Wait()
}

// count keeps the number of connections, so that close can wait for them.
func (a *runtimeAPI) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		a.serving.Add(1)
	case http.StateClosed:
		a.serving.Done()
	}
}

// assign hands a job to the process, which waits for one.
func (a *runtimeAPI) assign(j *job) {
	a.mu.Lock()
	a.current = j
	a.rested = false
	a.mu.Unlock()
	a.jobs <- j
}

// finish takes a job from the process; it reports false if the process has answered it.
func (a *runtimeAPI) finish(j *job) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != j {
		return false
	}
	a.current = nil
	return true
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, apiPrefix)
	id, action, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "NotFound", "the Runtime API has no "+r.URL.Path)
	case path == "invocation/next" && r.Method == http.MethodGet:
		a.next(w, r)
	case path == "init/error" && r.Method == http.MethodPost:
		a.initError(w, r)
	case action == "response" && r.Method == http.MethodPost:
		a.response(w, r, id)
	case action == "error" && r.Method == http.MethodPost:
		a.invocationError(w, r, id)
	default:
		refuse(w, http.StatusNotFound, "NotFound", "the Runtime API has no "+r.Method+" "+r.URL.Path)
	}
}

// next waits for work.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if !a.ask() {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the invocation under way has not been answered")
		return
	}
	select {
	case j := <-a.jobs:
		h := w.Header()
		h["Lambda-Runtime-Aws-Request-Id"] = []string{j.id}
		h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(j.deadline.UnixMilli(), 10)}
		h["Lambda-Runtime-Invoked-Function-Arn"] = []string{j.arn}
		h["Lambda-Runtime-Trace-Id"] = []string{j.trace}
		if len(j.context) > 0 {
			h["Lambda-Runtime-Client-Context"] = []string{string(j.context)}
		}
		h["Content-Type"] = []string{"application/json"}
		h["Content-Length"] = []string{strconv.Itoa(len(j.payload))}
		w.Write(j.payload)
	case <-r.Context().Done():
	}
}

// ask marks that the process waits for work, and reports whether it may. Asking again, as a client does that tries once more
// after a broken connection, is nothing new.
func (a *runtimeAPI) ask() bool {
	a.mu.Lock()
	if a.current != nil {
		a.mu.Unlock()
		return len(a.jobs) > 0 // the job has not been fetched yet
	}
	first, again := !a.began, a.rested
	a.began, a.rested = true, true
	a.mu.Unlock()
	switch {
	case first:
		close(a.ready)
	case !again:
		a.asked()
	}
	return true
}

func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	body, err := readAnswer(r)
	if err != nil {
		body = nil
	}
	select {
	case a.initErrors <- failed(body, r.Header):
		accept(w)
	default:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the error has been told already")
	}
}

func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request, id string) {
	j := a.under(id)
	if j == nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	body, err := readAnswer(r)
	if errors.Is(err, errTooLarge) {
		a.answer(j, tooLargeOutcome())
		io.Copy(io.Discard, r.Body) // the connection serves on; the time limit holds
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxAnswer))
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
	accept(w)
}

func (a *runtimeAPI) invocationError(w http.ResponseWriter, r *http.Request, id string) {
	j := a.under(id)
	if j == nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	body, err := readAnswer(r)
	if errors.Is(err, errTooLarge) {
		a.answer(j, tooLargeOutcome())
		io.Copy(io.Discard, r.Body)
		accept(w)
		return
	}
	if err != nil {
		return
	}
	o := failed(body, r.Header)
	o.status = "" // an error that the function itself answers is none of the platform's
	a.answer(j, o)
	accept(w)
}

// under returns the job under way, if it has that id.
func (a *runtimeAPI) under(id string) *job {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil || a.current.id != id || len(a.jobs) > 0 {
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

func accept(w http.ResponseWriter) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(accepted))}
	w.WriteHeader(http.StatusAccepted)
	w.Write(accepted)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	b, _ := json.Marshal(errorAnswer{kind, message})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}
