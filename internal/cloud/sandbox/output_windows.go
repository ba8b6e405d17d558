package sandbox

import (
	"os"
	"sync"
)

// logPipe is the reading end of a process's standard output and error.
type logPipe struct{ file *os.File }

func newLogPipe() (*logPipe, *os.File, error) {
	r, w, err := os.Pipe()
	return &logPipe{r}, w, err
}

func (p *logPipe) readAll(lock *sync.Mutex, take func([]byte)) {
	buf := make([]byte, 64<<10)
	for {
		n, err := p.file.Read(buf)
		if n > 0 {
			lock.Lock()
			take(buf[:n])
			lock.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// drain cannot read without waiting here: lines printed just before an answer may come after its END.
func (p *logPipe) drain(*sync.Mutex, func([]byte)) {}

func (p *logPipe) close() { p.file.Close() }
