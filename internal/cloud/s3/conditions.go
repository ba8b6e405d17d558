package s3

import (
	"strings"
	"time"
)

// writeConditions are the headers that let a write happen only over a certain object, or over none.
type writeConditions struct{ ifMatch, ifNoneMatch *string }

// check refuses what S3 does not take for a write.
func (c writeConditions) check() error {
	const value = "We don't accept the provided value of %s header for this API"
	switch {
	case c.ifMatch != nil && c.ifNoneMatch != nil:
		return headerNotImplemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
	case c.ifNoneMatch != nil && *c.ifNoneMatch != "*":
		return headerNotImplemented("If-None-Match", strings.Replace(value, "%s", "If-None-Match", 1))
	case c.ifMatch != nil && *c.ifMatch == "*":
		return headerNotImplemented("If-Match", strings.Replace(value, "%s", "If-Match", 1))
	}
	return nil
}

func (c writeConditions) any() bool { return c.ifMatch != nil || c.ifNoneMatch != nil }

// hold reports whether the current version of key, nil if there is none, lets the write happen. A write that began after others
// (since is the sequence at which it did; 0: now) conflicts with a version that came in between.
func (c writeConditions) hold(now *version, key string, since uint64) error {
	exists := now != nil && !now.Marker
	name := "If-None-Match"
	switch {
	case !c.any():
		return nil
	case c.ifNoneMatch != nil:
		if exists {
			return preconditionFailed(name)
		}
	case !exists:
		return noSuchKey(key)
	default:
		name = "If-Match"
		if strings.Trim(*c.ifMatch, `"`) != now.ETag {
			return preconditionFailed(name)
		}
	}
	if since > 0 && now != nil && now.Sequence > since {
		return conditionalConflict(key, name)
	}
	return nil
}

func conditionalConflict(key, condition string) error {
	return failure(409, "ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.", "Condition", condition, "Key", key)
}

// readConditions are the headers that let an object be read, or copied, only as it was at some time, or only if it was changed since.
type readConditions struct {
	ifMatch, ifNoneMatch             *string
	ifModifiedSince, unmodifiedSince *time.Time
}

// failed returns the condition that v does not meet, by name, and whether that means that the caller has the object already. The
// entity tags go before the dates; a date in the future is no condition.
func (c readConditions) failed(v *version, now time.Time) (condition string, unchanged bool) {
	switch {
	case c.ifMatch != nil:
		if !matchesETag(*c.ifMatch, v.ETag) {
			return "If-Match", false
		}
	case c.unmodifiedSince != nil && v.Modified.After(*c.unmodifiedSince):
		return "If-Unmodified-Since", false
	}
	switch {
	case c.ifNoneMatch != nil:
		if matchesETag(*c.ifNoneMatch, v.ETag) {
			return "If-None-Match", true
		}
	case c.ifModifiedSince != nil && !c.ifModifiedSince.After(now) && !v.Modified.After(*c.ifModifiedSince):
		return "If-Modified-Since", true
	}
	return "", false
}

// matchesETag reports whether a header's list of entity tags, quoted or not, has one.
func matchesETag(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == etag {
			return true
		}
	}
	return false
}
