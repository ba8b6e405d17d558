package cloud

import (
	"context"
	"fmt"
	"strings"
	"time"

	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cloud/apigateway/restapi"
	"evo/internal/cloud/apigatewayv2/httpapi"
	"evo/internal/cloud/clock"
	"evo/internal/cloud/cloudwatch"
	"evo/internal/cloud/dynamodb"
	"evo/internal/cloud/executeapi"
	"evo/internal/cloud/lambda"
	"evo/internal/cloud/logs"
	"evo/internal/cloud/logs/emf"
	"evo/internal/cloud/sandbox"
	"evo/internal/cloud/sts"
	"evo/internal/sam"
)

// The types here fill the small interfaces that services declare of each other.

// functionMetrics takes Lambda's metrics to CloudWatch.
type functionMetrics struct{ *region }

func (m functionMetrics) Record(_ context.Context, namespace string, data []lambda.Datum) error {
	out := make([]cloudwatch.Datum, len(data))
	for i, d := range data {
		out[i] = cloudwatch.Datum{Name: d.Name, Unit: d.Unit, Value: d.Value}
		if i > 0 && sameList(d.Dimensions, data[i-1].Dimensions) { // several metrics share one set
			out[i].Dimensions = out[i-1].Dimensions
		} else {
			out[i].Dimensions = dimensionsOf(d.Dimensions)
		}
	}
	for from := 0; from < len(data); {
		to := from + 1
		for to < len(data) && data[to].At.Equal(data[from].At) {
			to++
		}
		m.cloudwatch.Record(namespace, data[from].At, out[from:to]...)
		from = to
	}
	return nil
}

// dimensionsOf writes another service's dimensions as CloudWatch's.
func dimensionsOf[D ~struct{ Name, Value string }](dims []D) []cloudwatch.Dimension {
	out := make([]cloudwatch.Dimension, len(dims))
	for i, d := range dims {
		out[i] = cloudwatch.Dimension(d)
	}
	return out
}

// sameList reports whether two slices are one and the same.
func sameList[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// functionLogs takes functions' lines to CloudWatch Logs.
type functionLogs struct{ *region }

func (l functionLogs) Put(ctx context.Context, group, stream string, events []sandbox.Event) error {
	lines := make([]logs.Event, len(events))
	for i, e := range events {
		lines[i] = logs.Event{At: e.Time, Message: e.Message}
	}
	l.logs.Write(ctx, group, stream, lines)
	return nil
}

// embeddedMetrics takes the metrics in log lines to CloudWatch.
func (p *parts) embeddedMetrics(r *region) func([]emf.Metric) {
	return func(metrics []emf.Metric) {
		for _, m := range metrics {
			d := cloudwatch.Datum{Name: m.Name, Unit: m.Unit, Values: m.Values, Counts: m.Counts, HighResolution: m.HighResolution}
			for name, value := range m.Dimensions {
				d.Dimensions = append(d.Dimensions, cloudwatch.Dimension{Name: name, Value: value})
			}
			r.cloudwatch.Record(m.Namespace, p.server.cloudTime(m.At), d)
		}
	}
}

// alarmActions lets alarms invoke functions.
type alarmActions struct{ *region }

func (a alarmActions) InvokeAlarmAction(ctx context.Context, functionARN string, event []byte) error {
	_, err := a.lambda.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: &functionARN, InvocationType: lambdatypes.InvocationTypeEvent, Payload: event})
	if err != nil {
		return fmt.Errorf("invoke %s for an alarm: %w", functionARN, err)
	}
	return nil
}

// roleCredentials gives functions credentials of their roles.
type roleCredentials struct{ *sts.Service }

func (c roleCredentials) ForRole(ctx context.Context, roleARN string) (accessKey, secret, token string, expires time.Time, err error) {
	creds, err := c.Service.ForRole(ctx, roleARN, "function")
	return creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, creds.Expires, err
}

// publishedApplications finds the applications that stacks nest.
type publishedApplications struct{ *region }

func (a publishedApplications) Template(applicationID, semanticVersion string) (sam.ApplicationTemplate, error) {
	url, err := a.repo.Published(applicationID, semanticVersion)
	return sam.ApplicationTemplate{URL: url}, err
}

