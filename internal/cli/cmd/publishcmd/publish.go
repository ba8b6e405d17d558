// Package publishcmd is `evo publish`: it publishes a packaged template as an application in the Serverless Application Repository.
package publishcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/spf13/cobra"

	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/ui"
	"evo/internal/engine"
	"evo/internal/publish"
)

type options struct {
	app       *app.App
	template  string
	version   string
	mustBeNew bool
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Publish a packaged template in the Serverless Application Repository",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.template, "template-file", "t", "", "the packaged template (default: .aws-sam/build/template.yaml, template.yaml, …)")
	fs.StringVar(&o.version, "semantic-version", "", "the version, in the place of the template's SemanticVersion")
	fs.BoolVar(&o.mustBeNew, "fail-on-same-version", false, "fail if there is such a version already")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.app
	path, err := a.Template(o.template, true)
	if err != nil {
		return err
	}
	application, err := o.read(path)
	if err != nil {
		return err
	}
	cfg, err := a.AWS(ctx)
	if err != nil {
		return err
	}
	out, err := publish.Publish(ctx, sar.NewFromConfig(cfg), application, o.mustBeNew)
	if errors.Is(err, publish.ErrNoVersion) {
		return &app.UsageError{Err: err}
	}
	if err != nil {
		return err
	}
	if out.SameVersion {
		fmt.Fprintln(a.Err, ui.NewStyle(a.Color()).Yellow("evo: warning:"), "there is a version", application.SemanticVersion,
			"already: it stays as it is, and this template is not published; only the description is updated")
	}
	return o.show(application, out, link(cfg, out.ApplicationID))
}

// read reads a template and its description. One that is not packaged is refused before anything is asked of a cloud.
func (o *options) read(path string) (*publish.Application, error) {
	root, _, err := app.ReadTemplate(path)
	if err != nil {
		return nil, err
	}
	application, err := publish.Read(path, root, o.version)
	if err != nil {
		return nil, err
	}
	local, err := engine.HasLocal(path)
	if err == nil && local {
		err = app.Usagef("%s names local code: it is not packaged", o.app.Short(path)).WithHint(publish.PackageFirst)
	}
	return application, err
}

// link is where the application can be seen: in AWS's console, or in the embedded cloud by its API.
func link(cfg aws.Config, id string) string {
	if cfg.BaseEndpoint != nil {
		return *cfg.BaseEndpoint + "/applications/" + url.PathEscape(id)
	}
	return "https://console.aws.amazon.com/serverlessrepo/home?region=" + cfg.Region + "#/published-applications/" + strings.ReplaceAll(id, "/", "~")
}

// result is what --output json prints.
type result struct {
	ApplicationID string    `json:"applicationId"`
	Actions       []string  `json:"actions"`
	Details       *cfn.Node `json:"details"`
	URL           string    `json:"url"`
}

func (o *options) show(application *publish.Application, out *publish.Outcome, link string) error {
	a := o.app
	if a.JSON() {
		return json.NewEncoder(a.Out).Encode(result{out.ApplicationID, out.Actions, out.Details, link})
	}
	done := "Updated application " + application.Name
	if slices.Contains(out.Actions, publish.Created) {
		done = "Created application " + application.Name
	}
	if v := application.SemanticVersion; v != "" && !out.SameVersion {
		done += ", version " + v
	}
	details, err := json.MarshalIndent(out.Details, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%s: %s\n%s\nSee it at %s\n", done, out.ApplicationID, details, link)
	return err
}
