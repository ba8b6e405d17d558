package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"evo/internal/artifact"
)

// left out of every copy of a source: what others install or keep beside it.
var leftOut = []string{".aws-sam", ".git", ".hg", ".svn", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".DS_Store"}

func skipped(names ...string) func(string) bool {
	all := map[string]bool{}
	for _, n := range append(names, leftOut...) {
		all[n] = true
	}
	return func(name string) bool { return all[filepath.Base(name)] }
}

// key tells builds apart: what has the same key has the same result.
func (b *builder) key(u *unit) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, "1", u.runtime, u.arch, u.method, u.layer, b.Native, runtime.GOOS, runtime.GOARCH, b.Manifest)
	if u.method == "makefile" || u.method == "esbuild" {
		fmt.Fprintln(h, u.id, u.handler) // the outcome depends on them
	}
	if u.props != nil {
		text, err := u.props.JSON()
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	for _, kv := range b.environ(u) {
		fmt.Fprintln(h, kv)
	}
	if err := hashSource(h, b.inputs(u)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// inputs are the folders or files that a unit is made of: Go code may use the rest of its module.
func (b *builder) inputs(u *unit) string {
	if isGo(u) {
		if root := moduleRoot(u.source); root != "" {
			return root
		}
	}
	return u.source
}

func hashSource(h io.Writer, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return hashFile(h, path, filepath.Base(path), info)
	}
	fmt.Fprintln(h, path) // two folders with equal content are still built apart: what is beside them may differ
	return eachFile(path, skipped("node_modules"), func(name string, info fs.FileInfo) error {
		return hashFile(h, filepath.Join(path, filepath.FromSlash(name)), name, info)
	})
}

func hashFile(h io.Writer, path, name string, info fs.FileInfo) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(h, "%s %d %t\n", name, info.Size(), info.Mode()&0o111 != 0)
	_, err = io.Copy(h, f)
	return err
}

// eachFile is artifact.Walk without what skip names.
func eachFile(dir string, skip func(string) bool, f func(name string, info fs.FileInfo) error) error {
	return artifact.Walk(dir, func(name string, info fs.FileInfo) error {
		for _, part := range strings.Split(name, "/") {
			if skip != nil && skip(part) {
				return nil
			}
		}
		return f(name, info)
	})
}

// copyTree copies a folder, or a single file into a folder. Links become what they lead to.
func copyTree(from, to string, skip func(string) bool) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return copyFile(from, filepath.Join(to, filepath.Base(from)), info.Mode())
	}
	return eachFile(from, skip, func(name string, info fs.FileInfo) error {
		dst := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
			return err
		}
		return copyFile(filepath.Join(from, filepath.FromSlash(name)), dst, info.Mode())
	})
}

func copyFile(from, to string, mode fs.FileMode) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode.Perm()|0o200)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
	}()
	_, err = io.Copy(dst, src)
	return err
}

// moduleRoot returns the folder of the Go module that a folder is in, or "".
func moduleRoot(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
