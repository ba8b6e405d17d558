package localcloud

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestGetOfSomethingElse: what listens and is no evo is told apart from nothing, in bounded time.
func TestGetOfSomethingElse(t *testing.T) {
	old := http.DefaultClient
	t.Cleanup(func() { http.DefaultClient = old })
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"silent": {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "does not answer"},
		"other": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
			_, _ = io.Copy(io.Discard, c)
		}, "something else than evo answers"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dialer := func() (net.Conn, error) {
					near, far := net.Pipe()
					go c.serve(far) // ends with the connection
					return near, nil
				}
				transport := &http.Transport{DialContext: dial(dialer)}
				defer transport.CloseIdleConnections()
				http.DefaultClient = &http.Client{Transport: transport}
				_, err := Get(t.Context(), "http://127.0.0.1:1")
				var start *StartError
				if !errors.As(err, &start) || !strings.Contains(err.Error(), c.want) || start.Hint() == "" || errors.Is(err, ErrNone) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func dial(f func() (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return f() }
}

func TestEndedAtOnce(t *testing.T) {
	err := endedAtOnce(io.EOF, "evo: error: listen: in use\nevo: hint: name another\n")
	var start *StartError
	if !errors.As(err, &start) || err.Error() != "the embedded cloud ended at once: listen: in use" || start.Hint() != "name another" {
		t.Errorf("%v", err)
	}
	if err := endedAtOnce(io.EOF, "panic: no"); !strings.Contains(err.Error(), "EOF: panic: no") {
		t.Errorf("%v", err)
	}
}
