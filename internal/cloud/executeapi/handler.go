// Package executeapi answers: what becomes of a request to an API that API Gateway serves?
//
// A [Handler] finds the API and the stage from the host name ({api-id}.execute-api.localhost) or from a path
// (/_aws/execute-api/{api-id}/…), matches the request against routes that were compiled once for each deployment, calls the
// function with the event that AWS would send, and writes the function's answer as AWS would. REST APIs and HTTP APIs differ
// in nearly all of this: the files rest*.go and http*.go hold one each.
//
// It is the only part of the embedded cloud besides the wire that speaks HTTP.
package executeapi

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/clock"
)

// APIs finds what stages serve, in whatever region they are.
type APIs interface {
	REST(apiID, stage string) (restapi.Deployed, bool)
	HTTP(apiID, stage string) (httpapi.Deployed, bool)
}

// Lambda is what API Gateway needs of Lambda.
type Lambda interface {
	Invoke(context.Context, *lambda.InvokeInput) (*lambda.InvokeOutput, error)
	// Permits reports whether a function's policy lets a service invoke it for one of the sources.
	Permits(functionARN, service string, sourceARNs ...string) bool
}

// Metrics takes data points. It must not wait.
type Metrics interface {
	Record(region, namespace string, at time.Time, data []Datum)
}

// Datum is a data point of a metric.
type Datum struct {
	Name       string
	Unit       string // as CloudWatch names it
	Dimensions []Dimension
	Value      float64
}

// Dimension is a name and a value that tell metrics apart.
type Dimension struct{ Name, Value string }

// Config is what a Handler is made of.
type Config struct {
	APIs    APIs
	Lambda  func(region string) (Lambda, error)
	Clock   clock.Clock
	Metrics Metrics                   // nil: none
	Rand    io.Reader                 // of request ids; nil: crypto/rand
	Log     func(api, message string) // told why a request got an error of the gateway's own; nil: nobody
}

// Handler serves APIs.
type Handler struct {
	cfg  Config
	rest sync.Map // api/stage → *restRoutes
	http sync.Map // api/stage → *httpRoutes

	verdicts verdicts
}

// New returns a Handler.
func New(cfg Config) (*Handler, error) {
	if cfg.APIs == nil || cfg.Lambda == nil || cfg.Clock == nil {
		return nil, errors.New("executeapi: APIs, Lambda and Clock are needed")
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Handler{cfg: cfg}, nil
}

// pathPrefix begins the paths of the form that needs no host name.
const pathPrefix = "/_aws/execute-api/"

// Serves tells whether a request is for an API.
func (h *Handler) Serves(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, pathPrefix) {
		return true
	}
	_, ok := hostAPI(r.Host)
	return ok
}

// hostAPI returns the API that a host name addresses: {api-id}.execute-api.{anything}.
func hostAPI(host string) (string, bool) {
	id, rest, ok := strings.Cut(host, ".")
	return id, ok && id != "" && (strings.HasPrefix(rest, "execute-api.") || rest == "execute-api" || strings.HasPrefix(rest, "execute-api:"))
}

// locate returns the API that a request addresses, and the path as the API sees it, stage and all, still escaped.
func locate(r *http.Request) (apiID, path string) {
	path = r.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, pathPrefix); ok {
		id, after, _ := strings.Cut(rest, "/")
		return id, "/" + after
	}
	id, _ := hostAPI(r.Host)
	return id, path
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	apiID, path := locate(r)
	x := &exchange{h: h, w: w, r: r, apiID: strings.ToLower(apiID), full: path, start: h.cfg.Clock.Now(), began: time.Now()}
	x.identify()
	stage, rest := firstSegment(path)
	if d, ok := h.cfg.APIs.REST(x.apiID, stage); ok {
		x.path = rest
		x.serveREST(d)
		return
	}
	if d, ok := h.cfg.APIs.HTTP(x.apiID, stage); ok && stage != "$default" {
		x.path = rest
		x.serveHTTPAPI(d)
		return
	}
	if d, ok := h.cfg.APIs.HTTP(x.apiID, "$default"); ok {
		x.path = path
		x.serveHTTPAPI(d)
		return
	}
	// AWS says no more than that either; who runs the cloud gets to know more.
	x.log("there is no API " + x.apiID + " with a stage " + stage)
	h.rest.Delete(x.apiID + "/" + stage)
	h.http.Delete(x.apiID + "/" + stage)
	w.Header().Set("X-Amzn-Errortype", "ForbiddenException")
	x.plain(http.StatusForbidden, "Forbidden")
}

// firstSegment cuts the stage off a path. Slashes before it do not count.
func firstSegment(path string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.TrimLeft(path, "/"), "/")
	return first, "/" + rest
}
