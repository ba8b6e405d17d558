//go:build unix

package localcloud

import (
	"os/exec"
	"syscall"
)

// detach gives the child a session of its own, so that it lives on when the terminal closes.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
