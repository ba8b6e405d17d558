package sam

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"evo/internal/cfn"
	"evo/internal/source"
)

// Facts about AWS that the transform needs, as data: which managed policies there are in each partition, what SAM's policy
// templates stand for, and what connectors grant between two types of resources.

//go:embed data/managed_policies.txt
var managedPoliciesText string

//go:embed data/policy_templates.json
var policyTemplatesText []byte

//go:embed data/connectors.json
var connectorsText []byte

// managedPolicies maps "partition name" to the path of a managed policy. The file has a line for each group (the partitions in
// which its policies are, and their path), and under it a line for each name.
var managedPolicies = sync.OnceValue(func() map[string]string {
	paths := map[string]string{}
	var partitions []string
	path := ""
	for line := range strings.Lines(managedPoliciesText) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "\t"); ok {
			for _, p := range partitions {
				paths[p+" "+name] = path + name
			}
			continue
		}
		group, rest, _ := strings.Cut(line, ": ")
		partitions, path = strings.Fields(group), strings.TrimPrefix(rest, "/")
	}
	return paths
})

// managedPolicyPath is the path and name of an AWS managed policy, "" if a partition has none of that name.
func managedPolicyPath(partition, name string) string { return managedPolicies()[partition+" "+name] }

// noPlace is the place of what nobody wrote.
var noPlace source.Span

// dataValue reads embedded data. It is never changed: clone what is put into a template.
func dataValue(name string, text []byte) *value {
	n, err := cfn.ParseValue(name, text)
	if err != nil {
		panic(fmt.Sprintf("sam: embedded data: %v", err)) // a test reads all of it
	}
	v := fromNode(n)
	v.settle()
	return v
}

// settle makes v a value that nobody wrote into a template, and that several transforms may read at once: nothing is left that is found
// out when it is first asked for.
func (v *value) settle() {
	v.span = noPlace
	for _, item := range v.items {
		item.settle()
	}
	if v.isMap() {
		for i := range v.fields.list {
			v.fields.list[i].span = noPlace
			v.fields.list[i].value.settle()
		}
		if len(v.fields.list) > smallMap {
			v.fields.reindex()
		}
		v.fields.shared = true
	}
}

var policyTemplates = sync.OnceValue(func() *value { return dataValue("policy_templates.json", policyTemplatesText) })

var connectorData = sync.OnceValue(func() *value { return dataValue("connectors.json", connectorsText) })
