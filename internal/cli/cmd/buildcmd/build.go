// Package buildcmd is `evo build`: it builds the functions and layers of a template.
package buildcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"evo/internal/build"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/params"
)

type options struct {
	app      *app.App
	template string
	dir      string
	cache    string
	base     string
	manifest string
	exclude  []string
	env      []string
	envFile  string
	cached   bool
	parallel bool
	native   string
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "build [RESOURCE_ID]",
		Short: "Build the functions and layers of a template",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			resource := ""
			if len(args) > 0 {
				resource = args[0]
			}
			return o.run(cmd.Context(), resource)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.template, "template-file", "t", "", "the template (default: template.yaml, …)")
	fs.StringVarP(&o.dir, "build-dir", "b", filepath.Join(".aws-sam", "build"), "where the result goes; it is emptied first")
	fs.StringVar(&o.cache, "cache-dir", filepath.Join(".aws-sam", "cache"), "where results are kept")
	fs.StringVarP(&o.base, "base-dir", "s", "", "what CodeUris are relative to (default: the template's folder)")
	fs.StringVarP(&o.manifest, "manifest", "m", "", "package.json, requirements.txt, … to use")
	fs.StringArrayVarP(&o.exclude, "exclude", "x", nil, "do not build this one")
	fs.StringArrayVarP(&o.env, "container-env-var", "e", nil, "variable for the build: [Function.]KEY=VALUE")
	fs.StringVar(&o.envFile, "container-env-var-file", "", "variables for the build, as JSON: {\"Parameters\": {…}, \"Function\": {…}}")
	fs.BoolVarP(&o.cached, "cached", "c", true, "take what was built of the same source before")
	fs.BoolVarP(&o.parallel, "parallel", "p", true, "build several at once")
	fs.StringVar(&o.native, "platform", "", "native (this machine's) or lambda; default: native for --target local")
	fs.StringArray("parameter-overrides", nil, "has no effect on a build")
	fs.StringArrayP("build-image", "", nil, "has no effect: evo needs no containers")
	for _, name := range []string{"use-container", "skip-pull-image", "use-buildkit", "mount-symlinks", "build-in-source"} {
		fs.Bool(name, false, "has no effect: evo needs no containers")
	}
	fs.String("docker-network", "", "has no effect: evo needs no containers")
	fs.String("mount-with", "READ", "has no effect: evo needs no containers")
	argv.MarkList(fs, "parameter-overrides")
	for name, alias := range map[string]string{"cache-dir": "cd", "container-env-var-file": "ef", "build-image": "bi", "mount-with": "mw"} {
		argv.MarkAlias(fs, name, alias)
	}
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}

func (o *options) run(ctx context.Context, resource string) error {
	a := o.app
	bo, err := o.buildOptions(resource)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	bo.Tell = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(a.Err, text)
	}
	result, err := build.Build(ctx, *bo)
	if err != nil {
		return err
	}
	return o.report(result)
}

func (o *options) buildOptions(resource string) (*build.Options, error) {
	a := o.app
	template, err := a.Template(o.template, false)
	if err != nil {
		return nil, err
	}
	env, err := o.environment()
	if err != nil {
		return nil, &app.UsageError{Err: err}
	}
	bo := &build.Options{Template: template, BuildDir: a.Path(o.dir), CacheDir: a.Path(o.cache), Resource: resource,
		Exclude: o.exclude, Cached: o.cached, Env: env, Native: a.Target == app.TargetLocal}
	switch o.native {
	case "":
	case "native", "lambda":
		bo.Native = o.native == "native"
	default:
		return nil, app.Usagef("--platform is native or lambda, not %q", o.native)
	}
	if o.base != "" {
		bo.BaseDir = a.Path(o.base)
	}
	if o.manifest != "" {
		bo.Manifest = a.Path(o.manifest)
	}
	if o.parallel {
		bo.Jobs = runtime.GOMAXPROCS(0)
	}
	return bo, nil
}

// environment reads the variables for the builders; those of the command line win.
func (o *options) environment() (map[string]string, error) {
	env := map[string]string{}
	if o.envFile != "" {
		text, err := os.ReadFile(o.app.Path(o.envFile))
		if err != nil {
			return nil, err
		}
		var file map[string]map[string]string
		if err := json.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", o.envFile, err)
		}
		for name, values := range file {
			for k, v := range values {
				if name != "Parameters" {
					k = name + "." + k
				}
				env[k] = v
			}
		}
	}
	given, err := params.Pairs("container-env-var", o.env)
	for k, v := range given {
		env[k] = v
	}
	return env, err
}

func (o *options) report(r *build.Result) error {
	a := o.app
	rel := a.Short
	if a.JSON() {
		var ids []string
		for id := range r.Built {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return json.NewEncoder(a.Out).Encode(map[string]any{"type": "result", "status": "success", "build_dir": rel(filepath.Dir(r.Template)),
			"template": rel(r.Template), "resources": ids, "cached": r.Cached})
	}
	fmt.Fprintf(a.Err, "\nBuild Succeeded\n\nBuilt Artifacts  : %s\nBuilt Template   : %s\n\nCommands you can use next\n=========================\n"+
		"[*] Validate the template: evo validate\n[*] Invoke a function: evo local invoke\n[*] Deploy: evo deploy --guided\n", rel(filepath.Dir(r.Template)), rel(r.Template))
	return nil
}
