package artifact

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxUnpacked bounds what an archive becomes: Lambda's own limit is a quarter of it.
const maxUnpacked = 1 << 30

// Unpack writes what is in the zip file at name into the folder dir, and nothing outside of it. Of files' modes it keeps whether they
// can be run. Links within the folder are made, others refused.
func Unpack(name, dir string) (err error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	defer archive.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	left := int64(maxUnpacked)
	for _, f := range archive.File {
		if left, err = unpackOne(root, f, left); err != nil {
			return fmt.Errorf("unpack %s from %s: %w", f.Name, name, err)
		}
	}
	return nil
}

// unpackOne writes one entry and returns how much may still come.
func unpackOne(root *os.Root, f *zip.File, left int64) (int64, error) {
	name := filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))
	if !filepath.IsLocal(name) {
		return left, errors.New("it would be outside of the folder")
	}
	if f.FileInfo().IsDir() {
		return left, root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return left, err
	}
	in, err := f.Open()
	if err != nil {
		return left, err
	}
	defer in.Close()
	in = io.NopCloser(io.LimitReader(in, left+1))
	if f.Mode()&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(in, 4096))
		if err != nil {
			return left, err
		}
		if !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(f.Name), string(target)))) || path.IsAbs(string(target)) {
			return left, fmt.Errorf("it is a link to %s, outside of the folder", target)
		}
		return left, root.Symlink(string(target), name)
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644|f.Mode().Perm()&0o111)
	if err != nil {
		return left, err
	}
	n, err := io.Copy(out, in)
	if n > left {
		err = errors.Join(err, fmt.Errorf("the archive holds more than %d bytes", maxUnpacked))
	}
	return left - n, errors.Join(err, out.Close())
}
