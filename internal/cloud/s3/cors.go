package s3

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// PutBucketCors implements the S3 operation.
func (s *Service) PutBucketCors(ctx context.Context, in *s3.PutBucketCorsInput) (*s3.PutBucketCorsOutput, error) {
	return edit[s3.PutBucketCorsOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		if in.CORSConfiguration == nil || len(in.CORSConfiguration.CORSRules) == 0 || len(in.CORSConfiguration.CORSRules) > 100 {
			return malformedXML()
		}
		for _, r := range in.CORSConfiguration.CORSRules {
			if err := checkCORSRule(r); err != nil {
				return err
			}
		}
		b.CORS = in.CORSConfiguration.CORSRules
		return nil
	})
}

func checkCORSRule(r types.CORSRule) error {
	if len(r.AllowedMethods) == 0 || r.AllowedOrigins == nil {
		return malformedXML()
	}
	for _, m := range r.AllowedMethods {
		if !slices.Contains([]string{"GET", "PUT", "HEAD", "POST", "DELETE"}, m) {
			return invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
		}
	}
	for _, o := range r.AllowedOrigins {
		if strings.Count(o, "*") > 1 {
			return invalidRequest(`AllowedOrigin "%s" can not have more than one wildcard.`, o)
		}
	}
	for _, h := range r.AllowedHeaders {
		if strings.Count(h, "*") > 1 {
			return invalidRequest(`AllowedHeader "%s" can not have more than one wildcard.`, h)
		}
	}
	for _, h := range r.ExposeHeaders {
		if strings.Contains(h, "*") {
			return invalidRequest(`ExposeHeader "%s" contains wildcard. We currently do not support wildcard for ExposeHeader.`, h)
		}
	}
	return nil
}

// GetBucketCors implements the S3 operation.
func (s *Service) GetBucketCors(_ context.Context, in *s3.GetBucketCorsInput) (*s3.GetBucketCorsOutput, error) {
	b, err := s.view(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.CORS == nil {
		return nil, failure(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist", "BucketName", b.Name)
	}
	return &s3.GetBucketCorsOutput{CORSRules: b.CORS}, nil
}

// DeleteBucketCors implements the S3 operation.
func (s *Service) DeleteBucketCors(ctx context.Context, in *s3.DeleteBucketCorsInput) (*s3.DeleteBucketCorsOutput, error) {
	return edit[s3.DeleteBucketCorsOutput](ctx, s, in.Bucket, in.ExpectedBucketOwner, func(_ *store.Tx, b *bucket) error {
		b.CORS = nil
		return nil
	})
}

// Preflight answers a browser's OPTIONS request for a bucket, or for an object in it: the headers that allow the request that it
// announces, or the error that refuses it.
func (s *Service) Preflight(bucketName, key, origin, method string, headers []string) (map[string]string, error) {
	if origin == "" {
		return nil, failure(400, "BadRequest", "Insufficient information. Origin request header needed.")
	}
	resource := "BUCKET"
	if method == "" {
		method = "OPTIONS"
	}
	refused := func(why string) error {
		return failure(403, "AccessForbidden", "CORSResponse: "+why, "Method", method, "ResourceType", resource)
	}
	b, err := s.view(&bucketName, nil)
	switch {
	case err != nil:
		return nil, refused("Bucket not found")
	case b.CORS == nil:
		return nil, refused("CORS is not enabled for this bucket.")
	}
	if key != "" {
		resource = "OBJECT"
	}
	if h := b.allow(origin, method, headers, true); h != nil {
		return h, nil
	}
	return nil, refused("This CORS request is not allowed. This is usually because the evalution of Origin, request method / " +
		"Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
}

// CORSHeaders returns the headers to add to the answer to a request that a page of that origin has made; nil: none.
func (s *Service) CORSHeaders(bucketName, origin, method string) map[string]string {
	if origin == "" {
		return nil
	}
	b, err := s.view(&bucketName, nil)
	if err != nil {
		return nil
	}
	return b.allow(origin, method, nil, false)
}

// allow returns the headers of the first rule that allows a request; nil: none does.
func (b *bucket) allow(origin, method string, headers []string, preflight bool) map[string]string {
	for _, r := range b.CORS {
		matched := slices.IndexFunc(r.AllowedOrigins, func(pattern string) bool { return matchesWildcard(pattern, origin) })
		if matched < 0 || !slices.Contains(r.AllowedMethods, method) || !allowsHeaders(r, headers) {
			continue
		}
		h := map[string]string{
			"Access-Control-Allow-Origin":  origin,
			"Access-Control-Allow-Methods": strings.Join(r.AllowedMethods, ", "),
			"Vary":                         "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
		}
		if r.AllowedOrigins[matched] == "*" {
			h["Access-Control-Allow-Origin"] = "*"
		} else {
			h["Access-Control-Allow-Credentials"] = "true"
		}
		if preflight && len(headers) > 0 {
			h["Access-Control-Allow-Headers"] = strings.ToLower(strings.Join(headers, ", "))
		}
		if len(r.ExposeHeaders) > 0 {
			h["Access-Control-Expose-Headers"] = strings.Join(r.ExposeHeaders, ", ")
		}
		if r.MaxAgeSeconds != nil {
			h["Access-Control-Max-Age"] = strconv.Itoa(int(aws.ToInt32(r.MaxAgeSeconds)))
		}
		return h
	}
	return nil
}

// allowsHeaders reports whether a rule allows all headers.
func allowsHeaders(r types.CORSRule, headers []string) bool {
	for _, h := range headers {
		if !slices.ContainsFunc(r.AllowedHeaders, func(p string) bool { return matchesWildcard(strings.ToLower(p), strings.ToLower(h)) }) {
			return false
		}
	}
	return true
}

// matchesWildcard matches a pattern with at most one star.
func matchesWildcard(pattern, s string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}
