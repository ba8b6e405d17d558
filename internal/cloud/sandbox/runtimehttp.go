package sandbox

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The Runtime API's HTTP. An invocation is two requests of the process's, so what a request costs counts: net/http's server has for each a
// goroutine that watches the connection, a context, and maps of headers. This one has what that API needs and no more, and two
// things that net/http cannot do. The goroutine that brings an event writes it itself to the connection that waits for one,
// instead of waking another; and an answer to a client that has sent its next request already goes out together with that one's.
//
// Requests are parsed by net/http, which knows what hostile ones look like.

// Limits of the Runtime API's requests, besides MaxAnswer.
const (
	maxRequestHead = 1 << 20          // runtimes tell causes of errors in headers, up to about a MiB
	replyTime      = 30 * time.Second // in which a process has to take an answer off our hands
	partTime       = time.Second      // in which it has to see that we hang up
	maxKeptBuffer  = 64 << 10         // what a connection keeps for its answers
)

// runtimeConn is one connection of a process. One goroutine reads and answers its requests in turn. The answer to a request for
// work, though, is written by who brings the work, while that goroutine goes on reading: so it learns that the process is gone.
type runtimeConn struct {
	api  *runtimeAPI
	conn net.Conn
	in   inlet
	r    *bufio.Reader

	out  []byte        // answers not yet written; whoever answers may use it, and that is one at a time
	last bool          // no request is read any more
	owed bool          // the answer to the last request is somebody else's to write
	sent chan struct{} // gets one when that has been done
}

func newRuntimeConn(a *runtimeAPI, conn net.Conn) *runtimeConn {
	c := &runtimeConn{api: a, conn: conn, in: inlet{conn: conn}, sent: make(chan struct{}, 1)}
	c.r = bufio.NewReaderSize(&c.in, 16<<10)
	return c
}

// An inlet reads a connection, up to a limit.
type inlet struct {
	conn net.Conn
	left int64 // negative: no limit
}

var errHeadTooLarge = errors.New("the request's head is too large")

func (i *inlet) Read(p []byte) (int, error) {
	if i.left < 0 {
		return i.conn.Read(p)
	}
	if i.left == 0 {
		return 0, errHeadTooLarge
	}
	n, err := i.conn.Read(p[:min(int64(len(p)), i.left)])
	i.left -= int64(n)
	return n, err
}

// listen accepts connections until the listener is closed.
func (a *runtimeAPI) listen() {
	for {
		conn, err := a.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // too many open files, perhaps: that may pass
			select {
			case <-time.After(10 * time.Millisecond):
			case <-a.done:
			}
		case !a.admit(newRuntimeConn(a, conn)):
			conn.Close()
		}
	}
}

// admit begins to serve a connection, unless the API is closed.
func (a *runtimeAPI) admit(c *runtimeConn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.conns[c] = struct{}{}
	a.serving.Go(func() {
		c.serve()
		c.conn.Close()
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.conns, c)
	})
	return true
}

// serve answers requests until the connection, or the will of either side to keep it, ends.
func (c *runtimeConn) serve() {
	for !c.last {
		c.in.left = maxRequestHead
		r, err := http.ReadRequest(c.r)
		c.in.left = -1
		if !c.settle(err) {
			return
		}
		if err != nil {
			c.hangUp(err)
			return
		}
		if !c.answer(r) {
			return
		}
	}
	if !c.owed {
		c.part()
		return
	}
	// Nothing may follow the last request. What comes is not read as HTTP, but tells when the process has gone.
	_, err := c.r.ReadByte()
	c.settle(err)
}

// answer answers one request, or leaves that to who brings work. It reports whether the connection is good for more.
func (c *runtimeConn) answer(r *http.Request) bool {
	c.last = r.Close || !r.ProtoAtLeast(1, 1)
	if strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		c.out = append(c.out, "HTTP/1.1 100 Continue\r\n\r\n"...)
		if !c.flush(replyTime) {
			return false
		}
	}
	c.api.serve(c, r)
	if err := r.Body.Close(); err != nil { // what was not read of it is skipped
		return false
	}
	if !c.owed && (c.last || c.r.Buffered() == 0) {
		return c.flush(replyTime)
	}
	return true
}

