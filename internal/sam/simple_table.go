package sam

import "evo/internal/cfn"

var simpleTableKind = &samKind{
	phase: otherPhase,
	properties: properties(
		literal(anything, "PointInTimeRecoverySpecification"), optional(dictOf(isStr), "PrimaryKey"),
		optional(dictOf(either(isInt, isDict)), "ProvisionedThroughput"), optional(strOrDict, "TableName"),
		optional(isDict, "Tags", "SSESpecification"),
	),
	transform: func(_ *transformer, m *model, _ *value) []*resource {
		table := newResource(m.id, "AWS::DynamoDB::Table", m.attributes)
		table.dependsOn = m.dependsOn
		name, kind := m.primaryKey()
		table.set("AttributeDefinitions", list(object("AttributeName", name, "AttributeType", kind)))
		table.set("KeySchema", list(object("AttributeName", name, "KeyType", "HASH")))
		for _, p := range []string{"PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName"} {
			if v := m.get(p); v.truthy() {
				table.set(p, v)
			}
		}
		if table.get("ProvisionedThroughput") == nil {
			table.set("BillingMode", str("PAY_PER_REQUEST"))
		}
		if tags := m.get("Tags"); tags.truthy() {
			table.set("Tags", tagList(tags))
		}
		return []*resource{table}
	},
}

// primaryKey is the name and the type of the table's key.
func (m *model) primaryKey() (name, kind *value) {
	key := m.get("PrimaryKey")
	if !key.truthy() {
		return str("id"), str("S")
	}
	name = m.owner().require(key.get("Name"), "PrimaryKey.Name")
	long := m.owner().require(key.get("Type"), "PrimaryKey.Type")
	short, ok := map[string]string{"String": "S", "Number": "N", "Binary": "B"}[long.str()]
	if !ok {
		m.owner().fail(long, "PrimaryKey.Type", `Invalid 'Type' "`+long.display()+`".`)
	}
	return name, &value{kind: cfn.String, text: short, span: long.span}
}
