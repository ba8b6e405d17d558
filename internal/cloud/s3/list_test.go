package s3_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"evo/internal/cloud/clock"
	ours "evo/internal/cloud/s3"
	"evo/internal/cloud/store"
)

func TestListObjects(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	for _, k := range []string{"folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2"} {
		w.put(t, b, k, "data")
	}
	list := func(marker string) *s3.ListObjectsOutput {
		out, err := w.ListObjects(t.Context(), &s3.ListObjectsInput{
			Bucket: &b, Prefix: aws.String("folder/"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(1), Marker: &marker,
		})
		ok(t, err)
		return out
	}
	start := list("")
	same(t, "group", *start.CommonPrefixes[0].Prefix, "folder/aSubfolder/")
	same(t, "next", *start.NextMarker, "folder/aSubfolder/")
	next := list("folder/aSubfolder/")
	same(t, "first file", *next.Contents[0].Key, "folder/file1")
	same(t, "truncated", *next.IsTruncated, true)
	same(t, "after a file in the group", *list("folder/aSubfolder/subFile1").Contents[0].Key, "folder/file1")
	end := list("folder/file1")
	same(t, "truncated", *end.IsTruncated, false)
	same(t, "next marker of the last page", end.NextMarker, nil)
	same(t, "owner", end.Contents[0].Owner != nil, true)
	flat, err := w.ListObjects(t.Context(), &s3.ListObjectsInput{Bucket: &b, MaxKeys: aws.Int32(1)})
	ok(t, err)
	same(t, "next marker without delimiter", flat.NextMarker, nil)
}

func TestListObjectsV2(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	for _, k := range []string{"a b", "a+b", "ü/1", "ü/2"} {
		w.put(t, b, k, "data")
	}
	out, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b, EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(3), Delimiter: aws.String("/")})
	ok(t, err)
	same(t, "count", *out.KeyCount, 3)
	same(t, "space", *out.Contents[0].Key, "a+b")
	same(t, "plus", *out.Contents[1].Key, "a%2Bb")
	same(t, "group", *out.CommonPrefixes[0].Prefix, "%C3%BC/")
	same(t, "owner", out.Contents[0].Owner, nil)
	same(t, "checksum", out.Contents[0].ChecksumAlgorithm[0], types.ChecksumAlgorithmCrc32)
	after, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b, StartAfter: aws.String("a b"), FetchOwner: aws.Bool(true)})
	ok(t, err)
	same(t, "after", *after.Contents[0].Key, "a+b")
	same(t, "StartAfter", *after.StartAfter, "a b")
	same(t, "owner", after.Contents[0].Owner != nil, true)
	for _, token := range []string{"random", "AAAA"} {
		_, err = w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b, ContinuationToken: &token})
		refused(t, err, "InvalidArgument", "The continuation token provided is incorrect")
	}
	none, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b, MaxKeys: aws.Int32(0)})
	ok(t, err)
	same(t, "truncated at none", *none.IsTruncated, false)
}

// keys are short and of few letters, so that prefixes, groups and neighbours happen.
var keys = rapid.StringOfN(rapid.SampledFrom([]rune("ab/\x00ü\U0010ffff")), 1, 5, -1)

// modelVersion is a version in the model: what a listing should say of it.
type modelVersion struct {
	key, id string
	marker  bool
}

// model is a bucket's history as plain lists, newest first.
type model struct {
	versioning types.BucketVersioningStatus
	versions   map[string][]modelVersion
}

func (m *model) add(key, id string, marker bool) {
	if id == "" {
		id = "null"
	}
	if id == "null" {
		m.versions[key] = slices.DeleteFunc(m.versions[key], func(v modelVersion) bool { return v.id == "null" })
	}
	m.versions[key] = slices.Insert(m.versions[key], 0, modelVersion{key, id, marker})
}

// sorted returns the keys in the order of their bytes.
func (m *model) sorted() []string {
	var all []string
	for k, v := range m.versions {
		if len(v) > 0 {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return all
}

// group folds what shares a prefix up to the delimiter.
func group(key, prefix, delimiter string) string {
	rest := strings.TrimPrefix(key, prefix)
	if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
		return prefix + rest[:i+len(delimiter)]
	}
	return ""
}

// objects is what a listing of objects should yield.
func (m *model) objects(prefix, delimiter string) []string {
	var want []string
	for _, k := range m.sorted() {
		if !strings.HasPrefix(k, prefix) || m.versions[k][0].marker {
			continue
		}
		e := "object " + k
		if g := group(k, prefix, delimiter); g != "" {
			e = "group " + g
		}
		if len(want) == 0 || want[len(want)-1] != e {
			want = append(want, e)
		}
	}
	return want
}

// history is what a listing of versions should yield, groups and delete markers apart as the answer has them.
func (m *model) history(prefix, delimiter string) []string {
	var want []string
	for _, k := range m.sorted() {
		if !strings.HasPrefix(k, prefix) {
			continue
		}
		if g := group(k, prefix, delimiter); g != "" {
			want = append(want, "group "+g)
			continue
		}
		for i, v := range m.versions[k] {
			want = append(want, versionLine(v.key, v.id, v.marker, i == 0))
		}
	}
	slices.Sort(want)
	return slices.Compact(want)
}

func versionLine(key, id string, marker, latest bool) string {
	line := "version "
	if marker {
		line = "marker "
	}
	if latest {
		line += "latest "
	}
	return line + key + " " + id
}

// TestListingsAgreeWithAModel makes random histories and compares every way of listing them, by pages of every size, with a model.
func TestListingsAgreeWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := ours.New(ours.Config{Store: store.Memory(), Clock: clock.NewStepped(birth)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, b := context.Background(), "shop"
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"sho", b, "shoq"} { // neighbours, whose objects must not be seen
			_, err := s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
			must(err)
			_, err = s.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: aws.String("a")})
			must(err)
		}
		m := &model{versions: map[string][]modelVersion{}}
		m.add("a", "null", false)
		for range rapid.IntRange(0, 25).Draw(t, "steps") {
			step(t, ctx, s, b, m)
		}
		prefix := rapid.SampledFrom([]string{"", "a", "a/", "b", "ü", "\U0010ffff"}).Draw(t, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "ab", "\x00"}).Draw(t, "delimiter")
		limit := rapid.Int32Range(1, 5).Draw(t, "limit")
		if got, want := listV2(t, ctx, s, b, prefix, delimiter, limit), m.objects(prefix, delimiter); !slices.Equal(got, want) {
			t.Fatalf("ListObjectsV2 %q %q by %d:\ngot  %q\nwant %q", prefix, delimiter, limit, got, want)
		}
		if got, want := listV1(t, ctx, s, b, prefix, delimiter, limit), m.objects(prefix, delimiter); !slices.Equal(got, want) {
			t.Fatalf("ListObjects %q %q by %d:\ngot  %q\nwant %q", prefix, delimiter, limit, got, want)
		}
		if got, want := listVersions(t, ctx, s, b, prefix, delimiter, limit), m.history(prefix, delimiter); !slices.Equal(got, want) {
			t.Fatalf("ListObjectVersions %q %q by %d:\ngot  %q\nwant %q", prefix, delimiter, limit, got, want)
		}
	})
}

