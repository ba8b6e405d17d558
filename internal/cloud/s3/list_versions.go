package s3

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// ListObjectVersions implements the S3 operation.
func (s *Service) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	limit, err := pageLimit("max-keys", in.MaxKeys)
	if err := firstOf(err, checkEncoding(in.EncodingType)); err != nil {
		return nil, err
	}
	keyMarker, idMarker := aws.ToString(in.KeyMarker), aws.ToString(in.VersionIdMarker)
	if idMarker != "" && keyMarker == "" {
		return nil, invalidArgument("version-id-marker", idMarker, "A version-id marker cannot be specified without a key marker.")
	}
	if idMarker != "" && idMarker != "null" && !validID(idMarker) {
		return nil, invalidArgument("version-id-marker", idMarker, "Invalid version id specified")
	}
	p := &page{prefix: aws.ToString(in.Prefix), delimiter: aws.ToString(in.Delimiter), limit: limit}
	enc := encoding(in.EncodingType)
	out := &s3.ListObjectVersionsOutput{
		Name: in.Bucket, Prefix: enc.key(p.prefix), Delimiter: enc.optional(in.Delimiter), KeyMarker: enc.key(keyMarker),
		VersionIdMarker: &idMarker, MaxKeys: aws.Int32(int32(limit)), EncodingType: in.EncodingType, IsTruncated: &p.truncated,
	}
	var last versionEntry
	s.db.View(func(tx *store.Tx) {
		var b *bucket
		if b, err = s.lookup(tx, in.Bucket, in.ExpectedBucketOwner); err != nil {
			return
		}
		s.listVersions(tx, b, keyMarker, idMarker, p, func(e versionEntry) {
			last = e
			e.addTo(out, enc)
		})
	})
	if err != nil {
		return nil, err
	}
	out.CommonPrefixes = enc.groups(p.groups)
	if p.truncated {
		out.NextKeyMarker = enc.key(last.key)
		if last.version != nil {
			out.NextVersionIdMarker = aws.String(last.version.versionID())
		}
	}
	return out, nil
}

// versionEntry is a version in a listing, or a group of keys.
type versionEntry struct {
	key     string
	version *version // nil: a group
	latest  bool
}

// listVersions yields the entries of the page that follows a version; without an id, that follows all versions of the key.
func (s *Service) listVersions(tx *store.Tx, b *bucket, keyMarker, idMarker string, p *page, yield func(versionEntry)) {
	from := p.start(b.Name, keyMarker)
	if idMarker != "" && p.group(keyMarker) == "" && keyMarker >= p.prefix {
		from = versionsOf(b.Name, keyMarker) + s.placeOf(tx, b, keyMarker, idMarker) + keyEnd
	}
	scope := objectsOf(b.Name)
	seen, seeking := "", true
	for seeking {
		seeking = false
		for k, v := range s.objects.Ascend(tx, from) {
			if !strings.HasPrefix(k, scope) {
				break
			}
			key := objectKey(b.Name, k)
			verdict := p.visit(key)
			if verdict == over {
				break
			}
			if verdict == grouped {
				group := p.groups[len(p.groups)-1]
				yield(versionEntry{key: group})
				from, seeking = afterGroup(b.Name, group), true
				break
			}
			latest := key != seen
			if key == keyMarker { // the page may begin in the middle of the key
				latest = s.current(tx, b, key) == v
			}
			seen = key
			yield(versionEntry{key, v, latest})
		}
	}
}

// placeOf returns where among a key's versions that of an id stands, or stood.
func (s *Service) placeOf(tx *store.Tx, b *bucket, key, id string) string {
	if id != "null" {
		return id
	}
	if v := s.nullVersion(tx, b, key); v != nil {
		return v.ID
	}
	return onlyID
}

func (e versionEntry) addTo(out *s3.ListObjectVersionsOutput, enc encoding) {
	v := e.version
	switch {
	case v == nil: // groups are added as a whole
	case v.Marker:
		out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
			Key: enc.key(e.key), VersionId: aws.String(v.versionID()), IsLatest: aws.Bool(e.latest), LastModified: &v.Modified, Owner: bucketOwner(),
		})
	default:
		o := types.ObjectVersion{
			Key: enc.key(e.key), VersionId: aws.String(v.versionID()), IsLatest: aws.Bool(e.latest), LastModified: &v.Modified,
			Owner: bucketOwner(), Size: &v.Size, ETag: quoted(v.ETag), StorageClass: types.ObjectVersionStorageClass(v.class()),
			ChecksumType: v.Checksum.Type,
		}
		if v.Checksum.Algorithm != "" {
			o.ChecksumAlgorithm = []types.ChecksumAlgorithm{v.Checksum.Algorithm}
		}
		out.Versions = append(out.Versions, o)
	}
}
