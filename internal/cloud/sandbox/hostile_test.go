//go:build unix

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"evo/internal/cloud/call"
)

func TestGoFunction(t *testing.T) {
	s, book := newSandbox(t)
	fn := goFunction(t, "echo")
	wantPayload(t, invoke(t, s, fn, `{"a": [1,  2]}`), `{"a":[1,2]}`)
	if r := invoke(t, s, fn, `1`); r.Cold || r.Init != 0 || s.Running() != 1 {
		t.Errorf("second invocation: cold %v, init %v, %d processes", r.Cold, r.Init, s.Running())
	}
	want := regexp.MustCompile(`^INIT_START Runtime Version: provided:al2023\.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}
START RequestId: (\S+) Version: \$LATEST
END RequestId: \S+
REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t
START RequestId: \S+ Version: \$LATEST
END RequestId: \S+
REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\t
$`)
	if !want.MatchString(book.text()) {
		t.Errorf("log:\n%s", book.text())
	}
	f := failureOf(t, invoke(t, s, goFunction(t, "fail"), `{}`))
	if f.Type != "errorString" || f.Message != "no luck" {
		t.Errorf("error %+v", f)
	}
}

func TestTimeout(t *testing.T) {
	s, book := newSandbox(t)
	fn := goFunction(t, "slow")
	fn.Timeout = 2 * time.Second
	wantPayload(t, invoke(t, s, fn, `{"Millis":1}`), `"slept"`)
	began := time.Now()
	r := invoke(t, s, fn, `{"Millis":60000}`)
	f := failureOf(t, r)
	if f.Type != "Sandbox.Timedout" || !regexp.MustCompile(`^RequestId: \S{36} Error: Task timed out after 2\.00 seconds$`).MatchString(f.Message) {
		t.Errorf("error %+v", f)
	}
	if r.Duration != 2*time.Second || time.Since(began) > 10*time.Second {
		t.Errorf("took %v, by its own account %v", time.Since(began), r.Duration)
	}
	if !strings.Contains(book.text(), " Task timed out after 2.00 seconds\n") || !strings.Contains(book.text(), "Status: timeout\t") {
		t.Errorf("log:\n%s", book.text())
	}
	if r := invoke(t, s, fn, `{"Millis":1}`); !r.Cold || string(r.Payload) != `"slept"` {
		t.Errorf("after a timeout: cold %v, %s", r.Cold, r.Payload)
	}
}

func TestTemporaryFilesOutliveATimeout(t *testing.T) {
	s, _ := newSandbox(t)
	fn := node(t, "nodejs20.x", map[string]string{"index.js": `
		const fs = require("fs"), os = require("os"); let n = 0
		exports.handler = async (e) => {
			if (e.write) fs.writeFileSync(os.tmpdir() + "/kept", e.write)
			if (e.hang) await new Promise(() => setTimeout(() => {}, 60000))
			return [fs.readFileSync(os.tmpdir() + "/kept", "utf8"), n++]
		}`})
	fn.Timeout = 2 * time.Second
	wantPayload(t, invoke(t, s, fn, `{"write":"a"}`), `["a",0]`)
	wantPayload(t, invoke(t, s, fn, `{}`), `["a",1]`)
	failureOf(t, invoke(t, s, fn, `{"hang":1}`))
	wantPayload(t, invoke(t, s, fn, `{}`), `["a",0]`)
}

func TestInitThatHangsIsTriedAgainWithinTheFunctionsTime(t *testing.T) {
	s, book := newSandbox(t, func(c *Config) { c.InitLimit = 200 * time.Millisecond })
	fn := goFunction(t, "never")
	fn.Timeout = 500 * time.Millisecond
	f := failureOf(t, invoke(t, s, fn, `{}`))
	if f.Type != "Sandbox.Timedout" || !strings.Contains(f.Message, "Task timed out after 0.50 seconds") {
		t.Errorf("error %+v", f)
	}
	for _, want := range []string{"Phase: init\tStatus: timeout", "Phase: invoke\tStatus: timeout"} {
		if !strings.Contains(book.text(), want) {
			t.Errorf("no %q in the log:\n%s", want, book.text())
		}
	}
}

// A start that is tried again is a part of the invocation: what it takes is not there any more for the handler.
func TestSecondStartTakesOfTheFunctionsTime(t *testing.T) {
	s, _ := newSandbox(t, func(c *Config) { c.InitLimit = time.Nanosecond })
	fn := node(t, "nodejs22.x", map[string]string{"index.js": `
		const began = Date.now()
		while (Date.now() < began + 2000);
		exports.handler = async (e, context) => context.getRemainingTimeInMillis()`})
	fn.Timeout = 20 * time.Second
	left, err := strconv.Atoi(string(invoke(t, s, fn, `{}`).Payload))
	if err != nil || left > 18_000 {
		t.Errorf("the handler has %d ms after a start of two seconds, error %v", left, err)
	}
	if left, err = strconv.Atoi(string(invoke(t, s, fn, `{}`).Payload)); err != nil || left <= 18_000 {
		t.Errorf("the next has %d ms, error %v", left, err)
	}
}

