package rules

var lambdaPermissionInvokeFunctionAction = Rule{
	Name: "lambda-permission-invoke-function-action", Identifier: "LAMBDA_PERMISSION_INVOKE_FUNCTION_ACTION", Source: Registry,
	Summary: "permissions allow lambda:InvokeFunction and nothing else",
	Remedy:  "set Action to lambda:InvokeFunction",
	Types:   []string{"AWS::Lambda::Permission"}, Trigger: OnChange, Scope: Template,
	judge:    judgeLambdaPermissionInvokeFunctionAction,
	registry: &registryReading{nag: []string{"W24"}},
}

func judgeLambdaPermissionInvokeFunctionAction(s *subject) Verdict {
	action := s.at("Action")
	for i := range action.len() {
		one := action.item(i)
		if v := verdictOf(one.oneOf("lambda:InvokeFunction"), one, "should be lambda:InvokeFunction"); v.Compliance != Compliant {
			return v
		}
	}
	return compliant(action)
}
