package cloudformation

import (
	"fmt"
	"strings"

	"evo/internal/cfn"
)

// inertProperty is a property that the embedded cloud keeps and that has no effect here.
type inertProperty struct{ name, why string }

// inert are the properties without effect, by the types that evo runs otherwise. One that comes to have an effect leaves this
// table, and with it the notes that people read.
var inert = map[string][]inertProperty{
	"AWS::DynamoDB::Table": {
		{"StreamSpecification", "streams are not there yet"},
		{"KinesisStreamSpecification", "there is no Kinesis yet"},
		{"ResourcePolicy", "policies are not enforced"},
		{"ImportSourceSpecification", "nothing is imported"},
	},
	"AWS::S3::Bucket": {
		{"NotificationConfiguration", "events are not sent yet"},
		{"LifecycleConfiguration", "objects do not expire"},
		{"ReplicationConfiguration", "nothing is replicated"},
		{"LoggingConfiguration", "access is not logged"},
		{"ObjectLockConfiguration", "objects are locked only when a request says so"},
		{"InventoryConfigurations", "no inventory is made"},
		{"AnalyticsConfigurations", "nothing is analysed"},
		{"IntelligentTieringConfigurations", "there is one tier"},
	},
	"AWS::Lambda::Function": {
		{"VpcConfig", "functions use this machine's network"},
		{"FileSystemConfigs", "nothing is mounted"},
	},
	"AWS::Lambda::Alias": {
		{"ProvisionedConcurrencyConfig", "environments start when they are needed"},
	},
}

// note is what to tell of a resource that has been made: what its handler says, and what of it has no effect here. AWS says
// nothing there, so whoever reads events or resources knows evo's notes by how they begin.
func note(kind string, properties *cfn.Node, said string) string {
	if said != "" {
		return said
	}
	var parts []string
	for _, p := range inert[kind] {
		if properties.Has(p.name) {
			parts = append(parts, fmt.Sprintf("%s (%s)", p.name, p.why))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "evo records, without effect here: " + strings.Join(parts, ", ")
}
