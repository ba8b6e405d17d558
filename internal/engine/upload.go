package engine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/artifact"
)

// Bucket is where artifacts go.
type Bucket struct {
	Name, Prefix string
	KMSKey       string            // empty: encrypted by S3's own keys
	Metadata     map[string]string // of every object
	Force        bool              // upload what is there already
}

// uploader uploads each path once. It is used by one goroutine.
type uploader struct {
	engine *Engine
	bucket Bucket
	done   map[string]string // path to key
	nested map[string]string // a template's path to the key of what it becomes
}

func newUploader(e *Engine, b Bucket) *uploader {
	return &uploader{engine: e, bucket: b, done: map[string]string{}, nested: map[string]string{}}
}

// upload brings a local path into the bucket and returns its key there.
func (u *uploader) upload(ctx context.Context, resource, path string, zipped bool) (string, error) {
	id := fmt.Sprint(zipped, path)
	if key, ok := u.done[id]; ok {
		return key, nil
	}
	a, err := artifact.Of(ctx, path, zipped)
	if err != nil {
		return "", err
	}
	key := a.Key(u.bucket.Prefix)
	err = u.put(ctx, resource, path, key, a)
	if err = errors.Join(err, a.Remove()); err != nil {
		return "", err
	}
	u.done[id] = key
	return key, nil
}

func (u *uploader) put(ctx context.Context, resource, path, key string, a *artifact.Artifact) error {
	b := u.bucket
	told := &Upload{Resource: resource, Path: path, URI: "s3://" + b.Name + "/" + key, Size: a.Size}
	if !b.Force {
		_, err := u.engine.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.Name, Key: &key})
		if err == nil {
			told.Skipped = true
			u.engine.Emit(Event{Type: TypeUpload, Upload: told})
			return nil
		}
		var missing *s3types.NotFound
		if !errors.As(err, &missing) {
			return fmt.Errorf("look into bucket %s: %w", b.Name, err)
		}
	}
	f, err := os.Open(a.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := &transfermanager.UploadObjectInput{Bucket: &b.Name, Key: &key, Body: f, Metadata: b.Metadata, ServerSideEncryption: tmtypes.ServerSideEncryptionAes256}
	if b.KMSKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyID = tmtypes.ServerSideEncryptionAwsKms, aws.String(b.KMSKey)
	}
	if _, err := transfermanager.New(u.engine.S3).UploadObject(ctx, in); err != nil {
		return fmt.Errorf("upload %s to bucket %s: %w", path, b.Name, err)
	}
	u.engine.Emit(Event{Type: TypeUpload, Upload: told})
	return nil
}
