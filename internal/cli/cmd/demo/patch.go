package demo

import (
	"fmt"

	"evo/examples/shop"
	"evo/internal/cfn"
)

// patched returns the template with a release's change.
func patched(template *cfn.Node, r shop.Release) (*cfn.Node, error) {
	text, err := r.Patch()
	if err != nil {
		return nil, fmt.Errorf("read the change of release %s: %w", r.Name, err)
	}
	patch, err := cfn.Parse(r.File, text)
	if err != nil {
		return nil, fmt.Errorf("read the change of release %s: %w", r.Name, err)
	}
	out := template.Clone()
	merge(out, patch)
	return out, nil
}

// merge changes a map as a patch says: maps are merged, null removes, and any other value takes the old one's place (RFC 7396).
func merge(target, patch *cfn.Node) {
	for _, p := range patch.Entries() {
		switch {
		case p.Value.IsNull():
			target.Delete(p.Key)
		case p.Value.Is(cfn.Map) && target.Get(p.Key).Is(cfn.Map):
			merge(target.Get(p.Key), p.Value)
		default:
			target.Set(p.Key, p.Value.Clone())
		}
	}
}
