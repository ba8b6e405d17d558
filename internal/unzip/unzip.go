// Package unzip answers: how does an archive become a folder, and nothing outside of it?
package unzip

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

// maxEntries bounds what an archive can make us write.
const maxEntries = 100_000

var (
	// ErrNotZip is the error of bytes that are no archive, or of one that no folder can hold.
	ErrNotZip = errors.New("not a zip file")
	// ErrExists is the error of File where the folder is there already, perhaps with other files.
	ErrExists = errors.New("the folder exists already")
)

// TooLargeError is the error of an archive that would become more than its bound.
type TooLargeError struct{ Most int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("unzipped size must be smaller than %d bytes", e.Most)
}

// PathError is an entry of an archive that would be written outside of its folder.
type PathError struct{ Name string }

func (e *PathError) Error() string { return fmt.Sprintf("zip entry %q leaves the folder", e.Name) }

// Archive is a zip whose entries have been looked at and can become a folder.
type Archive struct {
	Size int64 // in bytes, of the unpacked files, as the archive declares them

	files []*zip.File
	most  int64
}

// Open looks at the archive that r holds in size bytes. Unpacked, it must be smaller than most bytes.
func Open(r io.ReaderAt, size, most int64) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("%w: %w", ErrNotZip, err)
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("%w: more than %d entries", ErrNotZip, maxEntries)
	}
	a := &Archive{files: z.File, most: most}
	for _, f := range a.files {
		if !inside(f.Name) {
			return nil, &PathError{f.Name}
		}
		if f.UncompressedSize64 >= uint64(most-a.Size) {
			return nil, &TooLargeError{most}
		}
		a.Size += int64(f.UncompressedSize64)
	}
	return a, checkPlaces(a.files)
}

// File unpacks the archive in the file at name, which becomes fewer than most bytes, to the folder dir, which must not be there yet. It comes
// to be as a whole or not at all.
func File(name, dir string, most int64) (err error) {
	if exists(dir) {
		return fmt.Errorf("unpack to %s: %w", dir, ErrExists)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	a, err := Open(f, info.Size(), most)
	if err != nil {
		return err
	}
	return a.Unpack(dir)
}

// Unpack unpacks the archive to a folder that has its name from the archive's bytes: what is there already is taken for the same. The folder
// comes to be as a whole or not at all, also when several processes do so at once.
func (a *Archive) Unpack(dir string) error {
	if exists(dir) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".unpacking-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := a.into(work); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := os.Rename(work, dir); err != nil && !exists(dir) {
		return err
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
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

// into writes the files first and the symbolic links last. All goes through an os.Root, which no link leads out of.
func (a *Archive) into(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := a.most
	var links []*zip.File
	for _, f := range a.files {
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
			if left -= n; left <= 0 {
				return &TooLargeError{a.most}
			}
		}
	}
	for _, f := range links {
		if err := unpackLink(f, root); err != nil {
			return err
		}
	}
	return nil
}

// unpackFile trusts no size that the archive declares: it stops when left bytes have come, and returns how many it wrote.
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
	n, err := io.Copy(w, io.LimitReader(r, left))
	if closeErr := w.Close(); err == nil && closeErr != nil {
		return n, fmt.Errorf("unpack %s: %w", f.Name, closeErr)
	}
	if err != nil {
		return n, fmt.Errorf("%w: %s: %w", ErrNotZip, f.Name, err)
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
