package s3_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/cloud/call"
)

// TestEveryAnswerIsOfOneVersion lets writers replace, copy and delete an object while readers hold what they get to its ETag.
func TestEveryAnswerIsOfOneVersion(t *testing.T) {
	dir := t.TempDir()
	s, done, err := open(dir)
	ok(t, err)
	defer done()
	b, key, other := "shop", "k", "other"
	_, err = s.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &b})
	ok(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	fine := func(err error) {
		if e := (*call.Error)(nil); err != nil && !(errors.As(err, &e) && e.Code == "NoSuchKey") {
			t.Error(err)
		}
	}
	for w := range 3 {
		writers.Go(func() {
			for i := range 60 {
				body := strings.Repeat(string(rune('a'+w)), 100+i*(1500+w))
				_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: &key, Body: strings.NewReader(body)})
				fine(err)
				_, err = s.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: &other, CopySource: aws.String("shop/k")})
				fine(err)
				if i%5 == 0 {
					_, err = s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: &key})
					fine(err)
				}
			}
		})
	}
	for _, key := range []string{key, other} {
		readers.Go(func() {
			for ctx.Err() == nil {
				out, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: &b, Key: &key})
				fine(err)
				if err != nil {
					continue
				}
				body, err := io.ReadAll(out.Body)
				fine(err)
				out.Body.Close()
				if sum := md5.Sum(body); `"`+hex.EncodeToString(sum[:])+`"` != *out.ETag {
					t.Errorf("%d bytes that are not those of %s", len(body), *out.ETag)
				}
			}
		})
	}
	writers.Wait()
	cancel()
	readers.Wait()
}
