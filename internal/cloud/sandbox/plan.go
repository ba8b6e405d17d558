package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// plan is how a function is started on this machine: decided once for all its environments.
type plan struct {
	fn       *Function
	family   string // node, python or provided
	major    int    // of Node.js: 20
	minor    int    // of Python 3: 12
	path     string // what to run
	args     []string
	wrapper  string // AWS_LAMBDA_EXEC_WRAPPER, or nothing
	sdk      string // folder of an AWS SDK that the code needs and does not bring, or nothing
	runtime  string // folder of the embedded bootstraps
	warnings []string
}

// planned returns how to start the pool's function. Finding that out may take long, when an SDK has to be installed; that it
// cannot be done is remembered for a while, for clients try again at once.
func (p *pool) planned(ctx context.Context) (*plan, error) {
	p.planning.Lock()
	defer p.planning.Unlock()
	if p.plan != nil {
		return p.plan, nil
	}
	if p.planError != nil && time.Since(p.planFailed) < planAgain {
		return nil, p.planError
	}
	pl, err := p.box.plan(ctx, p.fn)
	p.plan, p.planError, p.planFailed = pl, err, time.Now()
	return pl, err
}

// planAgain is how long to wait before another attempt.
const planAgain = 10 * time.Second

func (s *Sandbox) plan(ctx context.Context, fn *Function) (*plan, error) {
	pl := &plan{fn: fn, runtime: s.runtime}
	if err := pl.name(fn.Runtime); err != nil {
		return nil, err
	}
	if _, err := os.Stat(fn.Code); err != nil {
		return nil, &SetupError{Function: fn.Name, Problem: "its code is not there", Err: err}
	}
	if w := fn.Env["AWS_LAMBDA_EXEC_WRAPPER"]; w != "" && pl.family != "provided" {
		pl.wrapper = pl.local(w)
	}
	for _, l := range fn.Layers {
		if found, _ := os.ReadDir(filepath.Join(l, "extensions")); len(found) > 0 {
			pl.warnings = append(pl.warnings, "a layer's extension "+found[0].Name()+" is not run: Lambda extensions are not there yet")
		}
	}
	if pl.family == "provided" {
		pl.path = pl.entrypoint()
		return pl, nil
	}
	in, err := s.machine.interpreter(ctx, pl.family, pl.major, pl.minor)
	if err != nil {
		return nil, &SetupError{Function: fn.Name, Problem: "no interpreter for " + fn.Runtime + " on this machine", Hint: err.Error()}
	}
	pl.path = in.path
	if w := in.warning(pl.family, pl.major, pl.minor); w != "" {
		pl.warnings = append(pl.warnings, w)
	}
	if pl.family == "node" {
		pl.args = []string{filepath.Join(s.runtime, "node", "bootstrap.js")}
	} else {
		pl.args = []string{filepath.Join(s.runtime, "python", "bootstrap.py")}
	}
	pl.sdk, err = s.installer.provide(ctx, pl, in)
	if err != nil {
		return nil, &SetupError{Function: fn.Name, Problem: "it uses an AWS SDK that AWS's runtime brings, which could not be installed here", Err: err,
			Hint: "packaged with the function's code, the SDK need not be installed"}
	}
	return pl, nil
}

// name understands the name of a runtime.
func (pl *plan) name(runtime string) error {
	number := func(prefix, suffix string) (major, minor int, ok bool) {
		rest, found := strings.CutPrefix(runtime, prefix)
		rest = strings.TrimSuffix(rest, suffix)
		a, b, _ := strings.Cut(rest, ".")
		major, err := strconv.Atoi(a)
		minor, _ = strconv.Atoi(b)
		return major, minor, found && err == nil
	}
	if runtime == "provided" || strings.HasPrefix(runtime, "provided.") || runtime == "go1.x" {
		pl.family = "provided"
		return nil
	}
	if major, _, ok := number("nodejs", ".x"); ok && major >= 8 {
		pl.family, pl.major = "node", major
		return nil
	}
	if major, minor, ok := number("python", ""); ok && major == 3 {
		pl.family, pl.major, pl.minor = "python", 3, minor
		return nil
	}
	return &SetupError{Function: pl.fn.Name, Problem: fmt.Sprintf("runtime %q is not there yet", runtime),
		Hint: "evo runs provided.*, go1.x, nodejs8.10 and later, and python3.6 and later"}
}

// entrypoint is the program of a function that brings its own runtime.
func (pl *plan) entrypoint() string {
	if pl.fn.Runtime == "go1.x" {
		return filepath.Join(pl.fn.Code, filepath.Clean("/"+pl.fn.Handler))
	}
	for _, l := range slices.Backward(pl.fn.Layers) {
		path := filepath.Join(l, "bootstrap")
		if _, err := os.Stat(filepath.Join(pl.fn.Code, "bootstrap")); err != nil && exists(path) {
			return path
		}
	}
	return filepath.Join(pl.fn.Code, "bootstrap")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// local turns a path on AWS's machine into one on this.
func (pl *plan) local(path string) string {
	if rest, ok := strings.CutPrefix(path, "/var/task/"); ok {
		return filepath.Join(pl.fn.Code, rest)
	}
	if rest, ok := strings.CutPrefix(path, "/opt/"); ok {
		for _, l := range slices.Backward(pl.fn.Layers) {
			if p := filepath.Join(l, rest); exists(p) {
				return p
			}
		}
	}
	return path
}

func (pl *plan) command() []string {
	command := append([]string{pl.path}, pl.args...)
	if pl.wrapper != "" {
		command = append([]string{pl.wrapper}, command...)
	}
	return command
}

// refusal is the answer when the function's own program cannot be started; nil when the error is not the function's fault.
func (pl *plan) refusal(err error) *outcome {
	if pl.family != "provided" && pl.wrapper == "" {
		return nil
	}
	const kind = "Runtime.InvalidEntrypoint"
	program := "/var/task/bootstrap"
	if pl.fn.Runtime == "go1.x" {
		program = "/var/task/" + pl.fn.Handler
	}
	var message string
	switch {
	case errors.Is(err, fs.ErrNotExist) && exists(pl.path) && pl.wrapper == "":
		message = "fork/exec " + program + ": no such file or directory (a script whose interpreter is not there)"
	case errors.Is(err, fs.ErrNotExist) && program == "/var/task/bootstrap" && pl.wrapper == "":
		message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
	case errors.Is(err, syscall.ENOEXEC):
		message = "fork/exec " + program + ": exec format error (" + programFormat(pl.path) + ")"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		message = err.Error()
	default: // too many processes, say: not the function's fault
		return nil
	}
	return &outcome{errorType: kind, status: "fatal", payload: errorJSON(kind, message), exit: message}
}
