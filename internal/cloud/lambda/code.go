package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/store"
	"evo/internal/unzip"
)

// Code lies in the service's folder by the hash of its zip: once for all functions and versions that have the same.

// maxDirect is how large a zip may be that comes with the call.
const maxDirect = 50 << 20

// maxUnzipped is how large a function's code may be, unpacked, with its layers.
const maxUnzipped = 250 << 20

// source says where the zip of a function or layer comes from.
type source struct {
	zip                  []byte
	bucket, key, version *string
}

// keepCode fetches code, checks that it can be unpacked, and keeps it. It is durable when keepCode returns.
func (s *Service) keepCode(ctx context.Context, src source, dryRun bool) (hash string, size int64, err error) {
	archive, err := s.fetch(ctx, src)
	if err != nil {
		return "", 0, err
	}
	unpacked, err := unzip.Open(bytes.NewReader(archive), int64(len(archive)), maxUnzipped)
	if err != nil {
		return "", 0, zipError(err)
	}
	sum := sha256.Sum256(archive)
	hash = hex.EncodeToString(sum[:])
	if dryRun {
		return hash, int64(len(archive)), nil
	}
	if err := unpacked.Unpack(s.unpacked(hash)); err != nil {
		return "", 0, zipError(err)
	}
	if err := writeDurably(s.zipFile(hash), archive); err != nil {
		return "", 0, fmt.Errorf("keep code: %w", err)
	}
	return hash, int64(len(archive)), nil
}

func zipError(err error) error {
	var outside *unzip.PathError
	var large *unzip.TooLargeError
	switch {
	case errors.As(err, &large):
		return tooLarge()
	case errors.As(err, &outside):
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again. (%v)", outside)
	case errors.Is(err, unzip.ErrNotZip):
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	return fmt.Errorf("unpack code: %w", err)
}

func tooLarge() error { return invalid("Unzipped size must be smaller than %d bytes", maxUnzipped) }

func (s *Service) fetch(ctx context.Context, src source) ([]byte, error) {
	if src.zip != nil {
		if len(src.zip) > maxDirect {
			return nil, &types.RequestTooLargeException{Message: aws.String(fmt.Sprintf("Zipped size must be smaller than %d bytes", maxDirect)), Type: user}
		}
		return src.zip, nil
	}
	if src.bucket == nil || src.key == nil {
		return nil, invalid("Please provide a source for function code.")
	}
	if s.cfg.Objects == nil {
		return nil, invalid("Error occurred while GetObject. S3 Error Code: ServiceUnavailable. S3 Error Message: this Lambda has no S3.")
	}
	out, err := s.cfg.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: src.bucket, Key: src.key, VersionId: src.version})
	if err != nil {
		return nil, objectError(err)
	}
	defer out.Body.Close()
	archive, err := io.ReadAll(io.LimitReader(out.Body, maxUnzipped+1))
	if err != nil {
		return nil, objectError(err)
	}
	if len(archive) > maxUnzipped {
		return nil, tooLarge()
	}
	return archive, nil
}

func objectError(err error) error {
	code, message := "InternalError", err.Error()
	var api smithy.APIError
	if errors.As(err, &api) {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	return invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", code, message)
}

func (s *Service) zipFile(hash string) string  { return filepath.Join(s.cfg.Dir, "code", hash+".zip") }
func (s *Service) unpacked(hash string) string { return filepath.Join(s.cfg.Dir, "unpacked", hash) }

// ready sees to it that code is unpacked, and returns its folder.
func (s *Service) ready(hash string) (string, error) {
	dir := s.unpacked(hash)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := unzip.File(s.zipFile(hash), dir, maxUnzipped); err != nil && !errors.Is(err, unzip.ErrExists) {
		return "", fmt.Errorf("unpack code: %w", err)
	}
	return dir, nil
}

// Code opens the zip that a code location names by its hash.
func (s *Service) Code(hash string) (io.ReadCloser, error) {
	if len(hash) != hex.EncodedLen(sha256.Size) || strings.Trim(hash, "0123456789abcdef") != "" {
		return nil, os.ErrNotExist
	}
	return os.Open(s.zipFile(hash))
}

func (s *Service) location(hash string) *types.FunctionCodeLocation {
	loc := &types.FunctionCodeLocation{RepositoryType: aws.String("S3")}
	if s.cfg.CodeURL != nil {
		loc.Location = aws.String(s.cfg.CodeURL(hash))
	}
	return loc
}

// writeDurably makes a file whole or not at all.
func writeDurably(path string, content []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil // named by its content
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// runnable is what the runner is given for a version. It is made once: its key has the revision.
func (s *Service) runnable(v version) (*sandbox.Function, error) {
	key := s.runKey(v)
	if fn, ok := s.runOnce.Load(key); ok {
		return fn.(*sandbox.Function), nil
	}
	code, err := s.ready(v.CodeHash)
	if err != nil {
		return nil, err
	}
	fn := &sandbox.Function{
		Key: key, Name: v.Function, Version: v.Number, Runtime: v.Runtime, Handler: v.Handler, Code: code, Env: v.Environment,
		Memory: int(v.Memory), Timeout: seconds(v.Timeout), Region: s.cfg.Region, LogGroup: v.logGroup(),
		JSONLogs: v.LogFormat == string(types.LogFormatJson), Tracing: v.Tracing == string(types.TracingModeActive),
		AsOnAWS: true,
	}
	for _, l := range v.Layers {
		dir, err := s.ready(l.Hash)
		if err != nil {
			return nil, err
		}
		fn.Layers = append(fn.Layers, dir)
	}
	if s.cfg.Endpoint != nil {
		fn.Endpoint = s.cfg.Endpoint()
	}
	if s.cfg.Credentials != nil {
		role := v.Role
		fn.Credentials = func(ctx context.Context) (c sandbox.Credentials, err error) {
			c.AccessKey, c.Secret, c.Token, c.Expires, err = s.cfg.Credentials.ForRole(ctx, role)
			return c, err
		}
	}
	kept, _ := s.runOnce.LoadOrStore(key, fn)
	return kept.(*sandbox.Function), nil
}

func (s *Service) runKey(v version) string {
	return s.cfg.Region + "/" + v.Function + "/" + v.Number + "/" + v.Revision
}

// retire ends the environments of versions that are gone or have changed.
func (s *Service) retire(versions ...version) {
	for _, v := range versions {
		key := s.runKey(v)
		s.runOnce.Delete(key)
		s.cfg.Runner.Retire(key)
	}
}

// usedLayers finds the layers that a function names, and refuses what AWS refuses.
func (s *Service) usedLayers(tx *store.Tx, arns []string) ([]layerUse, error) {
	if len(arns) > 5 {
		return nil, invalid("Cannot reference more than 5 layers.")
	}
	seen := map[string]string{}
	var uses []layerUse
	for _, arn := range arns {
		l, err := parseLayerARN(arn)
		if err != nil {
			return nil, err
		}
		if l.region != s.cfg.Region {
			return nil, invalid("Layers are not in the same region as the function. Layers are expected to be in region %s.", s.cfg.Region)
		}
		if other, ok := seen[l.name]; ok {
			return nil, invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s are versions of the same layer.", other, arn)
		}
		seen[l.name] = arn
		v, ok := s.tables.layers.Get(tx, layerKey(l.name, l.number))
		if !ok {
			return nil, invalid("Layer version %s does not exist.", arn)
		}
		uses = append(uses, layerUse{ARN: arn, Hash: v.Hash, Size: v.Size})
	}
	return uses, nil
}
