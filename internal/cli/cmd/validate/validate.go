// Package validate is `evo validate`: it says what is wrong with a template, without an account and without deploying.
package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/findings"
	"evo/internal/cli/params"
	"evo/internal/cli/sarif"
	"evo/internal/diagnose"
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
		Long: `Say what is wrong with a template, without an account: what SAM or CloudFormation would refuse, in the template as it is written and in
what SAM makes of it, each with its line and what was most likely meant. The exit code is 1 if something is wrong.`,
		Annotations: map[string]string{app.OutputsAnnotation: "text json sarif"},
		Args:        cobra.NoArgs,
		RunE:        func(*cobra.Command, []string) error { return run(a, o) },
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
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Path     string `json:"path,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

func run(a *app.App, o Options) error {
	path, err := a.Template(o.Template, false)
	if err != nil {
		return err
	}
	found, refused, err := diagnosed(a, o, path)
	if err != nil {
		return err
	}
	switch a.Output {
	case "json":
		err = writeJSON(a, found)
	case "sarif":
		err = writeSARIF(a, found)
	default:
		return text(a, found, refused, path)
	}
	if err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	if found.Err() != nil {
		return &app.ExitError{Code: app.ExitFailure, Err: found, Silent: true}
	}
	return nil
}

// text tells of a template that is right; what is wrong is the error, and so told where errors are.
func text(a *app.App, found source.Diagnostics, refused *sam.Error, path string) error {
	if found.Err() != nil {
		return outcome(found, refused)
	}
	for _, d := range found { // warnings
		src, _ := os.ReadFile(path)
		fmt.Fprint(a.Err, short(a, d).Text(src))
	}
	fmt.Fprintf(a.Out, "%s is a valid SAM Template\n", path)
	return nil
}

// short is a diagnostic with its file as seen from the working directory.
func short(a *app.App, d *source.Diagnostic) *source.Diagnostic {
	shown := *d
	shown.File = a.Short(d.File)
	return &shown
}

func writeJSON(a *app.App, found source.Diagnostics) error {
	problems := []problem{}
	for _, d := range found {
		d = short(a, d)
		problems = append(problems, problem{d.Severity.String(), d.Code, d.Message, d.File, int(d.Span.Start.Line), int(d.Span.Start.Col), d.Path, d.Hint})
	}
	enc := json.NewEncoder(a.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(problems)
}

func writeSARIF(a *app.App, found source.Diagnostics) error {
	var rules []sarif.Rule
	var results []sarif.Result
	for _, d := range found {
		d = short(a, d)
		code := d.Code
		if code == "" {
			code = "template"
		}
		if !slices.ContainsFunc(rules, func(r sarif.Rule) bool { return r.ID == code }) {
			rules = append(rules, sarif.Rule{ID: code, Short: strings.ReplaceAll(code, "-", " ")})
		}
		message := d.Message
		if d.Hint != "" {
			message += " (" + d.Hint + ")"
		}
		results = append(results, sarif.Result{Rule: code, Kind: "fail", Severity: d.Severity, Message: message, File: d.File, Span: d.Span,
			Name: d.Path, NameKind: "member"})
	}
	return sarif.Write(a.Out, a.Version, rules, results)
}

// Check says what is wrong with a template: errors of the template are source.Diagnostics. What a macro makes of one is known only to
// CloudFormation, so little more is said of a template that uses one than whether it can be read.
func Check(a *app.App, o Options) error {
	path, err := a.Template(o.Template, false)
	if err != nil {
		return err
	}
	found, refused, err := diagnosed(a, o, path)
	if err != nil {
		return err
	}
	if o.Deployed { // CloudFormation may know values that are newer than the published ones
		found = slices.DeleteFunc(found, func(d *source.Diagnostic) bool { return d.Code == diagnose.CodeEnum })
	}
	return outcome(found, refused)
}

// outcome is the error of what is wrong, nil if nothing is.
func outcome(found source.Diagnostics, refused *sam.Error) error {
	if refused != nil {
		return &Invalid{refused, found}
	}
	return found.Err()
}

// diagnosed are the diagnostics of the template at path, each with its file; and SAM's own error, if SAM refuses the template.
func diagnosed(a *app.App, o Options, path string) (source.Diagnostics, *sam.Error, error) {
	values, err := params.Overrides(o.Parameters)
	if err != nil {
		return nil, nil, &app.UsageError{Err: err}
	}
	root, text, err := app.ReadTemplate(path)
	var unreadable source.Diagnostics
	if errors.As(err, &unreadable) {
		return unreadable, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	options := diagnose.Options{Text: text, Region: a.GivenRegion(), Parameters: values, Now: a.Now(), Kept: o.Deployed}
	if o.Local {
		options.Prepare = func(root *cfn.Node) { engine.Assume(root, filepath.Dir(path)) }
	}
	r := diagnose.Template(root, options)
	for _, d := range r.Diagnostics {
		d.File = path
	}
	return r.Diagnostics, r.SAM, nil
}

// Transform reads a template and returns the CloudFormation that it stands for. Errors of the template are
// source.Diagnostics with the file's name.
func Transform(a *app.App, o Options) (*cfn.Node, error) {
	path, err := a.Template(o.Template, false)
	if err != nil {
		return nil, err
	}
	root, _, err := app.ReadTemplate(path)
	if err != nil {
		return nil, err
	}
	values, err := params.Overrides(o.Parameters)
	if err != nil {
		return nil, &app.UsageError{Err: err}
	}
	region := a.GivenRegion()
	if root, err = cfn.Extend(root, cfn.Env{Region: region, Partition: "aws", Parameters: values}); err != nil {
		return nil, findings.Located(err, path)
	}
	if !sam.IsSAM(root) {
		return root, nil
	}
	root = root.Clone()
	if n := len(engine.AssumeFound(root, filepath.Dir(path))); n > 0 {
		fmt.Fprintf(a.Err, "note: local paths of %d of the template's resources are not uploaded: places in a bucket \"local\" stand for them\n", n)
	}
	out, err := sam.Transform(root, sam.Options{Region: region, Parameters: values, Now: a.Now(), Applications: sam.Unasked{}})
	if e, ok := sam.AsError(err); ok {
		return nil, &Invalid{Err: e, diags: e.Diagnostics(path)}
	}
	return out, err
}

// Invalid says that a template is no valid SAM template: AWS's text, and the places in the file.
type Invalid struct {
	Err   *sam.Error
	diags source.Diagnostics
}

func (e *Invalid) Error() string { return e.Err.Error() }

// Unwrap gives the error itself, and its diagnostics.
func (e *Invalid) Unwrap() []error { return []error{e.Err, e.diags} }
