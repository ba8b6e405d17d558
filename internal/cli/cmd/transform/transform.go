// Package transform is `evo transform`: it prints the CloudFormation that SAM makes of a template.
package transform

import (
	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/cmd/validate"
)

// New returns the command.
func New(a *app.App) *cobra.Command {
	var o validate.Options
	cmd := &cobra.Command{
		Use:   "transform",
		Short: "Print the CloudFormation that SAM makes of a template, as JSON",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			root, err := validate.Transform(a, o)
			if err != nil {
				return err
			}
			text, err := root.JSON()
			if err != nil {
				return err
			}
			_, err = a.Out.Write(text)
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.Template, "template-file", "t", "", "the template (default: template.yaml, …)")
	fs.StringArrayVar(&o.Parameters, "parameter-overrides", nil, "parameters' values: K=V …")
	argv.MarkList(fs, "parameter-overrides")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}
