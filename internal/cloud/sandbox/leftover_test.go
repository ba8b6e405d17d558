//go:build unix

package sandbox

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startParent is what this binary does in TestKilledParent, in a process of its own: it runs a function whose child would live
// on, says so, and waits to be killed.
func startParent(dir, code string) {
	s, err := New(Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	fn := &Function{Name: "fn", Runtime: "provided.al2023", Handler: "children", Code: code, Memory: 512, Timeout: 5 * time.Second}
	r, err := s.Invoke(context.Background(), fn, Invocation{RequestID: "r"})
	if err != nil {
		panic(err)
	}
	var pids []string
	for p := range s.live {
		pids = append(pids, strconv.Itoa(p.pid()))
	}
	os.WriteFile(dir+"/pids.tmp", []byte(strings.Join(pids, " ")+" "+string(r.Payload)), 0o644)
	os.Rename(dir+"/pids.tmp", dir+"/pids")
	time.Sleep(time.Minute)
}

// When the program that holds a sandbox is killed, its functions die with it, and what they have started dies when the next
// sandbox is made.
func TestKilledParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "SANDBOX_PARENT_DIR="+dir, "SANDBOX_PARENT_CODE="+goFunction(t, "children").Code)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Wait()
	defer parent.Process.Kill()
	var pids []string
	for deadline := time.Now().Add(20 * time.Second); len(pids) == 0; time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(dir + "/pids"); err == nil {
			pids = strings.Fields(string(b))
		}
		if time.Now().After(deadline) {
			t.Fatal("no function ran")
		}
	}
	function, errFunction := strconv.Atoi(pids[0])
	child, errChild := strconv.Atoi(pids[1])
	if errFunction != nil || errChild != nil {
		t.Fatalf("processes %q", pids)
	}
	if !alive(function) || !alive(child) {
		t.Fatal("function and child do not run")
	}
	parent.Process.Kill()
	if runtime.GOOS == "linux" {
		awaitDeath(t, function)
	}
	s, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	awaitDeath(t, function)
	if runtime.GOOS == "linux" {
		awaitDeath(t, child)
	}
}
