package deploy

import (
	"sync"

	"evo/internal/appraisal/desired"
	"evo/internal/cfn"
	"evo/internal/cli/app"
	"evo/internal/engine"
)

// located gives the stack's events the line of the template at path that their resource comes from, also for what SAM makes.
func (o *options) located(emit func(engine.Event), path string, parameters map[string]string) func(engine.Event) {
	read := sync.OnceValue(func() *cfn.Template { return o.transformed(path, parameters) })
	return func(e engine.Event) {
		if e.Stack != nil && e.Stack.Stack == o.stack {
			if t := read(); t != nil {
				if r := t.Resource(e.Stack.LogicalID); r != nil && r.Span.IsValid() {
					e.Stack.File, e.Stack.Line = o.app.Short(path), int(r.Span.Start.Line)
				}
			}
		}
		emit(e)
	}
}

// transformed is the template as SAM makes it; nil if that cannot be known here.
func (o *options) transformed(path string, parameters map[string]string) *cfn.Template {
	root, _, err := app.ReadTemplate(path)
	if err != nil {
		return nil
	}
	t, err := desired.Read(root, desired.Surroundings{Region: o.app.Region, Stack: o.stack, Parameters: parameters, Now: o.app.Now()})
	if err != nil {
		return nil
	}
	return t.Transformed
}
