package wire

import (
	"net/http"
	"net/url"
	"strings"

	"evo/internal/cloud/model"
)

// routeS3 finds the operation of an S3 request: the bucket stands in the host name or is the path's first part, the rest of
// the path is the key, and sub-resources, parameters and headers tell the operations on them apart.
func (x *exchange) routeS3() error {
	s := model.Load("s3")
	x.addressS3()
	_, onBucket := x.target.labels["Bucket"]
	_, onKey := x.target.labels["Key"]
	op := matchS3(s, x.r.Method, onBucket, onKey, x.target.query, x.r.Header)
	switch {
	case op != nil:
		x.target.op = op
		return nil
	case x.r.Method == http.MethodPost && onBucket && !onKey:
		return notImplemented(s, "PostObject (the upload by an HTML form)")
	}
	return methodNotAllowed(x.r.Method)
}

// addressS3 finds the bucket and the key.
func (x *exchange) addressS3() {
	x.target.service, x.target.protocol = model.Load("s3"), model.RESTXML
	path := strings.TrimPrefix(x.r.URL.EscapedPath(), "/")
	bucket := bucketOfHost(hostname(x.r))
	key := path
	if bucket == "" {
		bucket, key, _ = strings.Cut(path, "/")
		bucket = unescape(bucket)
	}
	key = unescape(key)
	x.target.labels = map[string]string{}
	if bucket != "" {
		x.target.labels["Bucket"] = bucket
	}
	if key != "" {
		x.target.labels["Key"] = key
	}
}

// bucketOfHost returns the bucket that a virtual-host name tells: bucket.s3.…, or bucket.localhost.
func bucketOfHost(host string) string {
	if name, ok := strings.CutSuffix(host, ".amazonaws.com"); ok {
		parts := strings.Split(name, ".")
		for i := len(parts) - 1; i >= 0; i-- {
			if parts[i] == "s3" || strings.HasPrefix(parts[i], "s3-") {
				return strings.Join(parts[:i], ".")
			}
		}
		return ""
	}
	name, ok := strings.CutSuffix(host, ".localhost")
	if !ok || name == "s3" {
		return ""
	}
	name = strings.TrimSuffix(name, ".s3")
	if i := strings.LastIndex(name, ".s3."); i > 0 && isRegion(name[i+4:]) {
		return name[:i]
	}
	if region, ok := strings.CutPrefix(name, "s3."); ok && isRegion(region) {
		return ""
	}
	return name
}

// matchS3 returns the operation that the request's parts fit best.
func matchS3(s *model.Service, method string, bucket, key bool, query url.Values, header http.Header) *model.Operation {
	var best *model.Operation
	bestScore := -1
	for _, op := range s.Operations {
		if op.Method != method || op.HostPrefix != "" {
			continue
		}
		score := scoreS3(op, bucket, key, query, header)
		if score > bestScore || score == bestScore && best != nil && op.Name < best.Name {
			best, bestScore = op, score
		}
	}
	return best
}

// scoreS3 is how many of the operation's distinguishing parts the request has; -1 if it lacks one.
func scoreS3(op *model.Operation, bucket, key bool, query url.Values, header http.Header) int {
	path, literal, _ := strings.Cut(op.URI, "?")
	onKey := strings.Contains(path, "{Key+}")
	onBucket := op.Input != nil && op.Input.Member("Bucket") != nil
	if onKey != key || onBucket != bucket {
		return -1
	}
	score := 0
	for part := range strings.SplitSeq(literal, "&") {
		k, v, _ := strings.Cut(part, "=")
		switch {
		case part == "":
		case k == "x-id":
			if query.Get("x-id") == v {
				score++
			}
		case !query.Has(k) || v != "" && query.Get(k) != v:
			return -1
		default:
			score += 20
		}
	}
	for _, m := range op.Input.Members {
		if !m.Required {
			continue
		}
		if m.Query != "" {
			if !query.Has(m.Query) {
				return -1
			}
			score += 3
		}
		if strings.HasSuffix(m.Header, "-source") {
			if header.Get(m.Header) == "" {
				return -1
			}
			score += 3
		}
	}
	return score
}
