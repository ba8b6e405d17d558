package sam

import (
	"evo/internal/cfn"
	"evo/internal/source"
)

// Problems are what the tables of properties find in a template, also in one that can be transformed.
func Problems(template *cfn.Node, opts Options) source.Diagnostics {
	t := newTransformer(fromNode(template), opts)
	_ = catchError(t.run)
	return t.find().found
}
