package measure

import (
	"maps"
	"slices"
	"strings"

	"evo/internal/cfn"
	"evo/internal/fitness/suitefile"
	"evo/internal/inventory"
)

// Actions lists the permissions that [Measurer.Measure] takes for a suite and a stack with these items, whether or not it has been made:
// they may come from a template. As in [inventory.Actions], ARNs refer to the stack's resources by logical id where refer allows it (nil:
// always); where it does not, a * stands for the name.
func Actions(file *suitefile.File, items []*inventory.Item, refer func(logicalID string) bool) []inventory.Statement {
	functions := map[string]*cfn.Node{}
	metrics := len(metricsOfChecks(file)) > 0
	resources := namesOf(items)
	for _, f := range file.Suite.Functions {
		call, isCall := file.Measures[f.ID].(suitefile.Call)
		metrics = metrics || suitefile.Live(file.Measures[f.ID]) && !isCall
		if it := resources[call.Function]; isCall && it != nil && it.Type == functionType {
			arn := "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + ref(it, refer)
			functions[arn], functions[arn+":*"] = sub(arn), sub(arn+":*")
		}
	}
	var statements []inventory.Statement
	if metrics { // there is no permission for one metric
		statements = append(statements, inventory.Statement{Actions: []string{"cloudwatch:GetMetricData"}, Resources: []*cfn.Node{cfn.Str("*")}})
	}
	if len(functions) == 0 {
		return statements
	}
	s := inventory.Statement{Actions: []string{"lambda:InvokeFunction"}}
	for _, arn := range slices.Sorted(maps.Keys(functions)) {
		s.Resources = append(s.Resources, functions[arn])
	}
	statements = append(statements, s)
	if slices.ContainsFunc(items, func(it *inventory.Item) bool { return it.Type == "AWS::CodeDeploy::Application" }) { // a deployment's targets are no resources to IAM
		statements = append(statements, inventory.Statement{Actions: []string{"codedeploy:GetDeploymentTarget", "codedeploy:ListDeploymentTargets"}, Resources: []*cfn.Node{cfn.Str("*")}})
	}
	return statements
}

// ref is a resource's name within Fn::Sub.
func ref(it *inventory.Item, refer func(string) bool) string {
	switch {
	case it.PhysicalID != "":
		return it.PhysicalID
	case strings.Contains(it.ID, "/") || refer != nil && !refer(it.ID):
		return "*" // another stack's, or one that needs the role
	}
	return "${" + it.ID + "}"
}

func sub(pattern string) *cfn.Node { return cfn.Obj(cfn.P("Fn::Sub", cfn.Str(pattern))) }
