package functions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func images() (*s3.Client, error) {
	cfg, err := awsConfig()
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), nil
}

// Picture gives a product's picture.
func Picture(ctx context.Context, req request) (response, error) {
	bucket, err := images()
	if err != nil {
		return response{}, err
	}
	id := req.PathParameters["product"]
	out, err := bucket.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(os.Getenv("IMAGES")), Key: aws.String(id + ".svg")})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return refuse(404, "there is no picture of %q", id)
	}
	if err != nil {
		return response{}, fmt.Errorf("read the picture of %s: %w", id, err)
	}
	defer out.Body.Close()
	svg, err := io.ReadAll(out.Body)
	if err != nil {
		return response{}, fmt.Errorf("read the picture of %s: %w", id, err)
	}
	return response{StatusCode: 200, Headers: map[string]string{"Content-Type": aws.ToString(out.ContentType)}, Body: string(svg)}, nil
}

// Paint is the custom resource that draws all pictures, and removes them with the stack.
var Paint = cfn.LambdaWrap(paint)

func paint(ctx context.Context, event cfn.Event) (string, map[string]any, error) {
	bucket, err := images()
	if err != nil {
		return "pictures", nil, err
	}
	if event.RequestType == cfn.RequestDelete {
		return "pictures", nil, remove(ctx, bucket, os.Getenv("IMAGES"))
	}
	for _, p := range catalog {
		key := p.ID + ".svg"
		_, err = bucket.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(os.Getenv("IMAGES")), Key: &key,
			Body: strings.NewReader(draw(p)), ContentType: aws.String("image/svg+xml")})
		if err != nil {
			return "pictures", nil, fmt.Errorf("paint %s: %w", p.ID, err)
		}
	}
	return "pictures", map[string]any{"Count": len(catalog)}, nil
}

// remove empties the bucket, of old versions too: CloudFormation deletes none that is not empty.
func remove(ctx context.Context, client *s3.Client, bucket string) error {
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the pictures: %w", err)
		}
		var all []types.ObjectIdentifier
		for _, v := range page.Versions {
			all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		for _, o := range all {
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: o.Key, VersionId: o.VersionId}); err != nil {
				return fmt.Errorf("remove %s: %w", aws.ToString(o.Key), err)
			}
		}
	}
	return nil
}

func draw(p Product) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80" role="img" aria-label="%s">`+
		`<rect width="120" height="80" rx="8" fill="%s"/><text x="60" y="45" font-size="10" text-anchor="middle" fill="#fff">%s</text></svg>`,
		p.Title, p.Color, p.Title)
}
