// Package deletecmd is `evo delete`: it deletes a stack, and what was deployed with it.
package deletecmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/ui"
	"evo/internal/engine"
)

// New returns the command.
func New(a *app.App) *cobra.Command {
	var stack string
	var noPrompts bool
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete a stack",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if stack == "" {
				return app.Usagef("which stack? name it with --stack-name")
			}
			return run(cmd.Context(), a, stack, noPrompts)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&stack, "stack-name", "", "the stack")
	fs.BoolVar(&noPrompts, "no-prompts", false, "do not ask")
	fs.String("s3-bucket", "", "has no effect: uploaded code stays, as other releases may use it")
	fs.String("s3-prefix", "", "has no effect: uploaded code stays, as other releases may use it")
	return cmd
}

func run(ctx context.Context, a *app.App, stack string, noPrompts bool) error {
	cfg, err := a.AWS(ctx)
	if err != nil {
		return err
	}
	show := (&ui.Events{W: a.Err, Style: ui.NewStyle(a.Color()), Dir: a.Dir}).Show
	if a.JSON() {
		show = ui.NDJSON(a.Out)
	}
	e := engine.New(cfg, show)
	exists, err := e.Exists(ctx, stack)
	if err != nil {
		return err
	}
	if !exists {
		return &engine.NoStackError{Stack: stack, Region: cfg.Region}
	}
	if !noPrompts {
		if !a.Interactive {
			return app.Usagef("nobody can be asked here whether to delete stack %s", stack).WithHint("say so with --no-prompts")
		}
		ok, err := a.Confirm(fmt.Sprintf("Delete stack %s and all that is in it?", stack), false)
		if err == nil && !ok {
			err = &app.ExitError{Code: app.ExitFailure, Err: errors.New("not deleted")}
		}
		if err != nil {
			return err
		}
	}
	if err := e.Delete(ctx, stack); err != nil {
		return err
	}
	if a.JSON() {
		e.Emit(engine.Event{Type: engine.TypeResult, Result: &engine.Result{Status: engine.Success, Stack: stack, State: "DELETE_COMPLETE"}})
		return nil
	}
	fmt.Fprintf(a.Err, "Deleted stack %s\n", stack)
	return nil
}
