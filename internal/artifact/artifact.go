// Package artifact answers: what is uploaded for a local path, and under which name, so that the same content is the same
// object?
//
// A folder becomes a zip that depends on nothing but the files' paths, contents and executable bits: entries in order, without
// times, with two kinds of permissions. A file is uploaded as it is. Objects are named by the MD5 of their bytes, as SAM CLI
// does, so that what has not changed is found in the bucket and not uploaded again.
package artifact

import (
	"archive/zip"
	"context"
	"crypto/md5" //nolint:gosec // a name, as SAM CLI makes it; nothing is protected by it
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// MaxUnzipped is how much a function's code and layers may be when unzipped, as Lambda's quota says.
const MaxUnzipped = 262_144_000

// Artifact is a file to upload. Remove frees what it holds.
type Artifact struct {
	Path string // of the bytes
	MD5  string // of the bytes, hexadecimal
	Ext  string // ".zip", or that of the file; with the dot
	Size int64

	temporary bool
}

// Key returns the object's name under a prefix.
func (a *Artifact) Key(prefix string) string {
	key := a.MD5 + a.Ext
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		key = prefix + "/" + key
	}
	return key
}

// Remove deletes the artifact's file if it was made for it.
func (a *Artifact) Remove() error {
	if !a.temporary {
		return nil
	}
	return os.Remove(a.Path)
}

// Of returns the artifact for a local path: a folder zipped, a zip or jar as it is, another file zipped by itself where
// zipped is true (as Lambda wants its code), and as it is otherwise.
func Of(ctx context.Context, path string, zipped bool) (*Artifact, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return zipTo(ctx, func(w *zip.Writer) error { return addFolder(ctx, w, path) })
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a file nor a folder", path)
	case zipped && !isArchive(path):
		return zipTo(ctx, func(w *zip.Writer) error { return addFile(w, path, filepath.Base(path), info) })
	}
	return file(path)
}

func isArchive(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip", ".jar", ".war":
		return true
	}
	return false
}

func file(path string) (*Artifact, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := md5.New() //nolint:gosec // see the import
	n, err := io.Copy(h, f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &Artifact{Path: path, MD5: hex.EncodeToString(h.Sum(nil)), Ext: filepath.Ext(path), Size: n}, nil
}

func zipTo(ctx context.Context, fill func(*zip.Writer) error) (a *Artifact, err error) {
	f, err := os.CreateTemp("", "evo-*.zip")
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	h := md5.New() //nolint:gosec // see the import
	w := zip.NewWriter(io.MultiWriter(f, h))
	if err := fill(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &Artifact{Path: f.Name(), MD5: hex.EncodeToString(h.Sum(nil)), Ext: ".zip", Size: info.Size(), temporary: true}, ctx.Err()
}

// Zip writes the zip of a folder.
func Zip(ctx context.Context, dst io.Writer, folder string) error {
	w := zip.NewWriter(dst)
	if err := addFolder(ctx, w, folder); err != nil {
		return err
	}
	return w.Close()
}

func addFolder(ctx context.Context, w *zip.Writer, folder string) error {
	var total int64
	err := Walk(folder, func(name string, info fs.FileInfo) error {
		if total += info.Size(); total > MaxUnzipped {
			return fmt.Errorf("%s: its files are more than the %d bytes that Lambda takes", folder, MaxUnzipped)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return addFile(w, filepath.Join(folder, filepath.FromSlash(name)), name, info)
	})
	if err != nil {
		return fmt.Errorf("zip %s: %w", folder, err)
	}
	return nil
}

func addFile(w *zip.Writer, path, name string, info fs.FileInfo) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(0o644)
	if info.Mode()&0o111 != 0 {
		h.SetMode(0o755)
	}
	dst, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	_, err = io.Copy(dst, src)
	return err
}

// Walk calls f for every file in a folder, with its path in it (with slashes), in order of these. Links are followed, as the
// function will see files and no links; one that leads back into a folder above it is an error.
func Walk(folder string, f func(name string, info fs.FileInfo) error) error {
	return walk(folder, "", nil, f)
}

func walk(dir, prefix string, above []fs.FileInfo, f func(string, fs.FileInfo) error) error {
	self, err := os.Stat(dir)
	if err != nil {
		return err
	}
	for _, a := range above {
		if os.SameFile(a, self) {
			return fmt.Errorf("%s is a link to a folder that it is in", dir)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = walk(path, prefix+e.Name()+"/", append(above, self), f)
		case info.Mode().IsRegular():
			err = f(prefix+e.Name(), info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
