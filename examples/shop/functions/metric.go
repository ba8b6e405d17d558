package functions

import (
	"encoding/json"
	"fmt"
	"time"
)

// namespace is where the business's own metrics are.
const namespace = "Shop"

// count prints a business metric in the embedded metric format, of which CloudWatch makes a metric.
func count(name string, value float64, unit string) {
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": time.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  namespace,
				"Dimensions": [][]string{{}},
				"Metrics":    []any{map[string]string{"Name": name, "Unit": unit}},
			}},
		},
		name: value,
	})
	if err == nil { // it is: these are plain values
		fmt.Println(string(line))
	}
}
