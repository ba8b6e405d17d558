package artifact

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func of(t *testing.T, path string, zipped bool) *Artifact {
	t.Helper()
	a, err := Of(t.Context(), path, zipped)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Remove() })
	return a
}

func TestSameContentSameName(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two} {
		write(t, filepath.Join(dir, "src", "app.js"), "exports.handler = 1", 0o600)
		write(t, filepath.Join(dir, "bootstrap"), "#!/bin/sh", 0o755)
	}
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(two, "bootstrap"), old, old); err != nil {
		t.Fatal(err)
	}
	a, b := of(t, one, true), of(t, two, true)
	if a.MD5 != b.MD5 || a.Key("/shop/") != "shop/"+a.MD5+".zip" {
		t.Errorf("%s and %s, key %s", a.MD5, b.MD5, a.Key("/shop/"))
	}
	write(t, filepath.Join(two, "src", "app.js"), "exports.handler = 2", 0o600)
	if c := of(t, two, true); c.MD5 == a.MD5 {
		t.Error("another content has the same name")
	}
}

func TestZipHasPathsAndModes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b", "x.txt"), "x", 0o600)
	write(t, filepath.Join(dir, "bootstrap"), "x", 0o700)
	if err := os.Symlink(filepath.Join(dir, "b"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(of(t, dir, true).Path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for _, f := range r.File {
		got = append(got, f.Name+" "+f.Mode().String())
	}
	want := "b/x.txt -rw-r--r--, bootstrap -rwxr-xr-x, link/x.txt -rw-r--r--"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "api.yaml"), "openapi: 3.0.1", 0o600)
	write(t, filepath.Join(dir, "code.zip"), "not looked into", 0o600)
	for path, want := range map[string]string{"api.yaml": ".yaml", "code.zip": ".zip"} {
		if a := of(t, filepath.Join(dir, path), false); a.Ext != want || a.temporary {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if a := of(t, filepath.Join(dir, "api.yaml"), true); a.Ext != ".zip" || !a.temporary {
		t.Errorf("a file zipped by itself: %+v", a)
	}
}

func TestLinkInACircle(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "self")); err != nil {
		t.Fatal(err)
	}
	if _, err := Of(t.Context(), dir, true); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("error: %v", err)
	}
}
