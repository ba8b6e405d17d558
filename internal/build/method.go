package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// method is a way to build.
type method struct {
	name  string
	build func(ctx context.Context, b *builder, u *unit, dir string) error
}

// method chooses the way to build a unit: its BuildMethod, else what its runtime suggests.
func (b *builder) method(u *unit) (method, error) {
	name := u.method
	if name == "" {
		name = u.runtime
	}
	switch {
	case name == "makefile":
		return method{"make", buildMake}, nil
	case name == "esbuild":
		return method{"esbuild", buildEsbuild}, nil
	case isGo(u):
		return method{"go", buildGo}, nil
	case strings.HasPrefix(name, "nodejs"):
		return method{"npm", buildNode}, nil
	case strings.HasPrefix(name, "python"):
		return method{"pip", buildPython}, nil
	case strings.HasPrefix(name, "provided"):
		if _, err := os.Stat(filepath.Join(u.source, "bootstrap")); err == nil {
			return method{"copy", buildCopy}, nil
		}
		return method{}, fmt.Errorf("runtime %s does not tell how its source is built: set Metadata.BuildMethod to go1.x or makefile, or put an executable bootstrap into %s", name, u.source)
	case name == "":
		return method{}, errors.New("it has no Runtime")
	}
	return method{}, fmt.Errorf("evo cannot build %s: it builds Go, Node.js, Python, and what a makefile builds (Metadata.BuildMethod: makefile)", name)
}

func isGo(u *unit) bool {
	return u.method == "go1.x" || u.method == "go" || u.method == "" && u.runtime == "go1.x"
}

// Runner runs the commands that builders need.
type Runner interface {
	// Run runs a command in a folder, with further variables in its environment, and returns what it printed.
	Run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error)
}

// Exec runs commands as processes.
type Exec struct{}

// Run implements Runner.
func (Exec) Run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, &MissingToolError{Tool: name}
	}
	return out, err
}

// MissingToolError says that a command which a builder needs is not on this machine.
type MissingToolError struct{ Tool string }

func (e *MissingToolError) Error() string { return e.Tool + " is not on this machine's PATH" }

// Hint says what a person can do.
func (e *MissingToolError) Hint() string { return "install " + e.Tool + ", and build again" }

// CommandError says that a builder's command failed, with what it printed.
type CommandError struct {
	Command string
	Output  string
	Err     error
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", e.Command, e.Err, strings.TrimSpace(e.Output))
}

func (e *CommandError) Unwrap() error { return e.Err }

// run runs a command, and makes a failure one that shows what was printed.
func (b *builder) run(ctx context.Context, u *unit, dir string, env []string, name string, args ...string) error {
	out, err := b.Commands.Run(ctx, dir, append(b.environ(u), env...), name, args...)
	var missing *MissingToolError
	if err == nil || errors.As(err, &missing) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &CommandError{Command: strings.Join(append([]string{name}, args...), " "), Output: string(bytes.TrimSpace(out)), Err: err}
}

// environ returns the variables that were given for a unit: those for it by name win.
func (b *builder) environ(u *unit) []string {
	values := map[string]string{}
	for k, v := range b.Env {
		if !strings.Contains(k, ".") {
			values[k] = v
		}
	}
	for k, v := range b.Env {
		if name, ok := strings.CutPrefix(k, u.id+"."); ok {
			values[name] = v
		}
	}
	var env []string
	for k, v := range values {
		env = append(env, k+"="+v)
	}
	sort.Strings(env)
	return env
}

func buildCopy(_ context.Context, _ *builder, u *unit, dir string) error {
	return copyTree(u.source, dir, skipped())
}

var goArch = map[string]string{"x86_64": "amd64", "arm64": "arm64"}

