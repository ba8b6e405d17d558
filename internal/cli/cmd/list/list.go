// Package list is `evo list`: stacks, and what is in one.
package list

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/localurl"
	"evo/internal/cli/ui"
	"evo/internal/engine"
	"evo/internal/observe"
	"evo/internal/view"
)

type options struct {
	app   *app.App
	stack string
}

// New returns the command and those below it.
func New(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List stacks, their resources, endpoints and outputs",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return stacks(cmd.Context(), a) },
	}
	cmd.AddCommand(
		&cobra.Command{Use: "stacks", Short: "List the stacks", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return stacks(cmd.Context(), a) }},
		sub(a, "resources", "List a stack's resources", (*options).resources),
		sub(a, "endpoints", "List the URLs that a stack serves", (*options).endpoints),
		sub(a, "stack-outputs", "List a stack's outputs", (*options).outputs),
	)
	return cmd
}

func sub(a *app.App, use, short string, run func(*options, context.Context) error) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if o.stack == "" {
			return app.Usagef("which stack? name it with --stack-name")
		}
		return run(o, cmd.Context())
	}}
	cmd.Flags().StringVar(&o.stack, "stack-name", "", "the stack")
	return cmd
}

func stacks(ctx context.Context, a *app.App) error {
	cfg, err := a.AWS(ctx)
	if err != nil {
		return err
	}
	found, err := engine.New(cfg, func(engine.Event) {}).Stacks(ctx)
	if err != nil {
		return err
	}
	all := []view.Stack{}
	var rows [][]string
	for _, s := range found {
		v := view.Stack{Name: aws.ToString(s.StackName), ID: aws.ToString(s.StackId), Status: string(s.StackStatus),
			Reason: aws.ToString(s.StackStatusReason), Created: aws.ToTime(s.CreationTime), Updated: aws.ToTime(s.LastUpdatedTime)}
		all = append(all, v)
		changed := v.Created
		if !v.Updated.IsZero() {
			changed = v.Updated
		}
		rows = append(rows, []string{v.Name, v.Status, changed.Local().Format("2006-01-02 15:04:05"), v.Reason})
	}
	return show(a, all, []string{"Stack", "Status", "Changed", "Reason"}, rows)
}

// show prints values as JSON, or rows as a table.
func show(a *app.App, values any, head []string, rows [][]string) error {
	if a.JSON() {
		return a.WriteJSON(values)
	}
	style := ui.NewStyle(a.Color() && a.OutTTY)
	return ui.Table(a.Out, style, head, rows, func(col int, cell string) string {
		if head[col] == "Status" {
			return style.Status(cell)
		}
		return cell
	})
}

func (o *options) read(ctx context.Context) ([]view.Resource, aws.Config, error) {
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return nil, cfg, err
	}
	all, err := observe.New(cfg).Resources(ctx, o.stack)
	return all, cfg, err
}

func (o *options) resources(ctx context.Context) error {
	all, _, err := o.read(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, r := range all {
		rows = append(rows, []string{r.LogicalID, r.Type, r.Status, r.PhysicalID, r.Note})
	}
	return show(o.app, all, []string{"LogicalResourceId", "ResourceType", "Status", "PhysicalResourceId", "Note"}, rows)
}

// endpoint is a resource that answers at a URL.
type endpoint struct {
	LogicalID  string `json:"LogicalResourceId"`
	PhysicalID string `json:"PhysicalResourceId"`
	Endpoint   string `json:"CloudEndpoint"`
	Local      string `json:"LocalEndpoint,omitempty"`
}

func (o *options) endpoints(ctx context.Context) error {
	all, cfg, err := o.read(ctx)
	if err != nil {
		return err
	}
	found := []endpoint{}
	var rows [][]string
	for _, r := range all {
		if r.Type != "AWS::ApiGateway::RestApi" && r.Type != "AWS::ApiGatewayV2::Api" {
			continue
		}
		url := "https://" + r.PhysicalID + ".execute-api." + cfg.Region + ".amazonaws.com"
		for _, s := range all {
			if strings.HasSuffix(s.Type, "::Stage") && strings.HasPrefix(s.LogicalID, r.LogicalID) && s.PhysicalID != "$default" {
				url += "/" + s.PhysicalID
				break
			}
		}
		e := endpoint{r.LogicalID, r.PhysicalID, url, localurl.Of(cfg, url)}
		found = append(found, e)
		rows = append(rows, []string{e.LogicalID, e.Endpoint, e.Local})
	}
	return show(o.app, found, []string{"LogicalResourceId", "Endpoint", "Local"}, rows)
}

func (o *options) outputs(ctx context.Context) error {
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return err
	}
	outs, err := engine.New(cfg, func(engine.Event) {}).Outputs(ctx, o.stack)
	if err != nil {
		return err
	}
	type output struct{ OutputKey, OutputValue, Description string }
	all := []output{}
	var rows [][]string
	for _, out := range outs {
		all = append(all, output{out.Key, out.Value, out.Description})
		rows = append(rows, []string{out.Key, out.Value, localurl.Of(cfg, out.Value)})
	}
	return show(o.app, all, []string{"OutputKey", "OutputValue", "Local"}, rows)
}
