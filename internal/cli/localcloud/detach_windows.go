package localcloud

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach gives the child no console, so that it lives on when this one closes.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
