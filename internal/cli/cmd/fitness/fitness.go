// Package fitness is `evo fitness`: how fit the releases of a stack are, or a template is, and why.
package fitness

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/ui"
	"evo/internal/gate"
	"evo/internal/history"
)

type options struct {
	app       *app.App
	stack     string
	template  string
	suiteFile string
	overrides []string
	explain   bool
	release   string
	compare   string
}

// New returns the command and those below it.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "fitness",
		Short: "Show how fit a stack's releases are, or a template is, and why",
		Long: `Show how fit the releases of a stack are, from 0 to 100, and why.

With --stack-name: the stack's releases, what moved from each to the next, how the newest stands in each characteristic, and how well the
stack is delivered (the four DORA figures). What the history does not tell is "not known", which is not 0.

Without: how fit the template at hand is by itself, without any cloud and in no time. What only a running release tells (metrics, calls) is
unknown then, and makes the number an interval.`,
		Example: `  evo fitness --stack-name shop                 the history
  evo fitness --stack-name shop --explain       the newest release's fitness as a sum, with the lines of the template
  evo fitness --stack-name shop --release 3     one release: its verdict, what it gained and lost
  evo fitness --stack-name shop --compare 2,5   what moved from v2 to v5; --compare 2: from v2 to the newest
  evo fitness -t template.yaml --explain        the template, before it is deployed
  evo fitness init                              write a fitness.yaml to begin with`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.stack, "stack-name", "", "the stack whose releases are shown")
	fs.BoolVar(&o.explain, "explain", false, "write the fitness as a sum: what each resource loses, and by which function")
	fs.StringVar(&o.release, "release", "", "show this release, by its number")
	fs.StringVar(&o.compare, "compare", "", "compare two releases, by their numbers: N,M, or N with the newest")
	o.addTemplate(fs)
	cmd.AddCommand(newInit(a), newSchema(a), newCalibrate(a))
	return cmd
}

// addTemplate adds the options that say which template is at hand, and what it is held to.
func (o *options) addTemplate(fs *pflag.FlagSet) {
	fs.StringVarP(&o.template, "template-file", "t", "", "the template (default: template.yaml, …)")
	fs.StringVar(&o.suiteFile, "fitness-file", "", "what a template is held to (default: fitness.yaml beside the template, if it is there)")
	fs.StringArrayVar(&o.overrides, "parameter-overrides", nil, "the template's parameters' values: K=V …")
	argv.MarkList(fs, "parameter-overrides")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
}

func (o *options) run(ctx context.Context) error {
	switch {
	case o.stack == "" && (o.release != "" || o.compare != ""):
		return app.Usagef("which stack? name it with --stack-name")
	case o.release != "" && o.compare != "", o.explain && o.compare != "":
		return app.Usagef("--compare shows two releases, and goes neither with --release nor with --explain")
	case o.stack == "":
		return o.level()
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	switch {
	case o.compare != "":
		return s.compare(ctx)
	case o.explain:
		return s.explain(ctx)
	case o.release != "":
		return s.one(ctx)
	}
	return s.list(ctx)
}

// stack is a stack whose history can be read.
type stack struct {
	*options
	store    *history.Store
	deployed gate.Release
}

// open finds a stack's history: the stack's template says where it is.
func (o *options) open(ctx context.Context) (*stack, error) {
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return nil, err
	}
	in := &cloudformation.GetTemplateInput{StackName: &o.stack, TemplateStage: cftypes.TemplateStageOriginal}
	out, err := cloudformation.NewFromConfig(cfg).GetTemplate(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("read the template of stack %s: %w", o.stack, err)
	}
	s := &stack{options: o}
	if template, err := cfn.Parse(o.stack, []byte(aws.ToString(out.TemplateBody))); err == nil {
		s.deployed, _ = gate.ReleaseOf(template)
	}
	if s.deployed.Bucket == "" {
		return nil, &app.HintedError{Err: fmt.Errorf("stack %s has no release gate, so nobody has kept how fit its releases are", o.stack),
			HintText: "`evo deploy` without --no-gate adds one; without --stack-name, `evo fitness` judges the template at hand"}
	}
	client := s3.NewFromConfig(cfg, func(so *s3.Options) { so.UsePathStyle = cfg.BaseEndpoint != nil })
	s.store = &history.Store{S3: client, Bucket: s.deployed.Bucket, Prefix: s.deployed.Prefix}
	return s, nil
}

// releaseNumber reads a release's number: 3, or v3.
func releaseNumber(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(text), "v"))
	if err != nil || n < 1 {
		return 0, app.Usagef("%q is no release: they are numbered 1, 2, …", text)
	}
	return n, nil
}

// read reads one release that has a report.
func (s *stack) read(ctx context.Context, number int) (*history.Release, error) {
	r := s.store.Release(ctx, number)
	switch {
	case r.Problem != nil:
		return nil, fmt.Errorf("read v%d: %w", number, r.Problem)
	case r.Report == nil && r.Attempt == nil && r.Outcome == nil:
		return nil, s.none(ctx, number)
	case r.Report == nil:
		why := "its release gate has not judged it"
		if r.Outcome != nil && r.Outcome.Reason != "" {
			why = r.Outcome.Reason
		}
		return nil, &app.HintedError{Err: fmt.Errorf("v%d has no report: %s", number, why), HintText: "`evo fitness --stack-name " + s.options.stack + "` shows how each release ended"}
	}
	return r, nil
}

// none says that there is no such release, and which there are.
func (s *stack) none(ctx context.Context, number int) error {
	err := app.Usagef("stack %s has no release v%d", s.options.stack, number)
	numbers, listErr := s.store.Numbers(ctx)
	if listErr != nil {
		return errors.Join(err, listErr)
	}
	if len(numbers) == 0 {
		return err.WithHint("it has none yet")
	}
	return err.WithHint(fmt.Sprintf("it has v%d to v%d", numbers[0], numbers[len(numbers)-1]))
}

// newest is the newest release that has a report.
func (s *stack) newest(ctx context.Context) (*history.Release, error) {
	numbers, err := s.store.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	for i := len(numbers) - 1; i >= 0; i-- {
		r := s.store.Release(ctx, numbers[i])
		if r.Problem != nil {
			return nil, fmt.Errorf("read v%d: %w", numbers[i], r.Problem)
		}
		if r.Report != nil {
			return r, nil
		}
	}
	return nil, fmt.Errorf("no release of stack %s has a report yet", s.options.stack)
}

func (o *options) style() *ui.Style { return ui.NewStyle(o.app.Color() && o.app.OutTTY) }
