//go:build unix

package sandbox

import (
	"os"
	"os/exec"
	"syscall"
)

// lifeline returns a pipe: our end stays open as long as we live, and the process's bootstrap ends when it closes.
func lifeline() (theirs, ours *os.File, err error) { return os.Pipe() }

func setGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

func killGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
