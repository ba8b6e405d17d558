package cloud

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// What is below /_evo/ is evo's own: it is no AWS API.
const (
	ownPath      = "/_evo/"
	callbackPath = ownPath + "callback/" // + region/token: where custom resources answer
	codePath     = ownPath + "code/"     // + region/hash: where functions' code can be fetched
)

// status is what the cloud says of itself.
type status struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	URL     string    `json:"url"`
	State   string    `json:"state"`
	Speed   float64   `json:"speed"`
	Time    time.Time `json:"time"`
	Started time.Time `json:"started"`
}

// routes tells apart what a request is for: evo itself, an API of a stack, or AWS.
func (s *Server) routes() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, ownPath):
			s.own(w, r)
		case s.parts.gateway.Serves(r):
			s.parts.gateway.ServeHTTP(w, r)
		default:
			s.parts.wire.ServeHTTP(w, r)
		}
	})
}

func (s *Server) own(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, callbackPath) && r.Method == http.MethodPut:
		s.callback(w, r)
	case strings.HasPrefix(r.URL.Path, codePath) && r.Method == http.MethodGet:
		s.code(w, r)
	case r.Header.Get("X-Evo") == "":
		// A header of our own makes a browser ask first, and it is told nothing: pages of other origins stay outside.
		http.Error(w, "this part of evo's cloud answers to evo only", http.StatusForbidden)
	case r.URL.Path == ownPath+"status":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(status{s.Version, os.Getpid(), s.URL(), s.StateDir, s.Speed, s.Clock.Now(), s.started})
	case r.URL.Path == ownPath+"stop" && r.Method == http.MethodPost:
		s.Log("stopping, as asked")
		s.askToStop()
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) code(w http.ResponseWriter, r *http.Request) {
	region, hash, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, codePath), "/")
	zip, err := s.parts.code(region, hash)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer zip.Close()
	w.Header().Set("Content-Type", "application/zip")
	_, _ = io.Copy(w, zip) // whoever fetches it sees a short body
}

// maxCallback bounds a custom resource's answer; CloudFormation takes 4 KiB.
const maxCallback = 64 << 10

func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	region, token, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, callbackPath), "/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCallback))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.parts.customResource(region, token, body); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
	}
}
