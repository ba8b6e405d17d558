package executeapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// BenchmarkGateway measures a GET through the gateway over a real socket, with a function that answers at once; and, to compare,
// through a bare reverse proxy in front of a handler that does as little.
func BenchmarkGateway(b *testing.B) {
	w := newWorld(b)
	w.lambda.all[functionARN+"f"] = answers(`{"statusCode":200,"body":"{\"ok\":true}"}`)
	id := w.importREST(swagger(`"/items/{id}":{"get":` + operation("f") + `}`))
	v2 := w.importHTTP(openapi3(`"/items/{id}":{"get":` + operationV2("f", "2.0") + `}`))
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"ok":true}`)
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct {
		handler http.Handler
		path    string
	}{
		"rest":  {w.gateway, pathPrefix + id + "/prod/items/7?q=1"},
		"http":  {w.gateway, pathPrefix + v2 + "/items/7?q=1"},
		"proxy": {httputil.NewSingleHostReverseProxy(target), "/items/7?q=1"},
	} {
		b.Run(name, func(b *testing.B) { requests(b, c.handler, c.path) })
	}
}

func requests(b *testing.B, handler http.Handler, path string) {
	server := httptest.NewServer(handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Get(server.URL + path)
			if err != nil || resp.StatusCode != 200 {
				b.Errorf("%v, %v", resp, err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}