// step makes one random change to the bucket and to the model.
func step(t *rapid.T, ctx context.Context, s *ours.Service, b string, m *model) {
	key := keys.Draw(t, "key")
	if known := m.sorted(); len(known) > 0 && rapid.Bool().Draw(t, "known") {
		key = rapid.SampledFrom(known).Draw(t, "which")
	}
	switch rapid.SampledFrom([]string{"put", "put", "delete", "delete version", "versioning"}).Draw(t, "step") {
	case "put":
		out, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: &key, Body: strings.NewReader(key)})
		if err != nil {
			t.Fatal(err)
		}
		m.add(key, aws.ToString(out.VersionId), false)
	case "delete":
		out, err := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		if m.versioning == "" {
			delete(m.versions, key)
		} else {
			m.add(key, *out.VersionId, true)
		}
	case "delete version":
		if len(m.versions[key]) == 0 {
			return
		}
		i := rapid.IntRange(0, len(m.versions[key])-1).Draw(t, "version")
		if _, err := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: &key, VersionId: &m.versions[key][i].id}); err != nil {
			t.Fatal(err)
		}
		m.versions[key] = slices.Delete(slices.Clone(m.versions[key]), i, i+1)
	case "versioning":
		m.versioning = rapid.SampledFrom([]types.BucketVersioningStatus{"Enabled", "Suspended"}).Draw(t, "status")
		_, err := s.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{Status: m.versioning}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// merged puts a page's objects and groups into their common order.
func merged(objects []types.Object, groups []types.CommonPrefix) []string {
	byKey := map[string]string{}
	for _, o := range objects {
		byKey[*o.Key] = "object " + *o.Key
	}
	for _, g := range groups {
		byKey[*g.Prefix] = "group " + *g.Prefix
	}
	var names, lines []string
	for k := range byKey {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		lines = append(lines, byKey[k])
	}
	return lines
}

func listV2(t *rapid.T, ctx context.Context, s *ours.Service, b, prefix, delimiter string, limit int32) []string {
	var all []string
	in := &s3.ListObjectsV2Input{Bucket: &b, Prefix: &prefix, Delimiter: &delimiter, MaxKeys: &limit}
	for {
		out, err := s.ListObjectsV2(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		page := merged(out.Contents, out.CommonPrefixes)
		if int32(len(page)) != *out.KeyCount || *out.KeyCount > limit || *out.IsTruncated && *out.KeyCount != limit {
			t.Fatalf("a page of %d has %d entries, KeyCount %d", limit, len(page), *out.KeyCount)
		}
		all = append(all, page...)
		if !*out.IsTruncated {
			return all
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

func listV1(t *rapid.T, ctx context.Context, s *ours.Service, b, prefix, delimiter string, limit int32) []string {
	var all []string
	in := &s3.ListObjectsInput{Bucket: &b, Prefix: &prefix, Delimiter: &delimiter, MaxKeys: &limit}
	for {
		out, err := s.ListObjects(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, merged(out.Contents, out.CommonPrefixes)...)
		if !*out.IsTruncated {
			return all
		}
		in.Marker = out.NextMarker
		if delimiter == "" {
			in.Marker = out.Contents[len(out.Contents)-1].Key
		}
	}
}

func listVersions(t *rapid.T, ctx context.Context, s *ours.Service, b, prefix, delimiter string, limit int32) []string {
	var all []string
	in := &s3.ListObjectVersionsInput{Bucket: &b, Prefix: &prefix, Delimiter: &delimiter, MaxKeys: &limit}
	for {
		out, err := s.ListObjectVersions(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.Versions {
			all = append(all, versionLine(*v.Key, *v.VersionId, false, *v.IsLatest))
		}
		for _, v := range out.DeleteMarkers {
			all = append(all, versionLine(*v.Key, *v.VersionId, true, *v.IsLatest))
		}
		for _, g := range out.CommonPrefixes {
			all = append(all, "group "+*g.Prefix)
		}
		if !*out.IsTruncated {
			slices.Sort(all)
			return all
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}
