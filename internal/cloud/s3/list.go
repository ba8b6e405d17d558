package s3

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cloud/store"
)

// page is one page of a listing: it is shown keys in their order and says which belong to it. Keys that share a stretch up to a
// delimiter after the prefix are one entry together.
type page struct {
	prefix, delimiter string
	limit             int

	groups    []string
	count     int // of entries, groups among them
	truncated bool
}

// Verdicts of a page on a key.
type verdict int

const (
	taken   verdict = iota // the key is an entry
	grouped                // it and all that follow in its group are: go on after the group
	over                   // no more entries belong here
)

func (p *page) visit(key string) verdict {
	if !strings.HasPrefix(key, p.prefix) || p.limit == 0 {
		return over
	}
	if p.count == p.limit {
		p.truncated = true
		return over
	}
	p.count++
	if g := p.group(key); g != "" {
		p.groups = append(p.groups, g)
		return grouped
	}
	return taken
}

// group returns the common prefix under which a key is listed; empty: under none.
func (p *page) group(key string) string {
	if p.delimiter == "" || !strings.HasPrefix(key, p.prefix) {
		return ""
	}
	i := strings.Index(key[len(p.prefix):], p.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(p.prefix)+i+len(p.delimiter)]
}

// start returns from where in the table a page begins that follows the key after. One within a group follows all of the group.
func (p *page) start(bucket, after string) string {
	if g := p.group(after); g != "" {
		return afterGroup(bucket, g)
	}
	if after == "" || after < p.prefix {
		return groupStart(bucket, p.prefix)
	}
	return afterKey(bucket, after)
}

func groupStart(bucket, prefix string) string {
	return strings.TrimSuffix(versionsOf(bucket, prefix), keyEnd)
}

// afterKey sorts after all versions of a key and before the next key.
func afterKey(bucket, key string) string { return versionsOf(bucket, key) + "\xfe" }

// afterGroup sorts right after all keys that begin with prefix.
func afterGroup(bucket, prefix string) string {
	b := []byte(groupStart(bucket, prefix))
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return string(b)
}

// entry is an object in a listing.
type entry struct {
	key     string
	version *version
}

// list returns the page of a bucket's objects that follows the key after.
func (s *Service) list(tx *store.Tx, b *bucket, after string, p *page) (entries []entry, last string) {
	from := p.start(b.Name, after)
	scope := objectsOf(b.Name)
	seen, seeking := "", true
	for seeking {
		seeking = false
		for k, v := range s.objects.Ascend(tx, from) {
			if !strings.HasPrefix(k, scope) {
				break
			}
			key := objectKey(b.Name, k)
			if key == seen { // an older version
				continue
			}
			seen = key
			if v.Marker {
				if !strings.HasPrefix(key, p.prefix) {
					break
				}
				continue
			}
			verdict := p.visit(key)
			if verdict == over {
				break
			}
			last = key
			if verdict == taken {
				entries = append(entries, entry{key, v})
				continue
			}
			last = p.groups[len(p.groups)-1]
			from, seeking = afterGroup(b.Name, last), true
			break
		}
	}
	return entries, last
}

// encoding writes keys in a listing as the caller has asked for.
type encoding types.EncodingType

func checkEncoding(e types.EncodingType) error {
	if e == "" || e == types.EncodingTypeUrl {
		return nil
	}
	return invalidArgument("encoding-type", string(e), "Invalid Encoding Method specified in Request")
}

func (e encoding) key(key string) *string {
	if e != "" {
		key = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
	}
	return &key
}

// optional leaves out what the caller has not given.
func (e encoding) optional(key *string) *string {
	if key == nil || *key == "" {
		return nil
	}
	return e.key(*key)
}

func (e encoding) groups(groups []string) []types.CommonPrefix {
	var prefixes []types.CommonPrefix
	for _, g := range groups {
		prefixes = append(prefixes, types.CommonPrefix{Prefix: e.key(g)})
	}
	return prefixes
}

// maxPage is the most entries of one page.
const maxPage = 1000

// pageLimit returns how many entries a page may have.
func pageLimit(name string, asked *int32) (int, error) {
	if asked == nil {
		return maxPage, nil
	}
	if *asked < 0 {
		return 0, invalidArgument(name, "", "Argument "+name+" must be an integer between 0 and 2147483647")
	}
	return min(int(*asked), maxPage), nil
}

// token makes an opaque token of the entry that a listing has come to; its sum tells it from what somebody made up.
func token(last string) *string {
	b := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(last)))
	return aws.String(base64.RawURLEncoding.EncodeToString(append(b, last...)))
}

func parseToken(t string) (last string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(t)
	if err != nil || len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:]) {
		return "", invalidArgument("continuation-token", "", "The continuation token provided is incorrect")
	}
	return string(b[4:]), nil
}

func bucketOwner() *types.Owner { return &types.Owner{ID: aws.String(owner)} }
