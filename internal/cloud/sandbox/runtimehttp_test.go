package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"time"
)

// served is a Runtime API on a listener of its own, whose jobs' outcomes end in their results' payloads.
func served(t testing.TB) *runtimeAPI {
	a, err := newRuntimeAPI()
	if err != nil {
		t.Fatal(err)
	}
	a.asked = func() {}
	a.answered = func(j *job, o outcome) { j.results <- &Result{Payload: o.payload, ErrorType: o.errorType} }
	t.Cleanup(a.close)
	return a
}

func testJob(id, payload string) *job {
	return &job{id: id, arn: "arn:aws:lambda:us-east-1:000000000000:function:f", payload: []byte(payload), trace: "Root=1",
		deadline: time.Now().Add(10 * time.Second), results: make(chan *Result, 1)}
}

// A client is one connection to the Runtime API.
type client struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

func dial(t testing.TB, a *runtimeAPI) *client {
	conn, err := net.Dial("tcp", a.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{conn, bufio.NewReader(conn), t}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// want reads an answer and compares its status and body.
func (c *client) want(status int, body string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !strings.Contains(string(text), body) {
		c.t.Fatalf("%d %s, %v, want %d %s", resp.StatusCode, text, err, status, body)
	}
	return resp
}

// wantEnd reads the connection's end.
func (c *client) wantEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("%q, want the end", b)
	}
}

