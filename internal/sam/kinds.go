package sam

import (
	"maps"
	"slices"
)

// samKind is a type of SAM resource.
type samKind struct {
	phase      phase
	properties []property
	referable  map[string]string // attributes that templates may refer to, and the type of resource that each stands for
	prepare    func(t *transformer, id string, properties *value)
	transform  func(t *transformer, m *model, dict *value) []*resource
}

// phase orders the kinds: those with events add to APIs, connectors connect what is there.
type phase int

const (
	functionPhase phase = iota
	stateMachinePhase
	apiPhase
	otherPhase
	connectorPhase
)

// samKinds are the SAM resource types. It is filled by init, as some transforms look kinds up themselves.
var samKinds map[string]*samKind

func init() {
	samKinds = map[string]*samKind{
		"AWS::Serverless::Function":         functionKind,
		"AWS::Serverless::StateMachine":     stateMachineKind,
		"AWS::Serverless::Api":              apiKind,
		"AWS::Serverless::HttpApi":          httpAPIKind,
		"AWS::Serverless::WebSocketApi":     webSocketKind,
		"AWS::Serverless::SimpleTable":      simpleTableKind,
		"AWS::Serverless::LayerVersion":     layerKind,
		"AWS::Serverless::Application":      applicationKind,
		"AWS::Serverless::CapacityProvider": capacityProviderKind,
		"AWS::Serverless::GraphQLApi":       graphQLKind,
		"AWS::Serverless::Connector":        connectorKind,
	}
}

// Types are the names of the SAM resource types, sorted.
func Types() []string { return slices.Sorted(maps.Keys(samKinds)) }

// hasProperties tells the types whose properties are checked before anything else, and which Globals and the preparation
// know.
func hasProperties(samType string) bool {
	return samKinds[samType] != nil && samType != "AWS::Serverless::GraphQLApi" && samType != "AWS::Serverless::Connector"
}
