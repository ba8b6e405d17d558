package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evo/internal/cloud/wire"
)

func roundTrip(t *testing.T, ctx context.Context, h http.HandlerFunc, body io.Reader) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "POST", "http://localhost/path?q=1", body)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Client{Transport: wire.Transport{Handler: h}}).Do(r)
}

func TestTransport(t *testing.T) {
	resp, err := roundTrip(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", r.Host+r.RequestURI+string(b))
		w.WriteHeader(201)
		w.Header().Set("X-Late", "not sent")
		io.WriteString(w, "short")
	}, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || string(b) != "short" || resp.StatusCode != 201 || resp.Header.Get("X-Got") != "localhost/path?q=1body" || resp.Header.Get("X-Late") != "" || resp.ContentLength != 5 {
		t.Errorf("%q %v %+v", b, err, resp)
	}
}

// A body whose length the client does not know is a body, as over a connection.
func TestTransportUnknownLength(t *testing.T) {
	for _, c := range []struct {
		body io.Reader
		want int64
	}{{io.MultiReader(strings.NewReader("body")), -1}, {strings.NewReader("body"), 4}, {strings.NewReader(""), 0}, {nil, 0}} {
		var got int64
		resp, err := roundTrip(t, t.Context(), func(_ http.ResponseWriter, r *http.Request) { got = r.ContentLength }, c.body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got != c.want {
			t.Errorf("%T: length %d, want %d", c.body, got, c.want)
		}
	}
}

// TestTransportStreams sends and receives at the same time, more than is ever buffered.
func TestTransportStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		go func() {
			for range 64 {
				time.Sleep(time.Second)
				io.WriteString(out, strings.Repeat("x", 8<<10))
			}
			out.Close()
		}()
		start := time.Now()
		resp, err := roundTrip(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.Copy(w, r.Body)
		}, in)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the answer began after %v", took)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if n != 64*8<<10 || err != nil || time.Since(start) != 64*time.Second {
			t.Error(n, err, time.Since(start))
		}
	})
}

// TestTransportLeavesNobodyBehind ends requests in every way that is not the usual one: when the bubble ends, the handler
// must have.
func TestTransportLeavesNobodyBehind(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		resp, err := roundTrip(t, t.Context(), endless, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.CopyN(io.Discard, resp.Body, 1<<20)
		resp.Body.Close()
	})
	synctest.Test(t, func(t *testing.T) { // a body that never comes
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		in, _ := io.Pipe()
		_, err := roundTrip(t, ctx, func(_ http.ResponseWriter, r *http.Request) { io.ReadAll(r.Body) }, in)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a handler that waits for its context
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := roundTrip(t, ctx, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // an answer that breaks off
		resp, err := roundTrip(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.Write(make([]byte, 100<<10))
			panic(http.ErrAbortHandler)
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
}
