package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// installer provides the AWS SDK that AWS's own runtimes bring: aws-sdk up to nodejs16.x, @aws-sdk/* from nodejs18.x on, boto3
// for Python. Nothing is installed for code that does not mention an SDK, or that brings its own.
type installer struct {
	dir      string
	progress func(string)
	getenv   func(string) string

	mu   sync.Mutex
	busy map[string]*sync.Mutex // by folder, so that one function waits for another's installation
}

// installLimit is for all of an installation; a network that hangs ends it, too.
const installLimit = 5 * time.Minute

// provide returns the folder with the SDK that a function needs, or nothing.
func (i *installer) provide(ctx context.Context, pl *plan, in interpreter) (string, error) {
	packages, err := wanted(pl)
	if err != nil || len(packages) == 0 {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.Join(packages, " ")))
	name := fmt.Sprintf("%s%d.%d-%s", pl.family, in.major, in.minor, hex.EncodeToString(sum[:8]))
	if pl.family == "node" { // pure JavaScript: one copy serves all versions
		name = "node-" + hex.EncodeToString(sum[:8])
	}
	dir := filepath.Join(i.dir, name)
	defer i.alone(dir)()
	if exists(dir) {
		return dir, nil
	}
	return dir, i.install(ctx, pl, in, packages, dir)
}

// alone waits until no other function of this process installs into the same folder.
func (i *installer) alone(dir string) (done func()) {
	i.mu.Lock()
	if i.busy == nil {
		i.busy = map[string]*sync.Mutex{}
	}
	m := i.busy[dir]
	if m == nil {
		m = new(sync.Mutex)
		i.busy[dir] = m
	}
	i.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// install makes the folder as a whole or not at all. Two processes may do so at once: the first to finish wins, and the other
// takes what is there then.
func (i *installer) install(ctx context.Context, pl *plan, in interpreter, packages []string, dir string) error {
	if err := os.MkdirAll(i.dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(i.dir, ".installing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	i.progress(fmt.Sprintf("installing %s for %s functions, once", strings.Join(packages, ", "), pl.fn.Runtime))
	began := time.Now()
	cmd, err := i.command(ctx, pl, in, packages, work)
	if err != nil {
		return err
	}
	cmd.Dir = work
	cmd.WaitDelay = 5 * time.Second
	setGroup(cmd)
	cmd.Cancel = func() error { killGroup(cmd.Process); return nil }
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, lastLines(out))
	}
	if err := os.Rename(work, dir); err != nil && !exists(dir) {
		return err
	}
	i.progress(fmt.Sprintf("installed in %.1f seconds", time.Since(began).Seconds()))
	return nil
}

func (i *installer) command(ctx context.Context, pl *plan, in interpreter, packages []string, work string) (*exec.Cmd, error) {
	if pl.family == "python" {
		args := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries=1", "--target", work}, packages...)
		return exec.CommandContext(ctx, in.path, args...), nil
	}
	npm, err := i.npm(in)
	if err != nil {
		return nil, err
	}
	args := append([]string{"install", "--prefix", work, "--no-audit", "--no-fund", "--no-package-lock", "--omit=dev", "--ignore-scripts", "--loglevel=error",
		"--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"}, packages...)
	cmd := exec.CommandContext(ctx, npm, args...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(in.path)+string(filepath.ListSeparator)+i.getenv("PATH"))
	return cmd, nil
}

// npm prefers the one beside the interpreter.
func (i *installer) npm(in interpreter) (string, error) {
	beside := filepath.Join(filepath.Dir(in.path), "npm")
	if exists(beside) {
		return beside, nil
	}
	path, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("npm, which installs it, is not on the PATH")
	}
	return path, nil
}

// lastLines keeps of an installer's output what says why it failed.
func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-6):], "\n")
}

var (
	v2Mention   = regexp.MustCompile(`["'\x60]aws-sdk(/[^"'\x60]*)?["'\x60]`)
	v3Mention   = regexp.MustCompile(`@(aws-sdk|smithy)/[a-z0-9][a-z0-9-]*`)
	botoMention = regexp.MustCompile(`(?m)^\s*(import|from)\s+(boto3|botocore|[\w ,]*\bboto3\b)`)
)

// wanted lists the packages that the function's code mentions and does not bring.
func wanted(pl *plan) ([]string, error) {
	found := map[string]bool{}
	roots := append([]string{pl.fn.Code}, pl.fn.Layers...)
	for _, root := range roots {
		err := eachSource(root, pl.family, func(code []byte) {
			switch {
			case pl.family == "python":
				if botoMention.Match(code) {
					found["boto3"] = true
				}
			case pl.major <= 16:
				if v2Mention.Match(code) {
					found["aws-sdk@2"] = true
				}
			default:
				for _, m := range v3Mention.FindAll(code, -1) {
					found[string(m)] = true
				}
			}
		})
		if err != nil {
			return nil, fmt.Errorf("look for an SDK in the code: %w", err)
		}
	}
	var list []string
	for name := range found {
		if !brought(pl, name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list, nil
}

// brought says whether a package comes with the code or a layer.
func brought(pl *plan, name string) bool {
	if pl.family == "python" {
		places := []string{pl.fn.Code}
		for _, l := range pl.fn.Layers {
			places = append(places, filepath.Join(l, "python"), filepath.Join(l, "python", "lib", fmt.Sprintf("python3.%d", pl.minor), "site-packages"))
		}
		return slices.ContainsFunc(places, func(dir string) bool {
			return exists(filepath.Join(dir, name)) || exists(filepath.Join(dir, name+".py"))
		})
	}
	if at := strings.LastIndex(name, "@"); at > 0 {
		name = name[:at] // without the version
	}
	places := []string{pl.fn.Code, filepath.Join(pl.fn.Code, filepath.Dir(filepath.FromSlash("/"+pl.fn.Handler)))}
	for _, l := range pl.fn.Layers {
		places = append(places, filepath.Join(l, "nodejs"), filepath.Join(l, "nodejs", fmt.Sprintf("node%d", pl.major)))
	}
	return slices.ContainsFunc(places, func(dir string) bool {
		return exists(filepath.Join(dir, "node_modules", filepath.FromSlash(name)))
	})
}

// maxScan is how much source is looked through.
const maxScan = 64 << 20

// eachSource calls f with the content of the source files under root, as far as maxScan goes.
func eachSource(root, family string, f func([]byte)) error {
	endings := []string{".js", ".mjs", ".cjs"}
	if family == "python" {
		endings = []string{".py"}
	}
	left := int64(maxScan)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "@aws-sdk" || d.Name() == "@smithy" || d.Name() == "aws-sdk" || d.Name() == "boto3" || d.Name() == "botocore") {
			return fs.SkipDir // mentions itself
		}
		if !d.Type().IsRegular() || !slices.Contains(endings, filepath.Ext(path)) {
			return nil
		}
		info, err := d.Info()
		if err != nil || info.Size() > left {
			return err
		}
		left -= info.Size()
		code, err := os.ReadFile(path)
		if bytes.Contains(code, []byte("aws")) || bytes.Contains(code, []byte("boto")) || bytes.Contains(code, []byte("smithy")) {
			f(code)
		}
		return err
	})
}
