package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"evo/internal/cloud/model"
)

// routeS3 finds the operation of an S3 request: the bucket stands in the host name or is the path's first part, the rest of
// the path is the key, and sub-resources, parameters and headers tell the operations on them apart.
func (x *exchange) routeS3() error {
	s := model.Load("s3")
	x.addressS3()
	_, onBucket := x.target.labels["Bucket"]
	_, onKey := x.target.labels["Key"]
	op := matchS3(s3Kind{x.r.Method, onBucket, onKey}, x.target.query, x.r.Header)
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

// An s3Kind is what all requests for an operation have in common.
type s3Kind struct {
	method      string
	bucket, key bool
}

// An s3Route is what tells an operation's requests from others of its kind.
type s3Route struct {
	op      *model.Operation
	literal [][2]string // parameters that must be there; without a value, any will do
	id      string      // the parameter x-id, by which newer clients name the operation
	query   []string    // required parameters
	headers []string    // required headers that name a source
}

var s3Routes = sync.OnceValue(func() map[s3Kind][]s3Route {
	out := map[s3Kind][]s3Route{}
	for _, op := range model.Load("s3").Operations {
		if op.HostPrefix != "" {
			continue
		}
		path, literal, _ := strings.Cut(op.URI, "?")
		kind := s3Kind{op.Method, op.Input != nil && op.Input.Member("Bucket") != nil, strings.Contains(path, "{Key+}")}
		out[kind] = append(out[kind], newS3Route(op, literal))
	}
	for _, routes := range out {
		slices.SortFunc(routes, func(a, b s3Route) int { return strings.Compare(a.op.Name, b.op.Name) })
	}
	return out
})

func newS3Route(op *model.Operation, literal string) s3Route {
	r := s3Route{op: op}
	for part := range strings.SplitSeq(literal, "&") {
		k, v, _ := strings.Cut(part, "=")
		if k == "x-id" {
			r.id = v
		} else if k != "" {
			r.literal = append(r.literal, [2]string{k, v})
		}
	}
	for _, m := range orEmpty(op.Input).Members {
		if m.Required && m.Query != "" {
			r.query = append(r.query, m.Query)
		}
		if m.Required && strings.HasSuffix(m.Header, "-Source") {
			r.headers = append(r.headers, m.Header)
		}
	}
	return r
}

// matchS3 returns the operation that the request's parts fit best, nil if there is none.
func matchS3(kind s3Kind, query url.Values, header http.Header) *model.Operation {
	var best *model.Operation
	bestScore := -1
	routes := s3Routes()[kind]
	for i := range routes {
		r := &routes[i]
		if score := r.score(query, header); score > bestScore {
			best, bestScore = r.op, score
		}
	}
	return best
}

// score is how much of what distinguishes the operation the request has; -1 if it lacks any of it.
func (r *s3Route) score(query url.Values, header http.Header) int {
	for _, l := range r.literal {
		if v, ok := query[l[0]]; !ok || l[1] != "" && v[0] != l[1] {
			return -1
		}
	}
	for _, q := range r.query {
		if !query.Has(q) {
			return -1
		}
	}
	for _, h := range r.headers {
		if header.Get(h) == "" {
			return -1
		}
	}
	score := 20*len(r.literal) + 3*(len(r.query)+len(r.headers))
	if r.id != "" && query.Get("x-id") == r.id {
		score++
	}
	return score
}
