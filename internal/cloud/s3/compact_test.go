package s3_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	ours "evo/internal/cloud/s3"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// TestDeletedSpaceIsGivenBack fills more than one segment, deletes most of it, and looks for what is left once the service has come to rest.
func TestDeletedSpaceIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		blobs, err := blob.Open(dir, blob.Options{})
		ok(t, err)
		defer blobs.Close()
		s, err := ours.New(ours.Config{Store: store.Memory(), Blobs: blobs})
		ok(t, err)
		defer s.Close()
		b, body := "shop", strings.Repeat("x", blob.SmallSize)
		_, err = s.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &b})
		ok(t, err)
		const n = 1100 // of which 1024 fill a segment
		for i := range n {
			key := fmt.Sprint(i)
			_, err := s.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b, Key: &key, Body: strings.NewReader(body[:blob.SmallSize-i])})
			ok(t, err)
		}
		for i := range n {
			if key := fmt.Sprint(i); i%100 != 0 {
				_, err := s.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: &key})
				ok(t, err)
			}
		}
		synctest.Wait()
		same(t, "segments", blobs.Usage().Files, 1)
		for i := 0; i < n; i += 100 {
			key := fmt.Sprint(i)
			got, err := s.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: &key})
			ok(t, err)
			same(t, "length of "+key, len(text(t, got.Body)), blob.SmallSize-i)
		}
	})
}
