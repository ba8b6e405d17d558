package release

import (
	"evo/internal/cfn"
)

// referable tells which of the template's resources the fitness hook's role may name. An alias whose updates CodeDeploy carries out waits for
// its hook, and so for the hook's role: naming the alias, or what needs it, would close a circle.
func referable(t *cfn.Template) func(logicalID string) bool {
	graph, err := cfn.NewEvaluator(t, cfn.Env{}).Graph()
	if err != nil {
		return func(string) bool { return false }
	}
	waits := map[string]bool{}
	for _, id := range graph.Order { // each after those that it needs
		waits[id] = t.Resource(id).UpdatePolicy.Has("CodeDeployLambdaAliasUpdate")
		for _, need := range graph.Needs[id] {
			waits[id] = waits[id] || waits[need]
		}
	}
	return func(logicalID string) bool {
		later, known := waits[logicalID]
		return known && !later
	}
}
