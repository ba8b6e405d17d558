package sam

var webSocketKind, capacityProviderKind, graphQLKind, connectorKind = &samKind{transform: stub}, &samKind{transform: stub}, &samKind{transform: stub}, &samKind{transform: stub}

func stub(t *transformer, m *model, _ *value) []*resource { unsupported(m.id, m.kind); return nil }

func (t *transformer) addEmbeddedConnectors() {}
