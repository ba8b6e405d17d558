// Package apiurl answers: at which URL is an API of API Gateway served, on AWS and on another cloud?
package apiurl

import (
	"net/url"
	"regexp"
	"strings"
)

var onAWS = regexp.MustCompile(`^https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?`)

// Parse takes a URL under execute-api on AWS apart: the API's id, and what follows the host. What follows may hold placeholders, such
// as {proxy+}. ok is false for any other text.
func Parse(text string) (id, rest string, ok bool) {
	m := onAWS.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], text[len(m[0]):], true
}

// AWS is where AWS serves an API, without a slash at the end. suffix is the partition's domain, amazonaws.com or amazonaws.com.cn.
func AWS(id, region, suffix string) string {
	return "https://" + id + ".execute-api." + region + "." + suffix
}

// Local is where a cloud with that endpoint serves an API, without a slash at the end; empty if the endpoint is no URL.
func Local(endpoint, id string) string {
	base, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	host := id + localDomain
	if port := base.Port(); port != "" {
		host += ":" + port
	}
	return "http://" + host
}

const localDomain = ".execute-api.localhost"

// IsLocal reports whether a URL's host name, without a port, is one that Local makes. Such names need not resolve: it is the endpoint
// that is dialled.
func IsLocal(host string) bool { return strings.HasSuffix(host, localDomain) }
