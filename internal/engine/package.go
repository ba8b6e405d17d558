package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/smithy-go"

	"evo/internal/cfn"
	"evo/internal/cfn/localpath"
	"evo/internal/source"
)

// named is how a property names an object in the bucket.
func (b Bucket) named(f localpath.Form, region, key string) *cfn.Node {
	switch {
	case f.Bucket != "":
		return cfn.Obj(cfn.P(f.Bucket, cfn.Str(b.Name)), cfn.P(f.Key, cfn.Str(key)))
	case f.HTTPS:
		return cfn.Str("https://s3." + region + ".amazonaws.com/" + b.Name + "/" + key)
	}
	return cfn.Str("s3://" + b.Name + "/" + key)
}

// Package uploads what the template's local paths name and returns the template with the objects in their stead. Paths are
// relative to the template. Loops whose items decide about a path are written out; they may go over what parameters, or else
// their defaults, say. The error is a source.Diagnostics where it is the template's.
func (e *Engine) Package(ctx context.Context, path string, b Bucket, parameters map[string]string) (*cfn.Node, error) {
	u := newUploader(e, b)
	root, err := readTemplate(path)
	if err != nil {
		return nil, err
	}
	return e.pack(ctx, path, root, u, parameters, 0)
}

// HasLocal reports whether the template at path names anything local, so that packaging it needs a bucket. Paths at which there
// is nothing are a source.Diagnostics.
func HasLocal(path string) (bool, error) {
	root, err := readTemplate(path)
	if err != nil {
		return false, err
	}
	p := packager{dir: filepath.Dir(path), root: root.Clone()}
	all := p.found()
	var problems source.Diagnostics
	for _, f := range all {
		if _, err := os.Stat(f.path); err != nil {
			problems = append(problems, f.diagnose(path, err))
		}
	}
	return len(all) > 0 || p.varies, problems.Err()
}

// maxNesting bounds templates that name each other.
const maxNesting = 10

func (e *Engine) pack(ctx context.Context, path string, root *cfn.Node, u *uploader, parameters map[string]string, depth int) (*cfn.Node, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("package %s: templates are nested more than %d deep", path, maxNesting)
	}
	p := packager{dir: filepath.Dir(path), root: root.Clone()}
	all := p.found()
	if p.varies {
		written, err := cfn.Extend(root, cfn.Env{Region: e.Region, Partition: "aws", Parameters: parameters})
		if err != nil {
			return nil, inFile(err, path)
		}
		p = packager{dir: p.dir, root: written.Clone()}
		all = p.found()
	}
	var problems source.Diagnostics
	for _, f := range all {
		key, err := e.packOne(ctx, u, f, depth)
		if err != nil {
			var call *smithy.OperationError
			if ctx.Err() != nil || errors.As(err, &call) { // no fault of the template's
				return nil, fmt.Errorf("package %s: %w", f.name(), err)
			}
			problems = append(problems, f.diagnose(path, err))
			continue
		}
		f.Set(u.bucket.named(f.Form, e.Region, key))
	}
	return p.root, problems.Err()
}

// inFile gives a template's problems the file that they are in.
func inFile(err error, path string) error {
	var ds source.Diagnostics
	if errors.As(err, &ds) {
		for _, d := range ds {
			d.File = path
		}
	}
	return err
}

func readTemplate(path string) (*cfn.Node, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return cfn.Parse(path, text)
}

func (e *Engine) packOne(ctx context.Context, u *uploader, f found, depth int) (string, error) {
	if _, err := os.Stat(f.path); err != nil {
		return "", err
	}
	if !f.Template {
		return u.upload(ctx, f.Resource, f.path, f.Zipped)
	}
	if key, ok := u.nested[f.path]; ok {
		return key, nil
	}
	root, err := readTemplate(f.path)
	if err == nil {
		root, err = e.pack(ctx, f.path, root, u, nil, depth+1)
	}
	if err != nil {
		return "", err
	}
	key, err := e.uploadText(ctx, u, f.Resource, root.YAML())
	if err == nil {
		u.nested[f.path] = key
	}
	return key, err
}

// uploadText uploads a template that was made here.
func (e *Engine) uploadText(ctx context.Context, u *uploader, resource string, text []byte) (string, error) {
	tmp, err := os.CreateTemp("", "evo-*.template")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Close()); err == nil {
		var key string
		if key, err = u.upload(ctx, resource, tmp.Name(), false); err == nil {
			return key, os.Remove(tmp.Name())
		}
	}
	return "", errors.Join(err, os.Remove(tmp.Name()))
}

// packager finds the local paths in one template.
type packager struct {
	dir    string
	root   *cfn.Node
	varies bool // a path depends on a loop's item
}

// found is one of them.
type found struct {
	localpath.Place
	path string // absolute
}

// diagnose says what is wrong with the path, and where in the template at file it stands.
func (f found) diagnose(file string, err error) *source.Diagnostic {
	d := source.Errorf(f.Where(), "package %s: %v", f.name(), err)
	d.File = file
	return d
}

// name says what it is that is packaged.
func (f found) name() string { return f.Resource + "'s " + f.Path }

func (p *packager) found() (all []found) {
	for _, place := range localpath.Places(p.root) {
		value := place.Value()
		if value == nil {
			value = p.code(place.Instead)
		}
		if name, _, ok := value.Intrinsic(); ok && place.Loop && (name == "Fn::Sub" || name == "Ref" || name == "Fn::FindInMap" || name == "Fn::Join") {
			p.varies = true
		}
		if text := value.Str(); text != "" && !localpath.IsRemote(text) {
			all = append(all, found{place, p.absolute(text)})
		}
	}
	return all
}

// code is what a function without code of its own has by the template's globals, or else the template's folder.
func (p *packager) code(instead []string) *cfn.Node {
	global := p.root.At("Globals", "Function")
	if own := global.Get("CodeUri"); own != nil {
		return own
	}
	for _, k := range instead {
		if global.Has(k) {
			return nil
		}
	}
	return cfn.Str(".")
}

func (p *packager) absolute(text string) string {
	path := filepath.FromSlash(text)
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.dir, path)
	}
	return path
}

// Assume sets every local path in root as if it had been uploaded, and returns, by logical id, the paths that were there. dir is
// the template's folder.
func Assume(root *cfn.Node, dir string) map[string]string {
	return assume(root, dir, func(found) bool { return true })
}

// AssumeFound is Assume for those paths only that the template names and at which there is something. What is wrong with the others
// is still to be seen.
func AssumeFound(root *cfn.Node, dir string) map[string]string {
	return assume(root, dir, func(f found) bool {
		_, err := os.Stat(f.path)
		return err == nil && f.Value() != nil
	})
}

func assume(root *cfn.Node, dir string, which func(found) bool) map[string]string {
	p := packager{dir: dir, root: root}
	paths := map[string]string{}
	for _, f := range p.found() {
		if which(f) {
			paths[f.Resource] = f.path
			f.Set(Bucket{Name: "local"}.named(f.Form, "us-east-1", f.Resource))
		}
	}
	return paths
}
