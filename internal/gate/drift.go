package gate

import "evo/internal/cfn"

// measured is how often the hook measures between releases, and day the same in seconds.
const (
	measured = "rate(1 day)"
	day      = 86400
)

// schedule has the hook measure.
func schedule() *cfn.Node {
	return cfn.Obj(
		cfn.P("Type", cfn.Str("AWS::Events::Rule")),
		cfn.P("Properties", cfn.Obj(
			cfn.P("Description", cfn.Str("Has evo's fitness hook measure the stack between releases")),
			cfn.P("ScheduleExpression", cfn.Str(measured)),
			cfn.P("Targets", cfn.Arr(cfn.Obj(cfn.P("Id", cfn.Str("fitness")), cfn.P("Arn", attribute(HookID, "Arn"))))),
		)))
}

func permission() *cfn.Node {
	return cfn.Obj(
		cfn.P("Type", cfn.Str("AWS::Lambda::Permission")),
		cfn.P("Properties", cfn.Obj(
			cfn.P("FunctionName", attribute(HookID, "Arn")),
			cfn.P("Action", cfn.Str("lambda:InvokeFunction")),
			cfn.P("Principal", cfn.Str("events.amazonaws.com")),
			cfn.P("SourceArn", attribute(ScheduleID, "Arn")),
		)))
}

// alarmText tells whoever sees the alarm what it means, and what to do.
const alarmText = "Stack ${AWS::StackName} has drifted: it is less fit than its last accepted release was, by more than the tolerance, though nothing was released. " +
	"Something was changed past evo, can no longer be measured, or has come due. " +
	"What differs from the template: evo check --compare --stack-name ${AWS::StackName}. " +
	"What the release was worth, as a sum: evo fitness --stack-name ${AWS::StackName} --explain"

// alarm compares the best measurement of a day with what the gate has accepted: neither a release that was refused nor a stack that was
// measured in the middle of an update raises it, and a measurement that is good again ends it. What drifts is told within a day all the
// same: after that, no measurement from before is left. The gate comes first, since the threshold is its answer.
func alarm() *cfn.Node {
	return cfn.Obj(
		cfn.P("Type", cfn.Str("AWS::CloudWatch::Alarm")),
		cfn.P("Properties", cfn.Obj(
			cfn.P("AlarmDescription", sub(alarmText)),
			cfn.P("Namespace", cfn.Str(Namespace)),
			cfn.P("MetricName", cfn.Str(Metric)),
			cfn.P("Dimensions", cfn.Arr(cfn.Obj(cfn.P("Name", cfn.Str("Stack")), cfn.P("Value", cfn.Ref("AWS::StackName"))))),
			cfn.P("Statistic", cfn.Str("Maximum")),
			cfn.P("Period", cfn.Integer(day)),
			cfn.P("EvaluationPeriods", cfn.Integer(1)),
			cfn.P("ComparisonOperator", cfn.Str("LessThanThreshold")),
			cfn.P("Threshold", attribute(GateID, Threshold)),
			cfn.P("TreatMissingData", cfn.Str("notBreaching")),
		)))
}
