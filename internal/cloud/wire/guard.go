package wire

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"evo/internal/cloud/call"
)

// guard refuses what a web page of another origin could send to this machine: requests that a browser marks as such, and
// requests to a name that is not ours (a page's own name that was pointed at this machine).
func (h *Handler) guard(r *http.Request) error {
	if host := hostname(r); !h.ownHost(host) {
		return &call.Error{Status: http.StatusForbidden, Code: "AccessDenied",
			Message: "evo's cloud does not serve the host " + host + "; it answers to localhost, names below it, and loopback addresses"}
	}
	origin := r.Header.Get("Origin")
	if origin == "" || h.ownOrigin(origin) {
		return nil
	}
	return &call.Error{Status: http.StatusForbidden, Code: "AccessDenied",
		Message: "evo's cloud does not answer pages of another origin (" + origin + ")"}
}

func (h *Handler) ownOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && h.ownHost(strings.ToLower(u.Hostname())) && !strings.HasSuffix(u.Hostname(), ".amazonaws.com")
}

func (h *Handler) ownHost(host string) bool {
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".amazonaws.com") {
		return true
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	for _, own := range h.config.Hosts {
		if host == own || strings.HasPrefix(own, ".") && strings.HasSuffix(host, own) {
			return true
		}
	}
	return false
}

// hostname is the request's host in lower case, without its port.
func hostname(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func remoteIP(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