// The time until a function is started is not the caller's, however long the machine makes it wait for its turn.
func TestWaitForATurnIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newSandbox(t)
		for range cap(s.starts) {
			s.starts <- struct{}{}
		}
		ctx, cancel := call.WithLimit(t.Context(), 10*time.Second)
		ended := make(chan error)
		go func() {
			_, err := s.Invoke(ctx, goFunction(t, "echo"), Invocation{})
			ended <- err
		}()
		time.Sleep(time.Minute)
		if ctx.Err() != nil {
			t.Errorf("the caller has lost patience: %v", context.Cause(ctx))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestPrintsWithoutEnd(t *testing.T) {
	s, book := newSandbox(t)
	r := invoke(t, s, goFunction(t, "print"), `{}`)
	wantPayload(t, r, "null")
	if n := len(book.text()); n > maxOutput+1<<20 {
		t.Errorf("%d bytes of log", n)
	}
	if !strings.Contains(book.text(), "more than 8 MB in one invocation") || len(r.Tail) > maxTail || !strings.Contains(string(r.Tail), "REPORT RequestId: ") {
		t.Errorf("tail:\n%s", r.Tail)
	}
}

func TestHugeAnswer(t *testing.T) {
	s, _ := newSandbox(t)
	functions := map[string]*Function{"go": goFunction(t, "huge")}
	if _, err := os.Stat("/usr/bin/env"); err == nil {
		functions["node"] = node(t, "nodejs20.x", map[string]string{"index.js": `exports.handler = async (e) => e.small ? "ok" : "x".repeat(7 << 20)`})
	}
	for name, fn := range functions {
		f := failureOf(t, invoke(t, s, fn, `{}`))
		if f.Type != "Function.ResponseSizeTooLarge" || f.Message != "Response payload size exceeded maximum allowed payload size (6291556 bytes)." {
			t.Errorf("%s: error %+v", name, f)
		}
	}
	if fn := functions["node"]; fn != nil {
		if r := invoke(t, s, fn, `{"small":1}`); r.Cold || string(r.Payload) != `"ok"` {
			t.Errorf("after a huge answer: cold %v, %s", r.Cold, r.Payload)
		}
	}
}

func TestOutOfMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is looked at too seldom here")
	}
	s, book := newSandbox(t)
	fn := goFunction(t, "eat")
	fn.Memory = 128
	r := invoke(t, s, fn, `{}`)
	f := failureOf(t, r)
	if f.Type != "Runtime.OutOfMemory" || !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
		t.Errorf("error %+v", f)
	}
	if r.MaxMemory < 128 || !strings.Contains(book.text(), "Status: error\tError Type: Runtime.OutOfMemory") {
		t.Errorf("%d MB; log:\n%s", r.MaxMemory, book.text())
	}
}

func TestAnswersTwice(t *testing.T) {
	s, _ := newSandbox(t)
	fn := goFunction(t, "twice")
	wantPayload(t, invoke(t, s, fn, `{}`), `"first"`)
	wantPayload(t, invoke(t, s, fn, `{}`), `400`)
}

func TestOutOfTurn(t *testing.T) {
	s, _ := newSandbox(t)
	wantPayload(t, invoke(t, s, goFunction(t, "rude"), `{}`), `[403 400 404]`)
}

func TestProgramsThatCannotStart(t *testing.T) {
	s, _ := newSandbox(t)
	tests := []struct {
		name, runtime string
		files         map[string]string
		want          string
	}{
		{"none", "provided.al2023", map[string]string{"readme": ""}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		{"no program", "provided.al2", map[string]string{"bootstrap": "not a program"}, "exec format error (neither a program nor a script with a #! line)"},
		{"no interpreter", "provided", map[string]string{"bootstrap": "#!/no/such/shell\n"}, "no such file or directory (a script whose interpreter is not there)"},
		{"no handler", "go1.x", map[string]string{"readme": ""}, "no such file or directory"},
		{"no wrapper", "nodejs20.x", map[string]string{"index.js": ""}, "no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := &Function{Name: "fn", Runtime: tt.runtime, Handler: "main", Code: code(t, tt.files)}
			if tt.runtime == "nodejs20.x" {
				need(t, "node")
				fn.Env = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"}
			}
			if f := failureOf(t, invoke(t, s, fn, `{}`)); f.Type != "Runtime.InvalidEntrypoint" || !strings.HasSuffix(f.Message, tt.want) {
				t.Errorf("error %+v, want %s", f, tt.want)
			}
		})
	}
}

func TestUnknownRuntimeSaysWhatThereIs(t *testing.T) {
	s, _ := newSandbox(t)
	_, err := s.Invoke(context.Background(), &Function{Name: "fn", Runtime: "java21", Code: t.TempDir()}, Invocation{RequestID: "1"})
	if err == nil || !strings.Contains(err.Error(), `runtime "java21" is not there yet`) {
		t.Errorf("error %v", err)
	}
}

