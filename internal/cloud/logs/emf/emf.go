// Package emf answers: which metrics does a log event in CloudWatch's embedded metric format carry?
//
// Such an event is a JSON object with a member _aws that says which of its other members are metrics and which are their
// dimensions. An event that is not well formed carries none; it stays a log event like any other.
package emf

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Limits of the format.
const (
	maxMetrics    = 100
	maxDimensions = 30
	maxValues     = 100
)

// Metric is what one metric was, with one set of dimensions.
type Metric struct {
	Namespace      string
	Name           string
	Unit           string
	At             time.Time
	Dimensions     map[string]string
	Values, Counts []float64 // without counts each value counts once
	HighResolution bool
}

type document struct {
	AWS *struct {
		Timestamp         *int64
		CloudWatchMetrics []directive
	} `json:"_aws"`
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []struct {
		Name              string
		Unit              string
		StorageResolution int
	}
}

// Parse returns the metrics of a log event. Text before the object, as loggers put there, is passed over.
func Parse(message string) []Metric {
	begin := strings.IndexByte(message, '{')
	if begin < 0 || !strings.Contains(message, `"_aws"`) {
		return nil
	}
	raw := []byte(message[begin:])
	var d document
	if json.Unmarshal(raw, &d) != nil || d.AWS == nil || d.AWS.Timestamp == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	at := time.UnixMilli(*d.AWS.Timestamp).UTC()
	var out []Metric
	for _, directive := range d.AWS.CloudWatchMetrics {
		if directive.Namespace == "" || len(directive.Metrics) > maxMetrics {
			return nil
		}
		out = append(out, directive.metrics(at, members)...)
	}
	return out
}

func (d directive) metrics(at time.Time, members map[string]json.RawMessage) []Metric {
	var sets []map[string]string
	for _, names := range d.Dimensions {
		if set, ok := dimensionSet(names, members); ok {
			sets = append(sets, set)
		}
	}
	if len(d.Dimensions) == 0 {
		sets = []map[string]string{nil}
	}
	var out []Metric
	for _, m := range d.Metrics {
		values, counts, ok := numbers(members[m.Name])
		if m.Name == "" || !ok {
			continue
		}
		for _, set := range sets {
			out = append(out, Metric{
				Namespace: d.Namespace, Name: m.Name, Unit: m.Unit, At: at, Dimensions: set,
				Values: values, Counts: counts, HighResolution: m.StorageResolution == 1,
			})
		}
	}
	return out
}

// dimensionSet looks up dimensions, which must all be there and be texts, numbers or truth values.
func dimensionSet(names []string, members map[string]json.RawMessage) (map[string]string, bool) {
	if len(names) > maxDimensions {
		return nil, false
	}
	set := make(map[string]string, len(names))
	for _, name := range names {
		raw, ok := members[name]
		if !ok || len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
			return nil, false
		}
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		if name == "" || s == "" {
			return nil, false
		}
		set[name] = s
	}
	return set, true
}

// numbers reads a metric's value: a number, an array of numbers, or values with their counts.
func numbers(raw json.RawMessage) (values, counts []float64, ok bool) {
	var one float64
	var histogram struct{ Values, Counts []float64 }
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return nil, nil, false
	case raw[0] == '[':
		ok = json.Unmarshal(raw, &values) == nil
	case raw[0] == '{':
		ok = json.Unmarshal(raw, &histogram) == nil && (histogram.Counts == nil || len(histogram.Counts) == len(histogram.Values))
		values, counts = histogram.Values, histogram.Counts
	default:
		ok = json.Unmarshal(raw, &one) == nil
		values = []float64{one}
	}
	for _, v := range values {
		ok = ok && !math.IsNaN(v) && math.Abs(v) <= math.Exp2(360)
	}
	return values, counts, ok && len(values) > 0 && len(values) <= maxValues
}
