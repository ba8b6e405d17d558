// Package command answers: what does a run of a program take, from its start until its end?
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Cost is what one run took, or the best of some.
type Cost struct {
	First, All time.Duration // until the first byte of a result, and until the end
	Processor  time.Duration // user and system
	Memory     float64       // MiB, at most; but no less than this process had taken before, for the system counts that as the other's beginning
}

// Build compiles a program of this tree into a directory, as releases are compiled: static, without cgo and without what debuggers
// read. What the linker has written is copied, as installing does: in which pieces a file lies in the system's cache decides how
// much of it is mapped, and counts as memory.
func Build(ctx context.Context, dir, pkg string) (string, error) {
	path := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path+".linked", pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w", pkg, err)
	}
	return path, errors.Join(install(path+".linked", path), os.Remove(path+".linked"))
}

// install copies a program piece by piece: what this process takes would count as the memory of those that it starts.
func install(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Best runs a program some times, and keeps the best of each figure: other work on the machine only makes them worse.
func Best(times int, program string, args ...string) (Cost, error) {
	var c Cost
	for i := range times {
		x, err := run(program, args)
		if err != nil {
			return c, fmt.Errorf("%s: %w", filepath.Base(program), err)
		}
		if i == 0 {
			c = x
		}
		c = Cost{min(c.First, x.First), min(c.All, x.All), min(c.Processor, x.Processor), max(c.Memory, x.Memory)}
	}
	return c, nil
}

// run takes a program that fails after it has written something to have found what it looked for.
func run(program string, args []string) (c Cost, err error) {
	cmd := exec.Command(program, args...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		return c, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return c, err
	}
	buf := make([]byte, 64<<10)
	n, _ := io.ReadAtLeast(out, buf, 1)
	c.First = time.Since(begin)
	if _, err := io.Copy(io.Discard, out); err != nil {
		return c, err
	}
	err = cmd.Wait()
	c.All = time.Since(begin)
	c.Processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.Memory = float64(u.Maxrss) / 1024
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && n > 0 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, problems.String())
	}
	return c, err
}

// Processor is the processor's time that this process has taken so far.
func Processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only for arguments that are wrong
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
