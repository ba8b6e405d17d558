package httpapi

import (
	"fmt"
	"strings"
	"testing"
)

func ids() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("id", n) }
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"openapi":"3.0.1","info":{"title":"t"},"x-amazon-apigateway-cors":{"allowOrigins":["*"],"maxAge":5},"paths":{"/$default":{"x-amazon-apigateway-any-method":{"security":[{"j":["s"]}],"x-amazon-apigateway-integration":{"type":"aws_proxy","payloadFormatVersion":2.0}}}},"components":{"securitySchemes":{"j":{"x-amazon-apigateway-authorizer":{"type":"jwt"}}}}}`))
	f.Add([]byte("openapi: 3.0.1\ninfo: {title: t}\npaths:\n  /x/{y+}:\n    get: {}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, _, err := Import(New("a", ""), body, ids())
		if err != nil {
			return
		}
		for id, r := range a.Routes {
			if err := CheckRouteKey(*r.RouteKey); err != nil {
				t.Error(err)
			}
			if r.Target != nil {
				if _, ok := a.Integrations[strings.TrimPrefix(*r.Target, "integrations/")]; !ok {
					t.Errorf("route %s leads to %s, which is not there", id, *r.Target)
				}
			}
		}
	})
}
