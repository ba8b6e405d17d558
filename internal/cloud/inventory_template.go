package cloud

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"evo/internal/cfn"
	"evo/internal/cloud/cloudformation"
	"evo/internal/cloud/configservice"
)

// What the embedded cloud has no service for, and CloudFormation only records: queues, topics, keys, state machines and the
// rest. A configuration item of theirs holds what the template said, which is all that there is of them.

// templateOnly names the kind of these resources.
const templateOnly = "resources that CloudFormation records"

// templateOnly are all types that AWS Config knows and no service here describes.
func (i inventory) templateOnly() configservice.Kind {
	k := configservice.Kind{Name: templateOnly, Tables: []string{i.name + "/cloudformation/resources"}}
	for _, t := range types.ResourceType("").Values() {
		if !slices.ContainsFunc(recordedTypes, func(r recorded) bool { return r.kind == string(t) }) {
			k.Types = append(k.Types, string(t))
		}
	}
	return k
}

// partTypes are CloudFormation's types that AWS Config has no items of, because they configure another resource, which a property
// names. A policy of several queues is a part of each.
var partTypes = map[string]string{
	"AWS::SQS::QueuePolicy": "Queues", "AWS::SQS::QueueInlinePolicy": "Queue", "AWS::SNS::TopicPolicy": "Topics",
	"AWS::SNS::TopicInlinePolicy": "TopicArn", "AWS::Events::EventBusPolicy": "EventBusName", "AWS::WAFv2::WebACLAssociation": "WebACLArn",
}

func (i inventory) onlyInTemplates() (list []configservice.Resource) {
	all := i.cloudformation.RecordedResources()
	seen := map[string]bool{} // two stacks may say that they have the same queue: it is the first one's
	for _, r := range all {
		if !configTypes[r.Type] || seen[r.Type+" "+r.Physical] {
			continue
		}
		seen[r.Type+" "+r.Physical] = true
		res := configservice.Resource{Type: r.Type, ID: r.Physical, Name: r.Name, ARN: r.ARN, Tags: r.Tags, Global: strings.HasPrefix(r.Type, "AWS::IAM::"),
			Configuration: recordedConfiguration(r), Properties: r.Properties}
		if res.Properties == nil {
			res.Properties = cfn.Obj()
		}
		for _, p := range all {
			if property := partTypes[p.Type]; property != "" && names(p.Properties.Get(property), r) {
				res.Parts = append(res.Parts, partOf(r, p, property))
			}
		}
		list = append(list, res)
	}
	return list
}

var configTypes = func() map[string]bool {
	known := map[string]bool{}
	for _, t := range types.ResourceType("").Values() {
		known[string(t)] = true
	}
	return known
}()

// recordedConfiguration is what AWS Config's newer types have as configuration: the properties, and what the resource knows of itself.
func recordedConfiguration(r cloudformation.RecordedResource) *cfn.Node {
	out := cfn.Obj(slices.Clone(r.Properties.Entries())...)
	for _, k := range slices.Sorted(maps.Keys(r.Attributes)) {
		if !out.Has(k) {
			out.Set(k, cfn.From(r.Attributes[k]))
		}
	}
	return out
}

// names reports whether a property's value, or one of a list's, is of a resource: its id, name or ARN.
func names(n *cfn.Node, r cloudformation.RecordedResource) bool {
	if n.Is(cfn.List) {
		return slices.ContainsFunc(n.List(), func(n *cfn.Node) bool { return names(n, r) })
	}
	text := n.Str()
	return text != "" && (text == r.Physical || text == r.Name || text == r.ARN)
}

// partOf is p as a part of one resource alone.
func partOf(r, p cloudformation.RecordedResource, property string) configservice.Part {
	properties := cfn.Obj(slices.Clone(p.Properties.Entries())...)
	if properties.Get(property).Is(cfn.List) {
		properties.Set(property, cfn.Arr(cfn.Str(r.Physical)))
	}
	return configservice.Part{Type: p.Type, ID: p.Physical + " of " + r.Physical, Properties: properties}
}
