package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// process is an operating system process, the leader of a group of its own, which is killed as a whole.
type process struct {
	cmd   *exec.Cmd
	life  *os.File      // while it is open, the process knows that we live
	ended chan struct{} // closed when it has been reaped
	err   error         // how it ended; valid once ended is closed

	mu     sync.Mutex
	reaped bool
}

// launch asks the launcher to start a command.
type launch struct {
	cmd  *exec.Cmd
	done chan error
}

// launcher starts all processes from one operating system thread: Linux, asked to kill a process when its parent dies, means
// the thread that made it, and other threads of a Go program come and go.
func (s *Sandbox) launcher() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case l := <-s.launches:
			l.done <- l.cmd.Start()
		case <-s.ctx.Done():
			return
		}
	}
}

// launchProcess starts a command in folder cwd; what it prints goes to out, whose owner must call flush after its end.
func (s *Sandbox) launchProcess(command []string, dir, cwd string, environ []string, out *output) (*process, error) {
	cmd := &exec.Cmd{Path: command[0], Args: command, Dir: cwd, Env: append(environ, markVariable+"="+s.mark)}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	lifeEnd, life, err := lifeline()
	if err != nil {
		return nil, err
	}
	p.life = life
	if lifeEnd != nil {
		defer lifeEnd.Close()
		cmd.ExtraFiles = []*os.File{lifeEnd}
	}
	w, err := out.connect(s.spawn)
	if err != nil {
		p.life.Close()
		return nil, err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	setGroup(cmd)
	if err := s.start(cmd); err != nil {
		p.life.Close()
		out.disconnect()
		return nil, err
	}
	s.remember(p)
	go s.reap(p, out) // Close waits for it through live; see forget
	return p, nil
}

// start has the launcher start cmd.
func (s *Sandbox) start(cmd *exec.Cmd) error {
	l := launch{cmd, make(chan error, 1)}
	select {
	case s.launches <- l:
		return <-l.done
	case <-s.ctx.Done():
		return ErrClosed
	}
}

// remember counts a process among the living, on disk too.
func (s *Sandbox) remember(p *process) {
	pid := p.cmd.Process.Pid
	os.WriteFile(s.path(runFolder, s.mark, fmt.Sprint(pid)), []byte(startTime(pid)), 0o644)
	s.mu.Lock()
	s.live[p] = struct{}{}
	s.owned.Add(1)
	closed := s.closed
	s.mu.Unlock()
	if closed {
		p.kill()
	}
}

// reap waits for the end of a process, kills what it has left in its group, and lets its owners know.
func (s *Sandbox) reap(p *process, out *output) {
	defer s.owned.Done()
	if awaitExit(p.cmd.Process.Pid) {
		p.killLast()
		p.err = p.cmd.Wait()
	} else {
		p.err = p.cmd.Wait()
		p.killLast()
	}
	out.flush()
	out.disconnect()
	p.life.Close()
	s.mu.Lock()
	delete(s.live, p)
	s.mu.Unlock()
	os.Remove(s.path(runFolder, s.mark, fmt.Sprint(p.cmd.Process.Pid)))
	close(p.ended)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the whole group. It may be called at any time.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		killGroup(p.cmd.Process)
	}
}

// killLast ends what is left of the group; from then on, its number may be another's.
func (p *process) killLast() {
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.cmd.Process)
	p.reaped = true
}

// exit says how the process ended, as AWS words it: "exit status 1", "signal: killed", or nothing for a good end.
func (p *process) exit() string {
	if p.err == nil {
		return ""
	}
	return p.err.Error()
}

const (
	runFolder    = "run"         // in the sandbox's folder: a folder for each sandbox that has not been closed, a file for each process
	markVariable = "EVO_SANDBOX" // in the environment of every process
)

// endLeftovers kills the processes that an earlier sandbox with this folder has left because it was killed itself.
func endLeftovers(dir string) error {
	marks, err := os.ReadDir(filepath.Join(dir, runFolder))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range marks {
		run := filepath.Join(dir, runFolder, m.Name())
		if err := endMarked(m.Name(), run); err != nil {
			return err
		}
		if err := os.RemoveAll(run); err != nil {
			return err
		}
	}
	return nil
}
