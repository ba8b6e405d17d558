package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// BenchmarkObjects measures PUT and GET over a state directory, without the wire: what an acknowledged, durable write costs here.
func BenchmarkObjects(b *testing.B) {
	for _, size := range []int{1 << 10, 8 << 20} {
		s, done, err := open(b.TempDir())
		ok(b, err)
		defer done()
		ctx, bucket, body := b.Context(), "shop", bytes.Repeat([]byte("x"), size)
		_, err = s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket})
		ok(b, err)
		i := 0
		b.Run(fmt.Sprintf("Put/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				key := fmt.Sprint("k", i%100)
				i++
				_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)})
				ok(b, err)
			}
		})
		b.Run(fmt.Sprintf("Get/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			key := "k0"
			for b.Loop() {
				out, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
				ok(b, err)
				_, err = io.Copy(io.Discard, out.Body)
				ok(b, err)
				out.Body.Close()
			}
		})
	}
}
