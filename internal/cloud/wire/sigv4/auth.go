// Package sigv4 answers: who signed this request, and is the signature right?
//
// It reads AWS's Signature Version 4 in its three places (the Authorization header, a presigned URL's query, the chunks of
// a streamed body) from the server's side.
package sigv4

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const algorithm = "AWS4-HMAC-SHA256"

// Auth is what a request says of its signature.
type Auth struct {
	AccessKey     string
	Date          string // of the scope: 20060102
	Region        string
	Service       string
	SignedHeaders string // their names, with semicolons between
	Signature     string
	Token         string    // of temporary credentials
	Time          time.Time // when it was signed
	Expires       time.Duration
	Presigned     bool
	Algorithm     string
	payload       string // the payload's hash, or what stands for it
}

// Scope is what the signing key is derived for.
func (a *Auth) Scope() string {
	return a.Date + "/" + a.Region + "/" + a.Service + "/aws4_request"
}

// Payload is the payload's SHA-256 in hex as the request states it, or one of AWS's words that stand for it; empty where the
// request does not say, so that the body itself counts.
func (a *Auth) Payload() string { return a.payload }

// Error is a signature that cannot be read or is not right.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func incomplete(format string, args ...any) error {
	return &Error{http.StatusBadRequest, "IncompleteSignature", fmt.Sprintf(format, args...)}
}

// Parse reads the request's signature. It returns nil for a request without one, or with one of another kind that names no
// access key.
func Parse(r *http.Request) (*Auth, error) {
	if h := r.Header.Get("Authorization"); strings.HasPrefix(h, "AWS4-") {
		return parseHeader(r, h)
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") || strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		return parseQuery(r.URL.Query())
	}
	return nil, nil
}

func parseHeader(r *http.Request, h string) (*Auth, error) {
	a := &Auth{payload: r.Header.Get("X-Amz-Content-Sha256"), Token: r.Header.Get("X-Amz-Security-Token")}
	var rest string
	a.Algorithm, rest, _ = strings.Cut(h, " ")
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Credential":
			if err := a.credential(value); err != nil {
				return nil, err
			}
		case "SignedHeaders":
			a.SignedHeaders = value
		case "Signature":
			a.Signature = value
		}
	}
	if a.AccessKey == "" {
		return nil, incomplete("Authorization header requires 'Credential' parameter. Authorization=%s", a.Algorithm)
	}
	if date := r.Header.Get("X-Amz-Date"); date != "" {
		a.Time, _ = time.Parse("20060102T150405Z", date)
	} else if t, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		a.Time = t
	}
	return a, nil
}

func parseQuery(q url.Values) (*Auth, error) {
	a := &Auth{
		Algorithm: q.Get("X-Amz-Algorithm"), Signature: q.Get("X-Amz-Signature"), Token: q.Get("X-Amz-Security-Token"),
		SignedHeaders: q.Get("X-Amz-SignedHeaders"), Presigned: true, payload: q.Get("X-Amz-Content-Sha256"),
	}
	if err := a.credential(q.Get("X-Amz-Credential")); err != nil {
		return nil, err
	}
	var err error
	if a.Time, err = time.Parse("20060102T150405Z", q.Get("X-Amz-Date")); err != nil {
		return nil, badQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	}
	a.Expires, err = a.expiry(q)
	return a, err
}

func badQuery(message string) error {
	return &Error{http.StatusBadRequest, "AuthorizationQueryParametersError", message}
}

// defaultExpiry is how long a signature in a query holds where it does not say. S3's must.
const defaultExpiry = 15 * time.Minute

func (a *Auth) expiry(q url.Values) (time.Duration, error) {
	const week = 7 * 24 * 3600
	if !q.Has("X-Amz-Expires") && a.Service != "s3" {
		return defaultExpiry, nil
	}
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	switch {
	case err != nil:
		return 0, badQuery("X-Amz-Expires should be a number")
	case seconds < 0:
		return 0, badQuery("X-Amz-Expires must be non-negative")
	case seconds > week:
		return 0, badQuery("X-Amz-Expires must be less than a week (in seconds) that is " + strconv.Itoa(week))
	}
	return time.Duration(seconds) * time.Second, nil
}

func (a *Auth) credential(s string) error {
	parts := strings.Split(s, "/")
	n := len(parts)
	if a.Algorithm == algorithm && (n < 5 || parts[n-1] != "aws4_request") || n < 4 {
		return incomplete("Credential must have five slash-delimited elements: access key, date, region, service, aws4_request; got %q", s)
	}
	if a.Algorithm != algorithm { // version 4A has no region in its scope
		a.AccessKey, a.Date, a.Service = parts[0], parts[1], parts[2]
		return nil
	}
	a.AccessKey = strings.Join(parts[:n-4], "/")
	a.Date, a.Region, a.Service = parts[n-4], parts[n-3], parts[n-2]
	return nil
}
