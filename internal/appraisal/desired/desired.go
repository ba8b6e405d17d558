// Package desired answers: which architecture does a template ask for? It transforms and evaluates the template as far as that can be done
// before there is a stack. It stands beside appraisal, and not in it, since the fitness hook has a stack and can do without the transforms.
package desired

import (
	"fmt"
	"maps"
	"time"

	"evo/internal/appraisal"
	"evo/internal/cfn"
	"evo/internal/gate"
	"evo/internal/rules"
	"evo/internal/sam"
)

// Surroundings are what a template's values depend on, as far as it is known before there is a stack.
type Surroundings struct {
	Region     string // us-east-1 if empty
	Stack      string // its name; empty if it is not known
	Account    string // its id; empty if it is not known
	Parameters map[string]string
	Now        time.Time // for APIs that are to be deployed every time
}

// Template is a template that has been transformed and evaluated as far as it can be.
type Template struct {
	appraisal.Architecture
	Transformed *cfn.Template
}

// Read transforms a template, and evaluates it with the parameters' values, their defaults, or nothing: what depends on a parameter that has
// neither is unknown. Local paths are as good as uploaded ones. The error is the template's: a *sam.Error or source.Diagnostics.
func Read(root *cfn.Node, around Surroundings) (*Template, error) {
	env := cfn.Env{Region: around.Region, Partition: partition(around.Region), StackName: around.Stack, AccountID: around.Account,
		Parameters: around.Parameters}
	if env.Region == "" {
		env.Region = "us-east-1"
	}
	extended, err := cfn.Extend(root, env)
	if err != nil {
		return nil, err
	}
	full := extended
	if sam.IsSAM(extended) {
		full, err = sam.Transform(extended, sam.Options{Region: env.Region, Parameters: around.Parameters, Now: around.Now,
			Applications: sam.Unasked{}, LocalPaths: true, PassMetadata: true})
		if err != nil {
			return nil, err
		}
	}
	t, err := cfn.ReadTemplate(full)
	if err != nil {
		return nil, err
	}
	env.Parameters = withDefaults(t, around.Parameters)
	set, err := rules.FromTemplate(t, env)
	if err != nil {
		return nil, fmt.Errorf("evaluate the template: %w", err)
	}
	return &Template{appraisal.Architecture{Authored: extended, Full: full, Desired: set}, t}, nil
}

// Resources are those of the transformed template.
func (t *Template) Resources() []gate.Resource {
	var out []gate.Resource
	for _, r := range t.Transformed.Resources {
		out = append(out, gate.Resource{ID: r.ID, Type: r.Type})
	}
	return out
}

func withDefaults(t *cfn.Template, given map[string]string) map[string]string {
	values := maps.Clone(given)
	if values == nil {
		values = map[string]string{}
	}
	for _, p := range t.Parameters {
		switch _, ok := values[p.Name]; {
		case p.IsStored():
			delete(values, p.Name) // the value names an entry of Parameter Store, and only that has what counts
		case !ok && p.Default != nil:
			values[p.Name] = *p.Default
		}
	}
	return values
}

func partition(region string) string {
	switch {
	case len(region) > 3 && region[:3] == "cn-":
		return "aws-cn"
	case len(region) > 7 && region[:7] == "us-gov-":
		return "aws-us-gov"
	}
	return "aws"
}
