package release

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"evo/internal/appraisal"
	"evo/internal/appraisal/desired"
)

// codeSizes are the bytes of the packages that functions and layers are made of, by logical id: those that lie in the bucket, which are the
// same that Lambda will tell of. One that cannot be asked for is not there.
func (m *Maker) codeSizes(ctx context.Context, t *desired.Template) map[string]int64 {
	sizes := map[string]int64{}
	seen := map[s3Object]*int64{}
	for _, r := range t.Desired.Items {
		from, _ := appraisal.Package(r)
		object := s3Object{from.Get("S3Bucket").Str(), from.Get("S3Key").Str(), from.Get("S3ObjectVersion").Str()}
		if object.bucket == "" || object.key == "" {
			continue
		}
		if _, known := seen[object]; !known {
			seen[object] = m.sizeOf(ctx, object)
		}
		if n := seen[object]; n != nil {
			sizes[r.ID] = *n
		}
	}
	return sizes
}

type s3Object struct{ bucket, key, version string }

func (m *Maker) sizeOf(ctx context.Context, o s3Object) *int64 {
	in := &s3.HeadObjectInput{Bucket: &o.bucket, Key: &o.key}
	if o.version != "" {
		in.VersionId = aws.String(o.version)
	}
	out, err := m.S3.HeadObject(ctx, in)
	if err != nil {
		return nil
	}
	return out.ContentLength
}
