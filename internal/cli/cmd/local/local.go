// Package local is `evo local`: it runs a function of a template once, without deploying anything.
package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/params"
	"evo/internal/cloud/call"
	"evo/internal/cloud/sandbox"
	"evo/internal/engine"
	"evo/internal/sam"
)

type options struct {
	app        *app.App
	template   string
	event      string
	envVars    string
	parameters []string
	samExit    bool

	scratch string // a folder to remove at the end; empty: none
}

// New returns the command and those below it.
func New(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "local", Short: "Run functions without deploying them"}
	cmd.AddCommand(invoke(a))
	return cmd
}

func invoke(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "invoke [FUNCTION_ID]",
		Short: "Run a function once",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			return o.run(cmd.Context(), id)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.template, "template-file", "t", "", "the template (default: .aws-sam/build/template.yaml, template.yaml, …)")
	fs.StringVarP(&o.event, "event", "e", "", "file with the event; -: standard input (default: {})")
	fs.StringVarP(&o.envVars, "env-vars", "n", "", "file with variables as JSON: {\"Parameters\": {…}, \"Function\": {…}}")
	fs.StringArrayVar(&o.parameters, "parameter-overrides", nil, "parameters' values: K=V …")
	fs.BoolVar(&o.samExit, "sam-exit-code", false, "end with 0 also if the function fails, as SAM CLI does")
	fs.Bool("no-event", false, "has no effect: without --event, the event is {}")
	for _, name := range []string{"skip-pull-image", "force-image-build", "shutdown", "no-memory-limit", "mount-symlinks"} {
		fs.Bool(name, false, "has no effect: evo needs no containers")
	}
	for _, name := range []string{"docker-network", "docker-volume-basedir", "container-host", "container-host-interface", "invoke-image", "layer-cache-basedir"} {
		fs.String(name, "", "has no effect: evo needs no containers")
	}
	argv.MarkList(fs, "parameter-overrides")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}

func (o *options) run(ctx context.Context, id string) error {
	path, err := o.app.Template(o.template, true)
	if err != nil {
		return err
	}
	fn, err := o.find(path, id)
	defer func() {
		if o.scratch != "" {
			_ = os.RemoveAll(o.scratch)
		}
	}()
	if err != nil {
		return err
	}
	if fn.Env, err = o.environment(fn); err != nil {
		return err
	}
	event, err := o.readEvent()
	if err != nil {
		return err
	}
	return o.invoke(ctx, fn, event)
}

// readEvent reads the event, which must be JSON.
func (o *options) readEvent() ([]byte, error) {
	var text []byte
	var err error
	switch o.event {
	case "":
		return []byte("{}"), nil
	case "-":
		text, err = io.ReadAll(o.app.In)
	default:
		text, err = os.ReadFile(o.app.Path(o.event))
	}
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	if !json.Valid(text) {
		return nil, app.Usagef("the event %s is not JSON", o.event)
	}
	return text, nil
}

// environment adds the variables of --env-vars to the template's: those for all functions, then those for this one. A variable
// that the shell has, too, wins over the template's, as with SAM CLI.
func (o *options) environment(fn *sandbox.Function) (map[string]string, error) {
	env := map[string]string{"AWS_SAM_LOCAL": "true"}
	for name, value := range fn.Env {
		if own := o.app.Env(name); own != "" {
			value = own
		}
		env[name] = value
	}
	if o.envVars == "" {
		return env, nil
	}
	text, err := os.ReadFile(o.app.Path(o.envVars))
	if err != nil {
		return nil, fmt.Errorf("read the variables: %w", err)
	}
	var file map[string]map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, app.Usagef("%s is not of the form {\"Function\": {\"NAME\": \"value\"}}: %v", o.envVars, err)
	}
	for _, section := range []string{"Parameters", fn.Name} {
		for name, value := range file[section] {
			env[name] = fmt.Sprint(value)
		}
	}
	return env, nil
}

