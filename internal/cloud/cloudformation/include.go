package cloudformation

import (
	"context"
	"fmt"
	"strings"

	"evo/internal/cfn"
	"evo/internal/cloud/objecturl"
)

const includeTransform = "AWS::Include"

// include puts files out of S3 where a template asks for them with AWS::Include: beside the entries of the map in which
// Fn::Transform stands, or of the whole template. It works from the inside out, on a copy.
func (s *Service) include(ctx context.Context, root *cfn.Node, given map[string]string) (*cfn.Node, error) {
	found := false
	root.Walk(func(_ []string, n *cfn.Node) bool {
		found = found || isInclude(n.Get("Fn::Transform")) || isInclude(n.Get("Transform"))
		return !found
	})
	if !found {
		return root, nil
	}
	e, err := s.locations(root, given)
	if err != nil {
		return nil, err
	}
	root = root.Clone()
	i := includer{s: s, ctx: ctx, e: e}
	if err := i.inside(root); err != nil {
		return nil, err
	}
	if t := root.Get("Transform"); isInclude(t) {
		root.Delete("Transform")
		if err := i.merge(root, t); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// isInclude reports whether a transform's definition is an include.
func isInclude(n *cfn.Node) bool { return n.Get("Name").Str() == includeTransform }

// locations makes an evaluator that knows parameters and mappings, which is what a location may depend on.
func (s *Service) locations(root *cfn.Node, given map[string]string) (*cfn.Evaluator, error) {
	only := cfn.Obj(cfn.P("Resources", cfn.Obj(cfn.P("None", cfn.Obj(cfn.P("Type", cfn.Str("None")))))))
	for _, section := range []string{"Parameters", "Mappings", "Conditions"} {
		if n := root.Get(section); n != nil {
			only.Set(section, n)
		}
	}
	t, err := cfn.ReadTemplate(only)
	if err != nil {
		return nil, refuse(err)
	}
	values, err := t.ResolveParameters(given)
	if err != nil {
		return nil, refuse(err)
	}
	return cfn.NewEvaluator(t, s.env("", "", definition{Parameters: values})), nil
}

type includer struct {
	s   *Service
	ctx context.Context
	e   *cfn.Evaluator
}

// inside includes in everything below n, and then in n.
func (i includer) inside(n *cfn.Node) error {
	for _, it := range n.Items {
		if err := i.inside(it); err != nil {
			return err
		}
	}
	for _, p := range n.Pairs {
		if err := i.inside(p.Value); err != nil {
			return err
		}
	}
	t := n.Get("Fn::Transform")
	if !isInclude(t) {
		return nil
	}
	n.Delete("Fn::Transform")
	return i.merge(n, t)
}

// merge adds the entries of the file that t names to n.
func (i includer) merge(n, t *cfn.Node) error {
	fail := func(format string, args ...any) error {
		return &transformFailure{"Transform " + includeTransform + " failed with: " + fmt.Sprintf(format, args...)}
	}
	location, err := i.e.Eval(t.At("Parameters", "Location"))
	if err != nil {
		return fail("%s", wording(err))
	}
	where := location.Str()
	if where == "" || !cfn.Known(location) {
		return fail("The location parameter is not known: it must be the URL of an object in S3.")
	}
	object, _ := objecturl.Parse(where)
	text, err := i.s.fetch(i.ctx, where)
	if err != nil {
		if strings.Contains(wording(err), "does not exist") && strings.Contains(wording(err), "bucket") {
			return fail("S3 bucket [%s] does not exist.", object.Bucket)
		}
		return fail("%s", wording(err))
	}
	part, err := cfn.Parse(where, []byte(text))
	if err != nil {
		return fail("The specified S3 object's content should be valid Yaml/JSON")
	}
	for _, p := range part.Pairs {
		if !n.Has(p.Key) {
			n.Set(p.Key, p.Value)
		}
	}
	return nil
}
