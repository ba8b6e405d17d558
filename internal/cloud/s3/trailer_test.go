package s3_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestTrailingChecksums sends bodies as clients do that learn the checksum only while they send: in chunks, with a trailer.
func TestTrailingChecksums(t *testing.T) {
	w := newWorld(t)
	b := w.bucket(t, "shop")
	send := func(key, trailer string) *http.Response {
		body := "d\r\ntest-checksum\r\n0\r\n" + trailer + "\r\n\r\n"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://s3.us-east-1.amazonaws.com/"+b+"/"+key, strings.NewReader(body))
		ok(t, err)
		name, _, _ := strings.Cut(trailer, ":")
		for k, v := range map[string]string{
			"Content-Encoding": "gzip,aws-chunked", "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
			"X-Amz-Decoded-Content-Length": "13", "X-Amz-Trailer": name,
		} {
			r.Header.Set(k, v)
		}
		resp, err := w.config.HTTPClient.Do(r)
		ok(t, err)
		return resp
	}
	for i, trailer := range []string{
		"x-amz-checksum-crc32:lVk/nw==", "x-amz-checksum-crc32c:Fz3epA==", "x-amz-checksum-crc64nvme:1f2xscCCZCU=",
		"x-amz-checksum-sha1:jbXkHAsXUrubtL3dqDQ4w+7WXc0=", "x-amz-checksum-sha256:1YQo81vx2VFUl0q5ccWISq8AkSBQQ0WO80S82TmfdIQ=",
	} {
		key := fmt.Sprint(i)
		resp := send(key, trailer)
		name, value, _ := strings.Cut(trailer, ":")
		same(t, "status of "+trailer, resp.StatusCode, 200)
		same(t, "answered "+name, resp.Header.Get(name), value)
		head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
		ok(t, err)
		same(t, "encoding", aws.ToString(head.ContentEncoding), "gzip")
		same(t, "length", *head.ContentLength, 13)
	}
	resp := send("wrong", "x-amz-checksum-crc32:AAAAAA==")
	same(t, "status", resp.StatusCode, 400)
	if body := text(t, resp.Body); !strings.Contains(body, "<Code>BadDigest</Code>") {
		t.Errorf("a wrong trailer is answered with %s", body)
	}
	_, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("wrong")})
	same(t, "status of the object", status(err), 404)
}
