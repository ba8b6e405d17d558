package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// awaitExit waits until a child has ended, but leaves it to be reaped, so that its number, and its
// group's, stay its own until its children have been killed.
func awaitExit(pid int) bool {
	err := unix.EINTR
	for err == unix.EINTR {
		err, _ = unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil).(unix.Errno)
	}
	return err == 0
}

// startTime identifies a process together with its number. Linux has something better: the mark in its environment.
func startTime(int) string { return "" }

// endMarked kills every process that carries the mark in its environment, the children of functions too.
func endMarked(mark, _ string) error {
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("read processes: %w", err)
	}
	want := []byte(markVariable + "=" + mark + "\x00")
	for _, d := range procs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile("/proc/" + d.Name() + "/environ")
		if err == nil && bytes.Contains(environ, want) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return nil
}

// memory remembers the most memory that a process was seen with.
type memory struct {
	file *os.File // the process's statm
	most int64
}

// sample returns the process's resident memory in bytes, or zero when it cannot be told.
func (m *memory) sample(pid int) int64 {
	if m.file == nil {
		f, err := os.Open(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			return 0
		}
		m.file = f
	}
	var b [128]byte
	n, _ := m.file.ReadAt(b[:], 0)
	fields := bytes.Fields(b[:n])
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	m.most = max(m.most, pages*int64(os.Getpagesize()))
	return pages * int64(os.Getpagesize())
}

func (m *memory) close() {
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}