func TestNoInterpreterSaysWhatToInstall(t *testing.T) {
	s, _ := newSandbox(t, func(c *Config) { c.Getenv = func(string) string { return "" } })
	_, err := s.Invoke(context.Background(), &Function{Name: "fn", Runtime: "nodejs20.x", Handler: "index.handler", Code: t.TempDir()}, Invocation{RequestID: "1"})
	if err == nil || !strings.Contains(err.Error(), "install Node.js 20 or newer") {
		t.Errorf("error %v", err)
	}
}

// meeting makes the event for a function that waits to be let go.
func meeting(dir string) string {
	return fmt.Sprintf(`{"Here":%q,"Go":%q}`, filepath.Join(dir, "here"), filepath.Join(dir, "go"))
}

func letGo(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Concurrent callers each get an answer, and a function that takes its time gets an environment for each.
func TestScaleOut(t *testing.T) {
	s, _ := newSandbox(t)
	fn := goFunction(t, "meet")
	fn.Timeout = 30 * time.Second
	dir := t.TempDir()
	const n = 8
	var all sync.WaitGroup
	for range n {
		all.Go(func() { wantPayload(t, invoke(t, s, fn, meeting(dir)), `"met"`) })
	}
	await(t, "a process for each caller", func() bool { return s.Running() == n })
	letGo(t, dir)
	all.Wait()
}

// In a crowd, further processes start slowly, but they do start: a function may wait for another.
func TestCrowd(t *testing.T) {
	s, _ := newSandbox(t, func(c *Config) { c.Crowd = 1 })
	fn := goFunction(t, "meet")
	fn.Timeout = 30 * time.Second
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { wantPayload(t, invoke(t, s, fn, meeting(dir)), `"met"`) })
	}
	await(t, "a process for each caller", func() bool { return s.Running() == 3 })
	letGo(t, dir)
	all.Wait()
}

// One caller after the other is served by one process, however quickly they follow.
func TestOneCallerOneProcess(t *testing.T) {
	s, _ := newSandbox(t)
	fn := goFunction(t, "echo")
	for range 200 {
		wantPayload(t, invoke(t, s, fn, `1`), `1`)
	}
	if n := s.Running(); n > 3 { // one, unless the machine is so busy that it takes long to come back from an answer
		t.Errorf("%d processes for one caller", n)
	}
}

func TestCallerLeaves(t *testing.T) {
	s, book := newSandbox(t)
	fn := goFunction(t, "meet")
	fn.Timeout = 30 * time.Second
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() {
		_, err := s.Invoke(ctx, fn, Invocation{RequestID: "left", Payload: []byte(meeting(dir))})
		left <- err
	}()
	await(t, "the function", func() bool { return exists(filepath.Join(dir, "here")) })
	cancel()
	if err := <-left; err != context.Canceled {
		t.Fatalf("error %v", err)
	}
	letGo(t, dir)
	await(t, "the end of the invocation", func() bool { return strings.Contains(book.text(), "REPORT RequestId: left") })
}

func TestIdleEnvironmentsEnd(t *testing.T) {
	s, _ := newSandbox(t, func(c *Config) { c.Idle = 50 * time.Millisecond })
	invoke(t, s, goFunction(t, "echo"), `1`)
	awaitGone(t, s)
}

func TestRetire(t *testing.T) {
	s, _ := newSandbox(t)
	fn := goFunction(t, "echo")
	invoke(t, s, fn, `1`)
	s.Retire(fn.key())
	awaitGone(t, s)
	wantPayload(t, invoke(t, s, fn, `2`), `2`)
}

func awaitGone(t *testing.T, s *Sandbox) {
	t.Helper()
	await(t, "the end of all processes", func() bool { return s.Running() == 0 })
}

// What a function starts dies with its environment.
func TestChildrenDieToo(t *testing.T) {
	s, _ := newSandbox(t)
	r := invoke(t, s, goFunction(t, "children"), `{}`)
	pid, err := strconv.Atoi(string(r.Payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the child does not run: %v", err)
	}
	s.Close()
	awaitDeath(t, pid)
}

func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	await(t, fmt.Sprintf("the end of process %d", pid), func() bool { return !alive(pid) })
}

// alive counts a process that is only waiting to be reaped as dead.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	s, _ := newSandbox(t)
	fn := goFunction(t, "slow")
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			s.Invoke(context.Background(), fn, Invocation{RequestID: nextID(), Payload: []byte(`{"Millis":4000}`)})
		})
	}
	for deadline := time.Now().Add(10 * time.Second); s.Running() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if _, err := s.Invoke(context.Background(), fn, Invocation{}); err != ErrClosed {
		t.Errorf("invoke after close: %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
	if left, _ := os.ReadDir(filepath.Join(s.cfg.Dir, runFolder)); len(left) > 0 {
		t.Errorf("marks left: %v", left)
	}
}
