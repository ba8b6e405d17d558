// Package diagnose answers: what is wrong with a template, and where in its author's file? It finds, without an account, what SAM and
// CloudFormation would refuse: in the template as it is written, and in what SAM makes of it. What only deployment can tell is held
// against nothing.
package diagnose

import (
	"errors"
	"strings"
	"time"

	"evo/internal/cfn"
	"evo/internal/sam"
	"evo/internal/source"
)

// Options are what a template is checked with.
type Options struct {
	Text       []byte            // of the template, so that places within its strings can be shown; may be nil
	Region     string            // us-east-1 if empty
	Parameters map[string]string // values; those not given have their defaults
	Now        time.Time

	// Prepare changes a copy of the template before SAM reads it: it stands in for packaging. nil for nothing.
	Prepare func(*cfn.Node)
	// Kept is for a template of a stack that may exist: parameters that are not given may have other values than their defaults.
	Kept bool
}

// Result is what is known of a template.
type Result struct {
	Diagnostics source.Diagnostics // in the order of the file
	SAM         *sam.Error         // why SAM refuses the template; nil if it does not
	Opaque      bool               // a macro makes something else of it, and only CloudFormation knows what
}

// Template checks a template, as cfn.Parse returns it.
func Template(root *cfn.Node, o Options) Result {
	c := &checker{o: o, authored: root, paths: cfn.Paths(root), seen: map[finding]bool{}}
	var r Result
	if r.Opaque = opaque(root, o.Kept); r.Opaque {
		c.macros()
	} else {
		r.SAM = c.template()
	}
	c.found.Sort()
	r.Diagnostics = c.found
	return r
}

// opaque reports whether a template, or one of its sections as a whole, is made by macros other than those that are understood here. Of a
// stack that exists, a loop may go over what only the stack knows: parameters that keep their values.
func opaque(root *cfn.Node, kept bool) bool {
	names := root.Get("Transform").List()
	if len(names) == 0 && root.Has("Transform") {
		names = []*cfn.Node{root.Get("Transform")}
	}
	for _, n := range names {
		if s := n.Str(); s != serverless && s != cfn.Extensions {
			return true
		}
	}
	found := false
	root.Walk(func(path []string, n *cfn.Node) bool {
		for _, key := range n.Keys() {
			found = found || key == "Fn::Transform" && len(path) < 3 || kept && strings.HasPrefix(key, "Fn::ForEach::")
		}
		return !found
	})
	return found
}

const serverless = "AWS::Serverless-2016-10-31"

// macros checks what macros leave alone: the parameters, which have their values before any macro runs.
func (c *checker) macros() {
	only := cfn.Obj(cfn.P("Resources", cfn.Obj(cfn.P("Any", cfn.Obj(cfn.P("Type", cfn.Str("Custom::Any")))))))
	if c.authored.Has("Parameters") {
		only.Set("Parameters", c.authored.Get("Parameters"))
	}
	t, problems := cfn.ReadSections(only)
	c.t = t
	c.form(problems)
	c.parameters()
}

// template writes loops out, has SAM transform the template, and checks the result; where SAM refuses it, what can be known without.
func (c *checker) template() *sam.Error {
	extended, err := cfn.Extend(c.authored, cfn.Env{Region: c.o.Region, Partition: "aws", Parameters: c.o.Parameters})
	if err != nil {
		var ds source.Diagnostics
		errors.As(err, &ds)
		c.form(ds)
		if extended == nil {
			return nil
		}
		c.unwritten = ds
		extended, c.loops = withoutLoops(extended)
	}
	full := extended
	var refused *sam.Error
	if c.sam = sam.IsSAM(extended); c.sam {
		full = extended.Clone()
		if c.o.Prepare != nil {
			c.o.Prepare(full)
		}
		out, err := sam.Transform(full, sam.Options{Region: c.o.Region, Parameters: c.o.Parameters, Now: c.o.Now, Applications: sam.Unasked{}})
		if e, ok := sam.AsError(err); ok {
			refused, c.half = e, true
			for _, d := range e.Diagnostics("") {
				c.add(d)
			}
		} else {
			full = out
		}
	}
	var problems source.Diagnostics
	c.t, problems = cfn.ReadSections(full)
	c.form(problems)
	c.sections()
	return refused
}

// withoutLoops leaves out the loops of a template that could not be written out.
func withoutLoops(root *cfn.Node) (left *cfn.Node, some bool) {
	left = root.Clone()
	left.Walk(func(_ []string, n *cfn.Node) bool {
		for _, key := range n.Keys() {
			if strings.HasPrefix(key, "Fn::ForEach::") {
				n.Delete(key)
				some = true
			}
		}
		return true
	})
	return left, some
}
