package s3

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"evo/internal/cloud/s3/blob"
)

// TestVersionCodec holds what is written by hand to what encoding/json writes: of plain versions, and of versions with one extra.
func TestVersionCodec(t *testing.T) {
	word := rapid.OneOf(rapid.StringMatching(`[ -~]{0,12}`), rapid.String())
	extras := []func(*version){
		func(*version) {},
		func(v *version) { v.Marker = true },
		func(v *version) { v.Multipart = true },
		func(v *version) { v.Metadata = stringMap{"a": "b"} },
		func(v *version) { v.Tags = []types.Tag{{}} },
		func(v *version) { v.Class = "GLACIER" },
		func(v *version) { v.ACL = []grant{} },
		func(v *version) { v.Crypt.BucketKey = true },
		func(v *version) { v.Lock.Hold = "ON" },
		func(v *version) { v.Content.Cache = "no-cache" },
		func(v *version) { v.Content.Expires = v.Modified },
		func(v *version) { v.Modified = v.Modified.In(time.FixedZone("", 3600)) },
		func(v *version) { v.Parts = append(v.Parts, part{Number: 2}) },
		func(v *version) { v.Parts = []part{{Size: 1, ETag: "x"}} },
		func(v *version) { v.Parts = []part{{Size: 1}} },
		func(v *version) { v.Checksum = checksum{} },
	}
	rapid.Check(t, func(t *rapid.T) {
		v := &version{
			ID: word.Draw(t, "id"), Sequence: rapid.Uint64().Draw(t, "seq"), Null: rapid.Bool().Draw(t, "null"),
			Modified: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "mod"), rapid.Int64Range(0, 999999999).Draw(t, "nanos")).UTC(),
			Size:     rapid.Int64Range(0, 9).Draw(t, "size"), ETag: word.Draw(t, "etag"),
			Checksum: checksum{types.ChecksumAlgorithm(word.Draw(t, "alg")), types.ChecksumType(word.Draw(t, "type")), word.Draw(t, "val")},
			Content:  content{Type: word.Draw(t, "content")},
		}
		if v.Size > 0 {
			v.Parts = []part{{Size: v.Size, Ref: blob.Ref{File: rapid.Uint64().Draw(t, "file"), Offset: rapid.Int64().Draw(t, "offset"), Size: v.Size}}}
		}
		rapid.SampledFrom(extras).Draw(t, "extra")(v)
		got, err := versionCodec{}.Append(nil, v)
		want, wantErr := json.Marshal(v)
		if string(got) != string(want) || (err == nil) != (wantErr == nil) {
			t.Errorf("got  %s, %v\nwant %s, %v", got, err, want, wantErr)
		}
	})
}
