package s3

import (
	"strings"
	"testing"
)

// FuzzRange holds whatever range is understood to the object that it is of.
func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-8", "bytes=-5", "bytes=5-", "bytes=9223372036854775807-", "bytes=1-0", "x"} {
		f.Add(seed, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, ok, err := parseRange(header, size)
		if ok && err == nil && (r.offset < 0 || r.length <= 0 || r.offset+r.length > size) {
			t.Errorf("%q of %d bytes: %+v", header, size, r)
		}
		if r, err := parseCopyRange(header, size); err == nil && (r.offset < 0 || r.length <= 0 || r.offset+r.length > size) {
			t.Errorf("copy of %q of %d bytes: %+v", header, size, r)
		}
	})
}

// FuzzHeaders feeds the other headers' parsers.
func FuzzHeaders(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "/bucket/key?versionId=null", `id="x", uri="y"`, "%zz", "bucket/%C3%A4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if tags, err := parseTagging(&s); err == nil && len(tags) > 10 {
			t.Errorf("%d tags", len(tags))
		}
		if src, err := parseSource(&s); err == nil && (src.key == "" || strings.Contains(src.bucket, "/")) {
			t.Errorf("source %+v", src)
		}
		if _, err := parseGrants("x-amz-grant-read", s, "READ"); err == nil && s == "" {
			t.Error("nothing grants something")
		}
		if last, err := parseToken(s); err == nil {
			if again, err := parseToken(*token(last)); err != nil || again != last {
				t.Errorf("the token of %q tells %q (%v)", last, again, err)
			}
		}
	})
}

// FuzzKeys holds the encoding of keys to be reversible and to keep their order.
func FuzzKeys(f *testing.F) {
	f.Add("a", "a\x00b")
	f.Add("a\x00", "a\x00\xff")
	f.Add("", "\x00")
	f.Fuzz(func(t *testing.T, a, b string) {
		const bucketName = "shop"
		entryA, entryB := versionsOf(bucketName, a)+newVersionID(1), versionsOf(bucketName, b)+onlyID
		if got := objectKey(bucketName, entryA); got != a {
			t.Errorf("%q came back as %q", a, got)
		}
		if a != b && strings.Compare(a, b) != strings.Compare(entryA, entryB) {
			t.Errorf("%q and %q are ordered otherwise in the table", a, b)
		}
		if a < b && afterKey(bucketName, a) > entryB {
			t.Errorf("%q does not come after %q", b, a)
		}
	})
}
