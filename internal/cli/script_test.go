package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"evo/internal/cloud"
	"evo/internal/gate"
	"evo/internal/hook"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"evo": func() { os.Exit(Main()) },
		// The test's own program is the fitness hook, too. That of a release that is called so crashes whenever it starts.
		"bootstrap": func() {
			if os.Getenv(gate.EnvReleaseName) == "Crash" {
				os.Exit(2)
			}
			fmt.Fprintln(os.Stderr, hook.Serve(context.Background(), os.Getenv))
			os.Exit(1)
		},
	})
}

// TestScripts runs the scripts in testdata/script, each against a cloud of its own whose clock runs fast, so that a rollout is
// over in a moment.
func TestScripts(t *testing.T) {
	cache := t.TempDir()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			s := &cloud.Server{CacheDir: cache, Speed: 300, Version: "test"}
			if err := s.Start(t.Context()); err != nil {
				return err
			}
			env.Defer(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close the cloud: %v", err)
				}
			})
			env.Setenv("EVO_ENDPOINT_URL", s.URL())
			env.Setenv("EVO_CACHE", cache)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("FREE_PORT", freePort(t))
			env.Setenv("EXAMPLES", examples)
			for _, name := range []string{"GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GOFLAGS", "GOSUMDB"} {
				if v := goEnv(t, name); v != "" {
					env.Setenv(name, v)
				}
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			_, err := exec.LookPath(name) // [python3], [node], [make]: whether it is on this machine
			return err == nil, nil
		},
	})
}

// freePort returns a port on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// goEnv returns a setting of the go command, so that functions in Go are built in scripts as outside of them.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out[:max(0, len(out)-1)])
}
