package wire

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"evo/internal/cloud/call"
)

// guardHost refuses a request to a name that is not ours: a page's own name may have been pointed at this machine.
func (h *Handler) guardHost(r *http.Request) error {
	host := hostname(r)
	if h.ownHost(host) {
		return nil
	}
	return &call.Error{Status: http.StatusForbidden, Code: "AccessDenied",
		Message: "evo's cloud does not serve the host " + host + "; it answers to localhost, names below it, and loopback addresses"}
}

// guardOrigin refuses what a web page of another origin sends, as browsers mark it, unless it is to S3 and the bucket's CORS
// configuration allows it. A page may show what it has the address of (an image behind a presigned URL): such reads have no
// Origin.
func (x *exchange) guardOrigin() error {
	origin := x.r.Header.Get("Origin")
	toS3 := x.target.service != nil && x.target.service.Name == "s3"
	switch {
	case origin != "" && toS3 && x.allowByBucket(origin):
		return nil
	case origin != "" && x.h.ownOrigin(origin):
		if !toS3 {
			allowOwn(x.w.Header(), origin)
		}
		return nil
	case origin != "":
		return foreign("pages of another origin (" + origin + ")")
	case x.r.Header.Get("Sec-Fetch-Site") == "cross-site" && !(toS3 && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead)):
		return foreign("pages of another origin")
	}
	return nil
}

func foreign(who string) error {
	return &call.Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "evo's cloud does not answer " + who}
}

// CORS is what S3 knows of the pages that may use a bucket. The service named s3 may implement it.
type CORS interface {
	// Preflight returns the headers that answer a browser's question whether it may send a request, or the error that says no.
	Preflight(bucket, key, origin, method string, headers []string) (map[string]string, error)
	// CORSHeaders returns the headers to add to an answer for a page of that origin; nil: the page may not ask.
	CORSHeaders(bucket, origin, method string) map[string]string
}

func (x *exchange) cors() CORS {
	if s, ok := x.h.services["s3"]; ok && s.For != nil {
		if impl, err := s.For(x.region); err == nil {
			c, _ := impl.(CORS)
			return c
		}
	}
	return nil
}

func (x *exchange) allowByBucket(origin string) bool {
	c := x.cors()
	if c == nil {
		return false
	}
	headers := c.CORSHeaders(x.target.labels["Bucket"], origin, x.r.Method)
	for k, v := range headers {
		x.w.Header().Set(k, v)
	}
	return headers != nil
}

// allowOwn lets a page that is served from this machine read the answer.
func allowOwn(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "*")
	h.Set("Vary", "Origin")
}

// preflight answers a browser's OPTIONS request. It goes to S3 if it is for a bucket, whose documents decide; pages of this
// machine may ask every other service.
func (x *exchange) preflight() error {
	h := x.r.Header
	origin, method := h.Get("Origin"), h.Get("Access-Control-Request-Method")
	announced := splitQuoted(h.Get("Access-Control-Request-Headers"))
	if c := x.cors(); c != nil && !speaksRPC(announced) {
		x.addressS3()
		if bucket := x.target.labels["Bucket"]; bucket != "" {
			headers, err := c.Preflight(bucket, x.target.labels["Key"], origin, method, announced)
			if err != nil && !x.h.ownOrigin(origin) {
				return err
			}
			if err == nil {
				for k, v := range headers {
					x.w.Header().Set(k, v)
				}
				x.commonHeaders()
				x.w.WriteHeader(http.StatusOK)
				return nil
			}
		}
	}
	if !x.h.ownOrigin(origin) {
		return foreign("pages of another origin (" + origin + ")")
	}
	allowOwn(x.w.Header(), origin)
	x.w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	x.w.Header().Set("Access-Control-Allow-Headers", strings.Join(announced, ", "))
	x.w.WriteHeader(http.StatusOK)
	return nil
}

// speaksRPC tells a request of the JSON and CBOR protocols from S3's by a header that it announces.
func speaksRPC(headers []string) bool {
	for _, h := range headers {
		if strings.EqualFold(h, "x-amz-target") || strings.EqualFold(h, "smithy-protocol") {
			return true
		}
	}
	return false
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
