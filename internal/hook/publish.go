package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/report"
)

// Namespace is where the fitness is published, if the environment names no other.
const Namespace = "evo"

// Publisher makes a judgement visible beside the business's own metrics.
type Publisher struct {
	CloudWatch *cloudwatch.Client
	Namespace  string
	Stack      string
	Dashboards func(ctx context.Context) ([]string, error) // the stack's, by name
}

// Publish sends the metrics Fitness, Loss, Regularization, FitnessDelta and Coverage of the stack, and Fitness and Loss of each
// characteristic. Where a score is unknown the worse end counts.
func (p *Publisher) Publish(ctx context.Context, r *report.Report) error {
	at := aws.Time(r.Time)
	datum := func(name string, value exact.Rat, characteristic string) types.MetricDatum {
		d := types.MetricDatum{MetricName: &name, Timestamp: at, Value: aws.Float64(float(value)), Unit: types.StandardUnitNone,
			Dimensions: []types.Dimension{{Name: aws.String("Stack"), Value: &p.Stack}}}
		if characteristic != "" {
			d.Dimensions = append(d.Dimensions, types.Dimension{Name: aws.String("Characteristic"), Value: &characteristic})
		}
		return d
	}
	v := &r.Verdict
	data := []types.MetricDatum{
		datum("Fitness", v.Level.Fitness.Lo, ""), datum("Loss", v.Level.Loss.Hi, ""), datum("Regularization", v.Level.Regularization, ""),
		datum("Coverage", v.Level.Coverage, ""),
	}
	if v.Delta != nil {
		data = append(data, datum("FitnessDelta", v.Delta.Delta.Lo, ""))
	}
	if r.Release.Size.Cost > 0 {
		data = append(data, datum("MonthlyCost", r.Release.Size.Amount(fitness.Cost), ""))
	}
	hundred := exact.Whole(100)
	for _, c := range v.Level.Characteristics {
		data = append(data, datum("Fitness", hundred.Mul(c.Score.Lo), c.Name), datum("Loss", exact.Whole(1).Sub(c.Score.Lo), c.Name))
	}
	_, err := p.CloudWatch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: &p.Namespace, MetricData: data})
	if err != nil {
		return fmt.Errorf("publish the fitness of stack %s: %w", p.Stack, err)
	}
	return nil
}

// float is only for metrics: no verdict depends on it.
func float(r exact.Rat) float64 {
	f, err := strconv.ParseFloat(r.Text(9), 64)
	if err != nil {
		return 0
	}
	return f
}

// markLabel begins the labels of evo's annotations, which are told from the authors' by it.
const markLabel = "evo: "

// maxMarks is how many releases stay marked.
const maxMarks = 20

// Annotate marks the release on the stack's dashboards, with a vertical line on every graph that has a time axis.
func (p *Publisher) Annotate(ctx context.Context, r *report.Report) error {
	if !r.Verdict.Proceed {
		return nil
	}
	names, err := p.Dashboards(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range names {
		problems = append(problems, p.annotate(ctx, name, r))
	}
	return errors.Join(problems...)
}

func (p *Publisher) annotate(ctx context.Context, name string, r *report.Report) error {
	out, err := p.CloudWatch.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: &name})
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", name, err)
	}
	body, err := mark(aws.ToString(out.DashboardBody), r)
	if err != nil {
		return fmt.Errorf("mark the release on dashboard %s: %w", name, err)
	}
	if _, err := p.CloudWatch.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: &name, DashboardBody: &body}); err != nil {
		return fmt.Errorf("write dashboard %s: %w", name, err)
	}
	return nil
}

// mark adds the release to a dashboard's body. Everything else in it stays, the authors' own annotations among it.
func mark(body string, r *report.Report) (string, error) {
	var dashboard map[string]any
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
		return "", err
	}
	label := fmt.Sprintf("%sv%d", markLabel, r.Number)
	if r.Title != "" {
		label += " " + r.Title
	}
	line := map[string]any{"label": label, "value": r.Time.Format("2006-01-02T15:04:05Z")}
	widgets, _ := dashboard["widgets"].([]any)
	for _, w := range widgets {
		widget, _ := w.(map[string]any)
		properties, _ := widget["properties"].(map[string]any)
		if widget["type"] != "metric" || properties == nil || !hasTimeAxis(properties["view"]) {
			continue
		}
		annotations, ok := properties["annotations"].(map[string]any)
		if !ok {
			annotations = map[string]any{}
			properties["annotations"] = annotations
		}
		vertical, _ := annotations["vertical"].([]any)
		annotations["vertical"] = withMark(vertical, line)
	}
	text, err := json.Marshal(dashboard)
	return string(text), err
}

func hasTimeAxis(view any) bool { return view == nil || view == "timeSeries" }

// withMark replaces the release's own mark if there is one, and drops evo's oldest marks.
func withMark(vertical []any, line map[string]any) []any {
	var out []any
	marks := 0
	for i := len(vertical) - 1; i >= 0; i-- {
		a, _ := vertical[i].(map[string]any)
		label, _ := a["label"].(string)
		if len(label) >= len(markLabel) && label[:len(markLabel)] == markLabel {
			if marks++; label == line["label"] || marks >= maxMarks {
				continue
			}
		}
		out = append([]any{vertical[i]}, out...)
	}
	return append(out, line)
}
