// Package check is `evo check`: it holds templates against AWS Config rules, without an account and without deploying.
package check

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/argv"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/findings"
	"evo/internal/cli/params"
	"evo/internal/fitness"
	"evo/internal/rules"
	"evo/internal/source"
)

type options struct {
	app        *app.App
	templates  []string
	rules      []string
	parameters []string // of rules
	overrides  []string
	all        bool
	registry   bool
	drift      bool
	stack      string // of which drift is looked for
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:   "check [template …]",
		Short: "Hold templates against AWS Config rules",
		Long: `Hold templates against AWS Config rules, without an account. Each rule judges each resource that it applies to, as the template
configures it; a value that only deployment decides gives INSUFFICIENT_DATA, and no guess. Without --rule the rules of evo's own suite
judge: those that hold for most applications. The exit code is 1 if a resource does not comply.`,
		Annotations: map[string]string{app.OutputsAnnotation: "text json sarif junit"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.drift {
				return o.compare(cmd.Context())
			}
			return o.run(args)
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVarP(&o.templates, "template-file", "t", nil, "a template; may be given several times (default: template.yaml, …)")
	fs.StringArrayVar(&o.rules, "rule", nil, "only this rule, by name or identifier; may be given several times")
	fs.StringArrayVar(&o.parameters, "rule-parameters", nil, "rules' parameters: RULE.PARAMETER=VALUE …")
	fs.StringArrayVar(&o.overrides, "parameter-overrides", nil, "the template's parameters' values: K=V …")
	fs.BoolVar(&o.all, "all", false, "every rule that needs no parameters, also those that are right for some applications only")
	fs.BoolVar(&o.registry, "guard", false, "read rules as the AWS Guard Rules Registry does: one verdict a template, suppressions in Metadata count")
	fs.BoolVar(&o.drift, "compare", false, "compare the stack's live configuration with its template, and what the rules say of both; exit code 1 if they differ")
	fs.StringVar(&o.stack, "stack-name", "", "the stack to compare")
	argv.MarkList(fs, "parameter-overrides", "rule-parameters")
	fs.SetNormalizeFunc(packagecmd.TemplateNames)
	return cmd
}

// work is what every template is judged with.
type work struct {
	checks     []*rules.Check
	suite      *rules.Suite
	registry   bool
	parameters map[string]string
	app        *app.App
}

// result is what became of one template.
type result struct {
	findings.Template
	err error
}

func (o *options) run(args []string) error {
	paths, err := o.paths(args)
	if err != nil {
		return err
	}
	w := &work{registry: o.registry, app: o.app}
	if w.checks, err = o.checks(); err != nil {
		return err
	}
	w.suite = rules.NewSuite(w.checks...)
	if w.parameters, err = params.Overrides(o.overrides); err != nil {
		return &app.UsageError{Err: err}
	}
	out := findings.NewWriter(o.app.Output, o.app.Out, o.app.Version)
	failed := 0
	var problems []error
	err = w.judgeAll(paths, func(r result) error {
		problems = append(problems, r.err)
		failed += r.Failed()
		return out.Template(r.Template)
	})
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	return outcome(failed, problems)
}

func (o *options) paths(args []string) ([]string, error) {
	given := append(o.templates, args...)
	if len(given) == 0 {
		given = []string{""}
	}
	paths := make([]string, len(given))
	for i, g := range given {
		var err error
		if paths[i], err = o.app.Template(g, false); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// checks binds the rules that were asked for to their parameters.
func (o *options) checks() ([]*rules.Check, error) {
	given, err := ruleParameters(o.parameters)
	if err != nil {
		return nil, err
	}
	names := o.names(given)
	var checks []*rules.Check
	for _, name := range names {
		rule := rules.Find(name)
		if rule == nil {
			return nil, unknownRule(name)
		}
		check, err := rule.Bind(withDefaults(rule.Name, given[rule.Name]))
		if err != nil {
			return nil, (&app.UsageError{Err: err}).WithHint("give it with --rule-parameters " + rule.Name + ".PARAMETER=VALUE")
		}
		checks = append(checks, check)
		delete(given, rule.Name)
	}
	for name := range given {
		return nil, app.Usagef("--rule-parameters names %s, which is not among the rules that judge", name)
	}
	return checks, nil
}

// names are the rules that judge: those asked for, else all, else those of the default suite; and those that parameters were given for.
func (o *options) names(given map[string]map[string]string) []string {
	if len(o.rules) > 0 {
		return o.rules
	}
	suite := fitness.Default()
	var names []string
	for _, rule := range rules.All() {
		chosen := suite.Function(rule.Name) != nil || o.all || o.registry && rule.HasRegistry()
		if given[rule.Name] == nil {
			if _, err := rule.Bind(withDefaults(rule.Name, nil)); err != nil {
				continue // it needs parameters
			}
		}
		if chosen || given[rule.Name] != nil {
			names = append(names, rule.Name)
		}
	}
	return names
}

func unknownRule(name string) error {
	var names []string
	for _, r := range rules.All() {
		names = append(names, r.Name)
	}
	err := app.Usagef("there is no rule %q", name)
	if near, ok := source.Nearest(strings.ReplaceAll(strings.ToLower(name), "_", "-"), names); ok {
		return err.WithHint("did you mean " + near + "?")
	}
	return err
}

// ruleParameters reads RULE.PARAMETER=VALUE, by rule.
func ruleParameters(words []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		rule, parameter, dotted := strings.Cut(name, ".")
		if !ok || !dotted {
			return nil, app.Usagef("--rule-parameters has %q, which is not RULE.PARAMETER=VALUE", w)
		}
		if r := rules.Find(rule); r != nil {
			rule = r.Name
		}
		if out[rule] == nil {
			out[rule] = map[string]string{}
		}
		out[rule][parameter] = value
	}
	return out, nil
}

// ahead is how many templates may be judged before the first of them is written, so that memory does not grow with their number.
const ahead = 64

// judgeAll judges templates on all processors, and hands over each result, in the order of the paths, as soon as it and those before
// are there.
func (w *work) judgeAll(paths []string, take func(result) error) error {
	defer collectSeldom()()
	results := make([]chan result, len(paths))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	next := make(chan int)
	quit := make(chan struct{})
	room := make(chan struct{}, ahead)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		wg.Go(func() {
			for i := range next {
				results[i] <- w.judge(paths[i])
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range paths {
			select {
			case room <- struct{}{}:
				next <- i
			case <-quit:
				return
			}
		}
	})
	defer wg.Wait()
	defer close(quit)
	for i := range paths {
		r := <-results[i]
		<-room
		if err := take(r); err != nil {
			return err
		}
	}
	return nil
}

// collectSeldom lets some 50 MB gather between collections, until what it returns is called. Judging makes much garbage and keeps little:
// with the usual setting collecting it takes a good part of the time. When the first collection is due was settled as the program began
// and had nothing but startup's ballast; what comes later also counts what the program has made since.
func collectSeldom() (end func()) {
	const first, later = 420, 180
	usual := debug.SetGCPercent(first)
	var ended sync.Once
	collected := runtime.AddCleanup(new([1 << 10]byte), func(struct{}) { ended.Do(func() { debug.SetGCPercent(later) }) }, struct{}{})
	return func() {
		collected.Stop()
		ended.Do(func() {})
		debug.SetGCPercent(usual)
	}
}

func (w *work) judge(path string) result {
	r := result{Template: findings.Template{File: w.app.Short(path)}}
	if r.Text, r.err = os.ReadFile(path); r.err != nil {
		r.err = fmt.Errorf("read the template: %w", r.err)
		return r
	}
	var err error
	if r.Verdicts, err = w.verdicts(path, r.Text); err != nil {
		r.err = findings.Located(err, path)
	}
	return r
}

func (w *work) verdicts(path string, text []byte) ([]rules.Verdict, error) {
	root, err := cfn.Parse(path, text)
	if err != nil {
		return nil, err
	}
	t, err := desired.Read(root, desired.Surroundings{Region: w.app.Region, Parameters: w.parameters, Now: w.app.Now()})
	if err != nil {
		return nil, err
	}
	if !w.registry {
		return w.suite.Judge(t.Desired), nil
	}
	set := rules.FromSource(t.Transformed.Root)
	var all []rules.Verdict
	for _, c := range w.checks {
		_, verdicts := c.Rule.Registry(set)
		all = append(all, verdicts...)
	}
	return all, nil
}

// outcome is the templates that could not be judged, else that resources do not comply.
func outcome(failed int, problems []error) error {
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if failed > 0 {
		return &app.ExitError{Code: app.ExitFailure, Err: fmt.Errorf("%d checks failed", failed), Silent: true}
	}
	return nil
}
