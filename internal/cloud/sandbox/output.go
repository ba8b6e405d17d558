package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"
)

// Limits of what a function may print.
const (
	maxLine   = 256 << 10 // longer lines are split
	maxOutput = 8 << 20   // of one invocation; the rest is dropped, with a line that says so
	maxTail   = 4 << 10   // what the caller of an invocation may see
	batchSize = 64 << 10  // deliver at the latest when so much has gathered
	batchTime = 500 * time.Millisecond
)

// output turns what an environment's processes print into the events of its log stream.
//
// One event is one line. A bootstrap that has to write several lines as one event puts a zero byte before each inner line end.
type output struct {
	now  func() time.Time
	emit func([]Event)
	show func(string) string // how a line is written that leaves the sandbox; nil: as it is

	mu      sync.Mutex
	pipe    *logPipe
	partial []byte // of a line whose end has not been seen
	events  []Event
	size    int // bytes in events
	taken   int // bytes printed in this invocation
	cut     bool
	tail    []byte
}

func newOutput(now func() time.Time, emit func([]Event)) *output {
	return &output{now: now, emit: emit}
}

// connect returns the end of a new pipe that a process is to write to, and reads the other.
func (o *output) connect(spawn func(func()) bool) (*os.File, error) {
	pipe, w, err := newLogPipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe for output: %w", err)
	}
	o.mu.Lock()
	o.pipe = pipe
	o.mu.Unlock()
	if !spawn(func() { pipe.readAll(&o.mu, o.write) }) {
		w.Close()
		pipe.close()
		return nil, ErrClosed
	}
	return w, nil
}

func (o *output) disconnect() {
	o.mu.Lock()
	pipe := o.pipe
	o.pipe = nil
	o.mu.Unlock()
	if pipe != nil {
		pipe.close()
	}
}

// flush takes what the process has printed up to now.
func (o *output) flush() {
	o.mu.Lock()
	pipe := o.pipe
	o.mu.Unlock()
	if pipe != nil {
		pipe.drain(&o.mu, o.write)
	}
}

// write takes printed bytes. The caller holds o.mu.
func (o *output) write(b []byte) {
	o.taken += len(b)
	if o.taken > maxOutput {
		if !o.cut {
			o.cut = true
			o.endPartial()
			o.add(fmt.Sprintf("evo: the function has printed more than %d MB in one invocation; the rest is left out\n", maxOutput>>20))
		}
		return
	}
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			o.partial = append(o.partial, b...)
			break
		}
		o.partial = append(o.partial, b[:i]...)
		b = b[i+1:]
		if n := len(o.partial); n > 0 && o.partial[n-1] == 0 {
			o.partial[n-1] = '\n'
			continue
		}
		o.partial = append(o.partial, '\n')
		o.endPartial()
	}
	for len(o.partial) > maxLine {
		o.add(string(o.partial[:maxLine]))
		o.partial = append(o.partial[:0], o.partial[maxLine:]...)
	}
}

// endPartial makes an event of what stands in partial. The caller holds o.mu.
func (o *output) endPartial() {
	for len(o.partial) > maxLine {
		o.add(string(o.partial[:maxLine]))
		o.partial = append(o.partial[:0], o.partial[maxLine:]...)
	}
	if len(o.partial) > 0 {
		o.add(string(o.partial))
		o.partial = o.partial[:0]
	}
}

// add appends one event. The caller holds o.mu.
func (o *output) add(message string) {
	if o.show != nil {
		message = o.show(message)
	}
	o.events = append(o.events, Event{Time: o.now(), Message: message})
	o.size += len(message)
	o.tail = append(o.tail, message...)
	if len(o.tail) > 4*maxTail {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-maxTail:]...)
	}
	if o.size >= batchSize {
		o.send()
	}
}

// send hands the events on. The caller holds o.mu.
func (o *output) send() {
	if len(o.events) > 0 {
		o.emit(o.events)
		o.events, o.size = nil, 0
	}
}

// line writes one line of the platform's own.
func (o *output) line(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endPartial()
	o.add(text + "\n")
}

// begin starts the log of an invocation.
func (o *output) begin(start string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endPartial()
	o.taken, o.cut, o.tail = 0, false, o.tail[:0]
	o.add(start + "\n")
}

// finish ends the log of an invocation with the given lines and returns its tail.
func (o *output) finish(lines ...string) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endPartial()
	for _, l := range lines {
		o.add(l + "\n")
	}
	o.send()
	return bytes.Clone(o.tail[max(0, len(o.tail)-maxTail):])
}

func (o *output) deliver() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.send()
}

// deliverOld hands on what has waited for a while, so that the log of a long invocation can be followed.
func (o *output) deliverOld() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.events) > 0 && o.now().Sub(o.events[0].Time) >= batchTime {
		o.send()
	}
}
