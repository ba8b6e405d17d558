package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"evo/internal/appraisal"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/cli/ui"
	"evo/internal/inventory"
	"evo/internal/rules"
)

// drift is how a stack's resources are configured otherwise than its template asks for.
type drift struct {
	Stack       string       `json:"stack"`
	Differences []difference `json:"differences"`
	Rules       []divergence `json:"rules"`
}

// difference is one property that differs.
type difference struct {
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Path     string `json:"path"` // empty: the resource as a whole
	Kind     string `json:"kind"` // changed, added, removed or undetermined
	Template string `json:"template,omitempty"`
	Live     string `json:"live,omitempty"`
	Reason   string `json:"reason,omitempty"` // of an undetermined one
}

// divergence is a rule that judges a resource otherwise as it is than as the template has it.
type divergence struct {
	Rule     string `json:"rule"`
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Template string `json:"template"` // AWS Config's word
	Live     string `json:"live"`
	Reason   string `json:"reason"` // of the live verdict
}

// compare shows where a stack differs from its template, and which rules judge it otherwise for that.
func (o *options) compare(ctx context.Context) error {
	if o.stack == "" {
		return app.Usagef("--compare compares a stack with its template: which one? name it with --stack-name")
	}
	if !o.app.JSON() && o.app.Output != "text" {
		return app.Usagef("--compare writes text or json, not %s", o.app.Output)
	}
	checks, err := o.checks()
	if err != nil {
		return err
	}
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return err
	}
	reader := inventory.New(cfg)
	stack, err := reader.Stack(ctx, o.stack)
	if err != nil {
		return err
	}
	live := reader.Live(ctx, stack.Items)
	d := &drift{Stack: stack.Name, Differences: differences(inventory.Compare(stack.Items, live)),
		Rules: divergences(rules.NewSuite(checks...), inventory.Set(stack.Items, nil, stack.Region), inventory.Set(live, nil, stack.Region))}
	if err := d.write(o.app); err != nil {
		return err
	}
	if n := d.certain(); n > 0 || len(d.Rules) > 0 {
		return &app.ExitError{Code: app.ExitFailure, Err: fmt.Errorf("%d differences", n), Silent: true}
	}
	return nil
}

func differences(all []inventory.Difference) []difference {
	out := []difference{}
	for _, d := range all {
		if id, _, _ := strings.Cut(d.ID, "/"); appraisal.Own(id) {
			continue
		}
		out = append(out, difference{Resource: d.ID, Type: d.Type, Path: d.Path, Kind: d.Kind.String(), Template: shown(d, d.Desired), Live: shown(d, d.Live), Reason: d.Reason})
	}
	return out
}

// hidden stands for a value that may be secret.
const hidden = "(not shown)"

// secret are the parts of paths below which values may be secret.
var secret = map[string]bool{"Environment": true, "Variables": true, "StageVariables": true, "SecretString": true}

// shown is a value as a person reads it. That of a whole resource is its name alone, and what may be secret is never shown.
func shown(d inventory.Difference, n *cfn.Node) string {
	if n == nil || d.Path == "" {
		return ""
	}
	for _, part := range strings.Split(d.Path, ".") {
		if secret[part] {
			return hidden
		}
	}
	if text, ok := n.Scalar(); ok {
		return text
	}
	text, err := masked(n).MarshalJSON()
	if err != nil {
		return n.Kind.String()
	}
	return string(text)
}

// masked is a value without what may be secret.
func masked(n *cfn.Node) *cfn.Node {
	out := n.Clone()
	out.Walk(func(_ []string, at *cfn.Node) bool {
		for i := range at.Pairs {
			if secret[at.Pairs[i].Key] {
				at.Pairs[i].Value = cfn.Str(hidden)
			}
		}
		return true
	})
	return out
}

// divergences judges both sets, and returns where they differ.
func divergences(suite *rules.Suite, desired, live *rules.Set) []divergence {
	type pair struct{ rule, resource string }
	before := map[pair]rules.Verdict{}
	for _, v := range suite.Judge(desired) {
		before[pair{v.Rule, v.Resource}] = v
	}
	out := []divergence{}
	for _, v := range suite.Judge(live) {
		old, both := before[pair{v.Rule, v.Resource}]
		// A template may leave open what the live resource tells: that is no difference.
		if !both || old.Compliance == v.Compliance || old.Compliance == rules.InsufficientData || v.Compliance == rules.InsufficientData || appraisal.Own(v.Resource) {
			continue
		}
		out = append(out, divergence{v.Rule, v.Resource, v.Type, old.Compliance.String(), v.Compliance.String(), v.Reason})
	}
	return out
}

// certain counts the differences that are known to be some.
func (d *drift) certain() int {
	n := 0
	for _, one := range d.Differences {
		if one.Kind != inventory.Undetermined.String() {
			n++
		}
	}
	return n
}

func (d *drift) write(a *app.App) error {
	if a.JSON() {
		return a.WriteJSON(d)
	}
	style := ui.NewStyle(a.Color() && a.OutTTY)
	_, err := fmt.Fprintf(a.Out, "Stack %s: %d differences from its template, %d that cannot be told, %d rules that judge otherwise\n", d.Stack, d.certain(),
		len(d.Differences)-d.certain(), len(d.Rules))
	if len(d.Differences) > 0 {
		var rows [][]string
		for _, one := range d.Differences {
			rows = append(rows, []string{one.Resource, one.Path, one.Kind, one.Template, one.Live, one.Reason})
		}
		_, lineErr := fmt.Fprintln(a.Out)
		err = errors.Join(err, lineErr, ui.Table(a.Out, style, []string{"Resource", "Property", "Kind", "Template", "Live", "Why"}, rows, nil))
	}
	if len(d.Rules) > 0 {
		var rows [][]string
		for _, one := range d.Rules {
			rows = append(rows, []string{one.Resource, one.Rule, one.Template, one.Live, one.Reason})
		}
		_, lineErr := fmt.Fprintln(a.Out)
		err = errors.Join(err, lineErr, ui.Table(a.Out, style, []string{"Resource", "Rule", "Template", "Live", "Why"}, rows, nil))
	}
	return err
}
