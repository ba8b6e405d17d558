package s3

import (
	"strconv"
	"time"

	"evo/internal/cloud/store"
)

// A versionCodec keeps versions as JSON. A version without any extras, as nearly all are, is written by hand: by reflection it
// would take twice as long as the MD5 of a small object. What is written is the same.
type versionCodec struct{ store.JSON[*version] }

// Append implements store.Codec.
func (c versionCodec) Append(b []byte, v *version) ([]byte, error) {
	if !v.plain() {
		return c.JSON.Append(b, v)
	}
	b = appendMember(b, `{"id":`, v.ID)
	b = strconv.AppendUint(append(b, `,"seq":`...), v.Sequence, 10)
	if v.Null {
		b = append(b, `,"null":true`...)
	}
	b = append(b, `,"mod":"`...)
	b = append(v.Modified.AppendFormat(b, time.RFC3339Nano), '"')
	if v.Size != 0 {
		b = strconv.AppendInt(append(b, `,"size":`...), v.Size, 10)
	}
	if v.ETag != "" {
		b = appendMember(b, `,"etag":`, v.ETag)
	}
	if len(v.Parts) > 0 {
		p := &v.Parts[0]
		b = strconv.AppendInt(append(b, `,"parts":[{"size":`...), p.Size, 10)
		b = strconv.AppendUint(append(b, `,"ref":{"f":`...), p.Ref.File, 10)
		if p.Ref.Offset != 0 {
			b = strconv.AppendInt(append(b, `,"o":`...), p.Ref.Offset, 10)
		}
		b = strconv.AppendInt(append(b, `,"n":`...), p.Ref.Size, 10)
		b = append(b, `}}]`...)
	}
	b = appendMember(b, `,"sum":{"alg":`, string(v.Checksum.Algorithm))
	b = appendMember(b, `,"type":`, string(v.Checksum.Type))
	b = appendMember(b, `,"val":`, v.Checksum.Value)
	b = appendMember(b, `},"content":{"type":`, v.Content.Type)
	return append(b, "}}"...), nil
}

// plain reports whether the version is an object of one part whose headers say nothing but its type, in plain characters.
func (v *version) plain() bool {
	switch {
	case v.Marker, v.Multipart, v.Metadata != nil, v.Tags != nil, v.Class != "", v.ACL != nil, v.Crypt != objectCrypt{}, v.Lock != objectLock{}:
		return false
	case v.Content != content{Type: v.Content.Type}, v.Modified.Location() != time.UTC:
		return false
	case len(v.Parts) > 1, len(v.Parts) == 1 && !v.Parts[0].bare():
		return false
	}
	for _, s := range [...]string{v.ID, string(v.Checksum.Algorithm), string(v.Checksum.Type), v.Checksum.Value, v.Content.Type} {
		if s == "" || !simple(s) {
			return false
		}
	}
	return simple(v.ETag)
}

// bare reports whether nothing is known of the part but its bytes.
func (p *part) bare() bool {
	return *p == part{Size: p.Size, Ref: p.Ref} && p.Ref.File != 0 && p.Ref.Size != 0
}

// simple reports whether a string stands in JSON as it is.
func simple(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

func appendMember(b []byte, name, value string) []byte {
	b = append(append(b, name...), '"')
	return append(append(b, value...), '"')
}
