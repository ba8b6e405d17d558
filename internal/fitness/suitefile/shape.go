package suitefile

import (
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
)

// kind is what a value of the file may be.
type kind uint8

const (
	anything kind = iota
	textKind
	numberKind   // in [least, most], where these are given
	flagKind     // true or false
	wordKind     // one of words
	severityKind // one of words, or a positive number
	dayKind      // 2027-03-31
	statKind     // one of CloudWatch's statistics
	spanKind     // 30s, 5m, 2h, 90d
	quantityKind // a number, or one with a unit: 200ms, 99.9%, 5MB
	targetKind   // a quantity, or {expression: …}
	objectKind   // exactly the fields
	mapKind      // any keys, each with a value like each
	listKind
)

// shape describes a value of the file. The reader checks a file against it, and the JSON Schema is made of it, so that the two
// cannot tell different things.
type shape struct {
	kind        kind
	doc         string
	words       []string
	least, most string // bounds of a number; empty for none
	fields      []field
	each        *shape
}

type field struct {
	name     string
	required bool
	shape
}

var severities = map[string]exact.Decimal{"critical": fitness.Critical, "high": fitness.High, "medium": fitness.Medium, "low": fitness.Low}

// fileShape is fitness.yaml.
var fileShape = &shape{kind: objectKind, doc: "What releases of an application are held to.", fields: []field{
	{"characteristics", false, shape{kind: mapKind, doc: "The characteristics and their part in the loss. Those not named keep their defaults.", each: &characteristicShape}},
	{"functions", false, shape{kind: mapKind, doc: "Fitness functions by name: those of the catalogue, and your own.", each: &functionShape}},
	{"metrics", false, shape{kind: mapKind, doc: "CloudWatch metrics by the names that expressions use.", each: &metricShape}},
	{"complexity", false, shape{kind: objectKind, doc: "How the size of the architecture counts.", fields: []field{
		{"lambda", false, shape{kind: numberKind, doc: "The part of regularization in the objective; 0.05 to 0.2 is sensible.", least: "0"}},
		{"budgets", false, shape{kind: objectKind, doc: "How large an architecture may be before it is complex.", fields: dimensionFields("0.000000001")}},
		{"weights", false, shape{kind: objectKind, doc: "The dimensions' parts in regularization.", fields: dimensionFields("0")}},
	}}},
	{"ratchet", false, ratchetShape},
	{"usage", false, shape{kind: anything, doc: "How much each resource is used, for its cost."}},
	{"resources", false, shape{kind: mapKind, doc: "Resources by logical id.", each: &shape{kind: objectKind, fields: []field{
		{"criticality", true, shape{kind: numberKind, doc: "How much the resource counts; 1 is usual, helpers have less.", least: "0.000000001"}},
	}}}},
}}

var characteristicShape = shape{kind: objectKind, fields: []field{
	{"weight", false, shape{kind: numberKind, doc: "Relative to the others'. One that evo does not know by itself needs it.", least: "0"}},
	{"floor", false, shape{kind: numberKind, doc: "No release may score less.", least: "0", most: "1"}},
}}

var ratchetShape = shape{kind: objectKind, doc: "How a release is held to the ones before it.", fields: []field{
	{"policy", false, shape{kind: wordKind, doc: "improve: the difference must be positive. hold: not below minus the tolerance. off: it is only shown.", words: []string{"improve", "hold", "off"}}},
	{"tolerance", false, shape{kind: numberKind, doc: "In points.", least: "0"}},
	{"additions", false, shape{kind: wordKind, doc: "clean: the debt of what is new counts in full. average: growth is forgiven what the rest owes already.", words: []string{"average", "clean"}}},
	{"regressions", false, shape{kind: wordKind, doc: "A pair that scored 1 and scores less: deny refuses it, compensate wants it made up for, allow lists it.", words: []string{"deny", "compensate", "allow"}}},
	{"reference", false, shape{kind: wordKind, doc: "The release to compare with.", words: []string{"last-succeeded", "best"}}},
	{"unknown", false, shape{kind: wordKind, doc: "What becomes of a release of which too little is known to tell.", words: []string{"accept-with-warning", "fail"}}},
	{"coverage", false, shape{kind: numberKind, doc: "The part of the weight that must be known.", least: "0", most: "1"}},
}}

var metricFields = []field{
	{"namespace", true, shape{kind: textKind, doc: "Such as AWS/Lambda."}},
	{"name", true, shape{kind: textKind, doc: "Such as Duration."}},
	{"dimensions", false, shape{kind: mapKind, doc: "By name; a value may be a resource's logical id.", each: &shape{kind: textKind}}},
	{"stat", false, shape{kind: statKind, doc: "Average, Sum, p99, …; Average if not given."}},
	{"period", false, shape{kind: spanKind, doc: "5m if not given."}},
}

var metricShape = shape{kind: objectKind, doc: "A CloudWatch metric.", fields: metricFields}

func named(name string, required bool, s shape, doc string) field {
	s.doc = doc
	return field{name, required, s}
}

