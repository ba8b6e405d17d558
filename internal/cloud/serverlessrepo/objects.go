package serverlessrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"evo/internal/cfn"
	"evo/internal/cloud/call"
	"evo/internal/cloud/objecturl"
)

// Objects is what is needed of S3.
type Objects interface {
	HeadBucket(context.Context, *s3.HeadBucketInput) (*s3.HeadBucketOutput, error)
	CreateBucket(context.Context, *s3.CreateBucketInput) (*s3.CreateBucketOutput, error)
	GetObject(context.Context, *s3.GetObjectInput) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput) (*s3.PutObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput) (*s3.CopyObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error)
}

// What is taken at most.
const (
	maxTemplate = 1 << 20
	maxDocument = 5 << 20
	maxArchive  = 50 << 20
)

// bucket is where a region's applications are kept. Its name begins as those of the buckets that AWS has for this.
func bucket(region string) string { return "awsserverlessrepo-applications-" + region }

// url is where an object of an application can be fetched; nil if there is none.
func (r *Repository) url(a application, key string) *string {
	if key == "" {
		return nil
	}
	return aws.String(r.cfg.ObjectURL(bucket(a.region()), key))
}

// text returns what is given, or stands in the object at a URL.
func (r *Repository) text(ctx context.Context, what string, body, location *string, most int64) (string, error) {
	if err := oneOf(body, what+"Body", location, what+"Url"); err != nil {
		return "", err
	}
	text := aws.ToString(body)
	if aws.ToString(location) != "" {
		o, ok := objecturl.Parse(*location)
		if !ok {
			return "", badRequest("Invalid S3 URI: %s", *location)
		}
		got, err := r.cfg.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key, VersionId: orNil(o.Version)})
		if err != nil {
			return "", notCopied(err, o)
		}
		defer got.Body.Close()
		read, err := io.ReadAll(io.LimitReader(got.Body, most+1))
		if err != nil {
			return "", fmt.Errorf("read %s: %w", *location, err)
		}
		text = string(read)
	}
	if int64(len(text)) > most {
		return "", badRequest("%s must not exceed %d bytes", what, most)
	}
	return text, nil
}

// notCopied says that an object cannot be read. Clients read bucket and key out of the text.
func notCopied(err error, o objecturl.Object) error {
	var api interface{ ErrorMessage() string }
	why := err.Error()
	if errors.As(err, &api) {
		why = strings.TrimSuffix(api.ErrorMessage(), ".")
	}
	return badRequest("Failed to copy S3 object. %s: bucket=%s, key=%s", why, o.Bucket, o.Key)
}

// put writes an object of an application.
func (r *Repository) put(ctx context.Context, a application, key, text string) (string, error) {
	key = a.Name + "/" + key
	if err := r.ensureBucket(ctx, a.region()); err != nil {
		return "", err
	}
	_, err := r.cfg.Objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket(a.region())), Key: &key, Body: strings.NewReader(text)})
	if err != nil {
		return "", fmt.Errorf("store %s: %w", key, err)
	}
	return key, nil
}

func (r *Repository) ensureBucket(ctx context.Context, region string) error {
	name := bucket(region)
	if _, err := r.cfg.Objects.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err == nil {
		return nil
	}
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != call.DefaultRegion {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	if _, err := r.cfg.Objects.CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("make the repository's bucket: %w", err)
	}
	return nil
}

// document stores an application's readme or licence; without one the key is empty.
func (s *Service) document(ctx context.Context, a application, name string, body, location *string) (string, error) {
	what := map[string]string{"LICENSE": "license", "README.md": "readme"}[name]
	text, err := s.text(ctx, what, body, location, maxDocument)
	if err != nil || text == "" {
		return "", err
	}
	return s.put(ctx, a, name, text)
}

// store copies what a version is made of, and its template with the copies in the place of what was named. It returns their keys.
func (s *Service) store(ctx context.Context, a application, semantic string, root *cfn.Node, archive *string) (templateKey, archiveKey string, err error) {
	if err := s.ensureBucket(ctx, a.region()); err != nil {
		return "", "", err
	}
	c := copier{Repository: s.Repository, ctx: ctx, bucket: bucket(a.region()), prefix: a.Name + "/versions/" + semantic + "/"}
	if aws.ToString(archive) != "" {
		o, ok := objecturl.Parse(*archive)
		if !ok {
			return "", "", badRequest("Invalid S3 URI: %s", *archive)
		}
		if archiveKey, err = c.copy(o, maxArchive); err != nil {
			return "", "", err
		}
	}
	root = root.Clone()
	if err := c.template(root); err != nil {
		return "", "", err
	}
	templateKey, err = s.put(ctx, a, "versions/"+semantic+"/template.yaml", string(root.YAML()))
	return templateKey, archiveKey, err
}

