package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Words that stand for the payload's hash.
const (
	unsignedPayload = "UNSIGNED-PAYLOAD"
	emptyHash       = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	streamingPrefix = "STREAMING-"
)

// Verify checks the signature of r, made with secret. The payload's hash is what was signed for it.
func (a *Auth) Verify(r *http.Request, secret, payloadHash string) error {
	if a.Algorithm != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '%s'", a.Algorithm)
	}
	if a.Time.IsZero() || a.Time.UTC().Format("20060102") != a.Date {
		return &Error{http.StatusForbidden, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"}
	}
	if !slices.Contains(strings.Split(strings.ToLower(a.SignedHeaders), ";"), "host") {
		return &Error{http.StatusForbidden, "SignatureDoesNotMatch", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	key := signingKey(secret, a)
	for _, path := range canonicalPaths(r, a.Service) {
		if hmac.Equal([]byte(a.Signature), []byte(a.sign(key, r, path, payloadHash))) {
			return nil
		}
	}
	return mismatch()
}

func mismatch() error {
	return &Error{http.StatusForbidden, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. Check your key and signing method."}
}

func (a *Auth) sign(key []byte, r *http.Request, path, payloadHash string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	signed := strings.ToLower(a.SignedHeaders)
	for name := range strings.SplitSeq(signed, ";") {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + signed + "\n" + payloadHash)
	return hexMAC(key, a.stringToSign(algorithm, hashHex(b.String())))
}

func (a *Auth) stringToSign(kind string, lines ...string) string {
	return kind + "\n" + a.Time.UTC().Format("20060102T150405Z") + "\n" + a.Scope() + "\n" + strings.Join(lines, "\n")
}

func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

func hexMAC(key []byte, s string) string { return hex.EncodeToString(mac(key, s)) }

// keys remembers derived keys, which hold for a day; it forgets them all when there are many.
var keys struct {
	sync.Mutex
	m map[[2]string][]byte
}

func signingKey(secret string, a *Auth) []byte {
	id := [2]string{secret, a.Scope()}
	keys.Lock()
	defer keys.Unlock()
	if k, ok := keys.m[id]; ok {
		return k
	}
	k := mac([]byte("AWS4"+secret), a.Date)
	for _, part := range []string{a.Region, a.Service, "aws4_request"} {
		k = mac(k, part)
	}
	if keys.m == nil || len(keys.m) > 1000 {
		keys.m = map[[2]string][]byte{}
	}
	keys.m[id] = k
	return k
}

// headerValue is the header as it is signed; two of them net/http keeps elsewhere.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		if v := r.Header.Get("Content-Length"); v != "" {
			return v
		}
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// canonicalPaths are the forms in which clients sign a path: S3's with every byte escaped once, the others' escaped once
// more, and as it was sent, for those who escape differently.
func canonicalPaths(r *http.Request, service string) []string {
	sent := r.URL.EscapedPath()
	if sent == "" {
		sent = "/"
	}
	once := escapePath(r.URL.Path)
	if once == "" {
		once = "/"
	}
	if service == "s3" {
		return slices.Compact([]string{once, sent})
	}
	return slices.Compact([]string{escapePath(sent), escapePath(once), sent})
}

func escapePath(s string) string {
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return strings.Join(parts, "/")
}

// escape writes everything but unreserved characters as %XX.
func escape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteString(string([]byte{'%', digits[c>>4], digits[c&15]}))
	}
	return b.String()
}

func canonicalQuery(raw string) string {
	var parts []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		k, v = unescape(k), unescape(v)
		if k != "X-Amz-Signature" {
			parts = append(parts, escape(k)+"="+escape(v))
		}
	}
	// By name, then by value: "=" sorts after some characters that names may have, so the whole is not what is compared.
	slices.SortFunc(parts, func(a, b string) int {
		ak, av, _ := strings.Cut(a, "=")
		bk, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(ak, bk); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	return strings.Join(parts, "&")
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// Streaming reports whether the payload is in AWS's chunked form.
func (a *Auth) Streaming() bool { return strings.HasPrefix(a.payload, streamingPrefix) }

// SignedHash returns the hash that the payload must have, if the request states one.
func (a *Auth) SignedHash() (string, bool) {
	if a == nil || a.payload == "" || a.payload == unsignedPayload || a.Streaming() {
		return "", false
	}
	return strings.ToLower(a.payload), true
}