// functionShape is a fitness function. One of the measures is given, except for a function of the catalogue.
var functionShape = shape{kind: objectKind, fields: []field{
	{"title", false, shape{kind: textKind, doc: "What it asks for, in a few words."}},
	{"characteristic", false, shape{kind: textKind, doc: "Needed for a function that is not in the catalogue."}},
	{"severity", false, shape{kind: severityKind, doc: "critical 10, high 7.5, medium 5, low 2.5, or a number; medium if nothing else is said.", words: []string{"critical", "high", "medium", "low"}}},
	{"kind", false, shape{kind: wordKind, doc: "atomic: each resource by itself. holistic: the stack as a whole.", words: []string{"atomic", "holistic"}}},
	{"cadence", false, shape{kind: wordKind, doc: "triggered: with a release. continual: between releases too.", words: []string{"triggered", "continual"}}},
	{"enabled", false, shape{kind: flagKind, doc: "false leaves a default function out."}},
	{"required", false, shape{kind: flagKind, doc: "A gate: a release that scores less than the minimum is refused. True for calls that test functionality, if not given."}},
	{"minimum", false, shape{kind: numberKind, doc: "Of a required function; 1 if not given.", least: "0", most: "1"}},
	{"parameters", false, shape{kind: mapKind, doc: "The rule's or expression's parameters.", each: &shape{kind: anything}}},
	{"except", false, shape{kind: listKind, doc: "Resources that it does not count for, for a while.", each: &shape{kind: objectKind, fields: []field{
		{"resource", true, shape{kind: textKind, doc: "Logical id."}},
		{"reason", true, shape{kind: textKind, doc: "Why; it is in every report."}},
		{"until", true, shape{kind: dayKind, doc: "The last day on which the exception holds."}},
	}}}},
	{"rule", false, shape{kind: textKind, doc: "Measure: an AWS Config rule."}},
	{"expression", false, shape{kind: textKind, doc: "Measure: CEL, giving a boolean or a number in [0, 1]."}},
	{"type", false, shape{kind: textKind, doc: "The resource type that an atomic expression is for."}},
	named("metric", false, metricShape, "Measure: a CloudWatch metric, with target and limit."),
	{"target", false, shape{kind: targetKind, doc: "Score 1 from here on. With target below limit, smaller is better."}},
	{"limit", false, shape{kind: quantityKind, doc: "Score 0 from here on."}},
	{"invoke", false, shape{kind: objectKind, doc: "Measure: a synthetic transaction.", fields: []field{
		{"function", false, shape{kind: textKind, doc: "Logical id of a function to call with event."}},
		{"event", false, shape{kind: anything}},
		{"url", false, shape{kind: textKind, doc: "A URL, or a path of the stack's API, to request."}},
		{"request", false, shape{kind: objectKind, fields: []field{
			{"method", false, shape{kind: textKind}},
			{"headers", false, shape{kind: mapKind, each: &shape{kind: textKind}}},
			{"body", false, shape{kind: anything}},
		}}},
		{"expect", true, shape{kind: objectKind, doc: "What must come back.", fields: []field{
			{"status", false, shape{kind: numberKind, least: "100", most: "599"}},
			{"body", false, shape{kind: anything, doc: "Every value given here must be in the answer."}},
			{"contains", false, shape{kind: textKind}},
			{"within", false, shape{kind: spanKind}},
		}}},
	}}},
	{"slo", false, shape{kind: objectKind, doc: "Measure: what is left of an error budget.", fields: []field{
		{"objective", true, shape{kind: numberKind, doc: "Such as 0.999.", least: "0", most: "1"}},
		named("bad", true, metricShape, "Counts the events that failed."),
		named("total", true, metricShape, "Counts all events."),
		{"window", false, shape{kind: spanKind, doc: "30d if not given."}},
	}}},
	{"trend", false, shape{kind: objectKind, doc: "Measure: the slope of a metric, in its unit a day.", fields: []field{
		named("metric", true, metricShape, "Whose slope."),
		{"target", true, shape{kind: numberKind, doc: "Score 1 from this slope on."}},
		{"limit", true, shape{kind: numberKind, doc: "Score 0 from this slope on."}},
		{"window", false, shape{kind: spanKind, doc: "30d if not given."}},
	}}},
	{"due", false, shape{kind: dayKind, doc: "Measure: falls to 0 by this day, beginning notice before it."}},
	{"notice", false, shape{kind: spanKind, doc: "30d if not given."}},
	{"attestation", false, shape{kind: objectKind, doc: "Measure: what a person has said, for as long as it is valid.", fields: []field{
		{"by", true, shape{kind: textKind}},
		{"at", true, shape{kind: dayKind}},
		{"score", false, shape{kind: numberKind, doc: "1 if not given.", least: "0", most: "1"}},
		{"valid-for", false, shape{kind: spanKind, doc: "90d if not given."}},
	}}},
}}

func dimensionFields(least string) []field {
	docs := map[fitness.Dimension]string{fitness.Resources: "Authored resources.", fitness.Edges: "Events, references that carry traffic, hooks, alarms' targets.",
		fitness.Code: "Megabytes of own code, as packaged.", fitness.Grants: "Permissions: actions × resources; a wildcard counts five.", fitness.Cost: "US dollars a month."}
	var fields []field
	for _, d := range fitness.Dimensions {
		fields = append(fields, field{string(d), false, shape{kind: numberKind, doc: docs[d], least: least}})
	}
	return fields
}

func (s *shape) field(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

func (s *shape) names() []string {
	names := make([]string, len(s.fields))
	for i := range s.fields {
		names[i] = s.fields[i].name
	}
	return names
}
