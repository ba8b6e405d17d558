package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"evo/internal/cfn"
)

// buildEsbuild bundles a Node.js function with the esbuild inside this program, by the BuildProperties that SAM CLI knows.
func buildEsbuild(ctx context.Context, b *builder, u *unit, dir string) error {
	work := u.source
	if exists(filepath.Join(u.source, "package.json")) && !exists(filepath.Join(u.source, "node_modules")) {
		scratch, err := os.MkdirTemp("", "evo-esbuild-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(scratch)
		if err := copyTree(u.source, scratch, skipped("node_modules")); err != nil {
			return err
		}
		if err := b.run(ctx, u, scratch, nil, "npm", "install", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"); err != nil {
			return err
		}
		work = scratch
	}
	o, err := esbuildOptions(u, work, dir)
	if err != nil {
		return err
	}
	result := api.Build(o)
	if len(result.Errors) > 0 {
		lines := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return fmt.Errorf("bundle: %s", strings.TrimSpace(strings.Join(lines, "")))
	}
	return nil
}

var formats = map[string]api.Format{"": api.FormatCommonJS, "cjs": api.FormatCommonJS, "esm": api.FormatESModule, "iife": api.FormatIIFE}

var loaders = map[string]api.Loader{
	"js": api.LoaderJS, "jsx": api.LoaderJSX, "ts": api.LoaderTS, "tsx": api.LoaderTSX, "json": api.LoaderJSON, "css": api.LoaderCSS,
	"text": api.LoaderText, "base64": api.LoaderBase64, "dataurl": api.LoaderDataURL, "file": api.LoaderFile, "binary": api.LoaderBinary,
	"copy": api.LoaderCopy, "empty": api.LoaderEmpty,
}

func esbuildOptions(u *unit, work, dir string) (api.BuildOptions, error) {
	p := u.props
	o := api.BuildOptions{
		AbsWorkingDir: work, Outdir: dir, Write: true, Bundle: true, Platform: api.PlatformNode, LogLevel: api.LogLevelSilent,
		EntryPoints: texts(p.Get("EntryPoints")), External: texts(p.Get("External")), MainFields: commaList(p.Get("MainFields")),
	}
	if len(o.EntryPoints) == 0 {
		entry, err := entryOf(u)
		if err != nil {
			return o, err
		}
		o.EntryPoints = []string{entry}
	}
	var ok bool
	if o.Format, ok = formats[p.Get("Format").Str()]; !ok {
		return o, fmt.Errorf("BuildProperties.Format is cjs, esm or iife, not %q", p.Get("Format").Str())
	}
	if minify, _ := p.Get("Minify").Bool(); minify {
		o.MinifyWhitespace, o.MinifySyntax, o.MinifyIdentifiers = true, true, true
	}
	if maps, _ := p.Get("Sourcemap").Bool(); maps {
		o.Sourcemap = api.SourceMapLinked
	}
	if content, set := p.Get("SourcesContent").Bool(); set && !content {
		o.SourcesContent = api.SourcesContentExclude
	}
	if keep, _ := p.Get("KeepNames").Bool(); keep {
		o.KeepNames = true
	}
	if banner := p.Get("Banner"); banner.Is(cfn.List) {
		o.Banner = pairs(banner)
	}
	o.OutExtension = pairs(p.Get("OutExtension"))
	if err := target(&o, p.Get("Target").Str()); err != nil {
		return o, err
	}
	return o, addLoaders(&o, pairs(p.Get("Loader")))
}

// entryOf finds the handler's file.
func entryOf(u *unit) (string, error) {
	file, _, ok := strings.Cut(u.handler, ".")
	if i := strings.LastIndex(u.handler, "."); ok && i > 0 {
		file = u.handler[:i]
	}
	for _, ext := range []string{".ts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"} {
		if exists(filepath.Join(u.source, file+ext)) {
			return file + ext, nil
		}
	}
	return "", fmt.Errorf("no file for handler %q; name it in Metadata.BuildProperties.EntryPoints", u.handler)
}

// target sets what the output must run on: esNNNN, or nodeNN.
func target(o *api.BuildOptions, text string) error {
	targets := map[string]api.Target{"": api.ES2020, "es2015": api.ES2015, "es2016": api.ES2016, "es2017": api.ES2017, "es2018": api.ES2018,
		"es2019": api.ES2019, "es2020": api.ES2020, "es2021": api.ES2021, "es2022": api.ES2022, "es2023": api.ES2023, "esnext": api.ESNext}
	if version, ok := strings.CutPrefix(text, "node"); ok {
		o.Engines = []api.Engine{{Name: api.EngineNode, Version: version}}
		return nil
	}
	t, ok := targets[strings.ToLower(text)]
	if !ok {
		return fmt.Errorf("BuildProperties.Target is esNNNN or nodeNN, not %q", text)
	}
	o.Target = t
	return nil
}

func addLoaders(o *api.BuildOptions, given map[string]string) error {
	for ext, name := range given {
		l, ok := loaders[name]
		if !ok {
			return fmt.Errorf("BuildProperties.Loader: esbuild has no loader %q", name)
		}
		if o.Loader == nil {
			o.Loader = map[string]api.Loader{}
		}
		o.Loader[ext] = l
	}
	return nil
}

func texts(n *cfn.Node) []string {
	var out []string
	for _, item := range n.List() {
		out = append(out, item.Str())
	}
	return out
}

func commaList(n *cfn.Node) []string {
	if n.Is(cfn.List) {
		return texts(n)
	}
	if n.Str() == "" {
		return nil
	}
	return strings.Split(n.Str(), ",")
}

// pairs reads a list of "key=value".
func pairs(n *cfn.Node) map[string]string {
	out := map[string]string{}
	for _, text := range texts(n) {
		if k, v, ok := strings.Cut(text, "="); ok {
			out[k] = v
		}
	}
	return out
}