// settle waits until the last request has been answered, if that is for another goroutine to do. It reports false if it will not be
// any more.
func (c *runtimeConn) settle(readError error) bool {
	if !c.owed {
		return true
	}
	c.owed = false
	if readError != nil && c.api.withdraw(c) {
		return false
	}
	select {
	case <-c.sent:
		return true
	case <-c.api.done:
		c.api.withdraw(c)
		return false
	}
}

// hangUp says why the connection ends, unless it was the process that ended it.
func (c *runtimeConn) hangUp(err error) {
	var broken net.Error
	switch {
	case err == io.EOF, errors.As(err, &broken):
		return
	case errors.Is(err, errHeadTooLarge):
		c.refuse(http.StatusRequestHeaderFieldsTooLarge, "RequestHeaderFieldsTooLarge", err.Error())
	default:
		c.refuse(http.StatusBadRequest, "BadRequest", "the request is not HTTP: "+err.Error())
	}
	c.flush(replyTime)
	c.part()
}

// part gives the process a moment to read the last answer: to close a connection with unread bytes would destroy it.
func (c *runtimeConn) part() {
	if c.closeWrite() {
		c.conn.SetReadDeadline(time.Now().Add(partTime))
		io.CopyN(io.Discard, c.conn, maxRequestHead)
	}
}

func (c *runtimeConn) closeWrite() bool {
	half, ok := c.conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// flush writes the answers that have gathered, within the given time.
func (c *runtimeConn) flush(limit time.Duration, payload ...[]byte) bool {
	if len(c.out) == 0 {
		return true
	}
	c.conn.SetWriteDeadline(time.Now().Add(limit))
	var err error
	if len(payload) == 0 {
		_, err = c.conn.Write(c.out)
	} else {
		b := net.Buffers(slices.Concat([][]byte{c.out}, payload))
		_, err = b.WriteTo(c.conn)
	}
	if c.out = c.out[:0]; cap(c.out) > maxKeptBuffer {
		c.out = nil
	}
	return err == nil
}

// deliver answers a request for work that the process's goroutine has left to us.
func (c *runtimeConn) deliver(j *job) {
	if !c.event(j) {
		c.conn.Close() // its time will end the invocation, as it ends one that the process does not answer
	} else if c.last {
		c.closeWrite()
	}
	c.sent <- struct{}{}
}

// event writes an event.
func (c *runtimeConn) event(j *job) bool {
	c.head(http.StatusOK, len(j.payload))
	c.header("Lambda-Runtime-Aws-Request-Id", j.id)
	c.out = strconv.AppendInt(append(c.out, "Lambda-Runtime-Deadline-Ms: "...), j.deadline.UnixMilli(), 10)
	c.out = append(c.out, "\r\n"...)
	c.header("Lambda-Runtime-Invoked-Function-Arn", j.arn)
	c.header("Lambda-Runtime-Trace-Id", j.trace)
	if len(j.context) > 0 {
		c.header("Lambda-Runtime-Client-Context", string(j.context))
	}
	c.out = append(c.out, "\r\n"...)
	if len(j.payload) > maxKeptBuffer/2 {
		return c.flush(time.Until(j.deadline), j.payload)
	}
	c.out = append(c.out, j.payload...)
	return c.flush(time.Until(j.deadline))
}

func (c *runtimeConn) head(status, length int) {
	c.out = append(c.out, "HTTP/1.1 "...)
	c.out = strconv.AppendInt(c.out, int64(status), 10)
	c.out = append(append(c.out, ' '), http.StatusText(status)...)
	c.out = append(c.out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(length), 10)
	c.out = append(c.out, "\r\n"...)
}

// header writes a header. Values come from callers of the function, too: none may end its line.
func (c *runtimeConn) header(name, value string) {
	c.out = append(append(c.out, name...), ": "...)
	for i := range len(value) {
		b := value[i]
		if b == '\r' || b == '\n' {
			b = ' '
		}
		c.out = append(c.out, b)
	}
	c.out = append(c.out, "\r\n"...)
}

// reply answers a request with a JSON document.
func (c *runtimeConn) reply(status int, body []byte) {
	c.head(status, len(body))
	c.out = append(append(c.out, "\r\n"...), body...)
}
