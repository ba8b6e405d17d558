package rules

import (
	"strconv"
	"strings"

	"evo/internal/rules/value"
)

var dynamodbAutoscalingEnabled = Rule{
	Name: "dynamodb-autoscaling-enabled", Identifier: "DYNAMODB_AUTOSCALING_ENABLED", Source: Managed,
	Summary: "the table is on demand, or the capacity of it and of its global secondary indexes scales by itself",
	Remedy:  "set BillingMode to PAY_PER_REQUEST, or add a ScalableTarget and a target tracking ScalingPolicy for reads and writes of the table and each index",
	Types:   []string{"AWS::DynamoDB::Table"}, Trigger: Periodic, Scope: Template,
	Parameters: []Parameter{
		{Name: "minProvisionedReadCapacity", Kind: IntParameter, About: "the least that MinCapacity of reads may be"},
		{Name: "maxProvisionedReadCapacity", Kind: IntParameter, About: "the most that MaxCapacity of reads may be"},
		{Name: "targetReadUtilization", Kind: DoubleParameter, About: "the most that the target utilization of reads may be, in percent"},
		{Name: "minProvisionedWriteCapacity", Kind: IntParameter, About: "the least that MinCapacity of writes may be"},
		{Name: "maxProvisionedWriteCapacity", Kind: IntParameter, About: "the most that MaxCapacity of writes may be"},
		{Name: "targetWriteUtilization", Kind: DoubleParameter, About: "the most that the target utilization of writes may be, in percent"},
	},
	judge: judgeDynamoDBAutoscalingEnabled,
}

func judgeDynamoDBAutoscalingEnabled(s *subject) Verdict {
	mode := s.at("BillingMode")
	switch mode.oneOf("PAY_PER_REQUEST") {
	case yes:
		return compliant(mode)
	case unknown:
		return unresolved(mode)
	}
	indexes := s.at("GlobalSecondaryIndexes")
	if indexes.open {
		return unresolved(indexes)
	}
	worst := s.wantScaling("table", "")
	for i := range indexes.len() {
		name := indexes.item(i)
		if !name.open {
			name = name.in("IndexName")
		}
		text, ok := value.Of(name.node)
		if !ok {
			return unresolved(name)
		}
		if v := s.wantScaling("index", string(text)); v.Compliance > worst.Compliance {
			worst = v
		}
	}
	return worst
}

// wantScaling is the rule that reads and writes of the table, or of one of its indexes, scale.
func (s *subject) wantScaling(kind, index string) Verdict {
	worst := Verdict{}
	for _, way := range []string{"Read", "Write"} {
		v := s.wantScalingOf(kind, index, way)
		if v.Compliance > worst.Compliance {
			worst = v
		}
	}
	return worst
}

func (s *subject) wantScalingOf(kind, index, way string) Verdict {
	what := strings.ToLower(way) + "s of the table"
	if index != "" {
		what = strings.ToLower(way) + "s of the index " + value.Text(index).String()
	}
	dimension := "dynamodb:" + kind + ":" + way + "CapacityUnits"
	mode := s.at("BillingMode")
	target := s.scaling("AWS::ApplicationAutoScaling::ScalableTarget", dimension, index)
	policy := s.scaling("AWS::ApplicationAutoScaling::ScalingPolicy", dimension, index)
	switch {
	case target != nil && policy != nil:
		return s.wantBounds(target, policy, way, what)
	case s.mayHave("AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy") != nil:
		return s.unresolvedTarget(s.mayHave("AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"))
	case target == nil:
		return nonCompliantBecause(mode, "BillingMode "+mode.shown()+", and no ScalableTarget scales the "+what)
	}
	return nonCompliantBecause(mode, "BillingMode "+mode.shown()+", and no ScalingPolicy scales the "+what)
}

// scaling finds the target or policy of one dimension of the table or its index. A policy may leave dimension and resource to
// its target.
func (s *subject) scaling(typ, dimension, index string) *Item {
	for _, it := range s.attachedOf(typ) {
		of := it
		if ref := it.Properties.Get("ScalingTargetId"); ref != nil {
			if of, _ = s.set.target(ref, []string{"AWS::ApplicationAutoScaling::ScalableTarget"}); of == nil {
				continue
			}
		}
		id, _ := value.Of(of.Properties.Get("ResourceId"))
		_, suffix, _ := strings.Cut(string(id), "/index/")
		if of.Properties.Get("ScalableDimension").Str() == dimension && suffix == index {
			return it
		}
	}
	return nil
}

// wantBounds holds target and policy against the parameters.
func (s *subject) wantBounds(target, policy *Item, way, what string) Verdict {
	for _, bound := range []struct {
		parameter string
		of        *Item
		path      string
		least     bool
	}{
		{"minProvisioned" + way + "Capacity", target, "MinCapacity", true},
		{"maxProvisioned" + way + "Capacity", target, "MaxCapacity", false},
		{"target" + way + "Utilization", policy, "TargetTrackingScalingPolicyConfiguration.TargetValue", false},
	} {
		a := s.arg(bound.parameter)
		if !a.set {
			continue
		}
		p := follow(bound.of.Properties, bound.path)
		p.path = bound.of.ID + "." + bound.path
		n, known := p.number()
		switch {
		case known == unknown:
			return unresolved(p)
		case known == no, bound.least && n < a.number, !bound.least && n > a.number:
			return nonCompliant(p, bound.parameter+" is "+strconv.FormatFloat(a.number, 'f', -1, 64))
		}
	}
	return compliantBecause(property{path: "BillingMode", span: s.Span}, "auto scaling covers the "+what)
}
