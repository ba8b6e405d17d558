package main

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const bucket = "bench"

func (b *bench) s3(ctx context.Context) error {
	servers, err := b.keepers(ctx, foreignBuckets)
	if err != nil {
		return err
	}
	defer closeAll(servers)
	clients := map[*process]*s3.Client{}
	for _, p := range servers {
		clients[p] = s3.NewFromConfig(p.config(), func(o *s3.Options) { o.UsePathStyle = true })
		if _, err := clients[p].CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	var rows []row
	for _, size := range []struct {
		name    string
		bytes   int
		workers []int
	}{{"1 KiB", 1 << 10, []int{1, 16}}, {"8 MiB", 8 << 20, []int{1, 16}}} {
		body := bytes.Repeat([]byte("0123456789abcdef"), size.bytes/16)
		rows = append(rows, row{"PutObject " + size.name, size.workers, servers, func(p *process) work { return put(clients[p], body) }})
		real := servers[1:] // the null server keeps nothing
		if size.bytes < 1<<20 {
			real = servers
		}
		rows = append(rows, row{"GetObject " + size.name, size.workers, real, func(p *process) work { return get(clients[p]) }})
	}
	return b.measure(ctx, rows)
}

// objects is how many a worker writes in turn, before it overwrites the first.
const objects = 4

func objectKey(w, i int) *string { return aws.String(fmt.Sprintf("some/folder/%d-%d", w, i%objects)) }

func put(c *s3.Client, body []byte) work {
	return func(ctx context.Context, w, i int) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: objectKey(w, i), Body: bytes.NewReader(body)})
		return err
	}
}

// get reads what put wrote last, under the same keys.
func get(c *s3.Client) work {
	return func(ctx context.Context, w, i int) error {
		out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: objectKey(w, 0)})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		_, err = io.Copy(io.Discard, out.Body)
		return err
	}
}
