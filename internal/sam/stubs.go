package sam

var capacityProviderKind, graphQLKind = &samKind{transform: stub}, &samKind{transform: stub}

func stub(t *transformer, m *model, _ *value) []*resource { unsupported(m.id, m.kind); return nil }
