// Package validate is `evo validate`: it says what is wrong with a template, without an account and without deploying.
package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"evo/internal/cfn"
	"evo/internal/cfn/spec"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/params"
	"evo/internal/engine"
	"evo/internal/sam"
	"evo/internal/source"
)

// Options are what transform and validate have in common.
type Options struct {
	Template   string
	Parameters []string
	Local      bool // local paths are as good as uploaded ones
	Deployed   bool // the stack may have other values than the defaults for parameters that are not given
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := Options{Local: true}
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Say what is wrong with a template",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return run(a, o) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.Template, "template-file", "t", "", "the template (default: template.yaml, …)")
	fs.StringArrayVar(&o.Parameters, "parameter-overrides", nil, "parameters' values: K=V …")
	fs.Bool("lint", false, "has no effect: evo always checks the whole template")
	fs.Bool("language-extensions", false, "has no effect: language extensions are always understood")
	argv.MarkList(fs, "parameter-overrides")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}

// problem is a diagnostic as JSON shows it.
type problem struct {
	Severity string `json:"severity"`
	Message  string `json:"message"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

func run(a *app.App, o Options) error {
	err := Check(a, o)
	var usage *app.UsageError
	if errors.As(err, &usage) {
		return err
	}
	path, _ := a.Template(o.Template, false)
	if !a.JSON() {
		if err == nil {
			fmt.Fprintf(a.Out, "%s is a valid SAM Template\n", path)
		}
		return err
	}
	problems := []problem{}
	var diags source.Diagnostics
	if errors.As(err, &diags) {
		for _, d := range diags {
			problems = append(problems, problem{d.Severity.String(), d.Message, d.File, int(d.Span.Start.Line), int(d.Span.Start.Col), d.Hint})
		}
	} else if err != nil {
		problems = append(problems, problem{Severity: "error", Message: err.Error(), File: path})
	}
	if encErr := json.NewEncoder(a.Out).Encode(problems); encErr != nil {
		return encErr
	}
	if err != nil {
		return &app.ExitError{Code: app.ExitFailure, Err: err, Silent: true}
	}
	return nil
}

// Check says what is wrong with a template: errors of the template are source.Diagnostics. What a macro makes of one is known
// only to CloudFormation, so no more is said of a template that uses one than whether it can be read.
func Check(a *app.App, o Options) error {
	path, err := a.Template(o.Template, false)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	given, err := cfn.Parse(path, text)
	if err != nil || opaque(given, o.Deployed) {
		return err
	}
	root, err := Transform(a, o)
	if err != nil {
		return err
	}
	return check(a, o, root)
}

// opaque reports whether a template uses macros other than those that are understood here. Of a stack that exists, a loop may go over
// what only the stack knows: parameters that keep their values.
func opaque(root *cfn.Node, deployed bool) bool {
	names := root.Get("Transform").List()
	if len(names) == 0 && root.Has("Transform") {
		names = []*cfn.Node{root.Get("Transform")}
	}
	for _, n := range names {
		if s := n.Str(); s != "AWS::Serverless-2016-10-31" && s != cfn.Extensions {
			return true
		}
	}
	found := false
	root.Walk(func(_ []string, n *cfn.Node) bool {
		for _, key := range n.Keys() {
			found = found || key == "Fn::Transform" || deployed && strings.HasPrefix(key, "Fn::ForEach::")
		}
		return !found
	})
	return found
}

// check reads the CloudFormation as CloudFormation does, and looks for what it could not put in order. Parameters without a value
// are unknown: what depends on them is not held against the template.
func check(a *app.App, o Options, root *cfn.Node) error {
	path, err := a.Template(o.Template, false)
	if err != nil {
		return err
	}
	t, err := cfn.ReadTemplate(root)
	if err != nil {
		return located(err, path)
	}
	values, err := params.Overrides(o.Parameters)
	if err != nil {
		return &app.UsageError{Err: err}
	}
	for _, p := range t.Parameters {
		if _, given := values[p.Name]; !given && !o.Deployed && p.Default != nil {
			values[p.Name] = *p.Default
		}
	}
	unknown := func(string) (*cfn.Node, error) { return nil, nil }
	e := cfn.NewEvaluator(t, cfn.Env{Parameters: values, Dynamic: unknown, Stored: unknown})
	if _, err = e.Graph(); err != nil {
		return located(err, path)
	}
	var problems source.Diagnostics
	for _, r := range t.Resources {
		if err := checkResource(e, r); err != nil {
			var d *source.Diagnostic
			if !errors.As(err, &d) {
				return err
			}
			problems = append(problems, d)
		}
	}
	return located(problems.Err(), path)
}

// checkResource holds a resource's properties, as far as they are known, against what AWS publishes of its type.
func checkResource(e *cfn.Evaluator, r *cfn.Resource) error {
	if !knownType(r.Type) {
		d := source.Errorf(r.Body.Get("Type").Where(), "Template format error: Unrecognized resource types: [%s]", r.Type)
		if near, ok := source.Nearest(r.Type, spec.Names()); ok {
			d.WithHint("did you mean %s?", near)
		}
		return d
	}
	if on, known, err := e.Active(r.Condition); err != nil || known && !on {
		return err
	}
	properties, err := e.Eval(r.Properties)
	if err == nil {
		err = cfn.CheckProperties(r.Type, properties)
	}
	var d *source.Diagnostic
	if errors.As(err, &d) {
		named := *d
		named.Message = r.ID + ": " + d.Message
		if !d.Span.IsValid() {
			named.Span = r.Span
		}
		return &named
	}
	return err
}

// knownType reports whether CloudFormation has a type, as far as is known here: those of other publishers count as had.
func knownType(name string) bool {
	return spec.Known(name) || name == "AWS::CDK::Metadata" || strings.HasPrefix(name, "Custom::") ||
		!strings.HasPrefix(name, "AWS::") && strings.Count(name, "::") >= 2
}

// located gives problems that do not say so the file that they are in.
func located(err error, path string) error {
	var many source.Diagnostics
	var one *source.Diagnostic
	if !errors.As(err, &many) {
		if !errors.As(err, &one) {
			return err
		}
		many = source.Diagnostics{one}
	}
	for _, d := range many {
		if d.File == "" {
			d.File = path
		}
	}
	return many
}

// Transform reads a template and returns the CloudFormation that it stands for. Errors of the template are
// source.Diagnostics with the file's name.
func Transform(a *app.App, o Options) (*cfn.Node, error) {
	path, err := a.Template(o.Template, false)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	root, err := cfn.Parse(path, text)
	if err != nil {
		return nil, err
	}
	values, err := params.Overrides(o.Parameters)
	if err != nil {
		return nil, &app.UsageError{Err: err}
	}
	region := region(a)
	if root, err = cfn.Extend(root, cfn.Env{Region: region, Partition: "aws", Parameters: values}); err != nil {
		return nil, located(err, path)
	}
	if !sam.IsSAM(root) {
		return root, nil
	}
	if o.Local {
		root = root.Clone()
		engine.Assume(root, filepath.Dir(path))
	}
	out, err := sam.Transform(root, sam.Options{Region: region, Parameters: values, Now: a.Now()})
	if e, ok := sam.AsError(err); ok {
		return nil, &Invalid{Err: e, diags: e.Diagnostics(path)}
	}
	return out, err
}

func region(a *app.App) string {
	region := a.Region
	for _, env := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region == "" {
			region = a.Env(env)
		}
	}
	return region
}

// Invalid says that a template is no valid SAM template: AWS's text, and the places in the file.
type Invalid struct {
	Err   *sam.Error
	diags source.Diagnostics
}

func (e *Invalid) Error() string { return e.Err.Error() }

// Unwrap gives the error itself, and its diagnostics.
func (e *Invalid) Unwrap() []error { return []error{e.Err, e.diags} }
