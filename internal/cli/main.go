// Package cli is evo's command line: the root command, what all commands have in common, and how it ends. Each command is a
// package of its own below cmd, named after the words that a person types.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"evo/internal/awserr"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/ui"
	"evo/internal/sam"
	"evo/internal/source"
)

// Version is what `evo --version` prints; the release build sets it.
var Version = "0.1.0-dev"

// Main runs the command line of this process and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "evo: error:", err)
		return app.ExitFailure
	}
	a := &app.App{Streams: app.System(), Version: Version, Env: os.Getenv, Dir: dir, Now: time.Now}
	return Run(ctx, a, os.Args[1:])
}

// Run runs one command line and returns its exit code. Results go to the app's Out; errors, with a hint where there is one, to
// its Err.
func Run(ctx context.Context, a *app.App, args []string) int {
	if a.AWS == nil {
		a.AWS = func(ctx context.Context) (cfg awsConfig, err error) { return connect(ctx, a) }
	}
	root := newRoot(a)
	root.SetArgs(normalize(root, args))
	err := explain(ctx, a, root.ExecuteContext(ctx))
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Canceled) {
		err = errors.Join(context.Canceled, err)
	}
	if err != nil && !app.Silent(err) {
		report(a, err)
	}
	return app.Code(err)
}

// normalize writes the words after the command's own in the flag parser's form.
func normalize(root *cobra.Command, args []string) []string {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return args
	}
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == nil || cmd == root {
		return args
	}
	cmd.InheritedFlags() // merges the parents' flags into the command's
	words := strings.Fields(cmd.CommandPath())[1:]
	return append(words, argv.Normalize(cmd.Flags(), rest)...)
}

// report tells an error as a person reads it: with its place in the file where it has one, and what to do about it.
func report(a *app.App, err error) {
	style := ui.NewStyle(a.Color())
	if app.Code(err) == app.ExitInterrupted {
		fmt.Fprintln(a.Err, style.Red("evo: interrupted"))
		return
	}
	var diags source.Diagnostics
	var one *source.Diagnostic
	if !errors.As(err, &diags) && errors.As(err, &one) {
		diags = source.Diagnostics{one}
	}
	if refused, ok := sam.AsError(err); ok && len(diags) > 0 { // in AWS's own words, for who looks for them
		fmt.Fprintln(a.Err, style.Red("evo: error:"), refused)
	}
	if len(diags) > 0 {
		fmt.Fprint(a.Err, diagnose(a, diags))
		return
	}
	fmt.Fprintln(a.Err, style.Red("evo: error:"), err)
	if hint := app.Hint(err); hint != "" {
		fmt.Fprintln(a.Err, style.Yellow("evo: hint:"), hint)
	}
	var sdk *awserr.Error
	if a.Debug && errors.As(err, &sdk) {
		fmt.Fprintln(a.Err, "evo: debug:", sdk.Unwrap())
	}
}

// diagnose writes diagnostics with the lines that they are about. A file that is not there any more is left out.
func diagnose(a *app.App, diags source.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		text, _ := os.ReadFile(d.File)
		shown := *d
		shown.File = a.Short(d.File)
		b.WriteString(shown.Text(text))
	}
	return b.String()
}

func newRoot(a *app.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "evo",
		Short: "Let a serverless architecture evolve safely",
		Long: `evo deploys AWS SAM applications release by release, shifts traffic gradually with hooks, alarms and automatic rollback,
on AWS, or on an AWS-compatible cloud inside this program that needs no account and no Docker.

Begin with:
  evo demo                 all of it on an example, in a minute
  evo init --name my-app --runtime python
  evo build && evo deploy --stack-name my-app --capabilities CAPABILITY_IAM`,
		Version:       a.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetIn(a.In)
	root.SetVersionTemplate("evo {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	addSettings(root.PersistentFlags(), a)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return configure(cmd, a) }
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(root, args[0])
		}
		return nil
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.AddCommand(commands(a)...)
	strict(root)
	return root
}

func addSettings(fs *pflag.FlagSet, a *app.App) {
	fs.StringVar(&a.Target, "target", app.TargetLocal, "where to deploy: local (the embedded cloud) or aws")
	fs.StringVar(&a.Region, "region", "", "AWS region (default: AWS_REGION, or us-east-1 locally)")
	fs.StringVar(&a.Profile, "profile", "", "profile of the AWS configuration files")
	fs.StringVar(&a.Endpoint, "endpoint-url", "", "the embedded cloud's address, if not the usual one")
	fs.StringVar(&a.Output, "output", "text", "text or json")
	fs.BoolVar(&a.Debug, "debug", false, "tell more")
	fs.BoolVar(&a.NoColor, "no-color", false, "no colours")
	fs.StringVar(&a.ConfigEnv, "config-env", "default", "environment in the configuration file")
	fs.StringVar(&a.ConfigFile, "config-file", "", "configuration file (default: samconfig.toml beside the template)")
	fs.BoolVar(&a.SaveParams, "save-params", false, "save the options given to the configuration file")
}
