// Package packagecmd is `evo package`: it uploads what a template's local paths name, and writes the template that names the
// objects instead.
package packagecmd

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/params"
	"evo/internal/cli/ui"
	"evo/internal/engine"
)

// Upload holds the options about where code goes, which deploy has too.
type Upload struct {
	Bucket, Prefix, KMSKey, Metadata string
	Resolve, Force                   bool
}

// AddFlags adds the options to fs.
func (u *Upload) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&u.Bucket, "s3-bucket", "", "bucket for uploaded code")
	fs.StringVar(&u.Prefix, "s3-prefix", "", "prefix of the objects' keys")
	fs.BoolVar(&u.Resolve, "resolve-s3", false, "use a bucket that evo makes and keeps")
	fs.StringVar(&u.KMSKey, "kms-key-id", "", "KMS key that encrypts the objects")
	fs.BoolVar(&u.Force, "force-upload", false, "upload what is in the bucket already")
	fs.StringVar(&u.Metadata, "metadata", "", "metadata of the objects: K=V,K2=V2 or JSON")
	fs.Bool("no-progressbar", false, "has no effect: there is none")
	fs.StringArray("image-repository", nil, "has no effect: container images are not supported")
	fs.StringArray("image-repositories", nil, "has no effect: container images are not supported")
	fs.StringArray("signing-profiles", nil, "has no effect: code signing is not supported")
	fs.Bool("resolve-image-repos", false, "has no effect: container images are not supported")
	fs.Bool("language-extensions", false, "has no effect: language extensions are always understood")
}

// Where returns the bucket: the one named, or the managed one, which is made if need be.
func (u *Upload) Where(ctx context.Context, e *engine.Engine) (engine.Bucket, error) {
	if u.Bucket != "" && u.Resolve {
		return engine.Bucket{}, app.Usagef("--s3-bucket and --resolve-s3 exclude each other")
	}
	meta, err := params.Metadata(u.Metadata)
	if err != nil {
		return engine.Bucket{}, &app.UsageError{Err: err}
	}
	b := engine.Bucket{Name: u.Bucket, Prefix: u.Prefix, KMSKey: u.KMSKey, Metadata: meta, Force: u.Force}
	if b.Name == "" {
		b.Name, err = e.ManagedBucket(ctx)
	}
	return b, err
}

type options struct {
	app      *app.App
	upload   Upload
	template string
	output   string
	useJSON  bool
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "package",
		Short: "Upload local code, and write a template that names it",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.template, "template-file", "t", "", "the template (default: .aws-sam/build/template.yaml, template.yaml, …)")
	fs.StringVar(&o.output, "output-template-file", "", "where the template goes (default: standard output)")
	fs.BoolVar(&o.useJSON, "use-json", false, "write it as JSON")
	o.upload.AddFlags(fs)
	fs.SetNormalizeFunc(TemplateNames)
	return cmd
}

// TemplateNames lets --template mean --template-file.
func TemplateNames(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "template" {
		name = "template-file"
	}
	return pflag.NormalizedName(name)
}

func (o *options) run(ctx context.Context) error {
	a := o.app
	path, err := a.Template(o.template, true)
	if err != nil {
		return err
	}
	if o.upload.Bucket == "" && !o.upload.Resolve && a.Target == app.TargetAWS {
		return app.Usagef("no bucket for the code").WithHint("name one with --s3-bucket, or let evo make one with --resolve-s3")
	}
	if _, err := engine.HasLocal(path); err != nil { // before anything is made
		return err
	}
	cfg, err := a.AWS(ctx)
	if err != nil {
		return err
	}
	show := (&ui.Events{W: a.Err, Style: ui.NewStyle(a.Color()), Dir: a.Dir}).Show
	if a.JSON() && o.output != "" { // else standard output is the template's
		show = ui.NDJSON(a.Out)
	}
	e := engine.New(cfg, show)
	bucket, err := o.upload.Where(ctx, e)
	if err != nil {
		return err
	}
	root, err := e.Package(ctx, path, bucket)
	if err != nil {
		return err
	}
	return o.write(root)
}

func (o *options) write(root *cfn.Node) error {
	text := root.YAML()
	if o.useJSON || o.app.JSON() && o.output == "" {
		var err error
		if text, err = root.JSON(); err != nil {
			return err
		}
	}
	a := o.app
	if o.output == "" {
		_, err := a.Out.Write(text)
		return err
	}
	if err := os.WriteFile(a.Path(o.output), text, 0o644); err != nil {
		return fmt.Errorf("write the packaged template: %w", err)
	}
	fmt.Fprintf(a.Err, "\nWrote %s. Deploy it with\n  evo deploy --template-file %s --stack-name <stack> --capabilities CAPABILITY_IAM\n", o.output, o.output)
	return nil
}
