package sandbox

import (
	"context"
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// machine knows the interpreters of this computer. It looks for them when first asked.
type machine struct {
	getenv func(string) string

	mu       sync.Mutex
	examined map[string]*interpreter // by path; nil for what is none
}

// interpreter is a Node.js or a Python on this computer.
type interpreter struct {
	path         string
	major, minor int
}

// interpreter returns the one that fits best: of the very version, else the nearest newer, else the nearest older. The error
// says what to install.
func (m *machine) interpreter(ctx context.Context, family string, major, minor int) (interpreter, error) {
	if in, ok := choose(m.search(ctx, family, major, minor), family, major, minor); ok {
		return in, nil
	}
	if family == "node" {
		return interpreter{}, fmt.Errorf("install Node.js %d or newer, so that `node` is on the PATH", major)
	}
	return interpreter{}, fmt.Errorf("install Python 3.%d or newer, so that `python3` is on the PATH", minor)
}

// choose picks from what is there. Node.js versions differ in their major number, those of Python 3 in their minor.
func choose(found []interpreter, family string, major, minor int) (best interpreter, ok bool) {
	distance := func(in interpreter) int {
		d := in.major - major
		if family == "python" {
			d = in.minor - minor
		}
		if d < 0 {
			return 1000 - d // any newer one before any older
		}
		return d
	}
	for _, in := range found {
		if !ok || distance(in) < distance(best) {
			best, ok = in, true
		}
	}
	return best, ok
}

// warning says that the interpreter is not of the version that was asked for.
func (in interpreter) warning(family string, major, minor int) string {
	if family == "node" && in.major != major {
		return fmt.Sprintf("no Node.js %d on this machine: the function runs on Node.js %d (%s)", major, in.major, in.path)
	}
	if family == "python" && in.minor != minor {
		return fmt.Sprintf("no Python 3.%d on this machine: the function runs on Python 3.%d (%s)", minor, in.minor, in.path)
	}
	return ""
}

// search examines what may be an interpreter, the likeliest first, until it finds one of the very version.
func (m *machine) search(ctx context.Context, family string, major, minor int) []interpreter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.examined == nil {
		m.examined = map[string]*interpreter{}
	}
	hint := fmt.Sprintf("v%d.", major)
	if family == "python" {
		hint = fmt.Sprintf("3.%d", minor)
	}
	list := m.candidates(family)
	slices.SortStableFunc(list, func(a, b string) int { return likely(b, hint) - likely(a, hint) })
	var found []interpreter
	for _, path := range list {
		in, known := m.examined[path]
		if !known {
			in = examine(ctx, family, path)
			m.examined[path] = in
		}
		if in == nil {
			continue
		}
		found = append(found, *in)
		if in.major == major && (family == "node" || in.minor == minor) {
			break
		}
	}
	return found
}

func likely(path, hint string) int {
	if strings.HasSuffix(path, hint) || strings.Contains(path, hint+".") || strings.Contains(path, hint+"/") {
		return 1
	}
	return 0
}

// candidates lists where interpreters may be: on the PATH first, then where version managers keep theirs.
func (m *machine) candidates(family string) []string {
	home := m.getenv("HOME")
	if home == "" {
		home = m.getenv("USERPROFILE")
	}
	names, globs := []string{"node", "nodejs"}, []string{
		home + "/.nvm/versions/node/*/bin/node", home + "/.local/share/fnm/node-versions/*/installation/bin/node",
		home + "/.volta/tools/image/node/*/bin/node", home + "/.asdf/installs/nodejs/*/bin/node",
		home + "/.local/share/mise/installs/node/*/bin/node", "/opt/homebrew/opt/node@*/bin/node", "/usr/local/opt/node@*/bin/node",
	}
	if family == "python" {
		names = []string{"python3", "python"}
		for minor := 20; minor >= 6; minor-- {
			names = append(names, fmt.Sprintf("python3.%d", minor))
		}
		globs = []string{
			home + "/.pyenv/versions/3.*/bin/python3", home + "/.asdf/installs/python/3.*/bin/python3",
			home + "/.local/share/uv/python/*/bin/python3", home + "/.local/share/mise/installs/python/3.*/bin/python3",
			"/opt/homebrew/opt/python@3.*/bin/python3*", "/usr/local/opt/python@3.*/bin/python3*",
		}
	}
	var list []string
	for _, dir := range filepath.SplitList(m.getenv("PATH")) {
		tried := names
		if filepath.Base(dir) == "shims" && family == "python" { // scripts of pyenv, slow to say that they lead nowhere
			tried = names[:2]
			globs = append(globs, filepath.Join(filepath.Dir(dir), "versions", "3.*", "bin", "python3"))
		}
		for _, name := range tried {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				list = append(list, path)
			}
		}
	}
	for _, g := range globs {
		matches, _ := filepath.Glob(g)
		slices.Reverse(matches) // the newest first
		list = append(list, matches...)
	}
	return list
}

var configTool = regexp.MustCompile(`config$`)

// examine asks an interpreter for its version and for the path of the program itself: what is on the PATH may be a script that
// chooses, and costs a process each time.
func examine(ctx context.Context, family, path string) *interpreter {
	if configTool.MatchString(path) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	args := []string{"-p", `process.versions.node.split(".").slice(0,2).join(" ")+" "+process.execPath`}
	if family == "python" {
		args = []string{"-I", "-c", `import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)`}
	}
	out, err := exec.CommandContext(ctx, path, args...).Output()
	fields := strings.SplitN(strings.TrimSpace(string(out)), " ", 3)
	if err != nil || len(fields) != 3 {
		return nil
	}
	major, errMajor := strconv.Atoi(fields[0])
	minor, errMinor := strconv.Atoi(fields[1])
	if errors.Join(errMajor, errMinor) != nil || (family == "python" && major != 3) {
		return nil
	}
	return &interpreter{path: fields[2], major: major, minor: minor}
}

// programFormat says for which system a program was built that this one cannot run.
func programFormat(path string) string {
	here := runtime.GOOS + "/" + runtime.GOARCH
	if f, err := elf.Open(path); err == nil {
		defer f.Close()
		return fmt.Sprintf("built for Linux on %s, and this is %s: build it for this machine to run it here", f.Machine, here)
	}
	if f, err := macho.Open(path); err == nil {
		defer f.Close()
		return fmt.Sprintf("built for macOS on %s, and this is %s", f.Cpu, here)
	}
	if b, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(b), "#!") {
		return "a script whose interpreter is not there"
	}
	return "neither a program nor a script with a #! line"
}
