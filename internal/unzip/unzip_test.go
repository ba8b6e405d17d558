package unzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type entry struct {
	name, content string
	mode          fs.FileMode
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const most = 250 << 20

func check(archive []byte) (size int64, err error) {
	a, err := Open(bytes.NewReader(archive), int64(len(archive)), most)
	if err != nil {
		return 0, err
	}
	return a.Size, nil
}

func unpack(archive []byte, dir string) (size int64, err error) {
	a, err := Open(bytes.NewReader(archive), int64(len(archive)), most)
	if err != nil {
		return 0, err
	}
	return a.Size, a.Unpack(dir)
}

func TestUnpack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "code")
	archive := zipOf(t, entry{"bootstrap", "#!", 0o755}, entry{"lib/", "", fs.ModeDir | 0o755}, entry{"lib/a.js", "a", 0o644},
		entry{"b.js", "lib/a.js", fs.ModeSymlink | 0o777}, entry{"lib/up", "../bootstrap", fs.ModeSymlink | 0o777})
	for range 2 { // the second finds it there
		size, err := unpack(archive, dir)
		if err != nil || size != int64(len("#!"+"a"+"lib/a.js"+"../bootstrap")) {
			t.Fatalf("size %d, error %v", size, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "b.js")); err != nil || string(b) != "a" {
		t.Errorf("through the link: %q, %v", b, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("bootstrap: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".unpacking-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What is there already may be something else: it is neither added to nor taken for what the archive holds.
func TestFileRefusesAFolderThatIsThere(t *testing.T) {
	base := t.TempDir()
	name, dir := filepath.Join(base, "a.zip"), filepath.Join(base, "dir")
	if err := os.WriteFile(name, zipOf(t, entry{"new", "n", 0o644}), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "old"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := File(name, dir, most); !errors.Is(err, ErrExists) {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "old" {
		t.Errorf("%v, %v", entries, err)
	}
	if err := File(name, filepath.Join(base, "fresh"), most); err != nil {
		t.Error(err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	var outside *PathError
	tests := []struct {
		name    string
		entries []entry
		is      func(error) bool
	}{
		{"parent", []entry{{"../x", "", 0o644}}, func(e error) bool { return errors.As(e, &outside) }},
		{"deep parent", []entry{{"a/../../x", "", 0o644}}, func(e error) bool { return errors.As(e, &outside) }},
		{"absolute", []entry{{"/etc/x", "", 0o644}}, func(e error) bool { return errors.As(e, &outside) }},
		{"backslash", []entry{{`..\x`, "", 0o644}}, func(e error) bool { return errors.As(e, &outside) }},
		{"absolute link", []entry{{"x", "/etc", fs.ModeSymlink | 0o777}}, func(e error) bool { return errors.As(e, &outside) }},
		{"parent link", []entry{{"a/x", "../../y", fs.ModeSymlink | 0o777}}, func(e error) bool { return errors.As(e, &outside) }},
		{"through a link of links", []entry{{"k", ".", fs.ModeSymlink | 0o777}, {"out", "k/..", fs.ModeSymlink | 0o777}, {"out/evil", "x", fs.ModeSymlink | 0o777}},
			func(e error) bool { return e != nil }},
		{"file below a file", []entry{{"a", "", 0o644}, {"a/b", "", 0o644}}, func(e error) bool { return e != nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := t.TempDir()
			_, err := unpack(zipOf(t, tt.entries...), filepath.Join(base, "code"))
			if !tt.is(err) {
				t.Errorf("error %v", err)
			}
			if left, _ := os.ReadDir(base); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	if _, err := unpack([]byte("no zip"), filepath.Join(t.TempDir(), "x")); !errors.Is(err, ErrNotZip) {
		t.Errorf("error %v", err)
	}
}

func TestUnpackBomb(t *testing.T) {
	bomb := zipOf(t, entry{"zeros", strings.Repeat("\x00", 1<<20), 0o644})
	// The declared size says little; what comes out is what counts.
	lie := bytes.ReplaceAll(bomb, []byte{0, 0, 0x10, 0}, []byte{1, 0, 0, 0})
	if _, err := unpack(lie, filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("a zip that lies about its size is taken")
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if _, err := w.CreateRaw(&zip.FileHeader{Name: "zeros", Method: zip.Deflate, UncompressedSize64: most}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var tooLarge *TooLargeError
	large := b.Bytes()
	if _, err := check(large); !errors.As(err, &tooLarge) {
		t.Errorf("error %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(zipOf(f, entry{"a/b", "c", 0o644}, entry{"l", "a/b", fs.ModeSymlink | 0o777}))
	f.Add(zipOf(f, entry{"../x", "", 0o644}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		base := t.TempDir()
		if size, err := check(archive); err != nil || size > 1<<20 {
			return
		}
		if _, err := unpack(archive, filepath.Join(base, "in", "code")); err != nil {
			return
		}
		outside, _ := os.ReadDir(base)
		if len(outside) != 1 {
			t.Fatalf("files outside of the folder: %v", outside)
		}
	})
}
