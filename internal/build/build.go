// Package build answers: how does a function's source become what Lambda runs? It builds the functions and layers of a
// template, each distinct one once, from a cache where nothing has changed, and writes a template that names the results.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"evo/internal/cfn"
	"evo/internal/source"
)

// Options say what to build, and how. Paths are absolute.
type Options struct {
	Template string
	BuildDir string
	CacheDir string
	BaseDir  string   // what CodeUris are relative to; empty: the template's folder
	Resource string   // build this one only
	Exclude  []string // do not build these
	Manifest string   // package.json, requirements.txt, …; empty: the one in the CodeUri

	Native   bool              // for this machine, not for Lambda's
	Cached   bool              // take what was built of the same source before
	Jobs     int               // how many at once; 0: one
	Env      map[string]string // of the builders' commands; "Function.KEY" or "KEY"
	Tell     func(string)      // what is being done; may be called from several goroutines
	Commands Runner            // nil: real ones
}

// Result is what was built.
type Result struct {
	Template string            // the template that names the results
	Built    map[string]string // logical id to folder
	Cached   []string          // the logical ids that came from the cache
}

// unit is a function or a layer to build.
type unit struct {
	id       string
	node     *cfn.Node // the resource
	property string    // CodeUri, Code, ContentUri or Content
	layer    bool

	source  string // folder or file; absolute
	runtime string
	handler string
	arch    string
	method  string
	props   *cfn.Node // Metadata.BuildProperties
}

// Build builds. Errors in the template, or that a person must mend there, are source.Diagnostics.
func Build(ctx context.Context, o Options) (*Result, error) {
	text, err := os.ReadFile(o.Template)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	root, err := cfn.Parse(o.Template, text)
	if err != nil {
		return nil, err
	}
	b := &builder{Options: o, root: root.Clone(), result: &Result{Built: map[string]string{}}}
	if b.Commands == nil {
		b.Commands = Exec{}
	}
	if b.Tell == nil {
		b.Tell = func(string) {}
	}
	if b.BaseDir == "" {
		b.BaseDir = filepath.Dir(o.Template)
	}
	units, err := b.units()
	if err != nil {
		return nil, err
	}
	if err := b.clean(); err != nil {
		return nil, err
	}
	if err := b.all(ctx, units); err != nil {
		return nil, err
	}
	return b.result, b.write(units)
}

type builder struct {
	Options
	root *cfn.Node

	mu     sync.Mutex // guards result while building
	result *Result
}

// kinds of resources that are built, and where they name their source.
var kinds = map[string]struct {
	property string
	layer    bool
}{
	"AWS::Serverless::Function":     {"CodeUri", false},
	"AWS::Lambda::Function":         {"Code", false},
	"AWS::Serverless::LayerVersion": {"ContentUri", true},
	"AWS::Lambda::LayerVersion":     {"Content", true},
}

// units finds what is to be built.
func (b *builder) units() ([]*unit, error) {
	var units []*unit
	var problems source.Diagnostics
	for _, r := range b.root.Get("Resources").Entries() {
		kind, ok := kinds[r.Value.Get("Type").Str()]
		if !ok || b.Resource != "" && b.Resource != r.Key || slices.Contains(b.Exclude, r.Key) {
			continue
		}
		u, err := b.unit(r.Key, r.Value, kind.property, kind.layer)
		if err != nil {
			problems = append(problems, source.Errorf(r.Value.Where(), "build %s: %v", r.Key, err))
		} else if u != nil {
			units = append(units, u)
		}
	}
	for _, p := range problems {
		p.File = b.Template
	}
	if len(problems) == 0 && b.Resource != "" && len(units) == 0 {
		return nil, fmt.Errorf("the template has no function or layer %s to build", b.Resource)
	}
	return units, problems.Err()
}

