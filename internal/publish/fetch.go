package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"evo/internal/cfn"
	"evo/internal/unzip"
)

// IsApplication tells whether a text is a published application's ARN, perhaps with @ and a version after it.
func IsApplication(text string) bool {
	id, _, _ := strings.Cut(text, "@")
	return applicationARN.FindString(id) == id && id != ""
}

// Fetch makes a project of a published application, in the folder dir: its template, with the code that it names beside it, and its
// readme and licence. The application is an ARN, with @ and a version after it if it is not to be the latest.
func Fetch(ctx context.Context, cfg aws.Config, application, dir string) error {
	id, version, _ := strings.Cut(application, "@")
	f := fetcher{ctx: ctx, cfg: cfg, sar: sar.NewFromConfig(cfg), dir: dir,
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil })}
	about, err := f.sar.GetApplication(ctx, &sar.GetApplicationInput{ApplicationId: &id, SemanticVersion: orNil(version)})
	if err != nil {
		return err
	}
	if about.Version == nil {
		return fmt.Errorf("application %s has no version yet", id)
	}
	f.source = aws.ToString(about.Version.SourceCodeUrl)
	url, err := f.template(id, about.Version.SemanticVersion)
	if err != nil {
		return err
	}
	text, err := f.get(url)
	if err != nil {
		return err
	}
	root, err := cfn.Parse("", text)
	if err != nil {
		return fmt.Errorf("read the template of %s: %w", application, err)
	}
	if err := f.code(root); err != nil {
		return err
	}
	for name, url := range map[string]*string{"README.md": about.ReadmeUrl, "LICENSE": about.LicenseUrl} {
		if aws.ToString(url) == "" {
			continue
		}
		if text, err = f.get(*url); err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "template.yaml"), root.YAML(), 0o644)
}

// fetcher brings one application's files into a folder.
type fetcher struct {
	ctx    context.Context
	cfg    aws.Config
	sar    *sar.Client
	s3     *s3.Client
	dir    string
	source string // a URL of the source code; may be empty
}

// pollEvery is the time between two looks at a template that AWS makes ready.
const pollEvery = 2 * time.Second

// template has the application's template made ready, with code that the caller may read, and returns its URL.
func (f fetcher) template(id string, version *string) (string, error) {
	made, err := f.sar.CreateCloudFormationTemplate(f.ctx, &sar.CreateCloudFormationTemplateInput{ApplicationId: &id, SemanticVersion: version})
	if err != nil {
		return "", err
	}
	status, url := made.Status, aws.ToString(made.TemplateUrl)
	for status == types.StatusPreparing {
		select {
		case <-time.After(pollEvery):
		case <-f.ctx.Done():
			return "", f.ctx.Err()
		}
		now, err := f.sar.GetCloudFormationTemplate(f.ctx, &sar.GetCloudFormationTemplateInput{ApplicationId: &id, TemplateId: made.TemplateId})
		if err != nil {
			return "", err
		}
		status, url = now.Status, aws.ToString(now.TemplateUrl)
	}
	return url, nil
}

// maxText bounds a template, a readme or a licence.
const maxText = 5 << 20

// get fetches a text by its URL.
func (f fetcher) get(url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(f.ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := f.cfg.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch the application: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the application: %s answers %s", req.URL.Host, res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxText))
}

// code brings what the template's resources and Globals name, and names the copies instead.
func (f fetcher) code(root *cfn.Node) error {
	for _, section := range []string{"Resources", "Globals"} {
		for _, r := range root.Get(section).Entries() {
			properties := r.Value
			if section == "Resources" {
				properties = r.Value.Get("Properties")
			}
			for _, p := range properties.Entries() {
				bucket, key := object(p.Value)
				if bucket == "" {
					continue
				}
				path, err := f.artifact(r.Key, p.Key, bucket, key)
				if err != nil {
					return f.explain(fmt.Errorf("fetch %s's %s: %w", r.Key, p.Key, err))
				}
				properties.Set(p.Key, cfn.Str(path))
			}
		}
	}
	return nil
}

// object reads where in S3 a property's value is.
func object(value *cfn.Node) (bucket, key string) {
	if rest, ok := strings.CutPrefix(value.Str(), "s3://"); ok {
		bucket, key, _ = strings.Cut(rest, "/")
		return bucket, key
	}
	for _, p := range [][2]string{{"Bucket", "Key"}, {"S3Bucket", "S3Key"}} {
		if b, k := value.Get(p[0]).Str(), value.Get(p[1]).Str(); b != "" && k != "" {
			return b, k
		}
	}
	return "", ""
}

// maxUnpacked bounds what an archive becomes: Lambda's own limit is a quarter of it.
const maxUnpacked = 1 << 30

// artifact brings an object, an archive as the folder that it holds, and returns its path in the project.
func (f fetcher) artifact(resource, property, bucket, key string) (path string, err error) {
	got, err := f.s3.GetObject(f.ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	path = resource
	if strings.HasPrefix(property, "Definition") || strings.HasPrefix(property, "Schema") {
		path += "-" + strings.ToLower(strings.TrimSuffix(property, "Uri"))
	}
	if !filepath.IsLocal(path) || strings.ContainsAny(path, `/\`) {
		return "", fmt.Errorf("%q is no name for a folder", path)
	}
	to := filepath.Join(f.dir, path)
	out, err := os.CreateTemp(f.dir, "fetched-*")
	if err != nil {
		return "", err
	}
	head := &bytes.Buffer{}
	_, err = io.Copy(out, io.TeeReader(io.LimitReader(got.Body, 4), head))
	if err == nil {
		_, err = io.Copy(out, got.Body)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	if !strings.HasPrefix(head.String(), "PK") {
		return path, os.Rename(out.Name(), to)
	}
	return path + "/", errors.Join(unzip.File(out.Name(), to, maxUnpacked), os.Remove(out.Name()))
}

// explain says where else the source is, as AWS lets not everybody read what it deploys.
func (f fetcher) explain(err error) error {
	if f.source == "" {
		return err
	}
	return &hinted{err, "its publisher says that the source is at " + f.source}
}
