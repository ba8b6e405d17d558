package sandbox

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// MaxUnzipped is how large a function's code may be, unpacked, with its layers.
const MaxUnzipped = 250 << 20

// maxEntries bounds what a zip can make us write: AWS has no such limit, but its file systems do.
const maxEntries = 100_000

// Errors of Unpack, for which AWS has words of its own.
var (
	ErrNotZip      = errors.New("not a zip file")
	ErrZipTooLarge = fmt.Errorf("unzipped size must be smaller than %d bytes", MaxUnzipped)
)

// PathError is an entry of a zip that would be written outside of its folder.
type PathError struct{ Name string }

func (e *PathError) Error() string { return fmt.Sprintf("zip entry %q leaves the folder", e.Name) }

// Unpack unpacks a zip to a folder that does not exist yet; it comes to be as a whole or not at all, also when several
// processes do so at once. The returned size is that of the unpacked files.
func Unpack(archive []byte, dir string) (size int64, err error) {
	files, size, err := checkZip(archive)
	if err != nil {
		return 0, err
	}
	if exists(dir) {
		return size, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return 0, err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".unpacking-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	if err := unpackAll(files, work); err != nil {
		return 0, err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return 0, err
	}
	if err := os.Rename(work, dir); err != nil && !exists(dir) {
		return 0, err
	}
	return size, nil
}

// CheckZip says whether Unpack would take an archive, and how large it is unpacked, without writing anything.
func CheckZip(archive []byte) (size int64, err error) {
	_, size, err = checkZip(archive)
	return size, err
}

func checkZip(archive []byte) ([]*zip.File, int64, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, 0, fmt.Errorf("%w: %w", ErrNotZip, err)
	}
	if len(r.File) > maxEntries {
		return nil, 0, fmt.Errorf("%w: more than %d entries", ErrNotZip, maxEntries)
	}
	var size uint64
	for _, f := range r.File {
		if !inside(f.Name) {
			return nil, 0, &PathError{f.Name}
		}
		if size += f.UncompressedSize64; size >= MaxUnzipped || f.UncompressedSize64 >= MaxUnzipped {
			return nil, 0, ErrZipTooLarge
		}
	}
	if err := checkPlaces(r.File); err != nil {
		return nil, 0, err
	}
	return r.File, int64(size), nil
}

// maxName is how long one element of a path may be, as on every system that functions run on.
const maxName = 255

// checkPlaces finds names that no folder can hold together: what lies below a file, and elements that are too long.
func checkPlaces(files []*zip.File) error {
	taken := make(map[string]bool, len(files))
	for _, f := range files {
		if !strings.HasSuffix(f.Name, "/") {
			taken[path.Clean(f.Name)] = true
		}
	}
	for _, f := range files {
		name := path.Clean(f.Name)
		if strings.HasSuffix(f.Name, "/") && taken[name] {
			return fmt.Errorf("%w: %s is a file and a folder", ErrNotZip, name)
		}
		for above := name; above != "."; above = path.Dir(above) {
			if above != name && taken[above] {
				return fmt.Errorf("%w: %s lies below %s, which is no folder", ErrNotZip, name, above)
			}
			if len(path.Base(above)) > maxName {
				return fmt.Errorf("%w: the name %.40s… is too long", ErrNotZip, path.Base(above))
			}
		}
	}
	return nil
}

// inside says whether a name in a zip stays in the folder it is unpacked to, on every system.
func inside(name string) bool {
	name = strings.TrimSuffix(name, "/")
	return name != "" && !strings.ContainsAny(name, "\\:\x00") && filepath.IsLocal(filepath.FromSlash(name))
}

// unpackAll writes the files first and the symbolic links last. All goes through an os.Root, which no link leads out of.
func unpackAll(files []*zip.File, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(MaxUnzipped)
	var links []*zip.File
	for _, f := range files {
		switch {
		case strings.HasSuffix(f.Name, "/"):
			if err := root.MkdirAll(filepath.FromSlash(strings.TrimSuffix(f.Name, "/")), 0o755); err != nil {
				return fmt.Errorf("unpack %s: %w", f.Name, err)
			}
		case f.Mode()&fs.ModeSymlink != 0:
			links = append(links, f)
		default:
			n, err := unpackFile(f, root, left)
			if err != nil {
				return err
			}
			left -= n
		}
	}
	for _, f := range links {
		if err := unpackLink(f, root); err != nil {
			return err
		}
	}
	return nil
}

// unpackFile trusts no size that the zip declares: it stops when more than left comes.
func unpackFile(f *zip.File, root *os.Root, left int64) (int64, error) {
	name := filepath.FromSlash(f.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return 0, fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	r, err := f.Open()
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrNotZip, f.Name, err)
	}
	defer r.Close()
	w, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, f.Mode().Perm()|0o600)
	if err != nil {
		return 0, fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	n, err := io.Copy(w, io.LimitReader(r, left+1))
	if closeErr := w.Close(); err == nil && closeErr != nil {
		return n, fmt.Errorf("unpack %s: %w", f.Name, closeErr)
	}
	if err != nil {
		return n, fmt.Errorf("%w: %s: %w", ErrNotZip, f.Name, err)
	}
	if n > left {
		return n, ErrZipTooLarge
	}
	return n, nil
}

func unpackLink(f *zip.File, root *os.Root) error {
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotZip, f.Name, err)
	}
	defer r.Close()
	target, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNotZip, f.Name, err)
	}
	if path.IsAbs(string(target)) || !inside(path.Join(path.Dir(f.Name), string(target))) {
		return &PathError{f.Name}
	}
	name := filepath.FromSlash(f.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	root.Remove(name)
	if err := root.Symlink(filepath.FromSlash(string(target)), name); err != nil {
		return fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	return nil
}