// unit reads one resource; nil if there is nothing to build: inline code, an image, or code that is elsewhere.
func (b *builder) unit(id string, node *cfn.Node, property string, layer bool) (*unit, error) {
	get := func(name string) *cfn.Node {
		if v := node.At("Properties", name); v != nil {
			return v
		}
		if strings.HasPrefix(node.Get("Type").Str(), "AWS::Serverless::Function") {
			return b.root.At("Globals", "Function", name)
		}
		return nil
	}
	if skip, _ := node.At("Metadata", "SkipBuild").Bool(); skip || get("InlineCode") != nil {
		return nil, nil
	}
	if get("PackageType").Str() == "Image" {
		return nil, errors.New("container images (PackageType: Image) are not supported")
	}
	uri := get(property)
	if uri == nil && property == "CodeUri" {
		uri = cfn.Str(".")
	}
	path := uri.Str()
	if !uri.Is(cfn.String) || path == "" || strings.Contains(path, "://") || filepath.Ext(path) == ".zip" || filepath.Ext(path) == ".jar" {
		return nil, nil
	}
	u := &unit{id: id, node: node, property: property, layer: layer,
		runtime: get("Runtime").Str(), handler: get("Handler").Str(), arch: "x86_64",
		method: node.At("Metadata", "BuildMethod").Str(), props: node.At("Metadata", "BuildProperties")}
	if a := get("Architectures").List(); len(a) > 0 {
		u.arch = a[0].Str()
	}
	if layer && u.method == "" {
		return nil, nil // a layer without a method is content already
	}
	u.source = path
	if !filepath.IsAbs(path) {
		u.source = filepath.Join(b.BaseDir, filepath.FromSlash(path))
	}
	if _, err := os.Stat(u.source); err != nil {
		return nil, fmt.Errorf("its %s: %w", property, err)
	}
	return u, nil
}

// clean empties the build folder, and refuses one whose content is somebody's work.
func (b *builder) clean() error {
	dir := filepath.Clean(b.BuildDir)
	if rel, err := filepath.Rel(dir, b.Template); err == nil && !strings.HasPrefix(rel, "..") {
		if filepath.Dir(rel) == "." && filepath.Base(filepath.Dir(dir)) != ".aws-sam" {
			return fmt.Errorf("the build folder %s is the template's own: name another with --build-dir", dir)
		}
		if rel != "." && !strings.Contains(dir, ".aws-sam") {
			return fmt.Errorf("the template is in the build folder %s, which would be emptied: name another with --build-dir", dir)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty the build folder: %w", err)
	}
	return os.MkdirAll(dir, 0o755)
}

// all builds the units, those that are equal once, in the folder of the first.
func (b *builder) all(ctx context.Context, units []*unit) error {
	jobs, err := b.jobs(units)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, b.Jobs))
	for _, j := range jobs {
		g.Go(func() error {
			dir, err := b.make(ctx, j.units[0], j.key, j.how)
			if err != nil {
				return fmt.Errorf("build %s: %w", j.units[0].id, err)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, u := range j.units {
				b.result.Built[u.id] = dir
			}
			return nil
		})
	}
	return g.Wait()
}

// job is one build, and the units that it serves.
type job struct {
	key   string
	how   method
	units []*unit
}

func (b *builder) jobs(units []*unit) ([]*job, error) {
	var jobs []*job
	byKey := map[string]*job{}
	for _, u := range units {
		how, err := b.method(u)
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", u.id, err)
		}
		key, err := b.key(u)
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", u.id, err)
		}
		j := byKey[key]
		if j == nil {
			j = &job{key: key, how: how}
			byKey[key] = j
			jobs = append(jobs, j)
		}
		j.units = append(j.units, u)
	}
	return jobs, nil
}

// make builds into the cache if it is wanted, and from there into the build folder.
func (b *builder) make(ctx context.Context, u *unit, key string, how method) (string, error) {
	dir := filepath.Join(b.BuildDir, u.id)
	if !b.Cached {
		b.Tell(fmt.Sprintf("building %s (%s)", u.id, how.name))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		return dir, how.build(ctx, b, u, dir)
	}
	kept := filepath.Join(b.CacheDir, key)
	if _, err := os.Stat(kept); err == nil {
		b.Tell(fmt.Sprintf("building %s: nothing has changed", u.id))
		b.mu.Lock()
		b.result.Cached = append(b.result.Cached, u.id)
		b.mu.Unlock()
		return dir, copyTree(kept, dir, nil)
	}
	b.Tell(fmt.Sprintf("building %s (%s)", u.id, how.name))
	if err := os.MkdirAll(b.CacheDir, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(b.CacheDir, "new-*")
	if err != nil {
		return "", err
	}
	if err := how.build(ctx, b, u, tmp); err != nil {
		return "", errors.Join(err, os.RemoveAll(tmp))
	}
	if err := os.Rename(tmp, kept); err != nil {
		return "", errors.Join(err, os.RemoveAll(tmp))
	}
	return dir, copyTree(kept, dir, nil)
}
