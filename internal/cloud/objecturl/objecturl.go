// Package objecturl answers: which object in S3 does a URL name?
package objecturl

import (
	"net/url"
	"strings"
)

// Object is an object's place in S3; Version is empty for the current one.
type Object struct{ Bucket, Key, Version string }

// Parse reads the forms in which an object's URL is written: s3://bucket/key, and over HTTP with the bucket in the host or in
// the path.
func Parse(location string) (Object, bool) {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return Object{}, false
	}
	o := Object{u.Hostname(), strings.TrimPrefix(u.Path, "/"), u.Query().Get("versionId")}
	if u.Scheme != "s3" && !o.overHTTP(u) {
		return Object{}, false
	}
	return o, o.Bucket != "" && o.Key != ""
}

func (o *Object) overHTTP(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	for _, mark := range []string{".s3.", ".s3-"} {
		if b, _, found := strings.Cut(host, mark); found && b != "" {
			o.Bucket = b
			return true
		}
	}
	isS3 := strings.HasPrefix(host, "s3.") || strings.HasPrefix(host, "s3-") || host == "localhost" || host == "127.0.0.1" || host == "::1"
	o.Bucket, o.Key, _ = strings.Cut(o.Key, "/")
	return isS3
}
