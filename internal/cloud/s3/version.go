package s3

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// version is one version of an object, or a delete marker.
type version struct {
	ID       string `json:"id"` // also the end of its key in the table
	Sequence uint64 `json:"seq"`
	Null     bool   `json:"null,omitempty"`   // made while versioning was off: callers know it as "null"
	Marker   bool   `json:"marker,omitempty"` // a delete marker: nothing of what follows but Modified

	Modified  time.Time   `json:"mod"`
	Size      int64       `json:"size,omitempty"`
	ETag      string      `json:"etag,omitempty"` // without quotes
	Parts     []part      `json:"parts,omitempty"`
	Multipart bool        `json:"mp,omitempty"`
	Checksum  checksum    `json:"sum,omitzero"`
	Content   content     `json:"content,omitzero"`
	Metadata  stringMap   `json:"meta,omitempty"`
	Tags      []types.Tag `json:"tags,omitempty"`
	Class     string      `json:"class,omitempty"` // empty: STANDARD
	Crypt     objectCrypt `json:"sse,omitzero"`
	ACL       []grant     `json:"acl,omitempty"` // nil: the owner's full control
	Lock      objectLock  `json:"lock,omitzero"`
}

type stringMap = map[string]string

// part is a stretch of an object that was uploaded in one piece: all of it, or a part of a multipart upload.
type part struct {
	Number   int32     `json:"no,omitempty"`
	Size     int64     `json:"size"`
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"mod,omitzero"`
	Checksum string    `json:"sum,omitempty"` // of the upload's algorithm
	Hidden   string    `json:"crc,omitempty"` // CRC64NVME of a part whose upload names no algorithm
	Ref      blob.Ref  `json:"ref,omitzero"`
}

// content is what an object says of itself in headers.
type content struct {
	Type        string    `json:"type,omitempty"`
	Encoding    string    `json:"encoding,omitempty"`
	Language    string    `json:"language,omitempty"`
	Disposition string    `json:"disposition,omitempty"`
	Cache       string    `json:"cache,omitempty"`
	Expires     time.Time `json:"expires,omitzero"`
	Redirect    string    `json:"redirect,omitempty"`
}

// onlyID ends the key of the version that an object has in a bucket that was never versioned. It sorts after every other
// version's: once versioning is turned on, that version is the oldest.
const onlyID = "~"

// versionID returns the id that callers know a version by.
func (v *version) versionID() string {
	if v.Null {
		return "null"
	}
	return v.ID
}

func (v *version) refs() []blob.Ref {
	refs := make([]blob.Ref, 0, len(v.Parts))
	for _, p := range v.Parts {
		refs = append(refs, p.Ref)
	}
	return refs
}

// class returns the storage class, by name.
func (v *version) class() string {
	if v.Class == "" {
		return string(types.StorageClassStandard)
	}
	return v.Class
}

// Keys of the objects' table are bucket, key and version id, each but the last ended by a zero byte. A zero byte in an object's key is
// followed by one that sorts after every version id's first, so that the order is that of the keys.
const (
	keyEnd    = "\x00"
	keyEscape = "\x00\xff"
)

func objectsOf(bucket string) string { return bucket + keyEnd }

func versionsOf(bucket, key string) string {
	if strings.Contains(key, keyEnd) {
		key = strings.ReplaceAll(key, keyEnd, keyEscape)
	}
	return bucket + keyEnd + key + keyEnd
}

// objectKey takes an object's key out of a key of the table.
func objectKey(bucket, entry string) string {
	key := entry[len(bucket)+len(keyEnd) : strings.LastIndexByte(entry, 0)]
	if strings.Contains(key, keyEnd) {
		key = strings.ReplaceAll(key, keyEscape, keyEnd)
	}
	return key
}

const (
	base32hex = "0123456789abcdefghijklmnopqrstuv"
	alphabet  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."
)

// newID returns an id of 32 characters that begins with number, so that ids sort as their numbers do, and ends with a sum of the
// rest, so that an id that was never given out is told from one whose version is gone.
func newID(number uint64) string {
	var b [32]byte
	for i := 12; i >= 0; i-- {
		b[i] = base32hex[number&31]
		number >>= 5
	}
	r := rand.Uint64()
	for i := 13; i < 23; i++ {
		b[i] = alphabet[r&63]
		r >>= 6
	}
	r = rand.Uint64()
	for i := 23; i < 27; i++ {
		b[i] = alphabet[r&63]
		r >>= 6
	}
	sum := idSum(string(b[:27]))
	copy(b[27:], sum)
	return string(b[:])
}

func idSum(s string) string {
	var b [5]byte
	c := crc32.ChecksumIEEE([]byte(s))
	for i := range b {
		b[i] = base32hex[c&31]
		c >>= 5
	}
	return string(b[:])
}

// validID reports whether newID has made id.
func validID(id string) bool {
	return len(id) == 32 && idSum(id[:27]) == id[27:]
}

// newVersionID returns the id of a version; newer ones sort first.
func newVersionID(sequence uint64) string { return newID(^sequence) }

// current returns the newest version of a key, delete marker or not; nil if there is none.
func (s *Service) current(tx *store.Tx, b *bucket, key string) *version {
	if b.Versioning == "" {
		v, _ := s.objects.Get(tx, versionsOf(b.Name, key)+onlyID)
		return v
	}
	for _, v := range s.objects.Prefix(tx, versionsOf(b.Name, key)) {
		return v
	}
	return nil
}

// nullVersion returns the version that callers know as "null"; nil if there is none.
func (s *Service) nullVersion(tx *store.Tx, b *bucket, key string) *version {
	if v, ok := s.objects.Get(tx, versionsOf(b.Name, key)+onlyID); ok || b.Versioning == "" {
		return v
	}
	for _, v := range s.objects.Prefix(tx, versionsOf(b.Name, key)) {
		if v.Null {
			return v
		}
	}
	return nil
}

// find returns the version that a caller asks for: the current one, or that of an id. The version may be a delete marker.
func (s *Service) find(tx *store.Tx, b *bucket, key string, id *string) (*version, error) {
	switch {
	case id == nil:
		if v := s.current(tx, b, key); v != nil {
			return v, nil
		}
		return nil, noSuchKey(key)
	case *id == "null":
		if v := s.nullVersion(tx, b, key); v != nil {
			return v, nil
		}
	case !validID(*id):
		return nil, invalidArgument("versionId", *id, "Invalid version id specified")
	default:
		if v, ok := s.objects.Get(tx, versionsOf(b.Name, key)+*id); ok && !v.Null {
			return v, nil
		}
	}
	return nil, noSuchVersion(key, *id)
}

// install makes v the current version of key, in the way of the bucket's versioning, and returns the blobs that it displaces.
func (s *Service) install(tx *store.Tx, b *bucket, key string, v *version) []blob.Ref {
	var displaced []blob.Ref
	prefix := versionsOf(b.Name, key)
	v.Sequence = s.sequence.Add(1)
	v.Null = b.Versioning != versioningEnabled
	if v.Null {
		if old := s.nullVersion(tx, b, key); old != nil {
			displaced = old.refs()
			if b.Versioning != "" {
				s.objects.Delete(tx, prefix+old.ID)
			}
		}
	}
	v.ID = onlyID
	if b.Versioning != "" {
		v.ID = newVersionID(v.Sequence)
	}
	s.objects.Put(tx, prefix+v.ID, v)
	return displaced
}

// replace puts a changed copy of a version in its place.
func (s *Service) replace(tx *store.Tx, b *bucket, key string, v *version) {
	s.objects.Put(tx, versionsOf(b.Name, key)+v.ID, v)
}

// checkKey refuses keys that S3 cannot hold.
func checkKey(key string) error {
	const limit = 1024
	if len(key) > limit {
		return failure(400, "KeyTooLongError", "Your key is too long", "Size", strconv.Itoa(len(key)), "MaxSizeAllowed", fmt.Sprint(limit))
	}
	return nil
}

func quoted(etag string) *string {
	q := `"` + etag + `"`
	return &q
}
