package sandbox

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// TestShimsAreNotAsked: a version manager's scripts are passed by for the installations behind them, which answer at once.
func TestShimsAreNotAsked(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("pyenv's layout is that of Unix")
	}
	root := t.TempDir()
	for _, name := range []string{"shims/python3", "shims/python3.12", "versions/3.12.4/bin/python3", "bin/python3.12"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := &machine{getenv: func(name string) string {
		return map[string]string{"HOME": t.TempDir(), "PATH": filepath.Join(root, "shims") + string(filepath.ListSeparator) + filepath.Join(root, "bin")}[name]
	}}
	want := []string{filepath.Join(root, "shims/python3"), filepath.Join(root, "bin/python3.12"), filepath.Join(root, "versions/3.12.4/bin/python3")}
	if got := m.candidates("python"); !slices.Equal(got, want) {
		t.Errorf("candidates are\n%q, not\n%q", got, want)
	}
}
