package cloudformation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"evo/internal/cfn"
	"evo/internal/cloud/store"
)

// imported reads an export for Fn::ImportValue.
func (s *Service) imported(name string) (v *cfn.Node, err error) {
	s.cfg.Store.View(func(tx *store.Tx) {
		e, ok := s.exports.Get(tx, name)
		if !ok {
			err = fmt.Errorf("No export named %s found.", name)
			return
		}
		v = cfn.Str(e.Value)
	})
	return v, err
}

// publish makes a stack's exports and imports what they are now. It refuses a name that another stack exports, and to change
// what another imports.
func (s *Service) publish(tx *store.Tx, stackID string, outs []output, imports map[string]bool) error {
	now := map[string]string{}
	for _, o := range outs {
		if o.Export == "" {
			continue
		}
		if e, ok := s.exports.Get(tx, o.Export); ok && e.Stack != stackID {
			return fmt.Errorf("Export with name %s is already exported by stack %s. Rename export and retry", o.Export, s.nameOf(tx, e.Stack))
		}
		now[o.Export] = o.Value
	}
	if used := s.exportInUse(tx, stackID, now); used != "" {
		return fmt.Errorf("%s", used)
	}
	for name, e := range s.exports.Ascend(tx, "") {
		if _, still := now[name]; e.Stack == stackID && !still {
			s.exports.Delete(tx, name)
		}
	}
	for name, value := range now {
		s.exports.Put(tx, name, export{Value: value, Stack: stackID})
	}
	for k := range s.imports.Ascend(tx, "") {
		if name, by, _ := cutImport(k); by == stackID && !imports[name] {
			s.imports.Delete(tx, k)
		}
	}
	for name := range imports {
		s.imports.Put(tx, name+"|"+stackID, true)
	}
	return nil
}

// importsOf are the exports that a stack imports.
func (s *Service) importsOf(tx *store.Tx, stackID string) map[string]bool {
	names := map[string]bool{}
	for k := range s.imports.Ascend(tx, "") {
		if name, by, _ := cutImport(k); by == stackID {
			names[name] = true
		}
	}
	return names
}

// cutImport takes a key of imports apart: stack ids hold no bar, names of exports might.
func cutImport(k string) (name, stackID string, ok bool) {
	i := strings.LastIndex(k, "|")
	if i < 0 {
		return "", "", false
	}
	return k[:i], k[i+1:], true
}

// exportInUse says which export of a stack cannot go or change because another stack imports it, or "".
func (s *Service) exportInUse(tx *store.Tx, stackID string, now map[string]string) string {
	for name, e := range s.exports.Ascend(tx, "") {
		value, still := now[name]
		if e.Stack != stackID || still && value == e.Value {
			continue
		}
		users := s.importers(tx, name, stackID)
		if len(users) == 0 {
			continue
		}
		verb := "deleted"
		if still {
			verb = "updated"
		}
		return fmt.Sprintf("Export %s cannot be %s as it is in use by %s", name, verb, listed(users))
	}
	return ""
}

// listed words some names: "a, b and c".
func listed(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// importers are the names of the stacks that import an export.
func (s *Service) importers(tx *store.Tx, export, but string) []string {
	users := map[string]bool{}
	for k := range s.imports.Prefix(tx, export+"|") {
		if name, by, ok := cutImport(k); ok && name == export && by != but {
			users[s.nameOf(tx, by)] = true
		}
	}
	return slices.Sorted(maps.Keys(users))
}

func (s *Service) nameOf(tx *store.Tx, stackID string) string {
	st, _ := s.stacks.Get(tx, stackID)
	return st.Name
}

// ListExports implements the API's operation.
func (s *Service) ListExports(_ context.Context, in *cloudformation.ListExportsInput) (*cloudformation.ListExportsOutput, error) {
	var all []types.Export
	s.cfg.Store.View(func(tx *store.Tx) {
		for name, e := range s.exports.Ascend(tx, "") {
			all = append(all, types.Export{Name: aws.String(name), Value: aws.String(e.Value), ExportingStackId: aws.String(e.Stack)})
		}
	})
	items, next, err := page(all, in.NextToken)
	return &cloudformation.ListExportsOutput{Exports: items, NextToken: next}, err
}

// ListImports implements the API's operation.
func (s *Service) ListImports(_ context.Context, in *cloudformation.ListImportsInput) (*cloudformation.ListImportsOutput, error) {
	var all []string
	s.cfg.Store.View(func(tx *store.Tx) { all = s.importers(tx, aws.ToString(in.ExportName), "") })
	if len(all) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", aws.ToString(in.ExportName))
	}
	items, next, err := page(all, in.NextToken)
	return &cloudformation.ListImportsOutput{Imports: items, NextToken: next}, err
}
