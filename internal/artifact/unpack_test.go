package artifact

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type entry struct {
	name, text string
	mode       fs.FileMode
}

func archive(t *testing.T, entries ...entry) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name}
		h.SetMode(e.mode)
		out, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestUnpack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	name := archive(t, entry{"a/b.txt", "b", 0o644}, entry{"a/run", "#!", 0o755}, entry{"empty/", "", fs.ModeDir | 0o755}, entry{"a/link", "b.txt", fs.ModeSymlink | 0o777})
	if err := Unpack(name, dir); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a/b.txt": "b", "a/run": "#!", "a/link": "b"} {
		if text, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "a/run")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("a/run cannot be run: %v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "empty")); err != nil || !info.IsDir() {
		t.Errorf("the empty folder: %v, %v", info, err)
	}
}

func TestUnpackStaysInside(t *testing.T) {
	for what, entries := range map[string][]entry{
		"outside of the folder": {{"../away.txt", "x", 0o644}},
		"absolute":              {{"/away.txt", "x", 0o644}},
		"a link outside":        {{"a/l", "../../away", fs.ModeSymlink | 0o777}},
		"an absolute link":      {{"l", "/etc/passwd", fs.ModeSymlink | 0o777}},
		"twice":                 {{"a", "x", 0o644}, {"a", "y", 0o644}},
	} {
		parent := t.TempDir()
		if err := Unpack(archive(t, entries...), filepath.Join(parent, "in")); err == nil {
			t.Errorf("%s: no error", what)
		}
		if _, err := os.Lstat(filepath.Join(parent, "away.txt")); err == nil {
			t.Errorf("%s: it was written", what)
		}
	}
	if err := Unpack(filepath.Join(t.TempDir(), "none.zip"), t.TempDir()); err == nil || !strings.Contains(err.Error(), "none.zip") {
		t.Errorf("no archive: %v", err)
	}
}
