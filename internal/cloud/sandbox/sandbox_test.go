package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests run functions of three kinds: this test binary itself, which is a Go function when it is started as a bootstrap,
// and Node.js and Python functions where the machine has the interpreters.

type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) add(batch Lines) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range batch.Events {
		l.lines = append(l.lines, e.Message)
	}
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

func newSandbox(t testing.TB, change ...func(*Config)) (*Sandbox, *logbook) {
	t.Helper()
	book := new(logbook)
	cfg := Config{Dir: t.TempDir(), Logs: book.add, Progress: func(m string) { t.Log(m) }}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if n := s.Running(); n != 0 {
			t.Errorf("%d processes are left after Close", n)
		}
	})
	return s, book
}

// code writes files and returns their folder.
func code(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s on this machine", program)
	}
}

func node(t testing.TB, runtime string, files map[string]string) *Function {
	need(t, "node")
	return &Function{Name: "fn", Runtime: runtime, Handler: "index.handler", Code: code(t, files), Memory: 512, Timeout: 10 * time.Second}
}

func python(t testing.TB, files map[string]string) *Function {
	need(t, "python3")
	return &Function{Name: "fn", Runtime: "python3.11", Handler: "app.handler", Code: code(t, files), Memory: 512, Timeout: 10 * time.Second}
}

// goFunction makes this test binary the function; see TestMain for the handlers.
func goFunction(t testing.TB, handler string) *Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "bootstrap")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	return &Function{Name: "fn", Runtime: "provided.al2023", Handler: handler, Code: dir, Memory: 512, Timeout: 5 * time.Second}
}

var requests sync.Mutex
var requestNumber int

func nextID() string {
	requests.Lock()
	defer requests.Unlock()
	requestNumber++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", requestNumber)
}

func invoke(t testing.TB, s *Sandbox, fn *Function, payload string) *Result {
	t.Helper()
	r, err := s.Invoke(context.Background(), fn, Invocation{RequestID: nextID(), ARN: "arn:aws:lambda:us-east-1:000000000000:function:fn", Payload: []byte(payload)})
	if err != nil {
		t.Fatalf("invoke: %v", err)
	}
	return r
}

// failure is the error that a function's caller sees.
type failure struct {
	Type    string   `json:"errorType"`
	Message string   `json:"errorMessage"`
	Trace   []string `json:"trace"`
	Stack   []string `json:"stackTrace"`
}

func failureOf(t testing.TB, r *Result) failure {
	t.Helper()
	var f failure
	if r.FunctionError != "Unhandled" {
		t.Fatalf("no function error, but %s", r.Payload)
	}
	if err := json.Unmarshal(r.Payload, &f); err != nil {
		t.Fatalf("error answer %q: %v", r.Payload, err)
	}
	return f
}

func wantPayload(t testing.TB, r *Result, want string) {
	t.Helper()
	if r.FunctionError != "" || string(r.Payload) != want {
		t.Errorf("got %s %s, want %s", r.FunctionError, r.Payload, want)
	}
}
