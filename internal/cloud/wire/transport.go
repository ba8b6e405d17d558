package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Transport is an http.RoundTripper that calls a Handler in process, without a socket. Bodies stream both ways. A request
// costs one goroutine, which ends when the handler returns; a handler that still writes is told, by its writes failing and
// its context ending, when the caller has closed the response's body.
type Transport struct {
	Handler http.Handler
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in := r.Clone(ctx)
	switch {
	case in.Body == nil:
		in.Body = http.NoBody
	case in.Body != http.NoBody && in.ContentLength == 0:
		in.ContentLength = -1 // to a client it means that the length is not known, to a server that there is no body
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	w := &pipeWriter{header: http.Header{}, ready: make(chan struct{})}
	// A handler that waits for more of the request's body is woken when nobody waits for its answer any more.
	stop := context.AfterFunc(ctx, func() { in.Body.Close() })
	go func() {
		defer cancel()
		defer in.Body.Close()
		defer stop()
		defer w.finish()
		t.Handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.ready:
	case <-r.Context().Done():
	}
	if r.Context().Err() != nil { // also if both are so: a handler whose caller has gone may have written nothing
		cancel()
		w.abandon()
		return nil, context.Cause(r.Context())
	}
	return w.response(r, cancel)
}

// CloseIdleConnections does nothing: there are none.
func (t Transport) CloseIdleConnections() {}

// maxBuffered is how much of an answer is kept before the rest is streamed: most answers are done by then.
const maxBuffered = 64 << 10

// A pipeWriter is the handler's side of a round trip. Until it is ready, what is written is kept; from then on it goes
// through the pipe.
type pipeWriter struct {
	header http.Header
	ready  chan struct{} // closed once the response can be returned

	mu     sync.Mutex
	status int
	sent   http.Header // the header as it was when the status was written
	buf    bytes.Buffer
	pipe   *io.PipeWriter // nil while buffering
	reader *io.PipeReader
	done   bool
	failed error
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(status)
}

func (w *pipeWriter) writeHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.writeHeader(http.StatusOK)
	if w.failed != nil {
		defer w.mu.Unlock()
		return 0, w.failed
	}
	if w.pipe == nil && w.buf.Len()+len(p) <= maxBuffered {
		defer w.mu.Unlock()
		return w.buf.Write(p)
	}
	w.stream()
	pipe := w.pipe
	w.mu.Unlock()
	return pipe.Write(p)
}

// Flush implements http.Flusher: what has been written, and all that follows, is streamed.
func (w *pipeWriter) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(http.StatusOK)
	w.stream()
}

func (w *pipeWriter) stream() {
	if w.pipe == nil && w.failed == nil {
		w.reader, w.pipe = io.Pipe()
		close(w.ready)
	}
}

// finish ends the answer; a handler's panic ends it as a broken connection would.
func (w *pipeWriter) finish() {
	p := recover()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(http.StatusOK)
	w.done = true
	var err error
	if p != nil {
		err = io.ErrUnexpectedEOF
		if p != http.ErrAbortHandler { //nolint:errorlint // it is compared as net/http does
			err = fmt.Errorf("wire: the handler panicked: %v", p)
		}
	}
	if w.pipe != nil {
		w.pipe.CloseWithError(err) // io.EOF if nil
		return
	}
	if w.failed == nil {
		w.failed = err
		close(w.ready)
	}
}

func (w *pipeWriter) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = errNoAnswer
	}
	if w.reader != nil {
		w.reader.CloseWithError(errNoAnswer)
	}
}

func (w *pipeWriter) response(r *http.Request, cancel func()) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pipe == nil && w.failed != nil {
		return nil, w.failed
	}
	resp := &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Request: r, ContentLength: -1,
	}
	if w.pipe == nil {
		resp.ContentLength = int64(w.buf.Len())
		resp.Body = io.NopCloser(&w.buf)
		return resp, nil
	}
	resp.Body = &pipeBody{head: &w.buf, rest: w.reader, cancel: cancel}
	return resp, nil
}

// A pipeBody reads what was buffered, then the pipe.
type pipeBody struct {
	head   *bytes.Buffer
	rest   *io.PipeReader
	cancel func()
}

func (b *pipeBody) Read(p []byte) (int, error) {
	if b.head.Len() > 0 {
		return b.head.Read(p)
	}
	return b.rest.Read(p)
}

func (b *pipeBody) Close() error {
	b.cancel()
	return b.rest.CloseWithError(errNoAnswer)
}
