package emf

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const event = `{"_aws":{"Timestamp":1574109732004,"CloudWatchMetrics":[{"Namespace":"lambda-function-metrics","Dimensions":[["functionVersion"],["functionVersion","cold"],["absent"]],"Metrics":[{"Name":"time","Unit":"Milliseconds","StorageResolution":1},{"Name":"sizes"},{"Name":"text"},{"Name":"histogram","Unit":"Bytes"}]},{"Namespace":"plain","Metrics":[{"Name":"time"}]}]},"functionVersion":"$LATEST","cold":true,"time":100,"sizes":[1,2.5],"text":"x","histogram":{"Values":[1,2],"Counts":[3,4]},"requestId":"989ffbf8"}`
	at := time.UnixMilli(1574109732004).UTC()
	one, two := map[string]string{"functionVersion": "$LATEST"}, map[string]string{"functionVersion": "$LATEST", "cold": "true"}
	want := []Metric{
		{"lambda-function-metrics", "time", "Milliseconds", at, one, []float64{100}, nil, true},
		{"lambda-function-metrics", "time", "Milliseconds", at, two, []float64{100}, nil, true},
		{"lambda-function-metrics", "sizes", "", at, one, []float64{1, 2.5}, nil, false},
		{"lambda-function-metrics", "sizes", "", at, two, []float64{1, 2.5}, nil, false},
		{"lambda-function-metrics", "histogram", "Bytes", at, one, []float64{1, 2}, []float64{3, 4}, false},
		{"lambda-function-metrics", "histogram", "Bytes", at, two, []float64{1, 2}, []float64{3, 4}, false},
		{"plain", "time", "", at, nil, []float64{100}, nil, false},
	}
	for _, prefix := range []string{"", "2026-11-05T12:00:00Z\t989ffbf8\tINFO\t"} {
		if diff := cmp.Diff(want, Parse(prefix+event+"\n")); diff != "" {
			t.Errorf("after %q (-want +got):\n%s", prefix, diff)
		}
	}
}

func TestNoMetrics(t *testing.T) {
	for _, message := range []string{
		"", "text", "{", `{"a":1}`, `{"_aws":1}`, `{"_aws":{}}`, `{"_aws":{"Timestamp":"x","CloudWatchMetrics":[]}}`,
		`{"_aws":{"CloudWatchMetrics":[{"Namespace":"n","Metrics":[{"Name":"m"}]}]},"m":1}`, // no time
		`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Metrics":[{"Name":"m"}]}]},"m":1}`,   // no namespace
		`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Metrics":[{"Name":"m"}]}]},"m":"1"}`,
		`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}]},"m":1,"d":{}}`,
		`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Metrics":[{"Name":"m"}]}]},"m":1e400}`,
		`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Metrics":[{"Name":"m"}]}]},"m":1} trailing`,
	} {
		if got := Parse(message); got != nil {
			t.Errorf("%s: %+v", message, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}]},"m":[1],"d":"x"}`)
	f.Fuzz(func(t *testing.T, message string) {
		for _, m := range Parse(message) {
			if m.Namespace == "" || m.Name == "" || len(m.Values) == 0 {
				t.Fatalf("%q: %+v", message, m)
			}
		}
	})
}