// secrets knows what the access keys sign with that STS and IAM have issued.
type secrets struct{ *parts }

func (s secrets) Secret(accessKey string) (secret, token string, ok bool) {
	if secret, token, ok = s.sts.Secret(accessKey); ok {
		return secret, token, ok
	}
	return s.iam.Secret(accessKey)
}

// stages finds what an API's stage serves, in whatever region it is.
type stages struct{ *parts }

func (s stages) REST(apiID, stage string) (d restapi.Deployed, ok bool) {
	for _, r := range s.known() {
		if d, ok = r.apigateway.Deployed(apiID, stage); ok {
			return d, true
		}
	}
	return d, false
}

func (s stages) HTTP(apiID, stage string) (d httpapi.Deployed, ok bool) {
	for _, r := range s.known() {
		if d, ok = r.apigatewayv2.Deployed(apiID, stage); ok {
			return d, true
		}
	}
	return d, false
}

// gatewayMetrics takes API Gateway's metrics to CloudWatch.
type gatewayMetrics struct{ *parts }

func (m gatewayMetrics) Record(name, namespace string, at time.Time, data []executeapi.Datum) {
	r, err := m.region(name)
	if err != nil {
		return // the cloud is ending
	}
	out := make([]cloudwatch.Datum, len(data))
	for i, d := range data {
		out[i] = cloudwatch.Datum{Name: d.Name, Dimensions: dimensionsOf(d.Dimensions), Unit: d.Unit, Value: d.Value}
	}
	r.cloudwatch.Record(namespace, at, out...)
}

// gatewayLog tells why a request got an error of API Gateway's own.
func (p *parts) gatewayLog(api, message string) { p.server.Log("API " + api + ": " + message) }

// ruleMetrics takes EventBridge's metrics to CloudWatch: a rule's own, and those across all rules.
type ruleMetrics struct{ *region }

func (m ruleMetrics) count(metric, rule string, n int, at time.Time) {
	d := cloudwatch.Datum{Name: metric, Unit: "Count", Value: float64(n)}
	own := d
	own.Dimensions = []cloudwatch.Dimension{{Name: "RuleName", Value: rule}}
	m.cloudwatch.Record("AWS/Events", at, own, d)
}

// tableMeter takes what DynamoDB consumes to CloudWatch, as AWS publishes it.
type tableMeter struct {
	*region
	clock clock.Clock
}

func (m tableMeter) Operation(u dynamodb.Usage) {
	at := m.clock.Now()
	table := cloudwatch.Dimension{Name: "TableName", Value: u.Table}
	operation := cloudwatch.Dimension{Name: "Operation", Value: u.Operation}
	data := make([]cloudwatch.Datum, 0, 4)
	add := func(name, unit string, value float64, dims ...cloudwatch.Dimension) {
		data = append(data, cloudwatch.Datum{Name: name, Unit: unit, Value: value, Dimensions: dims})
	}
	if u.Err == nil {
		add("SuccessfulRequestLatency", "Milliseconds", float64(u.Latency)/float64(time.Millisecond), table, operation)
	}
	if u.Read > 0 {
		add("ConsumedReadCapacityUnits", "Count", u.Read, table)
	}
	if u.Write > 0 {
		add("ConsumedWriteCapacityUnits", "Count", u.Write, table)
	}
	for index, units := range u.Global {
		dim := cloudwatch.Dimension{Name: "GlobalSecondaryIndexName", Value: index}
		if units.Read > 0 {
			add("ConsumedReadCapacityUnits", "Count", units.Read, table, dim)
		}
		if units.Write > 0 {
			add("ConsumedWriteCapacityUnits", "Count", units.Write, table, dim)
		}
	}
	if len(data) > 0 {
		m.cloudwatch.Record("AWS/DynamoDB", at, data...)
	}
}

// cutRegion splits a table's name at the region that it begins with; region is empty if it begins with none.
func cutRegion(table string) (region, rest string, ok bool) {
	region, rest, ok = strings.Cut(table, "/")
	if !ok || !validRegion.MatchString(region) {
		return "", table, false
	}
	return region, rest, true
}