// invoke runs the function: its answer goes to Out, its log to Err.
func (o *options) invoke(ctx context.Context, fn *sandbox.Function, event []byte) error {
	dir, err := os.MkdirTemp("", "evo-local-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cache, err := o.cacheDir()
	if err != nil {
		cache = dir
	}
	box, err := sandbox.New(sandbox.Config{Dir: dir, Cache: filepath.Join(cache, "sdk"),
		Progress: func(text string) { fmt.Fprintln(o.app.Err, text) },
		Logs: func(l sandbox.Lines) {
			for _, e := range l.Events {
				fmt.Fprint(o.app.Err, e.Message)
			}
		}})
	if err != nil {
		return err
	}
	result, err := box.Invoke(ctx, fn, sandbox.Invocation{Payload: event,
		ARN: fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", fn.Region, call.Account, fn.Name)})
	if err = errors.Join(err, box.Close()); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(o.app.Out, "%s\n", result.Payload); err != nil {
		return err
	}
	if result.FunctionError != "" && !o.samExit {
		return &app.ExitError{Code: app.ExitFailure, Err: fmt.Errorf("function %s failed", fn.Name)}
	}
	return nil
}

// cacheDir is where the embedded cloud has its runtimes' SDKs, too.
func (o *options) cacheDir() (string, error) {
	if dir := o.app.Env("EVO_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "evo"), err
}

// find reads a function of the template; without an id, the only one.
func (o *options) find(path, id string) (*sandbox.Function, error) {
	root, _, err := app.ReadTemplate(path)
	if err != nil {
		return nil, err
	}
	given, err := params.Overrides(o.parameters)
	if err != nil {
		return nil, &app.UsageError{Err: err}
	}
	if root, err = cfn.Extend(root, cfn.Env{Region: o.region(), Partition: "aws", Parameters: given}); err != nil {
		return nil, err
	}
	root = root.Clone()
	paths := engine.Assume(root, filepath.Dir(path))
	if sam.IsSAM(root) {
		if root, err = sam.Transform(root, sam.Options{Region: o.region(), Parameters: given, Now: o.app.Now(), Applications: sam.Unasked{}}); err != nil {
			return nil, err
		}
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return nil, err
	}
	if id, err = choose(t, id); err != nil {
		return nil, err
	}
	return o.function(t, id, paths, given)
}

func (o *options) region() string {
	return cmp.Or(o.app.GivenRegion(), call.DefaultRegion)
}

const functionType = "AWS::Lambda::Function"

func choose(t *cfn.Template, id string) (string, error) {
	var ids []string
	for _, r := range t.Resources {
		if r.Type == functionType {
			ids = append(ids, r.ID)
			if r.ID == id || id != "" && r.Properties.Get("FunctionName").Str() == id {
				return r.ID, nil
			}
		}
	}
	switch {
	case id != "":
		return "", app.Usagef("the template has no function %s; it has: %s", id, strings.Join(ids, ", "))
	case len(ids) == 0:
		return "", app.Usagef("the template has no function")
	case len(ids) > 1:
		return "", app.Usagef("which function? The template has several: %s", strings.Join(ids, ", "))
	}
	return ids[0], nil
}

// function reads a function's properties. What depends on the deployed stack is not known here: a reference to another
// resource is its logical id, as SAM CLI has it.
func (o *options) function(t *cfn.Template, id string, paths, given map[string]string) (*sandbox.Function, error) {
	values, err := parameters(t, given)
	if err != nil {
		return nil, err
	}
	e := cfn.NewEvaluator(t, cfn.Env{AccountID: call.Account, Partition: "aws", Region: o.region(), URLSuffix: "amazonaws.com",
		StackName: "local", Parameters: values,
		Ref:    func(id string) *cfn.Node { return cfn.Str(id) },
		GetAtt: func(id, attr string) (*cfn.Node, error) { return cfn.Str(id + "." + attr), nil }})
	p, err := e.Eval(t.Resource(id).Properties)
	if err != nil {
		return nil, err
	}
	fn := &sandbox.Function{Name: id, Version: "$LATEST", Region: o.region(), Runtime: p.Get("Runtime").Str(), Handler: p.Get("Handler").Str(),
		Code: paths[id], Env: map[string]string{}}
	if memory, ok := p.Get("MemorySize").Int(); ok {
		fn.Memory = int(memory)
	}
	if timeout, ok := p.Get("Timeout").Int(); ok {
		fn.Timeout = time.Duration(timeout) * time.Second
	}
	for _, v := range p.At("Environment", "Variables").Entries() {
		fn.Env[v.Key], _ = v.Value.Scalar()
	}
	for _, layer := range p.Get("Layers").List() {
		if dir := layerPath(paths, layer.Str()); dir != "" {
			fn.Layers = append(fn.Layers, dir)
		}
	}
	if inline := p.At("Code", "ZipFile").Str(); inline != "" {
		fn.Code, err = o.inline(fn.Runtime, inline)
		return fn, err
	}
	if fn.Code == "" {
		return nil, fmt.Errorf("function %s has no code on this machine", id)
	}
	return fn, nil
}

// parameters gives every parameter a value: those without one have their names, which need not be what they allow.
func parameters(t *cfn.Template, given map[string]string) (map[string]string, error) {
	complete := true
	values := map[string]string{}
	for _, p := range t.Parameters {
		values[p.Name] = p.Name
		if p.Default != nil {
			values[p.Name] = *p.Default
		}
		if v, ok := given[p.Name]; ok {
			values[p.Name] = v
		} else if p.Default == nil {
			complete = false
		}
	}
	if !complete {
		return values, nil
	}
	values, err := t.ResolveParameters(given)
	if err != nil {
		return nil, &app.UsageError{Err: err}
	}
	return values, nil
}

// layerPath finds the folder of a layer of the template, whose id the transform has lengthened by a hash.
func layerPath(paths map[string]string, ref string) string {
	for id, path := range paths {
		if ref == id || strings.HasPrefix(ref, id) && len(ref) == len(id)+10 {
			return path
		}
	}
	return ""
}

// inline writes code that stands in the template itself to a folder.
func (o *options) inline(runtime, code string) (string, error) {
	name := "index.js"
	if strings.HasPrefix(runtime, "python") {
		name = "index.py"
	}
	var err error
	if o.scratch, err = os.MkdirTemp("", "evo-local-code-*"); err != nil {
		return "", err
	}
	return o.scratch, os.WriteFile(filepath.Join(o.scratch, name), []byte(code), 0o644)
}
