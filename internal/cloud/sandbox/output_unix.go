//go:build unix

package sandbox

import (
	"os"
	"sync"
	"syscall"
)

// logPipe is the reading end of a process's standard output and error. Besides being read in the background it can be drained
// at once: when a function has answered, what it printed before lies in the pipe already.
type logPipe struct {
	file *os.File
	conn syscall.RawConn
	buf  []byte // guarded by the lock that readAll and drain are given
}

func newLogPipe() (*logPipe, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	conn, err := r.SyscallConn()
	if err != nil {
		r.Close()
		w.Close()
		return nil, nil, err
	}
	return &logPipe{file: r, conn: conn, buf: make([]byte, 64<<10)}, w, nil
}

// readAll hands to take, under the lock, all that comes until the pipe is closed at either end.
func (p *logPipe) readAll(lock *sync.Mutex, take func([]byte)) {
	open := true
	for open {
		err := p.conn.Read(func(fd uintptr) (ready bool) {
			lock.Lock()
			defer lock.Unlock()
			n, err := syscall.Read(int(fd), p.buf)
			if err == syscall.EAGAIN || err == syscall.EINTR {
				return false
			}
			open = n > 0 && err == nil
			if open {
				take(p.buf[:n])
			}
			return true
		})
		if err != nil {
			return
		}
	}
}

// drain hands to take, under the lock, what can be read without waiting.
func (p *logPipe) drain(lock *sync.Mutex, take func([]byte)) {
	p.conn.Control(func(fd uintptr) {
		lock.Lock()
		defer lock.Unlock()
		for range maxOutput / len(p.buf) { // a function that prints without end must not hold us
			n, err := syscall.Read(int(fd), p.buf)
			if n <= 0 || err != nil {
				return
			}
			take(p.buf[:n])
			if n < len(p.buf) {
				return
			}
		}
	})
}

func (p *logPipe) close() { p.file.Close() }
