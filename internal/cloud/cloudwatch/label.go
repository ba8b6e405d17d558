package cloudwatch

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cloud/cloudwatch/alarm"
	"evo/internal/cloud/cloudwatch/metricmath"
)

// metricLabels returns a label for each query: the one that it has, the id of an expression, or for a metric its name, and
// whatever of dimensions, statistic and period tells it from the others in the request.
func (q *query) metricLabels() []string {
	differ := func(of func(*types.MetricStat) string) bool {
		seen := map[string]bool{}
		for _, r := range q.ordered {
			if m := r.query.MetricStat; m != nil && r.query.Label == nil {
				seen[of(m)] = true
			}
		}
		return len(seen) > 1
	}
	names := differ(func(m *types.MetricStat) string { return aws.ToString(m.Metric.MetricName) })
	stat := differ(func(m *types.MetricStat) string { return aws.ToString(m.Stat) })
	period := differ(func(m *types.MetricStat) string { return strconv.Itoa(int(aws.ToInt32(m.Period))) })
	dimensions := !names && differ(dimensionValues)
	out := make([]string, len(q.ordered))
	for i, r := range q.ordered {
		m := r.query.MetricStat
		switch {
		case r.query.Label != nil:
			out[i] = *r.query.Label
			continue
		case m == nil:
			out[i] = aws.ToString(r.query.Id)
			continue
		}
		var parts []string
		if dimensions {
			parts = append(parts, dimensionValues(m))
		}
		parts = append(parts, aws.ToString(m.Metric.MetricName))
		if stat {
			parts = append(parts, aws.ToString(m.Stat))
		}
		if period {
			parts = append(parts, strconv.Itoa(int(aws.ToInt32(m.Period))))
		}
		out[i] = strings.TrimSpace(strings.Join(parts, " "))
	}
	return out
}

func dimensionValues(m *types.MetricStat) string {
	values := make([]string, len(m.Metric.Dimensions))
	for i, d := range m.Metric.Dimensions {
		values[i] = aws.ToString(d.Value)
	}
	return strings.Join(values, " ")
}

var dynamic = regexp.MustCompile(`\$\{([A-Z_]+)(?:\('([^']*)'\))?\}`)

// dynamicLabel replaces ${AVG} and its like by what they stand for; what it does not know stays as it is.
func dynamicLabel(label string, s metricmath.Series, q *types.MetricDataQuery) string {
	if !strings.Contains(label, "${") {
		return label
	}
	return dynamic.ReplaceAllStringFunc(label, func(whole string) string {
		m := dynamic.FindStringSubmatch(whole)
		if m[1] == "PROP" {
			return property(m[2], whole, q)
		}
		if text, ok := summary(m[1], s); ok {
			return text
		}
		if m[1] == "LABEL" {
			return defaultLabel(s, q)
		}
		return whole
	})
}

func defaultLabel(s metricmath.Series, q *types.MetricDataQuery) string {
	switch {
	case q.MetricStat != nil:
		return aws.ToString(q.MetricStat.Metric.MetricName)
	case s.Label != "":
		return s.Label
	}
	return aws.ToString(q.Id)
}

// summary is what a placeholder says of the series' values.
func summary(name string, s metricmath.Series) (string, bool) {
	kind, isTime := strings.CutSuffix(name, "_TIME")
	if kind == "DATAPOINT_COUNT" {
		return alarm.Number(float64(len(s.Points))), true
	}
	if !slices.Contains([]string{"AVG", "SUM", "MIN", "MAX", "FIRST", "LAST"}, kind) {
		return "", false
	}
	if len(s.Points) == 0 {
		return "--", true
	}
	byValue := func(a, b metricmath.Point) int { return cmp.Compare(a.Value, b.Value) }
	sum := 0.0
	for _, p := range s.Points {
		sum += p.Value
	}
	var p metricmath.Point
	switch kind {
	case "AVG":
		p.Value = sum / float64(len(s.Points))
	case "SUM":
		p.Value = sum
	case "MIN":
		p = slices.MinFunc(s.Points, byValue)
	case "MAX":
		p = slices.MaxFunc(s.Points, byValue)
	case "FIRST":
		p = s.Points[0]
	case "LAST":
		p = s.Points[len(s.Points)-1]
	}
	if isTime {
		return time.Unix(p.At, 0).UTC().Format("2006-01-02 15:04:05 UTC"), kind != "AVG" && kind != "SUM"
	}
	return alarm.Number(p.Value), true
}

func property(name, whole string, q *types.MetricDataQuery) string {
	m := q.MetricStat
	if m == nil {
		return whole
	}
	switch name {
	case "MetricName":
		return aws.ToString(m.Metric.MetricName)
	case "Namespace":
		return aws.ToString(m.Metric.Namespace)
	case "Stat":
		return aws.ToString(m.Stat)
	case "Period":
		return strconv.Itoa(int(aws.ToInt32(m.Period)))
	}
	for _, d := range m.Metric.Dimensions {
		if name == "Dim."+aws.ToString(d.Name) {
			return aws.ToString(d.Value)
		}
	}
	return whole
}