// buildGo makes one static binary. For Lambda it is called bootstrap, as the provided runtimes want; for go1.x it has the
// handler's name.
func buildGo(ctx context.Context, b *builder, u *unit, dir string) error {
	goos, goarch := "linux", goArch[u.arch]
	if b.Native {
		goos, goarch = runtime.GOOS, runtime.GOARCH
	}
	name := "bootstrap"
	if u.runtime == "go1.x" && u.handler != "" {
		name = u.handler
	}
	env := []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}
	args := []string{"build", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", filepath.Join(dir, name)}
	if !b.Native { // the same bytes on every machine; here it would only keep Go from using what it has compiled already
		args = append(args, "-trimpath")
	}
	return b.run(ctx, u, u.source, env, "go", append(args, ".")...)
}

// buildNode copies the source and installs what its package.json depends on.
func buildNode(ctx context.Context, b *builder, u *unit, dir string) error {
	if err := copyTree(u.source, dir, skipped("node_modules")); err != nil {
		return err
	}
	into := dir
	if u.layer {
		into = filepath.Join(dir, "nodejs")
		if err := nest(dir, "nodejs"); err != nil {
			return err
		}
	}
	if b.Manifest != "" {
		if err := copyTree(b.Manifest, into, nil); err != nil {
			return err
		}
	}
	if !exists(filepath.Join(into, "package.json")) {
		return nil
	}
	install := "install"
	if exists(filepath.Join(into, "package-lock.json")) || exists(filepath.Join(into, "npm-shrinkwrap.json")) {
		install = "ci"
	}
	return b.run(ctx, u, into, nil, "npm", install, "--omit=dev", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error")
}

// nest moves what is in a folder into a new folder in it.
func nest(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(dir, name, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// buildPython copies the source and installs its requirements beside it.
func buildPython(ctx context.Context, b *builder, u *unit, dir string) error {
	into := dir
	if u.layer {
		into = filepath.Join(dir, "python")
	}
	if err := copyTree(u.source, into, skipped()); err != nil {
		return err
	}
	manifest := b.Manifest
	if manifest == "" {
		manifest = filepath.Join(u.source, "requirements.txt")
	}
	empty, err := isEmptyManifest(manifest)
	if err != nil || empty {
		return err
	}
	args := []string{"-m", "pip", "install", "--requirement", manifest, "--target", into, "--upgrade", "--quiet", "--disable-pip-version-check", "--no-input"}
	if !b.Native {
		args = append(args, "--only-binary=:all:", "--implementation", "cp", "--python-version", pythonVersion(u))
		for _, platform := range pythonPlatforms[u.arch] {
			args = append(args, "--platform", platform)
		}
	}
	return b.run(ctx, u, u.source, []string{"PIP_ROOT_USER_ACTION=ignore"}, "python3", args...)
}

// pythonPlatforms are the wheels that Lambda's machines can load.
var pythonPlatforms = map[string][]string{
	"x86_64": {"manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux1_x86_64"},
	"arm64":  {"manylinux2014_aarch64", "manylinux_2_17_aarch64"},
}

func pythonVersion(u *unit) string {
	name := u.runtime
	if name == "" {
		name = u.method
	}
	return strings.TrimPrefix(name, "python")
}

// isEmptyManifest reports whether a requirements.txt is missing, or requires nothing.
func isEmptyManifest(path string) (bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false, nil
		}
	}
	return true, nil
}

// buildMake runs the makefile's target for the unit, on a copy of the source, so that what it leaves there harms nobody.
func buildMake(ctx context.Context, b *builder, u *unit, dir string) error {
	scratch, err := os.MkdirTemp("", "evo-make-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	work := filepath.Join(scratch, filepath.Base(u.source))
	if err := copyTree(u.source, work, skipped()); err != nil {
		return err
	}
	if wd := u.node.At("Metadata", "WorkingDirectory").Str(); wd != "" {
		work = filepath.Join(work, filepath.FromSlash(wd))
	}
	return b.run(ctx, u, work, []string{"ARTIFACTS_DIR=" + dir}, "make", "build-"+u.id)
}