// copier takes what a template names out of other buckets.
type copier struct {
	*Repository
	ctx            context.Context
	bucket, prefix string
}

// copy copies an object and returns the copy's key.
func (c copier) copy(o objecturl.Object, most int64) (string, error) {
	key := c.prefix + o.Bucket + "/" + o.Key
	from := url.PathEscape(o.Bucket) + "/" + url.PathEscape(o.Key)
	if o.Version != "" {
		from += "?versionId=" + url.QueryEscape(o.Version)
	}
	if most > 0 {
		got, err := c.cfg.Objects.GetObject(c.ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key, VersionId: orNil(o.Version)})
		if err != nil {
			return "", notCopied(err, o)
		}
		if err := got.Body.Close(); err != nil {
			return "", err
		}
		if aws.ToInt64(got.ContentLength) > most {
			return "", badRequest("The object %s of bucket %s must not exceed %d bytes", o.Key, o.Bucket, most)
		}
	}
	if _, err := c.cfg.Objects.CopyObject(c.ctx, &s3.CopyObjectInput{Bucket: &c.bucket, Key: &key, CopySource: &from}); err != nil {
		return "", notCopied(err, o)
	}
	return key, nil
}

// artifacts are the properties that name objects which a deployment needs.
var artifacts = []string{"CodeUri", "ContentUri", "DefinitionUri", "SchemaUri", "Code", "Content", "BodyS3Location", "DefinitionS3Location",
	"RequestMappingTemplateS3Location", "ResponseMappingTemplateS3Location", "CodeS3Location", "TemplateURL"}

// template replaces what the template's resources, its Globals and its includes name.
func (c copier) template(root *cfn.Node) error {
	var owners []*cfn.Node
	for _, r := range root.Get("Resources").Entries() {
		owners = append(owners, r.Value.Get("Properties"))
	}
	for _, g := range root.Get("Globals").Entries() {
		owners = append(owners, g.Value)
	}
	for _, properties := range owners {
		for _, p := range properties.Entries() {
			if slices.Contains(artifacts, p.Key) {
				if err := c.replace(properties, p.Key); err != nil {
					return err
				}
			}
		}
	}
	var err error
	root.Walk(func(_ []string, n *cfn.Node) bool {
		name, arg, ok := n.Intrinsic()
		if err == nil && ok && name == "Fn::Transform" && arg.Get("Name").Str() == "AWS::Include" && arg.Get("Parameters").Has("Location") {
			err = c.replace(arg.Get("Parameters"), "Location")
		}
		return err == nil
	})
	return err
}

// pairs are the ways in which a property names an object in parts.
var pairs = [][3]string{{"Bucket", "Key", "Version"}, {"S3Bucket", "S3Key", "S3ObjectVersion"}}

func (c copier) replace(properties *cfn.Node, name string) error {
	value := properties.Get(name)
	if value.Is(cfn.String) {
		o, ok := objecturl.Parse(value.Str())
		if !ok {
			return badRequest("Invalid S3 URI: %s", value.Str())
		}
		key, err := c.copy(o, 0)
		if err != nil {
			return err
		}
		properties.Set(name, cfn.Str(c.located(value.Str(), key)))
		return nil
	}
	for _, p := range pairs {
		o := objecturl.Object{Bucket: value.Get(p[0]).Str(), Key: value.Get(p[1]).Str(), Version: value.Get(p[2]).Str()}
		if o.Bucket == "" || o.Key == "" {
			continue
		}
		key, err := c.copy(o, 0)
		if err != nil {
			return err
		}
		value.Set(p[0], cfn.Str(c.bucket))
		value.Set(p[1], cfn.Str(key))
		value.Delete(p[2])
	}
	return nil
}

// located writes where a copy is, in the form in which the original's place was written.
func (c copier) located(original, key string) string {
	if strings.HasPrefix(original, "s3://") {
		return "s3://" + c.bucket + "/" + key
	}
	return "https://s3.amazonaws.com/" + c.bucket + "/" + key
}

// removeObjects removes all objects of an application.
func (r *Repository) removeObjects(ctx context.Context, a application) error {
	name := bucket(a.region())
	for {
		list, err := r.cfg.Objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &name, Prefix: aws.String(a.Name + "/")})
		var gone interface{ ErrorCode() string }
		if errors.As(err, &gone) && gone.ErrorCode() == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("remove the application's objects: %w", err)
		}
		for _, o := range list.Contents {
			if _, err := r.cfg.Objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &name, Key: o.Key}); err != nil {
				return fmt.Errorf("remove the application's objects: %w", err)
			}
		}
		if !aws.ToBool(list.IsTruncated) {
			return nil
		}
	}
}
