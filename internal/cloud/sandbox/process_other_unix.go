//go:build unix && !linux

package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dieWithParent is Linux's; elsewhere the bootstraps watch their lifeline.
func dieWithParent(*syscall.SysProcAttr) {}

// awaitExit cannot wait here without reaping.
func awaitExit(int) bool { return false }

// startTime identifies a process together with its number.
func startTime(pid int) string { return ps(pid, "lstart=") }

func ps(pid int, column string) string {
	out, err := exec.Command("ps", "-o", column, "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// endMarked kills the groups of the processes that were written down and are still the same.
func endMarked(_, run string) error {
	for name, started := range recorded(run) {
		pid, err := strconv.Atoi(name)
		if err == nil && started != "" && startTime(pid) == started {
			syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
	return nil
}

// memory remembers the most memory that a process was seen with. Asking costs a process of its own, so it is done seldom.
type memory struct {
	last time.Time
	now  int64
	most int64
}

func (m *memory) sample(pid int) int64 {
	if time.Since(m.last) < time.Second {
		return m.now
	}
	m.last = time.Now()
	kilobytes, _ := strconv.ParseInt(ps(pid, "rss="), 10, 64)
	m.now = kilobytes << 10
	m.most = max(m.most, m.now)
	return m.now
}

func (m *memory) close() {}

// recorded returns the processes that an earlier sandbox has written down, each with the moment of its start.
func recorded(run string) map[string]string {
	started := map[string]string{}
	files, _ := os.ReadDir(run)
	for _, f := range files {
		if b, err := os.ReadFile(filepath.Join(run, f.Name())); err == nil {
			started[f.Name()] = strings.TrimSpace(string(b))
		}
	}
	return started
}
