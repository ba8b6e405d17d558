package s3_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	ours "evo/internal/cloud/s3"
	"evo/internal/cloud/s3/blob"
	"evo/internal/cloud/store"
)

// crashDir tells the test's own binary to be the process that is killed.
const crashDir = "EVO_S3_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// open opens the service over a state directory.
func open(dir string) (*ours.Service, func(), error) {
	db, err := store.Open(filepath.Join(dir, "state"), store.Options{})
	if err != nil {
		return nil, nil, err
	}
	blobs, err := blob.Open(filepath.Join(dir, "objects"), blob.Options{})
	if err != nil {
		return nil, nil, err
	}
	s, err := ours.New(ours.Config{Store: db, Blobs: blobs})
	return s, func() { s.Close(); db.Close(); blobs.Close() }, err
}

// sizes of the objects: in segments, and in files of their own.
var sizes = []int{0, 100, 5000, 60_000, 70_000, 400_000}

// writeUntilKilled puts, replaces, deletes and uploads objects in several goroutines, and says on standard output what was
// acknowledged: "key sum", or "key gone".
func writeUntilKilled(dir string) {
	s, _, err := open(dir)
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	ctx, b := context.Background(), "shop"
	if _, err := s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b}); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	var out sync.Mutex
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d/%d", worker, i%20)
				line, err := writeOne(ctx, s, b, key, i)
				if err != nil {
					line = "failed " + err.Error()
				}
				out.Lock()
				fmt.Println(line)
				out.Unlock()
			}
		}()
	}
	select {}
}

func writeOne(ctx context.Context, s *ours.Service, b, key string, i int) (string, error) {
	if i%7 == 6 {
		_, err := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: &key})
		return key + " gone", err
	}
	body := make([]byte, sizes[rand.IntN(len(sizes))])
	for j := range body {
		body[j] = byte(rand.Uint32())
	}
	sum := sha256.Sum256(body)
	line := key + " " + hex.EncodeToString(sum[:])
	if i%5 != 4 {
		_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: &key, Body: bytes.NewReader(body)})
		return line, err
	}
	u, err := s.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b, Key: &key})
	if err != nil {
		return "", err
	}
	p, err := s.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b, Key: &key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(body)})
	if err != nil {
		return "", err
	}
	_, err = s.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: &key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
		Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: p.ETag}},
	}})
	return line, err
}

// TestAcknowledgedObjectsSurviveAKill kills a process that writes, several times at different moments, and holds what a new one finds to
// what was acknowledged.
func TestAcknowledgedObjectsSurviveAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for round := range 4 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			dir := t.TempDir()
			acknowledged := runAndKill(t, dir, 150+round*211)
			s, done, err := open(dir)
			ok(t, err)
			defer done()
			for key, want := range acknowledged {
				compare(t, s, key, want)
			}
		})
	}
}

// runAndKill runs the writer, kills it after so many acknowledgements, and returns the last of each key, with what the writer may have
// been doing beyond it.
func runAndKill(t *testing.T, dir string, lines int) map[string]string {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	stdout, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	acknowledged := map[string]string{}
	in := bufio.NewScanner(stdout)
	for n := 0; in.Scan(); n++ {
		key, what, whole := strings.Cut(in.Text(), " ")
		if key == "failed" {
			t.Errorf("the writer: %s", what)
		}
		if whole && (what == "gone" || len(what) == 64) { // the last line may be torn
			acknowledged[key] = what
		}
		if n == lines {
			ok(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait()
	if len(acknowledged) < 20 {
		t.Fatalf("only %d keys were acknowledged", len(acknowledged))
	}
	return acknowledged
}

// compare holds an object to its last acknowledgement. Each worker writes its keys in turn, so that at most one of its keys may have been
// changed after its last acknowledgement, by a write that was not acknowledged any more; such an object must be whole all the same.
func compare(t *testing.T, s *ours.Service, key, want string) {
	b := "shop"
	got, err := s.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b, Key: &key})
	found := "gone"
	if err == nil {
		body, err := io.ReadAll(got.Body)
		got.Body.Close()
		ok(t, err)
		if int64(len(body)) != *got.ContentLength {
			t.Errorf("%s: %d bytes of %d", key, len(body), *got.ContentLength)
		}
		sum := sha256.Sum256(body)
		found = hex.EncodeToString(sum[:])
	} else {
		refused(t, err, "NoSuchKey", "")
	}
	if found != want {
		worker, _, _ := strings.Cut(key, "/")
		if _, again := unacknowledged.LoadOrStore(t.Name()+worker, key); again {
			t.Errorf("%s: got %s, acknowledged was %s", key, found, want)
		}
	}
}

// unacknowledged are the keys that differ from their last acknowledgement: one a worker, at most.
var unacknowledged sync.Map