func ask(path string) string { return "GET " + apiPrefix + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

func tell(path, body string) string {
	return fmt.Sprintf("POST %s%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", apiPrefix, path, len(body), body)
}

func wantResult(t testing.TB, j *job, want string) {
	t.Helper()
	select {
	case r := <-j.results:
		if got := string(r.Payload); got != want {
			t.Errorf("result %s, want %s", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no result")
	}
}

// give assigns a job once the process waits for one.
func give(a *runtimeAPI, j *job) {
	for {
		a.mu.Lock()
		waits := len(a.waiters) > 0
		a.mu.Unlock()
		if waits {
			a.assign(j)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRuntimeAPIInTurn(t *testing.T) {
	a := served(t)
	c := dial(t, a)
	c.send(ask("invocation/next"))
	one := testJob("1", `{"n":1}`)
	one.context = []byte("{\r\n}")
	give(a, one)
	resp := c.want(200, `{"n":1}`)
	if h := resp.Header; h.Get("Lambda-Runtime-Aws-Request-Id") != "1" || h.Get("Lambda-Runtime-Client-Context") != "{  }" || h.Get("Lambda-Runtime-Deadline-Ms") == "" {
		t.Errorf("headers %v", h)
	}
	c.send(ask("invocation/next"))
	c.want(403, "InvalidStateTransition")
	c.send(tell("invocation/1/response", `"first"`))
	c.want(202, "OK")
	wantResult(t, one, `"first"`)
	c.send(tell("invocation/1/response", `"again"`))
	c.want(400, "InvalidRequestID")
	c.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + ask("nothing"))
	resp, err := http.ReadResponse(c.r, &http.Request{Method: "HEAD"})
	if err != nil || resp.StatusCode != 404 {
		t.Fatal(resp, err)
	}
	c.want(404, "NotFound")
}

func TestRuntimeAPIPipelined(t *testing.T) {
	a := served(t)
	c := dial(t, a)
	c.send(ask("invocation/next"))
	for i := range 100 {
		j := testJob(fmt.Sprint(i), strings.Repeat("x", i*1000))
		give(a, j)
		if i > 0 {
			c.want(202, "OK")
		}
		c.want(200, string(j.payload))
		c.send(tell(fmt.Sprintf("invocation/%d/response", i), fmt.Sprint(i)) + ask("invocation/next"))
		wantResult(t, j, fmt.Sprint(i))
	}
}

func TestRuntimeAPIBodies(t *testing.T) {
	a := served(t)
	tests := []struct {
		name, head, body, result string
		status                   int
	}{
		{"chunked", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", 202},
		{"broken off, as the trailer says", "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n",
			"3\r\nabc\r\n0\r\nLambda-Runtime-Function-Error-Type: Runtime.Broken\r\n\r\n", `{"errorType":"Runtime.Broken","errorMessage":""}`, 202},
		{"too large, as it says", fmt.Sprintf("Content-Length: %d\r\n", MaxAnswer+1), strings.Repeat("x", MaxAnswer+1), string(tooLargeOutcome().payload), 413},
		{"too large, as it turns out", "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", MaxAnswer+1, strings.Repeat("x", MaxAnswer+1)), string(tooLargeOutcome().payload), 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, a)
			for range 2 { // the connection is good for another
				c.send(ask("invocation/next"))
				j := testJob("1", "{}")
				give(a, j)
				c.want(200, "{}")
				c.send("POST " + apiPrefix + "invocation/1/response HTTP/1.1\r\nHost: x\r\n" + tt.head + "\r\n" + tt.body)
				c.want(tt.status, "")
				wantResult(t, j, tt.result)
			}
		})
	}
}

// TestRuntimeAPIContinue is what curl does, in which functions' bootstraps are written, too.
func TestRuntimeAPIContinue(t *testing.T) {
	a := served(t)
	c := dial(t, a)
	j := testJob("1", "{}")
	a.assign(j) // before the process asks
	c.send(ask("invocation/next"))
	c.want(200, "{}")
	c.send("POST " + apiPrefix + "invocation/1/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	c.want(100, "")
	c.send("ok")
	c.want(202, "OK")
	wantResult(t, j, "ok")
}

// TestRuntimeAPIAfterABrokenConnection loses no event to a connection that the process has given up.
func TestRuntimeAPIAfterABrokenConnection(t *testing.T) {
	a := served(t)
	for range 20 {
		first, second := dial(t, a), dial(t, a)
		first.send(ask("invocation/next"))
		second.send(ask("invocation/next"))
		for waiting := 0; waiting < 2; time.Sleep(time.Millisecond) {
			a.mu.Lock()
			waiting = len(a.waiters)
			a.mu.Unlock()
		}
		second.Close()
		for waiting := 2; waiting > 1; time.Sleep(time.Millisecond) {
			a.mu.Lock()
			waiting = len(a.waiters)
			a.mu.Unlock()
		}
		j := testJob("1", "{}")
		a.assign(j)
		first.want(200, "{}")
		first.send(tell("invocation/1/response", "1"))
		first.want(202, "OK")
		first.Close()
	}
}

func TestRuntimeAPILastRequest(t *testing.T) {
	a := served(t)
	for _, head := range []string{" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", " HTTP/1.0\r\n\r\n"} {
		c := dial(t, a)
		c.send("GET " + apiPrefix + "invocation/next" + head)
		j := testJob("1", "{}")
		give(a, j)
		c.want(200, "{}")
		c.wantEnd()
		c = dial(t, a)
		c.send("POST " + apiPrefix + "invocation/1/response" + strings.Replace(head, "\r\n", "\r\nContent-Length: 1\r\n", 1) + "1")
		c.want(202, "OK")
		c.wantEnd()
		wantResult(t, j, "1")
	}
}

func TestRuntimeAPIHostileHeads(t *testing.T) {
	a := served(t)
	for text, status := range map[string]int{
		"\x16\x03\x01\x00\r\n\r\n":                                      400,
		"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n":                 400,
		"GET / HTTP/9.9.9\r\n\r\n":                                      400,
		"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n":                 400,
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2*maxRequestHead): 431,
	} {
		c := dial(t, a)
		go io.WriteString(c, text) // which ends at the latest when the other side hangs up
		c.want(status, "")
		c.wantEnd()
	}
}

// TestRuntimeAPICloseEndsAll closes the API beneath connections in every state.
func TestRuntimeAPICloseEndsAll(t *testing.T) {
	a := served(t)
	for _, text := range []string{"", "GET", ask("invocation/next"), ask("invocation/next") + ask("invocation/next"), "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"} {
		dial(t, a).send(text)
	}
	a.close()
	if len(a.conns) > 0 {
		t.Errorf("%d connections are left", len(a.conns))
	}
}

// tape is a connection that has been recorded.
type tape struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (c *tape) Read(p []byte) (int, error)       { return c.in.Read(p) }
func (c *tape) Write(p []byte) (int, error)      { return c.out.Write(p) }
func (c *tape) Close() error                     { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// FuzzRuntimeAPI plays what a process might send while it has an invocation: the server comes to an end, all that it writes is HTTP,
// and the invocation gets one result at most.
func FuzzRuntimeAPI(f *testing.F) {
	for _, seed := range []string{
		ask("invocation/next") + tell("invocation/1/response", "{}") + ask("invocation/next"),
		ask("invocation/next") + tell("invocation/1/error", `{"errorType":"x"}`) + tell("invocation/1/response", "{}"),
		tell("init/error", `{}`) + tell("init/error", `{}`),
		ask("invocation/next") + "POST " + apiPrefix + "invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n",
		"HEAD / HTTP/1.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET http://h:1/%2e%00 HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := makeRuntimeAPI(nil)
		results := 0
		a.asked, a.answered = func() {}, func(*job, outcome) { results++ }
		a.assign(testJob("1", "{}"))
		conn := &tape{in: bytes.NewReader(data)}
		newRuntimeConn(a, conn).serve()
		if results > 1 {
			t.Errorf("%d results", results)
		}
		out, heads := bufio.NewReader(&conn.out), bytes.Contains(data, []byte("HEAD"))
		for {
			resp, err := http.ReadResponse(out, nil)
			if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF || heads { // a HEAD's answer has no body
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := httputil.DumpResponse(resp, true); err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	})
}
